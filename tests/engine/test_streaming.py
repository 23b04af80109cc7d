"""Streams as a client meets them: real films through a real engine."""

import asyncio
import base64
from collections.abc import Callable, Sequence
import contextlib
import io
from pathlib import Path
import time
from typing import Any

import aiohttp
import numpy as np
from PIL import Image
import pytest

from custom_components.familiar_faces.engine.protocol import faces_from_json
from custom_components.familiar_faces.engine.stream_protocol import (
    MAX_PIECE,
    MAX_STREAMS,
    MAX_WISHES,
    SeenFrame,
    seen_from_json,
)
from tests.common import films, pictures
from tests.common.engine_process import EngineProcess
from tests.common.engine_streams import StreamClient, a_stream
from tests.common.films import FPS, Film


def threads(engine: EngineProcess) -> int:
    """Return how many threads decode streams."""
    assert engine.process is not None
    number = 0
    for task in Path(f"/proc/{engine.process.pid}/task").iterdir():
        # A thread may end while it is looked at.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            number += (task / "comm").read_text("ascii").strip() == "stream"
    return number


async def a_thread(engine: EngineProcess) -> None:
    # The client has its answer before the engine goes on.
    until = time.monotonic() + 10
    while threads(engine) != 1 and time.monotonic() < until:
        await asyncio.sleep(0.01)
    assert threads(engine) == 1


async def no_thread_left(engine: EngineProcess) -> None:
    until = time.monotonic() + 10
    while threads(engine) and time.monotonic() < until:
        await asyncio.sleep(0.05)
    assert threads(engine) == 0


def number(frame: SeenFrame) -> int:
    assert frame.picture is not None
    return films.number_in(frame.picture)


@pytest.fixture(scope="module")
def film() -> Film:
    return films.film(seconds=4, key_every=2)


@pytest.mark.parametrize(
    "made",
    [
        {"key_every": 1},
        {"key_every": 2, "start": 5000.0},
        {"key_every": 4},
        {"codec": "libx265", "key_every": 2},
        {"b_frames": 2},
        {"audio": True},
        {"fps": 5},
        {"size": (360, 640)},
    ],
    ids=str,
)
async def test_every_frame_is_known_by_its_time(engine: EngineProcess, made: dict[str, Any]) -> None:
    film = films.film(films.empty(made.get("size", (1280, 720))), seconds=3, **made)
    fps = made.get("fps", FPS)
    async with a_stream(engine) as client:
        feeding = asyncio.create_task(client.feed_live(film, fps=fps))
        await asyncio.sleep(0.3)
        seen = [await client.see(picture=1)]
        while seen[-1].time < 2.0:
            seen.append(await client.see(picture=1, after=seen[-1].time))
        await feeding
        await client.end()
    numbers = [number(frame) for frame in seen]
    assert numbers == sorted(set(numbers))
    assert numbers == [round(frame.time * fps) for frame in seen]
    assert len(numbers) >= 5
    size = made.get("size", (1280, 720))
    with Image.open(io.BytesIO(seen[0].picture or b"")) as picture:
        assert picture.size == size == seen[0].faces.size
    await no_thread_left(engine)


async def test_a_face_of_a_stream_is_the_face_of_a_still(engine: EngineProcess) -> None:
    scene = films.visited(first=20)
    film = films.film(scene, seconds=4, bit_rate=3_000_000)
    (still,) = engine.faces(pictures.jpeg(scene(30))).faces
    async with a_stream(engine) as client:
        await client.feed(*film.pieces)
        await client.end()
        seen = await client.see_to_the_end(picture=1, portraits=1)
    for frame in seen:
        # With nobody there no face, and somebody as soon as they are.
        assert len(frame.faces.faces) == (number(frame) >= 20)
    (face,) = seen[-1].faces.faces
    assert float(face.embedding @ still.embedding) > 0.9
    assert face.portrait is not None
    assert face.quality.usable


async def test_the_newest_frame_is_answered(engine: EngineProcess, film: Film) -> None:
    async with a_stream(engine) as client:
        await client.feed(*film.pieces)
        await client.end()
        await asyncio.sleep(1.5)
        frame = await client.see(picture=1)
        # The last one waits in the decoder until somebody says that no other follows.
        assert number(frame) == 59
        answer = await client.ask(after=frame.time)
        assert answer["status"] == 410
        await client.closed()


async def test_a_live_stream_is_followed_closely(engine: EngineProcess) -> None:
    film = films.film(films.empty(), seconds=6, key_every=4)
    behind: list[float] = []
    async with a_stream(engine) as client:
        began = time.monotonic() - 3
        feeding = asyncio.create_task(client.feed_live(film, first=45))
        first = await client.see(after=1.5)
        caught_up = time.monotonic() - began - 3
        frame = first
        while frame.time < 5:
            frame = await client.see(after=frame.time)
            looked = frame.faces.ms["total"] / 1000
            behind.append(time.monotonic() - began - frame.time - looked)
        await feeding
    assert first.time > 1.5
    # Two frames are in the decoder, and machines that test are busy: without the newest frame being taken, it would
    # be all of the three seconds that came at once, and more with every frame.
    assert caught_up < 2.0
    assert len(behind) > 3
    assert sorted(behind)[len(behind) // 2] < 1.5
    # It goes on, and does not fall further behind.
    assert behind[-1] < behind[0] + 1.0


async def test_nothing_is_answered_of_what_was_before(engine: EngineProcess, film: Film) -> None:
    async with a_stream(engine) as client:
        await client.feed(*film.pieces)
        frame = await client.see(after=2.5, picture=1)
        assert number(frame) > 2.5 * FPS
        await client.end()
        answer = await client.ask(after=100)
        assert answer["status"] == 410


async def test_a_camera_that_hangs_shows_nothing_new(engine: EngineProcess) -> None:
    """It sends its last picture over and over, with new times."""
    film = films.film(seconds=4, key_every=4, shown=lambda number: min(number, 20), steady=True)
    async with a_stream(engine) as client:
        feeding = asyncio.create_task(client.feed_live(film, first=10))
        seen = [await client.see(picture=1)]
        while not feeding.done():
            answer = await client.ask(picture=1, after=seen[-1].time)
            if "status" in answer:
                assert answer["status"] == 408
            else:
                seen.append(seen_from_json(answer))
        await feeding
    numbers = [number(frame) for frame in seen]
    assert numbers[-1] == 20
    # The encoder improves what it sent once, and then nothing is new.
    assert numbers.count(20) <= 2


async def test_a_stream_that_begins_between_key_frames(engine: EngineProcess) -> None:
    film = films.film(films.empty(), seconds=5, key_every=2)
    async with a_stream(engine) as client:
        await client.feed(*film.after(20).pieces)
        await client.end()
        seen = await client.see_to_the_end(picture=1)
    numbers = [number(frame) for frame in seen]
    # Frame 30 is the next key frame; before it nothing can be seen.
    assert numbers[0] >= 30
    assert numbers == [20 + round(frame.time * FPS) for frame in seen]
    assert numbers[-1] == 74
    await no_thread_left(engine)


@pytest.mark.parametrize("seed", range(4))
async def test_a_damaged_stream_does_no_harm(engine: EngineProcess, film: Film, seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = bytearray(film.data)
    for at in rng.integers(0, len(data), 40 if seed % 2 else 2000):
        data[at] = rng.integers(0, 256)
    async with a_stream(engine) as client:
        for at in range(0, len(data), 10_000):
            await client.socket.send_bytes(bytes(data[at : at + 10_000]))
        await client.end()
        answer = await client.ask(min_face=60)
        assert answer.get("status") in (None, 410, 415)
        while "status" not in answer:
            answer = await client.ask(after=answer["time"])
        assert answer["status"] in (410, 415)
        await client.closed()
    await no_thread_left(engine)
    assert engine.request("GET", "/v1/health").status == 200


def _matroska() -> bytes:
    return films.film(films.empty(), seconds=1, container_format="matroska").data


@pytest.mark.parametrize(
    "data",
    [
        lambda: b"",
        lambda: b"\x00" * 300_000,
        lambda: np.random.default_rng(3).integers(0, 256, 500_000, np.uint8).tobytes(),
        lambda: b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n" * 1000,
        lambda: pictures.frame(pictures.astronaut()) * 3,
        _matroska,
        lambda: films.film(films.empty(), seconds=2, codec="libx264", audio=True).data[:188],
    ],
    ids=["nothing", "zeros", "noise", "playlist", "jpeg", "matroska", "one packet"],
)
async def test_what_is_no_stream_is_refused(engine: EngineProcess, data: Callable[[], bytes]) -> None:
    async with a_stream(engine) as client:
        await client.socket.send_bytes(data())
        await client.end()
        answer = await client.ask()
        assert answer["status"] == 415
        assert answer["detail"]
        await client.closed()
    await no_thread_left(engine)


async def test_a_stream_without_data_is_asked_in_vain(engine: EngineProcess, film: Film) -> None:
    async with a_stream(engine) as client:
        began = time.monotonic()
        assert (await client.ask())["status"] == 408
        assert 0.8 < time.monotonic() - began < 5
        # The camera comes back.
        await client.feed(*film.pieces)
        assert (await client.see()).time >= 0


async def test_who_goes_away_leaves_no_thread(engine: EngineProcess, film: Film) -> None:
    for pieces in (0, 1, 20):
        async with a_stream(engine) as client:
            await client.feed(*film.pieces[:pieces])
            await client.socket.send_str("")
            await a_thread(engine)
        await no_thread_left(engine)
    # Without a word of goodbye, in the middle of an answer.
    async with a_stream(engine) as client:
        await client.feed(*film.pieces)
        await client.socket.send_str("portraits=1")
        connection = client.socket.get_extra_info("socket")
        assert connection is not None
        client.socket._response.connection.transport.abort()
    await no_thread_left(engine)


async def test_there_are_not_too_many_streams(engine: EngineProcess, film: Film) -> None:
    async with (
        a_stream(engine) as one,
        a_stream(engine) as two,
        a_stream(engine) as three,
        a_stream(engine) as four,
    ):
        clients: Sequence[StreamClient] = (one, two, three, four)
        assert len(clients) == MAX_STREAMS
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with a_stream(engine):
                pass
        assert refused.value.status == 503
        assert refused.value.headers is not None
        assert int(refused.value.headers["Retry-After"]) >= 1

        async def watch(client: StreamClient) -> float:
            await client.feed(*film.pieces)
            await client.end()
            return (await client.see_to_the_end(min_face=60))[-1].time

        # Four at once, and a still between them, are all answered.
        asked = asyncio.create_task(asyncio.to_thread(engine.post, pictures.frame(pictures.astronaut())))
        last = await asyncio.gather(*map(watch, clients))
        still = await asked
        assert still.status == 200
        assert last == [pytest.approx(59 / FPS)] * MAX_STREAMS
    await no_thread_left(engine)
    async with a_stream(engine) as again:
        await again.feed(*film.pieces)
        assert (await again.see()).time >= 0


@pytest.mark.parametrize(
    "query",
    [
        "min_face=9",
        "after=",
        "after=-1",
        "after=nan",
        "after=1e3",
        "picture=2",
        "url=file:///etc/passwd",
        "x",
    ],
)
async def test_a_wrong_question_is_refused_by_name(engine: EngineProcess, film: Film, query: str) -> None:
    async with a_stream(engine) as client:
        await client.feed(*film.pieces[:20])
        await client.socket.send_str(query)
        answer = await client.answer()
        assert answer["status"] == 400
        assert query.partition("=")[0] in answer["detail"]
        # The next one is answered anyway.
        assert (await client.see()).time >= 0


async def test_too_many_questions_end_it(engine: EngineProcess) -> None:
    async with a_stream(engine) as client:
        for _ in range(MAX_WISHES + 2):
            await client.socket.send_str("after=1")
        assert await client.closed() == aiohttp.WSCloseCode.POLICY_VIOLATION
    await no_thread_left(engine)


async def test_a_piece_that_is_too_large_ends_it(engine: EngineProcess) -> None:
    async with a_stream(engine) as client:
        # The engine hangs up when it has read how large it is.
        with contextlib.suppress(aiohttp.ClientError, ConnectionError):
            await client.socket.send_bytes(bytes(MAX_PIECE + 1))
            assert await client.closed() == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
    await no_thread_left(engine)


async def test_a_piece_may_be_as_large_as_it_may_be(engine: EngineProcess, film: Film) -> None:
    async with a_stream(engine) as client:
        data = film.data
        # Packets of nothing, as a transport stream is filled up with.
        nothing = b"\x47\x1f\xff\x10" + b"\xff" * 184
        room = MAX_PIECE - len(data)
        await client.socket.send_bytes(data + (nothing * (room // len(nothing) + 1))[:room])
        assert (await client.see()).faces


async def test_a_flood_takes_no_memory(engine: EngineProcess, film: Film) -> None:
    async with a_stream(engine) as client:
        await client.feed(*film.pieces)
        await client.see()
        before = engine.memory_mb()
        # What is no transport stream is passed over, as fast as it comes.
        for _ in range(40):
            await client.socket.send_bytes(bytes(3 << 20))
        assert engine.memory_mb() - before < 60
    await no_thread_left(engine)
    assert engine.request("GET", "/v1/health").status == 200


async def test_a_stream_needs_the_token(prepared: None, film: Film) -> None:
    engine = EngineProcess(token="a token of the tests").start()
    try:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with a_stream(engine, Authorization="Bearer wrong"):
                pass
        assert refused.value.status == 401
        async with a_stream(engine) as client:
            await client.feed(*film.pieces)
            await client.see()
            # An engine that ends leaves nobody waiting.
            stopping = asyncio.create_task(asyncio.to_thread(engine.stop))
            assert await client.closed() == aiohttp.WSCloseCode.GOING_AWAY
            assert await stopping == 0
    finally:
        if engine.process is not None and engine.process.poll() is None:
            engine.kill()


def test_what_is_no_upgrade_is_a_problem(engine: EngineProcess) -> None:
    answer = engine.request("GET", "/v1/stream")
    assert answer.status == 426
    assert answer.json()["status"] == 426


def test_the_answer_of_a_stream_is_the_answer_of_a_still(engine: EngineProcess, portrait: bytes) -> None:
    data = engine.post(portrait).json()
    seen = seen_from_json({**data, "time": 1.5, "picture": base64.b64encode(b"a picture").decode()})
    assert (seen.time, seen.picture) == (1.5, b"a picture")
    assert seen.faces.model == faces_from_json(data).model
