"""A real engine over plain HTTP, with somebody on the way who would put a name on a face."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
import json
from typing import Any

import aiohttp
from aiohttp import web
import pytest

from custom_components.familiar_faces.engine import PROTOCOL
from custom_components.familiar_faces.host.client import EngineClient
from custom_components.familiar_faces.host.engine_errors import (
    AnotherAnswer,
    EngineError,
    EngineForged,
    EngineIncompatible,
    EngineRefused,
    EngineTooNew,
    EngineTooOld,
    TokenMissing,
)
from custom_components.familiar_faces.host.ready_made import ReadyMade
from tests.common import films, pictures
from tests.common.answering import prove_answer
from tests.common.engine_process import EngineProcess
from tests.common.on_the_way import OnTheWay, on_the_way

pytestmark = pytest.mark.usefixtures("socket_enabled")

TOKEN = "a token of the tests, long enough"
REFUSED = (EngineForged, EngineRefused, EngineIncompatible)


@pytest.fixture(scope="module")
def engine(place: ReadyMade) -> Generator[EngineProcess]:
    """Return an engine on a port."""
    process = EngineProcess(token=TOKEN).start()
    yield process
    process.kill()


@pytest.fixture
async def session() -> AsyncGenerator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def way(engine: EngineProcess) -> AsyncGenerator[OnTheWay]:
    async with on_the_way(engine.url) as somebody:
        yield somebody


@pytest.fixture
def client(session: aiohttp.ClientSession, way: OnTheWay) -> EngineClient:
    return EngineClient(session, way.url, TOKEN, wary=True)


@pytest.fixture(scope="module")
def visitor() -> bytes:
    return pictures.jpeg(pictures.astronaut())


async def test_who_only_listens_hears_no_token(
    client: EngineClient, way: OnTheWay, visitor: bytes, engine: EngineProcess
) -> None:
    faces = await client.faces(visitor, portraits=True)
    assert [face.box for face in faces.faces] == [face.box for face in engine.faces(visitor).faces]
    assert len(way.heard) == 2
    assert TOKEN not in "".join(way.heard)
    assert "Bearer" not in "".join(way.heard)
    await client.faces(visitor, upload=True, search_turned=True)


async def test_what_was_heard_opens_nothing_else(
    client: EngineClient, engine: EngineProcess, way: OnTheWay, visitor: bytes
) -> None:
    heard: list[dict[str, str]] = []

    def keep(target: str) -> str:
        heard.append(way.request_headers)
        return target

    way.query = keep
    await client.health()
    (headers,) = heard
    for method, path, body in (
        ("POST", "/v1/faces", visitor),
        ("GET", "/v1/health?x=1", None),
        ("GET", "/v1/stream", None),
    ):
        assert engine.request(
            method, path, body, {**headers, "Content-Length": str(len(body or b""))}
        ).status in (
            400,
            401,
        )


def _another_face(data: bytes) -> bytes:
    answer = json.loads(data)
    if answer.get("faces"):
        answer["faces"][0]["embedding"] = answer["faces"][0]["embedding"][::-1]
    return json.dumps(answer | {"changed": 1}).encode()


def _without_proof(headers: dict[str, str]) -> Mapping[str, str]:
    return {name: value for name, value in headers.items() if name != "X-Proof"}


def _of_somebody_else(headers: dict[str, str]) -> Mapping[str, str]:
    return headers | {"X-Proof": "0" * 64}


@pytest.mark.parametrize(
    "change",
    [
        {"answer": _another_face},
        {"headers": _without_proof},
        {"headers": _of_somebody_else},
        {"picture": lambda data: pictures.jpeg(pictures.astronaut().rotate(3)) if data else data},
        {"picture": lambda data: b""},
        {
            "query": lambda target: target.replace("min_face=40", "min_face=400").replace(
                "health", "health?a=b"
            )
        },
        {"status": lambda status: 203},
    ],
    ids=["answer", "no proof", "another's proof", "picture", "no picture", "question", "status"],
)
async def test_who_changes_something_names_nobody(
    client: EngineClient, way: OnTheWay, visitor: bytes, change: dict[str, Any]
) -> None:
    await client.faces(visitor)
    for name, how in change.items():
        setattr(way, name, how)
    for _ in range(2):
        with pytest.raises(REFUSED):
            await client.faces(visitor)


async def test_an_answer_of_before_is_not_taken(client: EngineClient, way: OnTheWay, visitor: bytes) -> None:
    kept: list[tuple[bytes, dict[str, str]]] = []

    def keep(headers: dict[str, str]) -> Mapping[str, str]:
        kept.append((b"", headers))
        return headers

    way.headers = keep
    await client.faces(visitor)
    way.headers = lambda now: {
        name: kept[1][1].get(name, "") if name == "X-Proof" else now[name] for name in now
    }
    with pytest.raises(EngineForged):
        await client.faces(visitor)
    way.headers = lambda now: kept[1][1]
    with pytest.raises((AnotherAnswer, EngineForged)):
        await client.faces(visitor)


@pytest.fixture(scope="module")
def film() -> films.Film:
    return films.film(films.visited(first=5), seconds=2, key_every=1)


async def _look(client: EngineClient, film: films.Film) -> int:
    async with client.stream() as stream:
        for piece in film.pieces:
            await stream.feed(piece.data)
        await stream.end()
        return len((await stream.look(picture=True)).faces.faces)


async def test_a_stream_is_proved(client: EngineClient, way: OnTheWay, film: films.Film) -> None:
    await _look(client, film)
    assert TOKEN not in "".join(way.heard)


@pytest.mark.parametrize(
    "change",
    [
        {"said": lambda text: text[:-1] + " }"},
        {"said": lambda text: text.partition("{")[1] + text.partition("{")[2]},
        {"asked": lambda text: text.replace("min_face=40", "min_face=41")},
        {"piece": lambda data: data[:-1] + bytes([data[-1] ^ 1])},
    ],
    ids=["answer", "no proof", "question", "piece"],
)
async def test_who_changes_a_stream_names_nobody(
    client: EngineClient, way: OnTheWay, film: films.Film, change: dict[str, Any]
) -> None:
    for name, how in change.items():
        setattr(way, name, how)
    with pytest.raises(EngineForged):
        await _look(client, film)


async def test_the_wrong_token_is_refused(session: aiohttp.ClientSession, engine: EngineProcess) -> None:
    with pytest.raises(EngineRefused):
        await EngineClient(session, engine.url, "guessed", wary=True).health()
    with pytest.raises(TokenMissing):
        await EngineClient(session, engine.url, None, wary=True).health()


@pytest.fixture
async def serve() -> AsyncGenerator[Callable[[int], Awaitable[tuple[str, list[str]]]]]:
    """Return a function that starts an engine which speaks only this protocol, and returns what it hears."""
    runners: list[web.AppRunner] = []

    async def serve(protocol: int) -> tuple[str, list[str]]:
        heard: list[str] = []

        async def health(request: web.Request) -> web.Response:
            heard.append(request.headers.get("Authorization", ""))
            if protocol < 2 and heard[-1] != f"Bearer {TOKEN}":
                return web.json_response({}, status=401, headers={"WWW-Authenticate": "Bearer"})
            body = {"version": "9.9", "protocol": protocol, "model": {"name": "sface"}}
            response = web.json_response(body, headers={"X-Request-Id": request.headers["X-Request-Id"]})
            prove_answer(TOKEN, request, response)
            return response

        application = web.Application()
        application.router.add_get("/v1/health", health)
        runner = web.AppRunner(application)
        await runner.setup()
        runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}", heard

    yield serve
    await asyncio.gather(*(runner.cleanup() for runner in runners))


@pytest.mark.parametrize(
    ("protocol", "error"),
    [
        (0, EngineTooOld),
        (1, EngineTooOld),
        (PROTOCOL, None),
        (PROTOCOL + 1, EngineTooNew),
        (99, EngineTooNew),
    ],
)
async def test_engines_of_other_protocols_are_told_apart(
    session: aiohttp.ClientSession,
    serve: Callable[[int], Awaitable[tuple[str, list[str]]]],
    protocol: int,
    error: type[EngineError] | None,
) -> None:
    url, heard = await serve(protocol)
    client = EngineClient(session, url, TOKEN, wary=True)
    if error is None:
        await client.health()
    else:
        with pytest.raises(error):
            await client.health()
    # Nobody is shown the token on plain HTTP, also not one that says to be an old engine.
    assert not any("Bearer" in each for each in heard)
