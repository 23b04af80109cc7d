"""Reading real streams from a server on this machine."""

import asyncio
from collections.abc import Callable
import io
from itertools import pairwise
from pathlib import Path
import threading
import time

import av
import pytest

from custom_components.familiar_faces.capture.packets import BEGIN, Piece, Timeline
from custom_components.familiar_faces.capture.stream_origin import Receiver, StreamEnd
from custom_components.familiar_faces.capture.stream_reader import StreamReader, is_live
from tests.common import films
from tests.common.live_streams import LiveStream, live

FPS = 15


class Reading:
    """A reader, and what came of it."""

    def __init__(self, address: str) -> None:
        self.pieces: list[Piece] = []
        self.timeline = Timeline()
        self.ended = threading.Event()
        self.end: StreamEnd | None = None
        self.reader = StreamReader(address, {}, Receiver(self.timeline, self.pieces.append, self._end))
        self.reader.start()

    def _end(self, end: StreamEnd) -> None:
        self.end = end
        self.ended.set()

    async def until(self, condition: Callable[[], bool], seconds: float = 20) -> None:
        until = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < until, (len(self.pieces), self.end)
            await asyncio.sleep(0.05)

    async def stop(self) -> None:
        self.reader.stop()
        await self.until(self.ended.is_set)


def numbers_in(data: bytes) -> list[int]:
    """Return the numbers of the frames in MPEG-TS, as a decoder that knows nothing of before sees them."""
    with av.open(io.BytesIO(data), format="mpegts") as container:
        return [films.number_in(frame.to_image()) for frame in container.decode(video=0)]


@pytest.mark.parametrize(
    "made", [{}, {"codec": "libx265"}, {"b_frames": 2}, {"audio": True}, {"key_every": 4}], ids=str
)
async def test_what_is_read_can_be_decoded(local_streams: None, made: dict[str, object]) -> None:
    size = (640, 368)
    film = films.film(films.empty(size), size=size, seconds=14, bit_rate=400_000, **made)  # type: ignore[arg-type]
    async with live(film.pieces, FPS) as server:
        reading = Reading(server.address)
        await reading.until(lambda: sum(piece.key for piece in reading.pieces) >= 2)
        await reading.stop()
    assert reading.end is StreamEnd.STOPPED
    pieces = reading.pieces
    assert pieces[0].key
    assert [piece.number for piece in pieces] == list(range(1, len(pieces) + 1))
    times = [piece.time for piece in pieces]
    assert times[0] >= BEGIN
    keys = [at for at, piece in enumerate(pieces) if piece.key]
    for first in keys:
        # Every key frame is a beginning: a decoder needs nothing of what was before.
        numbers = numbers_in(b"".join(piece.data for piece in pieces[first:]))
        assert len(numbers) >= len(pieces) - first - 1
        # The film is shown over and over.
        assert all((other - one) % len(film.pieces) == 1 for one, other in pairwise(numbers))
        assert numbers[0] % round(float(str(made.get("key_every", 2))) * FPS) == 0
    if not made.get("b_frames"):
        assert times == sorted(times)
        assert all(0.05 < other - one < 0.3 for one, other in pairwise(times))
    # What came is what is shown now.
    assert abs(reading.timeline.made(times[-1]) - pieces[-1].arrived) < 1


async def test_a_film_that_begins_anew_goes_on(local_streams: None) -> None:
    size = (320, 240)
    film = films.film(films.empty(size), size=size, seconds=2, key_every=1, bit_rate=200_000)
    async with live(film.pieces, FPS) as server:
        reading = Reading(server.address)
        await reading.until(lambda: len(reading.pieces) > 5 * FPS)
        await reading.stop()
    times = [piece.time for piece in reading.pieces]
    assert all(0 < other - one < 1 for one, other in pairwise(times))
    assert times[-1] - times[0] == pytest.approx(
        reading.pieces[-1].arrived - reading.pieces[0].arrived, abs=1
    )


async def test_a_connection_that_is_lost_is_an_end(door_stream: LiveStream) -> None:
    reading = Reading(door_stream.address)
    await reading.until(lambda: len(reading.pieces) > 5)
    await door_stream.drop()
    await reading.until(reading.ended.is_set)
    assert reading.end is StreamEnd.LOST


async def test_a_server_that_freezes_is_noticed(door_stream: LiveStream) -> None:
    reading = Reading(door_stream.address)
    await reading.until(lambda: len(reading.pieces) > 5)
    door_stream.frozen = True
    began = time.monotonic()
    await reading.until(reading.ended.is_set, 30)
    assert reading.end is StreamEnd.LOST
    assert time.monotonic() - began < 15


async def test_a_server_that_refuses_is_told(door_stream: LiveStream) -> None:
    door_stream.refusing = True
    reading = Reading(door_stream.address)
    await reading.until(reading.ended.is_set)
    assert reading.end is StreamEnd.REFUSED
    nobody = Reading("tcp://127.0.0.1:1")
    await nobody.until(nobody.ended.is_set)
    assert nobody.end is StreamEnd.REFUSED


async def test_a_server_that_says_nothing_is_told(door_stream: LiveStream) -> None:
    door_stream.frozen = True
    reading = Reading(door_stream.address)
    await reading.until(reading.ended.is_set, 30)
    assert reading.end is StreamEnd.REFUSED
    assert reading.pieces == []


async def test_other_codecs_are_not_for_us(local_streams: None) -> None:
    size = (320, 240)
    film = films.film(films.empty(size), size=size, seconds=4, codec="mpeg2video", bit_rate=200_000, fps=25)
    async with live(film.pieces, FPS) as server:
        reading = Reading(server.address)
        await reading.until(reading.ended.is_set)
    assert reading.end is StreamEnd.UNFIT


async def test_nothing_of_an_address_is_logged(local_streams: None, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    reading = Reading("rtsp://admin:geheim@127.0.0.1:1/secret_path")
    await reading.until(reading.ended.is_set)
    assert "geheim" not in caplog.text
    assert "secret_path" not in caplog.text


async def test_damaged_data_does_no_harm(local_streams: None, door_film: films.Film) -> None:
    broken = [
        films.Piece(piece.at, piece.key, bytes(piece.data[:100]) + b"\x00" * (len(piece.data) - 100))
        if number % 7 == 3
        else piece
        for number, piece in enumerate(door_film.pieces)
    ]
    async with live(broken, FPS) as server:
        reading = Reading(server.address)
        await reading.until(lambda: len(reading.pieces) > 15 or reading.ended.is_set(), 30)
        await reading.stop()
    assert [piece.number for piece in reading.pieces] == list(range(1, len(reading.pieces) + 1))


@pytest.mark.parametrize(
    ("address", "live"),
    [
        ("rtsp://door/1", True),
        ("rtsps://door/1", True),
        ("RTSP://door/1", True),
        ("rtmp://door/1", True),
        ("http://door/live.ts", True),
        ("https://door/live.flv", True),
        ("/media/film.mp4", False),
        ("file:///media/film.mp4", False),
        ("concat:/a|/b", False),
        ("exec:something#", False),
        ("pipe:0", False),
        ("", False),
    ],
)
def test_only_live_addresses_are_read(address: str, live: bool) -> None:
    assert is_live(address) is live


def test_the_thread_has_a_name_and_keeps_nothing_alive(tmp_path: Path) -> None:
    reading = Reading(f"{tmp_path}/nothing")
    assert reading.ended.wait(10)
    assert reading.end is StreamEnd.REFUSED
