"""Streams to a real engine, and to others that misbehave."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest
import pytest_socket

from custom_components.familiar_faces.engine.stream_protocol import MAX_STREAMS, SeenFrame
from custom_components.familiar_faces.host.client import EngineClient
from custom_components.familiar_faces.host.engine_errors import (
    EngineBusy,
    EngineError,
    EngineIncompatible,
    EngineRefused,
    EngineTimedOut,
    EngineUnavailable,
    ImageRejected,
    StreamEnded,
    StreamsUnknown,
)
from custom_components.familiar_faces.host.ready_made import ReadyMade
from custom_components.familiar_faces.host.serving import open_session
from custom_components.familiar_faces.host.stream_session import StreamSession
from tests.common import films
from tests.common.engine_process import EngineProcess
from tests.common.films import FPS, Film

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture(scope="module")
def film() -> Film:
    return films.film(films.visited(first=15), seconds=3, key_every=1)


@pytest.fixture(scope="module")
def engine(place: ReadyMade) -> Generator[EngineProcess]:
    process = EngineProcess().start()
    yield process
    process.kill()


@pytest.fixture
async def client(engine: EngineProcess) -> AsyncGenerator[EngineClient]:
    assert engine.socket is not None
    async with open_session(engine.socket.parent) as session:
        yield EngineClient(session, "http://engine")


@pytest.fixture(autouse=True)
def sockets(socket_enabled: None) -> None:
    """Let the tests reach this machine."""
    pytest_socket.socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)


async def see_all(stream: StreamSession, **wishes: Any) -> list[SeenFrame]:
    """Return what is seen in one frame after the other, to the end."""
    seen: list[SeenFrame] = []
    while True:
        try:
            seen.append(await stream.look(after=seen[-1].time if seen else None, **wishes))
        except StreamEnded:
            return seen


async def feed(stream: StreamSession, film: Film) -> None:
    for piece in film.pieces:
        await stream.feed(piece.data)


async def test_frames_are_seen_one_after_the_other(client: EngineClient, film: Film) -> None:
    async with client.stream() as stream:
        await feed(stream, film)
        await stream.end()
        seen = await see_all(stream, picture=True, portraits=True)
    numbers = [films.number_in(frame.picture or b"") for frame in seen]
    assert numbers == sorted(set(numbers))
    assert numbers == [round(frame.time * FPS) for frame in seen]
    assert numbers[-1] == 44
    for number, frame in zip(numbers, seen, strict=True):
        assert len(frame.faces.faces) == (number >= 15)
    assert seen[-1].faces.faces[0].portrait is not None
    assert client.latency_ms is not None


async def test_one_task_feeds_while_another_looks(client: EngineClient, film: Film) -> None:
    async with client.stream() as stream:

        async def camera() -> None:
            for piece in film.pieces:
                await stream.feed(piece.data)
                await asyncio.sleep(1 / FPS)
            await stream.end()

        feeding = asyncio.create_task(camera())
        times = [frame.time for frame in await see_all(stream, min_face=60)]
        await feeding
    assert times == sorted(set(times))
    assert times[-1] == pytest.approx(44 / FPS)


async def test_there_are_not_too_many(client: EngineClient, film: Film) -> None:
    async with asyncio.TaskGroup() as group:
        inside = asyncio.Semaphore(0)
        leave = asyncio.Event()

        async def one() -> None:
            async with client.stream():
                inside.release()
                await leave.wait()

        for _ in range(MAX_STREAMS):
            group.create_task(one())
        for _ in range(MAX_STREAMS):
            await inside.acquire()
        with pytest.raises(EngineBusy):
            async with client.stream():
                pass
        leave.set()


async def test_what_is_no_stream_is_rejected(client: EngineClient) -> None:
    async with client.stream() as stream:
        await stream.feed(b"no stream " * 10_000)
        await stream.end()
        with pytest.raises(ImageRejected):
            await stream.look()
        with pytest.raises(StreamEnded):
            await stream.look()
        with pytest.raises(StreamEnded):
            await stream.feed(b"more")


async def test_an_engine_that_dies_is_told(place: ReadyMade, film: Film) -> None:
    process = EngineProcess().start()
    assert process.socket is not None
    gone = asyncio.Event()
    async with open_session(process.socket.parent) as session:
        client = EngineClient(session, "http://engine")
        client.on_unavailable = gone.set
        async with client.stream() as stream:
            await feed(stream, film)
            await stream.look()
            process.kill()
            with pytest.raises(EngineUnavailable):
                await see_all(stream)
        assert gone.is_set()
        with pytest.raises(EngineUnavailable):
            async with client.stream():
                pass


@asynccontextmanager
async def another(handler: Handler) -> AsyncGenerator[tuple[EngineClient, TestServer]]:
    """Yield a client of something that is no engine, or another one."""
    app = web.Application()
    app.router.add_get("/v1/stream", handler)
    server = TestServer(app)
    async with server, aiohttp.ClientSession() as session:
        yield EngineClient(session, f"http://{server.host}:{server.port}", "a token"), server


def says(status: int, **headers: str) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers=headers)

    return handler


def says_after_upgrade(status: int, **headers: str) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        if "Upgrade" in request.headers:
            return web.Response(status=status, headers=headers)
        return web.Response(status=426)

    return handler


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        (says(404), StreamsUnknown),
        (says(405), StreamsUnknown),
        (says(401), EngineRefused),
        (says(503, **{"Retry-After": "2"}), EngineBusy),
        (says(500), EngineUnavailable),
        (says(200), EngineIncompatible),
        (says_after_upgrade(400), StreamsUnknown),
        (says_after_upgrade(503, **{"Retry-After": "2"}), EngineBusy),
        (says_after_upgrade(502), EngineUnavailable),
        (says_after_upgrade(200), EngineIncompatible),
    ],
)
async def test_an_answer_other_than_a_stream(handler: Handler, error: type[EngineError]) -> None:
    async with another(handler) as (client, _):
        with pytest.raises(EngineError) as raised:
            async with client.stream():
                pass
    assert type(raised.value) is error


async def test_who_sends_us_elsewhere_gets_nothing() -> None:
    reached: list[str] = []

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        reached.append(request.path)
        return web.Response()

    app = web.Application()
    app.router.add_get("/{path:.*}", elsewhere)
    async with TestServer(app) as other:
        handler = says(307, Location=f"http://{other.host}:{other.port}/v1/stream")
        async with another(handler) as (client, _):
            with pytest.raises(EngineIncompatible):
                async with client.stream():
                    pass
    assert reached == []


@asynccontextmanager
async def answering(*answers: str | bytes | None) -> AsyncGenerator[EngineClient]:
    """Yield a client of what answers each question so; with None it is silent."""

    async def handler(request: web.Request) -> web.StreamResponse:
        if "Upgrade" not in request.headers:
            return web.Response(status=426)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        left = list(answers)
        async for message in socket:
            if message.type is web.WSMsgType.TEXT and left:
                answer = left.pop(0)
                if isinstance(answer, str):
                    await socket.send_str(answer)
                elif answer is not None:
                    await socket.send_bytes(answer)
        return socket

    async with another(handler) as (client, _):
        yield client


@pytest.mark.parametrize(
    "answer", ["", "[]", "{}", "null", '{"status": 999}', '{"faces": NaN}', '{"status": null}', "x" * 200_000]
)
async def test_an_answer_that_makes_no_sense(answer: str) -> None:
    async with answering(answer) as client, client.stream() as stream:
        with pytest.raises(EngineIncompatible):
            await stream.look()


async def test_silence_is_a_time_out() -> None:
    async with answering(None) as client:
        heard: list[int] = []
        client.on_timeout = lambda: heard.append(client.silent)
        async with client.stream() as stream:
            with pytest.raises(EngineTimedOut):
                await stream.look(timeout=0.2)
            # A late answer would be taken for another question's.
            with pytest.raises(EngineError):
                await stream.look(timeout=0.2)
        assert heard[0] == 1


async def test_bytes_are_no_answer() -> None:
    async with answering(b"something") as client, client.stream() as stream:
        with pytest.raises(EngineError):
            await stream.look(timeout=5)


async def test_nothing_is_left_of_a_stream(client: EngineClient, film: Film) -> None:
    before = asyncio.all_tasks()

    async def fail() -> None:
        async with client.stream() as stream:
            await feed(stream, film)
            raise RuntimeError("on the way")

    with pytest.raises(RuntimeError, match="on the way"):
        await fail()
    assert asyncio.all_tasks() == before
    # The engine has its place free again.
    for _ in range(2 * MAX_STREAMS):
        async with client.stream() as stream:
            await feed(stream, film)
            await stream.look()
        await asyncio.sleep(0.2)
