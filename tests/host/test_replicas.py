"""Several engines: real ones that are killed under load, and others that fail in every way that a network knows."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
import time

import aiohttp
from aiohttp import web
import pytest

from custom_components.familiar_faces.engine import PROTOCOL
from custom_components.familiar_faces.host import remote as remote_module, replicas as replicas_module
from custom_components.familiar_faces.host.engine import EngineStatus
from custom_components.familiar_faces.host.engine_errors import (
    AnotherModel,
    EngineError,
    EngineRefused,
    EngineTooNew,
    EngineUnavailable,
    ImageRejected,
)
from custom_components.familiar_faces.host.ready_made import ReadyMade
from custom_components.familiar_faces.host.remote import RemoteEngine
from tests.common import pictures
from tests.common.answering import prove_answer
from tests.common.engine_process import EngineProcess

pytestmark = pytest.mark.usefixtures("socket_enabled")

TOKEN = "a token of the tests, long enough"


@dataclass
class Stand:
    """An engine that is well, or not; it remembers the pictures that it answered."""

    url: str = ""
    health_status: int = 200
    faces_status: int = 200
    silent: bool = False
    protocol: int = PROTOCOL
    model: str = "sface"
    at_once: int = 2
    reason: str = ""
    seen: list[bytes] = field(default_factory=list)
    answered: list[bytes] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def health(self, request: web.Request) -> web.Response:
        if self.silent:
            await self.over.wait()
        return self._say(
            request,
            {
                "version": "1",
                "protocol": self.protocol,
                "model": {"name": self.model},
                "at_once": self.at_once,
                "memory": 1 << 28,
            },
            self.health_status,
        )

    async def faces(self, request: web.Request) -> web.Response:
        image = await request.read()
        self.seen.append(image)
        if self.silent:
            await self.over.wait()
        if self.faces_status == 200:
            self.answered.append(image)
        body = {"model": self.model, "size": [1, 1], "faces": [], "ms": {"total": 7}}
        return self._say(request, body, self.faces_status)

    def _say(self, request: web.Request, body: object, status: int) -> web.Response:
        headers = {"X-Request-Id": request.headers["X-Request-Id"]}
        if status == 401:
            headers["WWW-Authenticate"] = "Proof, Bearer"
        if status == 503:
            headers["Retry-After"] = "1"
        response = web.json_response(body, status=status, headers=headers)
        prove_answer(TOKEN, request, response)
        return response


@asynccontextmanager
async def standing(count: int) -> AsyncGenerator[list[Stand]]:
    """Yield so many engines."""
    runners, stands = [], []
    for _ in range(count):
        stand = Stand()
        application = web.Application()
        application.router.add_get("/v1/health", stand.health)
        application.router.add_post("/v1/faces", stand.faces)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        stand.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        runners.append(runner)
        stands.append(stand)
    try:
        yield stands
    finally:
        for stand in stands:
            stand.over.set()
        for runner in runners:
            await runner.cleanup()


@asynccontextmanager
async def looked_after(*urls: str, health_every: float = 0.1) -> AsyncGenerator[RemoteEngine]:
    """Yield these engines as one."""
    async with aiohttp.ClientSession() as session:
        engine = RemoteEngine(session, urls, TOKEN, health_every=health_every)
        await engine.start()
        try:
            yield engine
        finally:
            await engine.stop()


async def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def image(number: int) -> bytes:
    return b"\xff\xd8\xff\xda\0\2 %06d\xff\xd9" % number


async def test_the_work_is_shared_by_size() -> None:
    async with standing(2) as (small, large):
        large.at_once = 6
        async with looked_after(small.url, large.url) as engine:
            await until(lambda: engine.client.at_once == 8)
            health = await engine.client.health()
            # What one of them takes says nothing of all.
            assert (health.at_once, health.memory) == (8, None)
            for at in range(10):
                await asyncio.gather(*(engine.client.faces(image(8 * at + each)) for each in range(8)))
        assert len(small.answered) + len(large.answered) == 80
        assert len(large.answered) > 2 * len(small.answered) > 0


@pytest.mark.parametrize(
    ("fault", "forever"),
    [
        ({"faces_status": 500}, True),
        ({"faces_status": 502}, True),
        ({"faces_status": 401}, True),
        ({"faces_status": 404}, True),
        ({"faces_status": 503}, True),
        ({"silent": True}, True),
        ({"health_status": 500, "faces_status": 500}, True),
    ],
    ids=str,
)
async def test_each_picture_is_answered_once_by_another(fault: dict[str, object], forever: bool) -> None:
    """Engine gone, slow, a proxy that answers 500, a wrong token: nothing is lost and nothing is answered twice."""
    async with standing(2) as (bad, good), looked_after(bad.url, good.url, health_every=60) as engine:
        await until(lambda: engine.client.at_once == 4)
        for name, value in fault.items():
            setattr(bad, name, value)
        begun = time.monotonic()
        answers = await asyncio.gather(
            *(engine.client.faces(image(each), timeout=4) for each in range(6)), return_exceptions=True
        )
        assert not [each for each in answers if isinstance(each, Exception)]
        assert time.monotonic() - begun < 4
        assert sorted(good.answered) == [image(each) for each in range(6)]
        assert bad.answered == []
        # Each was asked of it once at most, and then it is left alone.
        assert len(bad.seen) == len(set(bad.seen))


async def test_one_that_fails_is_left_alone_longer_each_time_and_taken_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(replicas_module, "backoff", lambda failures: 0.2 * 2.0**failures)
    async with standing(2) as (bad, good), looked_after(bad.url, good.url, health_every=60) as engine:
        await until(lambda: engine.client.at_once == 4)
        bad.faces_status = 500
        begun, number = time.monotonic(), 0
        while time.monotonic() - begun < 1.8:
            await engine.client.faces(image(number))
            number += 1
            await asyncio.sleep(0.01)
        # At 0, 0.2, 0.6 and 1.4 seconds.
        assert 2 <= len(bad.seen) <= 5
        assert len(good.answered) == number
        bad.faces_status = 200
        before = len(bad.answered)
        await asyncio.sleep(1.8)
        for _ in range(6):
            await engine.client.faces(image(number))
            number += 1
        assert len(bad.answered) - before >= 2


async def test_a_picture_that_is_none_is_asked_nobody_else() -> None:
    async with standing(2) as (first, second), looked_after(first.url, second.url, health_every=60) as engine:
        await until(lambda: engine.client.at_once == 4)
        first.faces_status = second.faces_status = 413
        with pytest.raises(ImageRejected):
            await engine.client.faces(image(1))
        assert len(first.seen) + len(second.seen) == 1


async def test_all_gone_is_said_and_all_back_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_module, "AGAIN", 0.05)
    async with standing(2) as stands, looked_after(*(each.url for each in stands)) as engine:
        assert await engine.wait_ready(30)
        told: list[EngineStatus] = []
        engine.add_listener(told.append)
        stands[0].health_status = stands[0].faces_status = 500
        await until(lambda: set(engine.parts_away) == {stands[0].url})
        assert engine.status is EngineStatus.READY
        assert told, "the owner hears of the one that is away"
        stands[1].health_status = stands[1].faces_status = 401
        await until(lambda: engine.status is EngineStatus.UNAVAILABLE)
        with pytest.raises((EngineUnavailable, EngineRefused)):
            await engine.client.faces(image(1))
        for stand in stands:
            stand.health_status = stand.faces_status = 200
        await until(lambda: engine.status is EngineStatus.READY and not engine.parts_away)
        await engine.client.faces(image(2))


async def test_another_model_is_not_mixed_in() -> None:
    async with standing(2) as (first, second), looked_after(first.url, second.url) as engine:
        await until(lambda: engine.client.at_once == 4)
        second.model = "arcface"
        await until(lambda: isinstance(engine.parts_away.get(second.url), AnotherModel))
        for number in range(8):
            assert (await engine.client.faces(image(number))).model == "sface"
        # Both were updated, one after the other.
        first.model = "arcface"
        await until(lambda: not engine.parts_away and engine.client.at_once == 4)
        assert (await engine.client.faces(image(9))).model == "arcface"


async def test_one_of_another_version_does_not_keep_the_other_from_working() -> None:
    async with standing(2) as (first, second):
        second.protocol = PROTOCOL + 1
        async with looked_after(first.url, second.url) as engine:
            await until(lambda: isinstance(engine.parts_away.get(second.url), EngineTooNew))
            for number in range(4):
                await engine.client.faces(image(number))
        assert second.seen == []


async def test_a_connection_that_is_half_open_costs_half_of_the_time(socket_enabled: None) -> None:
    """A machine that lost its power closes no connection: what is sent there is taken, and never answered."""

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while await reader.read(65536):
                pass
        writer.close()

    async with standing(1) as (good,):
        hole = await asyncio.start_server(swallow, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{hole.sockets[0].getsockname()[1]}"
        async with looked_after(url, good.url, health_every=60) as engine:
            assert await engine.wait_ready(30)
            begun = time.monotonic()
            await engine.client.faces(image(1), timeout=2)
            await engine.client.faces(image(2), timeout=2)
            assert time.monotonic() - begun < 3
            assert sorted(good.answered) == [image(1), image(2)]
        hole.close()


async def test_one_that_is_killed_under_load_loses_nothing(
    place: ReadyMade, socket_enabled: None, record_property: Callable[[str, object], None]
) -> None:
    """Two real engines, one is killed with -9: each picture is answered, once."""
    first, second = (EngineProcess(token=TOKEN) for _ in range(2))
    await asyncio.gather(*(asyncio.to_thread(each.start, 120) for each in (first, second)))
    visitor = pictures.jpeg(pictures.astronaut())
    answered: list[float] = []
    lost: list[EngineError] = []
    over = asyncio.Event()

    async def camera(ask: Callable[[], Awaitable[object]]) -> None:
        while not over.is_set():
            try:
                await ask()
            except EngineError as err:
                lost.append(err)
            else:
                answered.append(time.monotonic())

    try:
        async with looked_after(first.url, second.url, health_every=60) as engine:
            await until(lambda: engine.client.at_once == 4)
            cameras = [
                asyncio.create_task(camera(lambda: engine.client.faces(visitor, timeout=20)))
                for _ in range(4)
            ]
            await until(lambda: len(answered) >= 8, 60)
            killed = time.monotonic()
            first.kill()
            await until(lambda: len([each for each in answered if each > killed]) >= 8, 60)
            over.set()
            await asyncio.gather(*cameras)
            assert lost == []
            recovery = min(each for each in answered if each > killed) - killed
            record_property("recovery_s", recovery)
            assert recovery < 10
    finally:
        second.kill()
