"""Talking to engines that misbehave, and to one that does not."""

import asyncio
import base64
from collections.abc import AsyncGenerator, Awaitable, Callable
import json
import logging
import socket
import threading
from typing import Any

import aiohttp
from aiohttp import web
import numpy as np
import pytest

from custom_components.familiar_faces.engine import PROTOCOL, protocol
from custom_components.familiar_faces.engine.protocol import encode_embedding
from custom_components.familiar_faces.host import client as client_module, engine_answers
from custom_components.familiar_faces.host.client import MAX_ANSWER, EngineClient
from custom_components.familiar_faces.host.engine_errors import (
    EngineBusy,
    EngineError,
    EngineIncompatible,
    EngineRefused,
    EngineTimedOut,
    EngineUnavailable,
    ImageRejected,
)
from tests.common.answering import proving

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

TOKEN = "a-very-secret-token"
IMAGE = b"\xff\xd8\xff\xda\0\2 not really a picture\xff\xd9"


def answer(faces: int = 1, **pictures: str) -> dict[str, Any]:
    embedding = np.zeros(128, np.float32)
    embedding[3] = 1
    face = {
        "box": [1, 2, 30, 40],
        "landmarks": [[1, 2]] * 5,
        "score": 0.9,
        "quality": {
            "usable": True,
            "reason": None,
            "sharpness": 50.0,
            "yaw": -3.0,
            "brightness": 120.0,
            "size": 30,
        },
        "embedding": encode_embedding(embedding),
        **pictures,
    }
    return {"model": "sface", "size": [640, 480], "faces": [face] * faces, "ms": {"total": 12.5}}


class Fake:
    """An HTTP server on a local port that answers as it is told and remembers what it was asked."""

    def __init__(self) -> None:
        self.handler: Handler | None = None
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.url = ""
        self.over = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.bodies.append(await request.read())
        assert self.handler is not None
        return await self.handler(request)

    def says(self, status: int = 200, **kwargs: Any) -> None:
        async def handler(request: web.Request) -> web.StreamResponse:
            return web.Response(status=status, **kwargs)

        self.handler = handler

    def says_problem(self, status: int, problem: Any, **kwargs: Any) -> None:
        self.says(status, text=json.dumps(problem), content_type="application/problem+json", **kwargs)


@pytest.fixture
async def fake(socket_enabled: None) -> AsyncGenerator[Fake]:
    fake = Fake()
    application = web.Application(client_max_size=50 * 1024**2)
    application.router.add_route("*", "/{path:.*}", fake.answer)
    application.on_response_prepare.append(proving(TOKEN))
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield fake
    fake.over.set()
    await runner.cleanup()


@pytest.fixture
async def session(socket_enabled: None) -> AsyncGenerator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def client(fake: Fake, session: aiohttp.ClientSession) -> EngineClient:
    return EngineClient(session, f"{fake.url}/", TOKEN)


async def test_faces_come_back_as_they_were_sent(client: EngineClient, fake: Fake) -> None:
    crop, portrait = b"a crop", b"a portrait"
    pictures = {"crop": base64.b64encode(crop).decode(), "portrait": base64.b64encode(portrait).decode()}
    fake.says(text=json.dumps(answer(2, **pictures)))

    faces = await client.faces(IMAGE, min_face=55, max_faces=3, crops=True, portraits=True, mirrored=True)

    request = fake.requests[0]
    assert (request.method, request.path) == ("POST", "/v1/faces")
    assert dict(request.query) == {
        "min_face": "55",
        "max_faces": "3",
        "crops": "1",
        "portraits": "1",
        "mirrored": "1",
    }
    assert request.headers["Authorization"].startswith("Proof ")
    assert TOKEN not in str(request.headers)
    assert request.headers["Content-Length"] == str(len(IMAGE))
    assert fake.bodies == [IMAGE]
    assert (faces.model, faces.size, len(faces.faces)) == ("sface", (640, 480), 2)
    assert faces.faces[0].embedding[3] == 1
    assert faces.faces[0].quality.yaw == -3.0
    assert (faces.faces[0].crop, faces.faces[0].portrait) == (crop, portrait)


async def test_a_20_megabyte_image_arrives_whole(client: EngineClient, fake: Fake) -> None:
    image = IMAGE[:6] + bytes(range(256)) * (20 * 1024**2 // 256) + IMAGE[-2:]
    fake.says(text=json.dumps(answer()))
    await client.faces(image)
    assert fake.bodies == [image]


@pytest.mark.parametrize(("portrait", "on_the_loop"), [("QUFB", True), ("QUFB" * 50_000, False)])
async def test_a_large_answer_is_parsed_off_the_loop(
    client: EngineClient,
    fake: Fake,
    monkeypatch: pytest.MonkeyPatch,
    portrait: str,
    on_the_loop: bool,
) -> None:
    threads = []

    def faces_from_json(data: Any) -> Any:
        threads.append(threading.current_thread())
        return protocol.faces_from_json(data)

    monkeypatch.setattr(engine_answers, "faces_from_json", faces_from_json)
    fake.says(text=json.dumps(answer(20, portrait=portrait)))
    faces = await client.faces(IMAGE)
    assert len(faces.faces) == 20
    assert (threads == [threading.main_thread()]) is on_the_loop


async def test_health_says_what_the_engine_is(client: EngineClient, fake: Fake) -> None:
    fake.says(text=json.dumps({"version": "9.9", "protocol": PROTOCOL, "model": {"name": "sface"}}))
    health = await client.health()
    assert (health.version, health.model["name"]) == ("9.9", "sface")
    # An older engine does not say how long it runs.
    assert (health.up_seconds, health.memory) == (None, None)
    # Nor that it can judge whether a face is a picture.
    assert health.judges is False
    assert fake.requests[0].path == "/v1/health"


@pytest.mark.parametrize(
    "said", [{"up_seconds": "soon"}, {"up_seconds": float("nan")}, {"memory": float("inf")}]
)
async def test_figures_that_are_none(client: EngineClient, fake: Fake, said: dict[str, Any]) -> None:
    fake.says(text=json.dumps({"version": "9.9", "protocol": PROTOCOL, "model": {}} | said))
    with pytest.raises(EngineIncompatible):
        await client.health()


async def test_another_protocol_is_incompatible(client: EngineClient, fake: Fake) -> None:
    fake.says(text=json.dumps({"version": "9.9", "protocol": PROTOCOL + 1, "model": {}}))
    with pytest.raises(EngineIncompatible, match=f"protocol {PROTOCOL + 1}"):
        await client.health()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Welcome to nginx</html>",
        b"{}",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe\x00",
        b'{"version": "1", "protocol": "x", "model": {}}',
        b'{"version": "1", "protocol": 1e999, "model": {}}',
        b'{"version": "1", "protocol": NaN, "model": {}}',
        b'{"version": "1", "protocol": 1, "model": 5}',
        b'{"model": "m", "size": [1, 2], "faces": [{}], "ms": {}}',
        b'{"model": "m", "size": [1e999, 2], "faces": [], "ms": {}}',
        b"[" * 200_000,
    ],
)
async def test_garbage_is_incompatible(client: EngineClient, fake: Fake, body: bytes) -> None:
    fake.says(body=body)
    with pytest.raises(EngineIncompatible):
        await client.health()
    with pytest.raises(EngineIncompatible):
        await client.faces(IMAGE)


async def test_garbage_for_a_compression_is_an_engine_error(client: EngineClient, fake: Fake) -> None:
    fake.says(body=b"not gzip at all", headers={"Content-Encoding": "gzip"})
    with pytest.raises(EngineError):
        await client.health()


async def test_an_answer_that_never_ends_is_cut_off(client: EngineClient, fake: Fake) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" " * 65536)
            sent += 65536

    fake.handler = endless
    with pytest.raises(EngineIncompatible, match="larger"):
        await client.faces(IMAGE)
    assert sent < 3 * MAX_ANSWER


async def test_a_decompression_bomb_is_cut_off(client: EngineClient, fake: Fake) -> None:
    async def bomb(request: web.Request) -> web.StreamResponse:
        response = web.Response(body=b" " * (MAX_ANSWER * 2))
        response.enable_compression(web.ContentCoding.gzip)
        return response

    fake.handler = bomb
    with pytest.raises(EngineIncompatible, match="larger"):
        await client.faces(IMAGE, timeout=30)


async def test_silence_times_out(client: EngineClient, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "HANG", 0.5)

    async def hang(request: web.Request) -> web.StreamResponse:
        await fake.over.wait()
        return web.Response()

    fake.handler = hang
    reports: list[str] = []
    client.on_timeout = lambda: reports.append("timeout")
    client.on_unavailable = lambda: reports.append("unavailable")
    with pytest.raises(EngineTimedOut, match=r"0\.2 s"):
        await client.health(timeout=0.2)
    with pytest.raises(EngineTimedOut):
        await client.faces(IMAGE, timeout=0.2)
    assert reports == [], "being in a hurry is not the engine's fault"
    with pytest.raises(EngineTimedOut):
        await client.faces(IMAGE, timeout=0.5)
    assert reports == ["timeout"]
    assert client.silent == 1
    fake.says(text=json.dumps(answer()))
    await client.faces(IMAGE)
    assert client.silent == 0


async def test_an_answer_that_stops_in_the_middle_times_out(client: EngineClient, fake: Fake) -> None:
    async def stall(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b'{"model":')
        await fake.over.wait()
        return response

    fake.handler = stall
    with pytest.raises(EngineTimedOut):
        await client.faces(IMAGE, timeout=0.3)


async def test_an_answer_that_breaks_off_is_unavailable(client: EngineClient, fake: Fake) -> None:
    async def die(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "5000"})
        await response.prepare(request)
        await response.write(b'{"model":')
        assert request.transport is not None
        request.transport.abort()
        return response

    fake.handler = die
    reports: list[str] = []
    client.on_unavailable = lambda: reports.append("unavailable")
    with pytest.raises(EngineUnavailable):
        await client.faces(IMAGE)
    assert reports == ["unavailable"]


async def test_a_kept_connection_that_was_closed_is_asked_again(client: EngineClient, fake: Fake) -> None:
    async def close_first(request: web.Request) -> web.StreamResponse:
        if len(fake.requests) == 1:
            assert request.transport is not None
            request.transport.close()
        return web.json_response(answer())

    fake.handler = close_first
    faces = await client.faces(IMAGE)
    assert len(faces.faces) == 1
    assert fake.bodies == [IMAGE, IMAGE]


async def test_nobody_there_is_unavailable(session: aiohttp.ClientSession) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(EngineUnavailable, match="cannot be reached"):
        await EngineClient(session, f"http://127.0.0.1:{port}").health()


@pytest.mark.parametrize("url", ["", "engine", "ftp://engine", "http://", "http://[::1"])
async def test_an_address_that_is_none_is_an_engine_error(session: aiohttp.ClientSession, url: str) -> None:
    with pytest.raises(EngineError):
        await EngineClient(session, url).health()


async def test_a_closed_session_is_unavailable(client: EngineClient, session: aiohttp.ClientSession) -> None:
    await session.close()
    with pytest.raises(EngineUnavailable):
        await client.faces(IMAGE)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirects_are_not_followed(client: EngineClient, fake: Fake, status: int) -> None:
    fake.says(status, headers={"Location": f"{fake.url}/elsewhere"})
    with pytest.raises(EngineIncompatible):
        await client.faces(IMAGE)
    assert [request.path for request in fake.requests] == ["/v1/faces"]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_wrong_token_is_refused_and_never_logged(
    client: EngineClient, fake: Fake, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fake.says(status, text="go away")
    for ask in (client.health(), client.faces(IMAGE)):
        with pytest.raises(EngineRefused) as caught:
            await ask
        assert TOKEN not in str(caught.value) + repr(caught.value)
    assert TOKEN not in caplog.text


async def test_busy_says_when_to_come_back(client: EngineClient, fake: Fake) -> None:
    fake.says_problem(503, {"type": "busy", "title": "Busy"}, headers={"Retry-After": "2"})
    with pytest.raises(EngineBusy) as caught:
        await client.faces(IMAGE)
    assert caught.value.retry_after == 2
    fake.says(503, headers={"Retry-After": "99999999"})
    with pytest.raises(EngineBusy) as caught:
        await client.faces(IMAGE)
    assert caught.value.retry_after == 60


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
async def test_a_failing_engine_is_unavailable(client: EngineClient, fake: Fake, status: int) -> None:
    fake.says(status, text="oh no")
    with pytest.raises(EngineUnavailable):
        await client.faces(IMAGE)
    with pytest.raises(EngineUnavailable):
        await client.health()


@pytest.mark.parametrize("status", [400, 413, 415])
async def test_a_rejected_image_says_why(client: EngineClient, fake: Fake, status: int) -> None:
    for uri in ("urn:familiar-faces:cut_off", "https://example.org/problems/cut_off/", "cut_off", "#cut_off"):
        fake.says_problem(status, {"type": uri, "title": "Cut off", "detail": "It ends too early."})
        with pytest.raises(ImageRejected, match=r"It ends too early\.") as caught:
            await client.faces(IMAGE)
        assert caught.value.reason == "cut_off"


@pytest.mark.parametrize(
    ("status", "reason"), [(400, "not_an_image"), (413, "too_large"), (415, "not_an_image")]
)
async def test_a_problem_without_a_name_is_named_by_its_status(
    client: EngineClient, fake: Fake, status: int, reason: str
) -> None:
    for problem in (
        {"type": "about:blank", "title": "Bad"},
        {"detail": "Bad"},
        {"type": "", "detail": "Bad"},
    ):
        fake.says_problem(status, problem)
        with pytest.raises(ImageRejected, match="Bad") as caught:
            await client.faces(IMAGE)
        assert caught.value.reason == reason


@pytest.mark.parametrize("problem", [None, [], 5, {}, {"type": None}])
async def test_a_problem_without_a_word_is_no_engines(client: EngineClient, fake: Fake, problem: Any) -> None:
    fake.says_problem(400, problem)
    with pytest.raises(EngineIncompatible):
        await client.faces(IMAGE)


async def test_an_engine_that_knows_nothing_of_turned_pictures(client: EngineClient, fake: Fake) -> None:
    """It looks at a photo as it lies; for a camera that lies it is too old, and says so."""

    async def older(request: web.Request) -> web.StreamResponse:
        for name in request.query:
            if name in ("rotate", "search_turned"):
                problem = {"type": "about:blank", "status": 400, "detail": f"{name} is not a parameter"}
                return web.json_response(problem, status=400, content_type="application/problem+json")
        return web.json_response(answer())

    fake.handler = older
    assert len((await client.faces(IMAGE, search_turned=True)).faces) == 1
    with pytest.raises(EngineIncompatible, match="too old"):
        await client.faces(IMAGE, rotate=90)
    with pytest.raises(EngineIncompatible, match="too old"):
        await client.faces(IMAGE, rotate=90, search_turned=True)


async def test_an_engine_that_knows_nothing_of_lengths(client: EngineClient, fake: Fake) -> None:
    fake.says(text=json.dumps(answer()), content_type="application/json")
    (face,) = (await client.faces(IMAGE)).faces
    assert face.length is None


async def test_the_length_of_an_embedding(client: EngineClient, fake: Fake) -> None:
    said = answer()
    said["faces"][0]["length"] = 11.25
    fake.says(text=json.dumps(said), content_type="application/json")
    (face,) = (await client.faces(IMAGE)).faces
    assert face.length == 11.25


@pytest.mark.parametrize("length", [0, -1.0, float("nan"), float("inf"), "long", [], {}])
async def test_a_length_that_is_none_is_no_answer(client: EngineClient, fake: Fake, length: object) -> None:
    said = answer()
    said["faces"][0]["length"] = length
    fake.says(text=json.dumps(said), content_type="application/json")
    with pytest.raises(EngineIncompatible):
        await client.faces(IMAGE)


async def test_a_proxy_with_a_smaller_limit_is_a_rejection(client: EngineClient, fake: Fake) -> None:
    fake.says(413, text="<html>413 Request Entity Too Large</html>")
    with pytest.raises(ImageRejected) as caught:
        await client.faces(IMAGE)
    assert caught.value.reason == "too_large"


@pytest.mark.parametrize("status", [400, 404, 405, 418])
async def test_another_server_is_incompatible(client: EngineClient, fake: Fake, status: int) -> None:
    fake.says(status, text="<html>hello</html>")
    with pytest.raises(EngineIncompatible):
        await client.faces(IMAGE)
    with pytest.raises(EngineIncompatible):
        await client.health()


async def test_a_server_that_speaks_no_http_is_an_engine_error(
    session: aiohttp.ClientSession, socket_enabled: None
) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.9\r\n\r\n\0\0\0")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(EngineError):
            await EngineClient(session, f"http://127.0.0.1:{port}").health()


async def test_latency_is_the_median_of_recent_totals(client: EngineClient, fake: Fake) -> None:
    assert client.latency_ms is None
    for total in (10, 500, 20):
        fake.says(text=json.dumps(answer() | {"ms": {"total": total}}))
        await client.faces(IMAGE)
    assert client.latency_ms == 20
