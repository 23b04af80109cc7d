"""An engine on another machine: whether it answers, and what is said when it does not."""

import asyncio
from collections.abc import AsyncGenerator
import json
from pathlib import Path

import aiohttp
from aiohttp import web
import pytest

from custom_components.familiar_faces.engine import PROTOCOL
from custom_components.familiar_faces.host import client as client_module, remote as remote_module
from custom_components.familiar_faces.host.client import EngineClient
from custom_components.familiar_faces.host.engine import EngineStatus, backoff
from custom_components.familiar_faces.host.engine_errors import (
    EngineRefused,
    EngineTimedOut,
    EngineUnavailable,
    ImageRejected,
)
from custom_components.familiar_faces.host.ready_made import ReadyMade
from custom_components.familiar_faces.host.remote import RemoteEngine
from custom_components.familiar_faces.host.serving import ENGINE
from tests.common.answering import proving

HEALTH = {"version": "1", "protocol": PROTOCOL, "model": {"name": "sface"}}


class Fake:
    """An engine that is well, or not."""

    def __init__(self) -> None:
        self.status = 200
        self.silent = False
        self.asked = 0
        self.url = ""
        self.over = asyncio.Event()

    async def health(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        return web.json_response(HEALTH, status=self.status)

    async def faces(self, request: web.Request) -> web.StreamResponse:
        if self.silent:
            await self.over.wait()
        return web.json_response(
            {"model": "sface", "size": [1, 1], "faces": [], "ms": {"total": 7}}, status=self.status
        )


@pytest.fixture
async def fake(socket_enabled: None) -> AsyncGenerator[Fake]:
    fake = Fake()
    application = web.Application()
    application.on_response_prepare.append(proving("token"))
    application.router.add_get("/v1/health", fake.health)
    application.router.add_post("/v1/faces", fake.faces)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield fake
    fake.over.set()
    await runner.cleanup()


@pytest.fixture
async def engine(fake: Fake) -> AsyncGenerator[RemoteEngine]:
    async with aiohttp.ClientSession() as session:
        engine = RemoteEngine(session, fake.url, "token", health_every=0.05)
        yield engine
        await engine.stop()
        assert not session.closed, "the session is the caller's"


async def status_is(engine: RemoteEngine, status: EngineStatus, timeout: float = 30) -> None:
    async with asyncio.timeout(timeout):
        while engine.status is not status:
            await asyncio.sleep(0.01)


async def test_it_is_ready_gone_and_ready_again(engine: RemoteEngine, fake: Fake) -> None:
    seen: list[EngineStatus] = []
    unsubscribe = engine.add_listener(seen.append)
    assert engine.status is EngineStatus.STOPPED
    await engine.start()
    assert await engine.wait_ready(30)
    assert (engine.last_error, engine.latency_ms) == (None, None)
    await engine.client.faces(b"image")
    assert engine.latency_ms == 7

    fake.status = 502
    await status_is(engine, EngineStatus.UNAVAILABLE)
    assert isinstance(engine.problem, EngineUnavailable)
    assert engine.last_error
    assert not await engine.wait_ready(0.1)

    fake.status = 200
    assert await engine.wait_ready(30)
    assert engine.last_error is None
    unsubscribe()
    unsubscribe()
    await engine.stop()
    assert engine.status is EngineStatus.STOPPED
    assert seen == [
        EngineStatus.STARTING,
        EngineStatus.READY,
        EngineStatus.UNAVAILABLE,
        EngineStatus.READY,
    ]


async def test_one_missed_look_is_forgiven(engine: RemoteEngine, fake: Fake) -> None:
    await engine.start()
    assert await engine.wait_ready(30)
    seen: list[EngineStatus] = []
    engine.add_listener(seen.append)
    asked = fake.asked
    fake.status = 502
    async with asyncio.timeout(30):
        while fake.asked == asked:
            await asyncio.sleep(0.001)
    fake.status = 200
    await asyncio.sleep(0.2)
    assert seen == []


async def test_a_refused_token_is_told_from_a_lost_engine(engine: RemoteEngine, fake: Fake) -> None:
    fake.status = 502
    problems: list[type] = []
    engine.add_listener(lambda _: problems.append(type(engine.problem)))
    await engine.start()
    assert await engine.wait_settled(30) is EngineStatus.UNAVAILABLE
    fake.status = 401
    async with asyncio.timeout(30):
        while not isinstance(engine.problem, EngineRefused):
            await asyncio.sleep(0.01)
    # The status stayed the same, and the listeners heard of the new reason nevertheless.
    assert problems[-1] is EngineRefused


async def test_a_busy_engine_is_well(engine: RemoteEngine, fake: Fake) -> None:
    async def busy(request: web.Request) -> web.StreamResponse:
        return web.Response(status=503, headers={"Retry-After": "1"})

    fake.health = busy  # type: ignore[method-assign]
    await engine.start()
    assert await engine.wait_ready(30)


async def test_a_request_that_times_out_has_it_looked_at_at_once(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "HANG", 0.3)
    async with aiohttp.ClientSession() as session:
        engine = RemoteEngine(session, fake.url, "token")
        await engine.start()
        assert await engine.wait_ready(30)
        assert fake.asked == 1
        fake.silent = True
        with pytest.raises(EngineTimedOut):
            await engine.client.faces(b"image", timeout=0.3)
        async with asyncio.timeout(1):
            while fake.asked < 2:
                await asyncio.sleep(0.01)
        assert engine.status is EngineStatus.READY
        await engine.stop()


async def test_it_can_be_started_and_stopped_more_than_once(engine: RemoteEngine) -> None:
    await engine.stop()
    await engine.start()
    await engine.start()
    assert await engine.wait_ready(30)
    await engine.stop()
    await engine.stop()
    await engine.start()
    assert await engine.wait_ready(30)


async def test_a_listener_that_fails_is_logged_and_the_others_hear(
    engine: RemoteEngine, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[EngineStatus] = []

    def fail(status: EngineStatus) -> None:
        raise ZeroDivisionError

    engine.add_listener(fail)
    engine.add_listener(seen.append)
    await engine.start()
    assert await engine.wait_ready(30)
    assert seen[-1] is EngineStatus.READY
    assert "listener" in caplog.text


async def test_our_own_mistakes_do_not_end_it(
    engine: RemoteEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(self: EngineClient, timeout: float = 5) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("custom_components.familiar_faces.host.engine.BACKOFF_MAX", 0.1)
    with monkeypatch.context() as patched:
        patched.setattr(EngineClient, "health", fail)
        await engine.start()
        assert await engine.wait_settled(30) is EngineStatus.UNAVAILABLE
    assert await engine.wait_ready(30)


def test_the_waits_grow_to_a_minute() -> None:
    assert [backoff(failures) for failures in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert backoff(100_000) == 60
    assert remote_module.HEALTH_EVERY == 60


async def test_the_real_engine_on_a_port_wants_its_token(
    place: ReadyMade, tmp_path: Path, socket_enabled: None
) -> None:
    token = tmp_path / "token"
    token.write_text("right\n")
    child = await asyncio.create_subprocess_exec(
        *(place.python, "-I", ENGINE / "__main__.py", "serve", "--port", "0", "--token-file", token),
        *("--weights", place.weights, "--exit-with-parent"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert child.stdout is not None
        async with asyncio.timeout(30):
            url = json.loads(await child.stdout.readline())["ready"]
        async with aiohttp.ClientSession() as session:
            engine = RemoteEngine(session, url, "right")
            await engine.start()
            assert await engine.wait_ready(30), engine.last_error
            assert (await engine.client.health()).model["name"]
            with pytest.raises(ImageRejected):
                await engine.client.faces(b"not an image")
            await engine.stop()

            engine = RemoteEngine(session, url, "wrong")
            await engine.start()
            assert await engine.wait_settled(30) is EngineStatus.UNAVAILABLE
            assert isinstance(engine.problem, EngineRefused)
            await engine.stop()
    finally:
        child.kill()
        await child.wait()
