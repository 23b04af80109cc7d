"""The engine's environment: made with the real uv, and not counted as there before it is."""

import asyncio
from collections.abc import Callable
import fcntl
import os
from pathlib import Path
import signal
import socket
import subprocess
import sys
from typing import Any

import pytest

from custom_components.familiar_faces.host import (
    environment as environment_module,
    installing as installing_module,
)
from custom_components.familiar_faces.host.engine_errors import EnvironmentFailed
from custom_components.familiar_faces.host.environment import REQUIREMENTS, Environment
from custom_components.familiar_faces.host.machine import Machine, this_machine
from custom_components.familiar_faces.host.manifest import Manifest
from custom_components.familiar_faces.host.ready_made import ReadyMade

PYTHON = Path(sys.executable)
UV = (sys.executable, "-m", "uv")

# A real package of a few kilobytes, as it is on PyPI.
SMALL = "iniconfig==2.1.0 --hash=sha256:9deba5723312380e77435581c6bf4935c94cbfab9b1ed33ef8d238ea168eb760\n"
WRONG = "iniconfig==2.1.0 --hash=sha256:" + "0" * 64 + "\n"


class Steps:
    """Remembers the progress."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, str]] = []

    def __call__(self, fraction: float, step: str) -> None:
        self.seen.append((fraction, step))

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(step for _, step in self.seen))


def environment(tmp_path: Path, requirements: str, **kwargs: Any) -> Environment:
    path = tmp_path / "requirements.txt"
    path.write_text(requirements)
    return Environment(tmp_path / "cache", PYTHON, UV, requirements=[path], **kwargs)


async def failure(environment: Environment, progress: Callable[[float, str], None] | None = None) -> str:
    """Return why it cannot be prepared, having seen that nothing is marked as ready."""
    with pytest.raises(EnvironmentFailed) as caught:
        await environment.prepare(progress or Steps())
    assert caught.value.detail
    assert not environment.ready()
    assert not list(environment.folder.glob("ready-*"))
    return caught.value.reason_key


@pytest.mark.parametrize(
    ("machine", "reason_key"),
    [
        (Machine("Linux", "riscv64", "musl", "cpython-314-riscv64-linux-musl"), "unsupported_platform"),
        (Machine("Linux", "armv7l", "glibc", "cpython-314-arm-linux-gnueabihf"), "unsupported_platform"),
        (Machine("Darwin", "arm64", "unknown", "cpython-314-darwin"), "unsupported_platform"),
    ],
)
async def test_a_machine_without_packages_is_told_before_anything_is_written(
    tmp_path: Path, machine: Machine, reason_key: str
) -> None:
    assert await failure(environment(tmp_path, SMALL, machine=machine)) == reason_key
    assert not (tmp_path / "cache").exists()


async def test_a_small_disk_is_told_before_anything_is_downloaded(tmp_path: Path) -> None:
    steps = Steps()
    full = environment(tmp_path, SMALL, needed_bytes=10**18)
    assert await failure(full, steps) == "no_space"
    assert steps.names == ["create"]
    assert not full.folder.exists()


@pytest.mark.parametrize("uv", [("/nothing-of-that-name",), (sys.executable, "-m", "no_such_module")])
async def test_without_uv_it_says_so(tmp_path: Path, uv: tuple[str, ...]) -> None:
    without = Environment(tmp_path / "cache", PYTHON, uv)
    assert await failure(without) == "no_uv"


async def test_a_base_that_is_not_there_is_told(tmp_path: Path) -> None:
    lost = Environment(tmp_path / "cache", tmp_path / "python", UV)
    assert await failure(lost) == "no_python"


async def test_a_package_with_another_hash_is_not_installed(tmp_path: Path) -> None:
    wrong = environment(tmp_path, WRONG)
    with pytest.raises(EnvironmentFailed, match="(?i)hash mismatch") as caught:
        await wrong.prepare(Steps())
    assert (caught.value.reason_key, caught.value.what) == ("hash_refused", "iniconfig==2.1.0")
    assert not wrong.ready()
    assert not wrong.folder.exists()


async def test_a_requirement_without_a_hash_is_not_installed(tmp_path: Path) -> None:
    assert await failure(environment(tmp_path, "iniconfig==2.1.0\n")) == "install_failed"


async def test_no_network_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nobody listens on the discard port.
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_NO_CACHE", "1")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    assert await failure(environment(tmp_path, SMALL)) == "offline"


async def test_packages_that_are_no_engine_fail_the_checks(tmp_path: Path) -> None:
    # Everything installs, and then nothing that the engine imports is there.
    steps = Steps()
    useless = environment(tmp_path, SMALL)
    assert await failure(useless, steps) == "import_failed"
    assert steps.names == ["create", "install", "weights"]
    # Once through uv's cache and once past it, each forwards only.
    again = [at for at, (fraction, _) in enumerate(steps.seen) if fraction == 0.0]
    assert len(again) == 2
    for part in (steps.seen[: again[1]], steps.seen[again[1] :]):
        assert part == sorted(part)
    # What was fetched past the cache is not fetched a third time.
    steps = Steps()
    assert await failure(useless, steps) == "import_failed"
    assert steps.names == ["check", "weights"]


async def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file in the way")
    assert await failure(environment(tmp_path, SMALL)) == "install_failed"


def test_its_folder_is_named_by_what_it_is_made_of(tmp_path: Path) -> None:
    here = this_machine()
    other = Machine(here.system, here.processor, here.libc, "cpython-399-x86_64-linux-gnu")
    folders = {
        environment(tmp_path, SMALL).folder,
        environment(tmp_path, WRONG).folder,
        environment(tmp_path, SMALL, machine=other).folder,
    }
    assert len(folders) == 3
    assert environment(tmp_path, SMALL).folder in folders


def test_it_is_ready_only_with_the_marker_of_this_version_and_its_interpreter(tmp_path: Path) -> None:
    made = environment(tmp_path, SMALL)
    made.python.parent.mkdir(parents=True)
    base = tmp_path / "base-python"
    base.touch()
    made.python.symlink_to(base)
    Manifest.take(made.folder, past_cache=False).write(made.folder)
    (made.folder / "ready-0.0.0-old").touch()
    assert not made.ready()
    (made.folder / environment_module.READY).touch()
    assert made.ready()
    base.unlink()
    assert not made.ready(), "its base was upgraded away"


async def test_a_second_build_waits_for_the_first(tmp_path: Path) -> None:
    waiting = environment(tmp_path, WRONG)
    cache = tmp_path / "cache"
    cache.mkdir()
    steps = Steps()
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        task = asyncio.create_task(waiting.prepare(steps))
        async with asyncio.timeout(30):
            while not steps.seen:
                await asyncio.sleep(0.02)
        assert steps.names == ["wait"]
        assert not task.done()
    with pytest.raises(EnvironmentFailed):
        await task
    assert "install" in steps.names


async def test_cancelling_ends_what_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, socket_enabled: None
) -> None:
    # The index accepts and never answers, so that uv waits.
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        index = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
        monkeypatch.setenv("UV_DEFAULT_INDEX", index)
        monkeypatch.setenv("UV_NO_CACHE", "1")
        cancelled = environment(tmp_path, SMALL)
        steps = Steps()
        task = asyncio.create_task(cancelled.prepare(steps))
        async with asyncio.timeout(60):
            while "install" not in steps.names or not processes_with(index):
                await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not processes_with(index)
    assert not cancelled.ready()
    # The lock is free again.
    with (tmp_path / "cache" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def processes_with(index: str) -> list[int]:
    """Return the processes other than this one that were given a variable with this text."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            try:
                if index.encode() in (process / "environ").read_bytes():
                    found.append(int(process.name))
            except OSError:
                pass
    return found


def test_home_assistants_own_wheels_are_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    foreign, own = "https://wheels.home-assistant.io/musllinux-index/", "https://example.org/simple"
    monkeypatch.setenv("UV_EXTRA_INDEX_URL", f"{foreign} {own}")
    assert installing_module.variables()["UV_EXTRA_INDEX_URL"] == own
    monkeypatch.setenv("UV_EXTRA_INDEX_URL", foreign)
    assert "UV_EXTRA_INDEX_URL" not in installing_module.variables()


async def test_removing_leaves_nothing(tmp_path: Path) -> None:
    wrong = environment(tmp_path, WRONG)
    await failure(wrong)
    for name in ("env-0123456789abcdef", "env-fedcba9876543210/lib"):
        (tmp_path / "cache" / name).mkdir(parents=True)
    await wrong.remove()
    assert not (tmp_path / "cache").exists()
    await wrong.remove()


async def test_a_ready_made_place_is_used_as_it_is(tmp_path: Path) -> None:
    assert ReadyMade(PYTHON, tmp_path).ready()
    missing = ReadyMade(tmp_path / "python", tmp_path)
    assert not missing.ready()
    with pytest.raises(EnvironmentFailed, match="missing"):
        await missing.prepare(Steps())


PREPARE = """
    from custom_components.familiar_faces.host.environment import Environment
    cache, python = map(Path, sys.argv[1:3])
    await Environment(cache, python, [python, "-m", "uv"]).prepare(lambda f, step: print(step, flush=True))
    print("done", flush=True)
"""


@pytest.mark.slow_build
@pytest.mark.timeout(900)
async def test_a_build_that_is_killed_at_any_step_is_made_again(
    tmp_path: Path, script: Callable[..., subprocess.Popen[str]]
) -> None:
    """The whole thing: killed at each of its steps, then built, found again, and replaced."""
    cache = tmp_path / "cache"
    built = Environment(cache, PYTHON, UV)
    for step in ("create", "install", "weights", "self_check"):
        with script(PREPARE, cache, PYTHON) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if line.strip() == step:
                    break
            else:
                pytest.fail(f"{step} was never reached")
            process.send_signal(signal.SIGKILL)
            process.stdout.close()
        assert not built.ready()

    old = cache / "env-0123456789abcdef"
    (old / "lib").mkdir(parents=True)
    (old / "ready-0.0.1").touch()
    steps = Steps()
    await built.prepare(steps)
    assert built.ready()
    assert steps.seen[-1] == (1.0, "self_check")
    assert {path.name for path in cache.iterdir()} == {built.folder.name, "lock"}
    assert {path.stat().st_nlink for path in built.folder.rglob("*") if path.is_file()} == {1}
    assert (await asyncio.to_thread(built.weights.stat)).st_mode

    steps = Steps()
    await built.prepare(steps)
    assert steps.seen == []

    # A new version of the engine with the same packages only checks itself again.
    (built.folder / environment_module.READY).rename(built.folder / "ready-0.0.1")
    assert not built.ready()
    await built.prepare(steps)
    assert built.ready()
    assert steps.names == ["check", "weights", "self_check"]


def test_the_locked_requirements_are_there_and_locked() -> None:
    for path in REQUIREMENTS:
        text = path.read_text()
        names = [line for line in text.splitlines() if "==" in line and not line.lstrip().startswith("#")]
        assert names
        assert text.count("--hash=sha256:") >= len(names)
