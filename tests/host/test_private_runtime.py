"""The runtime for machines without the GNU C library: Debian's real packages, and the real uv."""

import asyncio
from collections.abc import Callable, Generator
import json
import os
from pathlib import Path
import shutil
import signal
import subprocess

import pytest
import pytest_socket

from custom_components.familiar_faces.host import (
    environment as environment_module,
    pins as pins_module,
    private_runtime as private_runtime_module,
    serving as serving_module,
)
from custom_components.familiar_faces.host.child import run
from custom_components.familiar_faces.host.client import EngineClient
from custom_components.familiar_faces.host.engine_errors import EngineBroken, EnvironmentFailed
from custom_components.familiar_faces.host.environment import Environment
from custom_components.familiar_faces.host.private_runtime import FETCHED, MIRROR, PrivateRuntime
from custom_components.familiar_faces.host.serving import Server, open_session

from .mirror import MUSL, Mirror, debian_packages, mirror
from .wheelhouse import MODEL, PYTHON, SmallEngine


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallEngine:
    """Return a small engine that the tests share, each with an empty cache folder."""
    return SmallEngine(tmp_path_factory.mktemp("small") / "small")


@pytest.fixture(autouse=True)
def debian(
    small: SmallEngine,
    tmp_path_factory: pytest.TempPathFactory,
    socket_enabled: None,
    monkeypatch: pytest.MonkeyPatch,
) -> Generator[Mirror]:
    """Return the only place that has Debian's packages, with everything as before the first build."""
    pytest_socket.socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "uv"))
    monkeypatch.setattr(environment_module, "ENGINE", small.engine)
    monkeypatch.setattr(serving_module, "ENGINE", small.engine)
    small.lock()
    with mirror(debian_packages()) as made:
        monkeypatch.setenv(MIRROR, made.url)
        monkeypatch.setattr(pins_module, "DEBIAN", made.url)
        monkeypatch.setattr(pins_module, "SNAPSHOTS", f"{made.url}/archive")
        yield made
    shutil.rmtree(small.cache, ignore_errors=True)


@pytest.fixture
async def built(small: SmallEngine) -> Environment:
    """Return its environment, a copy of one that was made once."""
    kept = small.root / "kept"
    environment = small.environment(machine=MUSL)
    if kept.exists():
        await asyncio.to_thread(shutil.copytree, kept, small.cache, symlinks=True)
    else:
        await environment.prepare(ignore)
        await asyncio.to_thread(shutil.copytree, small.cache, kept, symlinks=True)
    assert environment.ready()
    return environment


def ignore(fraction: float, step: str) -> None:
    """Take no notice of the progress."""


def packages(environment: Environment) -> Path:
    return environment.folder / "usr/lib/python3/dist-packages"


def assert_whole(environment: Environment) -> None:
    """See that it is ready, and that nothing else is left."""
    assert environment.ready()
    assert (packages(environment) / "weightbox/model.bin").read_bytes() == MODEL
    assert (environment.weights / "model.bin").read_bytes() == MODEL
    assert {path.name for path in environment.folder.parent.iterdir()} == {environment.folder.name, "lock"}


def cut_off(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


async def test_it_is_built_beside_and_loads_nothing_of_the_system(debian: Mirror, small: SmallEngine) -> None:
    """After a first try without the internet, of which nothing is lost that came."""
    everything = dict(debian.files)
    debian.files = dict(list(everything.items())[:2])
    steps: list[tuple[float, str]] = []
    it = small.environment(machine=MUSL)
    with pytest.raises(EnvironmentFailed) as caught:
        await it.prepare(ignore)
    assert caught.value.reason_key == "offline"
    assert not it.ready()
    assert len(list((small.cache / FETCHED).glob("*.deb"))) == 2
    # What is of older pins goes.
    (small.cache / FETCHED / "libold-0123.deb").touch()
    debian.files = everything
    debian.asked.clear()
    built = small.environment(machine=MUSL)
    await built.prepare(lambda fraction, step: steps.append((fraction, step)))
    assert_whole(built)
    assert len(debian.asked) == len(everything) - 2
    assert steps == sorted(steps, key=lambda step: step[0])
    # Each of the packages moves the progress on.
    assert len({fraction for fraction, step in steps if step == "create"}) > len(everything)
    # The last lines are kept; those of the libraries are the newest.
    code = (
        "import ssl, sqlite3, ctypes, sys; print(sys.version_info[:2])\n"
        "print('\\n'.join(sorted({line.split()[-1] for line in open('/proc/self/maps') if '.so' in line})))"
    )
    status, said = await run([*built.interpreter, "-I", "-c", code], env={}, cwd=small.root, timeout=60)
    assert status == 0
    assert said[0] == "(3, 13)"
    mapped = {line.split()[-1] for line in said if "/" in line}
    foreign = {path for path in mapped if not Path(path).is_relative_to(built.folder)}
    assert not {path for path in foreign if ".so" in path}, "libraries of the system's"
    # Home Assistant's own Python may change as it likes.
    newer = small.environment(machine=MUSL)
    newer._base = Path("/usr/bin/another-python")
    assert newer.ready()
    (small.cache / FETCHED).mkdir()
    await built.remove()
    assert not small.cache.exists()


async def test_a_plain_environment_and_a_runtime_are_two(small: SmallEngine, built: Environment) -> None:
    assert small.environment().folder.name != built.folder.name
    assert not small.environment().ready()


async def test_other_pins_or_requirements_make_another_one(
    small: SmallEngine, built: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = json.loads(pins_module.PINS.read_bytes())
    data["packages"][MUSL.processor][0]["sha256"] = "0" * 64
    other = tmp_path / "pins.json"
    other.write_text(json.dumps(data))
    moved = small.environment(machine=MUSL)
    moved.__dict__["_installer"] = PrivateRuntime((), PYTHON, small.cache, MUSL.processor, pins=other)
    assert not moved.ready()
    # What cannot be had is not put into the place of what works.
    with pytest.raises(EnvironmentFailed):
        await moved.prepare(ignore)
    assert small.environment(machine=MUSL).ready()
    small.requirements.write_text(small.requirements.read_text() + "\n")
    again = small.environment(machine=MUSL)
    assert not again.ready()
    assert again.folder.name != built.folder.name


DAMAGES: dict[str, Callable[[Environment], object]] = {
    "the loader is gone": lambda it: Path(it.interpreter[0]).unlink(),
    "the C library is cut off": lambda it: cut_off(Path(it.interpreter[2]) / "libc.so.6"),
    "the interpreter is cut off": lambda it: cut_off(it.python),
    "the standard library is gone": lambda it: shutil.rmtree(it.folder / "usr/lib/python3.13"),
    "a package is gone": lambda it: shutil.rmtree(packages(it) / "shapes"),
    "a link leads elsewhere": lambda it: relink(Path(it.interpreter[2]) / "libz.so.1"),
}
STOPS_IT = {"the loader is gone", "the C library is cut off", "the interpreter is cut off"}


def relink(path: Path) -> None:
    path.unlink()
    path.symlink_to("/lib/libz.so.1")


@pytest.mark.parametrize("damage", DAMAGES)
async def test_damage_is_seen(small: SmallEngine, built: Environment, short_path: Path, damage: str) -> None:
    """A look at the files shows it; and should it be missed, the engine's start says that something is broken."""
    DAMAGES[damage](built)
    assert not small.environment(machine=MUSL).ready()
    if damage in STOPS_IT:
        async with open_session(short_path) as session:
            client = EngineClient(session, "http://engine")
            with pytest.raises(EngineBroken) as caught:
                await Server.start(built.interpreter, built.weights, short_path, client)
        assert caught.value.failed == "start"


async def test_a_damaged_one_is_built_anew_also_when_nothing_shows(
    small: SmallEngine, built: Environment
) -> None:
    """A byte that a failing disk changed: size and time are as they were."""
    before = built.folder
    path = built.folder / "usr/lib/python3.13/os.py"
    status = path.stat()
    path.write_bytes(path.read_bytes().replace(b"def ", b"fed ", 1))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert built.ready()
    built.distrust()
    await built.prepare(ignore)
    assert_whole(built)
    assert built.folder != before
    assert b"fed " not in (built.folder / "usr/lib/python3.13/os.py").read_bytes()


async def test_a_package_that_was_changed_on_the_way_is_refused(debian: Mirror, small: SmallEngine) -> None:
    path = next(path for path in debian.files if "/libc6_" in path)
    debian.files[path] = debian.files[path][:-1] + b"x"
    it = small.environment(machine=MUSL)
    with pytest.raises(EnvironmentFailed) as caught:
        await it.prepare(ignore)
    assert (caught.value.reason_key, caught.value.what) == ("hash_refused", "libc6")
    assert not it.ready()
    assert not list(small.cache.glob("env-*"))


KILLED = """
    from custom_components.familiar_faces.host import environment, serving
    from custom_components.familiar_faces.host.machine import Machine
    environment.ENGINE = serving.ENGINE = Path(sys.argv[4])
    cache, python, requirements = map(Path, sys.argv[1:4])
    it = environment.Environment(
        cache, python, [python, "-m", "uv"], requirements=[requirements], needed_bytes=1_000_000,
        machine=Machine("Linux", sys.argv[5], "musl", "cpython-314-linux-musl"),
    )
    def progress(fraction, step):
        print(f"{fraction:.3f}", flush=True)
    print("begin", flush=True)
    await it.prepare(progress)
    print("done", flush=True)
"""


@pytest.mark.timeout(300)
async def test_a_build_that_is_killed_at_any_instant_is_never_used(
    small: SmallEngine, script: Callable[..., subprocess.Popen[str]]
) -> None:
    """Killed while it fetches, unpacks, installs and checks: the next start is right each time."""
    arguments = (small.cache, PYTHON, small.requirements, small.engine, MUSL.processor)

    def killed(at: float) -> bool:
        """Kill a build when its progress is so far; return whether it was done before."""
        with script(KILLED, *arguments) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if line[0].isdigit() and float(line) >= at:
                    break
            process.send_signal(signal.SIGKILL)
            return "done" in process.stdout.read()

    for at in (0.02, 0.046, 0.05, 0.75, 0.9):
        assert not await asyncio.to_thread(killed, at)
        assert not small.environment(machine=MUSL).ready(), f"after a kill at {at}"
    it = small.environment(machine=MUSL)
    await it.prepare(ignore)
    assert_whole(it)


def test_every_processor_with_pins_can_be_started() -> None:
    assert set(private_runtime_module._KINDS) == set(json.loads(pins_module.PINS.read_bytes())["packages"])
