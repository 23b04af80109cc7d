"""The real engine as a child: kept running, and gone without a trace when stopped."""

import asyncio
from collections.abc import AsyncGenerator, Callable
import os
from pathlib import Path
import signal
import socket
import stat
import struct
import subprocess
import sys
import zlib

import pytest

from custom_components.familiar_faces.engine import VERSION
from custom_components.familiar_faces.host import (
    child as child_module,
    client as client_module,
    process as process_module,
)
from custom_components.familiar_faces.host.child import NICE
from custom_components.familiar_faces.host.engine import EngineStatus
from custom_components.familiar_faces.host.engine_errors import (
    EngineUnavailable,
    EnvironmentFailed,
    ImageRejected,
)
from custom_components.familiar_faces.host.environment import Progress
from custom_components.familiar_faces.host.process import EngineProcess
from custom_components.familiar_faces.host.ready_made import ReadyMade
from custom_components.familiar_faces.host.serving import SOCKET
from tests.common.processes import alive, eventually


def picture(width: int = 320, height: int = 240) -> bytes:
    """Return a PNG of an even grey: a picture without a face."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def children(of: int | None = None) -> set[int]:
    """Return the running child processes of a process, of this one if none is named."""
    of = of or os.getpid()
    found: set[int] = set()
    for path in Path(f"/proc/{of}/task").glob("*/children"):
        found |= {int(pid) for pid in path.read_text().split()}
    return {pid for pid in found if alive(pid)}


def variables(pid: int) -> str:
    """Return the environment variables that a process was given."""
    return Path(f"/proc/{pid}/environ").read_text()


class Run:
    """An engine under test, and every status that it had."""

    def __init__(self, engine: EngineProcess, runtime: Path, others: set[int]) -> None:
        self.engine = engine
        self.runtime = runtime
        self.statuses: list[EngineStatus] = []
        self._others = others
        engine.add_listener(self.statuses.append)

    @property
    def pid(self) -> int:
        (pid,) = children() - self._others
        return pid

    async def ready(self) -> int:
        """Return the engine's process id once it is ready."""
        assert await self.engine.wait_ready(40), self.engine.last_error
        return self.pid

    async def replaced(self, pid: int) -> int:
        """Return the new engine's process id once there is one and it is ready."""
        await eventually(lambda: EngineStatus.RESTARTING in self.statuses)
        await eventually(lambda: not alive(pid))
        return await self.ready()


@pytest.fixture
async def make(short_path: Path) -> AsyncGenerator[Callable[..., Run]]:
    """Return a function that makes an engine; each is stopped, and must have left nothing."""
    runs: list[Run] = []
    others = children()

    def make(place: object, **kwargs: float) -> Run:
        runtime = short_path / "run"
        runs.append(Run(EngineProcess(place, runtime, **kwargs), runtime, others))  # type: ignore[arg-type]
        return runs[-1]

    yield make
    for run in runs:
        await run.engine.stop()
    assert all(run.engine.status is EngineStatus.STOPPED for run in runs)
    assert not (short_path / "run").exists()
    assert children() <= others


async def test_it_becomes_ready_answers_and_leaves_nothing(
    make: Callable[..., Run], place: ReadyMade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUPERVISOR_TOKEN", "secret")
    run = make(place)
    engine = run.engine
    with pytest.raises(EngineUnavailable, match="not been started"):
        _ = engine.client
    await engine.start()
    assert engine.latency_ms is None
    pid = await run.ready()
    assert run.statuses == [EngineStatus.STARTING, EngineStatus.READY]
    assert (engine.last_error, engine.progress) == (None, None)
    assert os.getpriority(os.PRIO_PROCESS, pid) >= NICE
    assert stat.S_IMODE(run.runtime.stat().st_mode) == 0o700
    assert stat.S_IMODE((run.runtime / SOCKET).stat().st_mode) == 0o600
    assert "SUPERVISOR_TOKEN" not in variables(pid)

    health = await engine.client.health()
    assert health.version == VERSION
    faces = await engine.client.faces(picture(), crops=True, portraits=True, mirrored=True)
    assert (faces.size, faces.faces) == ((320, 240), ())
    assert faces.model == health.model["name"]
    assert engine.latency_ms == faces.ms["total"]

    await engine.stop()
    assert not alive(pid)
    assert not run.runtime.exists()
    assert run.statuses[-1] is EngineStatus.STOPPED
    with pytest.raises(EngineUnavailable):
        _ = engine.client


@pytest.mark.parametrize("image", [b"", b"not an image", b"\xff\xd8\xff\xe0", picture()[:60]])
async def test_a_bad_image_is_rejected_and_the_engine_stays(
    make: Callable[..., Run], place: ReadyMade, image: bytes
) -> None:
    run = make(place)
    await run.engine.start()
    pid = await run.ready()
    with pytest.raises(ImageRejected) as caught:
        await run.engine.client.faces(image)
    assert caught.value.reason not in ("", "unknown", "blank")
    assert len((await run.engine.client.faces(picture())).faces) == 0
    assert run.pid == pid


async def test_killed_in_the_middle_of_a_request(make: Callable[..., Run], place: ReadyMade) -> None:
    run = make(place)
    await run.engine.start()
    pid = await run.ready()
    # Stopped first, so that the request is certainly under way when it dies.
    os.kill(pid, signal.SIGSTOP)
    request = asyncio.create_task(run.engine.client.faces(picture()))
    await asyncio.sleep(0.2)
    assert not request.done()
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(EngineUnavailable):
        await request
    await eventually(lambda: run.engine.status is EngineStatus.RESTARTING)
    assert run.engine.last_error is not None
    assert "SIGKILL" in run.engine.last_error
    assert await run.replaced(pid) != pid
    assert run.engine.last_error is None
    assert (await run.engine.client.faces(picture())).size == (320, 240)
    assert run.statuses == [
        EngineStatus.STARTING,
        EngineStatus.READY,
        EngineStatus.RESTARTING,
        EngineStatus.READY,
    ]


async def test_one_that_ends_is_back_at_once(
    make: Callable[..., Run], place: ReadyMade, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def backoff(failures: int) -> float:
        waits.append(failures)
        return 0.0

    monkeypatch.setattr(process_module, "backoff", backoff)
    run = make(place)
    await run.engine.start()
    pid = await run.ready()
    os.kill(pid, signal.SIGKILL)
    second = await run.replaced(pid)
    # Nothing is waited for but the start of a program, which takes as long as the machine needs.
    assert waits == []
    os.kill(second, signal.SIGKILL)
    await eventually(lambda: waits == [1])
    await run.ready()


async def test_an_idle_engine_that_hangs_is_replaced(make: Callable[..., Run], place: ReadyMade) -> None:
    run = make(place, health_every=0.3)
    await run.engine.start()
    pid = await run.ready()
    os.kill(pid, signal.SIGSTOP)
    assert await run.replaced(pid) != pid


async def test_an_engine_that_does_not_answer_a_request_is_replaced(
    make: Callable[..., Run], place: ReadyMade
) -> None:
    run = make(place)
    await run.engine.start()
    pid = await run.ready()
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(EngineUnavailable, match="5 s"):
        await run.engine.client.faces(picture(), timeout=5)
    assert await run.replaced(pid) != pid


HALF_HUNG = """#!{python}
import asyncio, sys
from aiohttp import web

async def health(request):
    return web.json_response({{"version": "1", "protocol": 1, "model": {{}}}})

async def faces(request):
    await asyncio.sleep(60)

async def name_the_request(request, response):
    response.headers["X-Request-Id"] = request.headers["X-Request-Id"]

app = web.Application()
app.on_response_prepare.append(name_the_request)
app.add_routes([web.get("/v1/health", health), web.post("/v1/faces", faces)])
web.run_app(app, path=sys.argv[sys.argv.index("--socket") + 1], handle_signals=False, print=None)
"""


async def test_an_engine_that_is_well_but_answers_no_request_is_replaced(
    make: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "HANG", 0.5)
    # What a call into a library that never returns looks like from outside.
    stub = tmp_path / "python"
    stub.write_text(HALF_HUNG.format(python=sys.executable))
    stub.chmod(0o755)
    run = make(ReadyMade(stub, tmp_path))
    await run.engine.start()
    pid = await run.ready()
    with pytest.raises(EngineUnavailable):
        await run.engine.client.faces(picture(), timeout=0.5)
    await asyncio.sleep(0.5)
    assert run.pid == pid, "one image may be slow"
    with pytest.raises(EngineUnavailable):
        await run.engine.client.faces(picture(), timeout=0.5)
    assert await run.replaced(pid) != pid


async def test_a_hung_engine_does_not_hold_up_stopping(
    make: Callable[..., Run], place: ReadyMade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_module, "STOP_GRACE", 0.5)
    run = make(place)
    await run.engine.start()
    pid = await run.ready()
    os.kill(pid, signal.SIGSTOP)
    async with asyncio.timeout(3):
        await run.engine.stop()
    assert not alive(pid)


async def test_stopping_while_it_starts_leaves_nothing(make: Callable[..., Run], place: ReadyMade) -> None:
    run = make(place)
    await run.engine.start()
    await eventually(lambda: bool(children() - run._others))
    pid = run.pid
    await run.engine.stop()
    assert not alive(pid)
    assert run.statuses == [EngineStatus.STARTING, EngineStatus.STOPPED]
    await run.engine.start()
    await run.ready()


async def test_a_socket_left_by_a_crash_is_no_obstacle(make: Callable[..., Run], place: ReadyMade) -> None:
    run = make(place)
    run.runtime.mkdir()
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(run.runtime / SOCKET))
    await run.engine.start()
    await run.ready()


async def test_an_engine_that_cannot_start_says_why(
    make: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = 0

    def count(failures: int) -> float:
        nonlocal tries
        tries += 1
        return 0.05

    monkeypatch.setattr(process_module, "backoff", count)
    # Home Assistant's own interpreter has none of the engine's packages.
    run = make(ReadyMade(Path(sys.executable), tmp_path))
    await run.engine.start()
    assert await run.engine.wait_settled(20) is EngineStatus.UNAVAILABLE
    assert run.engine.last_error is not None
    assert "No module named" in run.engine.last_error
    await eventually(lambda: tries >= 3)
    assert run.statuses == [EngineStatus.STARTING, EngineStatus.UNAVAILABLE]


async def test_an_interpreter_that_is_none_says_why(make: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "python").write_text("no program")
    run = make(ReadyMade(tmp_path / "python", tmp_path))
    await run.engine.start()
    assert await run.engine.wait_settled(20) is EngineStatus.UNAVAILABLE
    assert run.engine.last_error is not None
    assert "Permission denied" in run.engine.last_error


class NotYet:
    """A place that has to be prepared first."""

    def __init__(self, place: ReadyMade, failure: EnvironmentFailed | None = None) -> None:
        self.interpreter = place.interpreter
        self.weights = place.weights
        self.prepared = False
        self.go_on = asyncio.Event()
        self.failure = failure

    def ready(self) -> bool:
        return self.prepared

    async def prepare(self, progress: Progress) -> None:
        progress(0.5, "install")
        await self.go_on.wait()
        if self.failure is not None:
            raise self.failure
        self.prepared = True


async def test_it_is_prepared_first_when_it_has_to_be(make: Callable[..., Run], place: ReadyMade) -> None:
    not_yet = NotYet(place)
    run = make(not_yet)
    await run.engine.start()
    await eventually(lambda: run.engine.status is EngineStatus.PREPARING)
    await eventually(lambda: run.engine.progress is not None)
    assert run.engine.progress == (0.5, "install")
    not_yet.go_on.set()
    await run.ready()
    assert run.engine.progress is None
    assert run.statuses == [
        EngineStatus.STARTING,
        EngineStatus.PREPARING,
        EngineStatus.STARTING,
        EngineStatus.READY,
    ]


async def test_stopping_while_it_is_prepared(make: Callable[..., Run], place: ReadyMade) -> None:
    run = make(NotYet(place))
    await run.engine.start()
    await eventually(lambda: run.engine.status is EngineStatus.PREPARING)
    await run.engine.stop()
    assert run.engine.progress is None


async def test_a_failed_preparation_is_tried_again_unless_it_is_hopeless(
    make: Callable[..., Run], place: ReadyMade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "PREPARE_AGAIN", 0.1)
    offline = NotYet(place, EnvironmentFailed("offline", "No network here"))
    offline.go_on.set()
    run = make(offline)
    await run.engine.start()
    assert await run.engine.wait_settled(30) is EngineStatus.UNAVAILABLE
    assert run.engine.last_error == "No network here"
    assert isinstance(run.engine.problem, EnvironmentFailed)
    offline.failure = None
    await run.ready()
    await run.engine.stop()

    hopeless = NotYet(place, EnvironmentFailed("unsupported_platform", "No packages for this processor"))
    hopeless.go_on.set()
    run = make(hopeless)
    await run.engine.start()
    assert await run.engine.wait_settled(30) is EngineStatus.UNAVAILABLE
    hopeless.failure = None
    await asyncio.sleep(0.4)
    assert run.engine.status is EngineStatus.UNAVAILABLE


RUN = """
    from custom_components.familiar_faces.host.ready_made import ReadyMade
    from custom_components.familiar_faces.host.process import EngineProcess
    python, weights, runtime = map(Path, sys.argv[1:])
    engine = EngineProcess(ReadyMade(python, weights), runtime)
    await engine.start()
    print(await engine.wait_ready(40), flush=True)
    await asyncio.sleep(60)
"""


async def test_when_the_parent_is_killed_the_engine_ends(
    place: ReadyMade, short_path: Path, script: Callable[..., subprocess.Popen[str]]
) -> None:
    with script(RUN, place.python, place.weights, short_path / "run") as parent:
        assert parent.stdout is not None
        line = await asyncio.to_thread(parent.stdout.readline)
        (pid,) = children(parent.pid)
        parent.kill()
    assert line == "True\n"
    await eventually(lambda: not alive(pid))


async def test_the_loop_stays_free_while_it_starts_and_restarts(
    make: Callable[..., Run], place: ReadyMade
) -> None:
    loop = asyncio.get_running_loop()
    late: list[float] = []

    async def watch() -> None:
        while True:
            before = loop.time()
            await asyncio.sleep(0.005)
            late.append(loop.time() - before - 0.005)

    loop.set_debug(False)
    watcher = asyncio.create_task(watch())
    run = make(place)
    await run.engine.start()
    pid = await run.ready()
    os.kill(pid, signal.SIGKILL)
    await run.replaced(pid)
    await run.engine.stop()
    watcher.cancel()
    # The machine may be busy with others, so that a few late wakings prove nothing against us.
    late.sort()
    assert late[int(len(late) * 0.98)] < 0.02
