"""The memory that streams share: who gets it, in which order, and what one that needs more than there is does to others."""

import asyncio
from pathlib import Path
import threading
import time

import pytest

from custom_components.familiar_faces.engine import limits
from custom_components.familiar_faces.engine.memory import STREAMS, STREAMS_MOST
from custom_components.familiar_faces.engine.stream_room import StreamRoom, bytes_for
from tests.common import films
from tests.common.engine_process import run_in_engine, running_engine
from tests.common.engine_streams import a_stream

FULL_HD, UHD, LARGEST = 1920 * 1080, 3840 * 2160, 5120 * 2880
LONG = 30.0


def _wait(room: StreamRoom, size: int, got: list[int]) -> threading.Thread:
    def run() -> None:
        if room.wait(size, LONG, lambda: True):
            got.append(size)

    thread = threading.Thread(target=run, daemon=True)
    before = room.waiting
    thread.start()
    until = time.monotonic() + LONG
    while room.waiting == before and not got and time.monotonic() < until:
        time.sleep(0.001)
    return thread


def test_the_largest_is_not_overtaken() -> None:
    room = StreamRoom(10)
    assert room.take(6)
    got: list[int] = []
    large, small = _wait(room, 9, got), _wait(room, 2, got)

    assert not room.take(1)
    room.give(6)
    large.join(LONG)
    assert got == [9]
    room.give(9)
    small.join(LONG)
    assert got == [9, 2]


def test_who_gives_up_holds_up_nobody() -> None:
    room = StreamRoom(10)
    assert room.take(6)

    assert not room.wait(9, LONG, lambda: False)
    assert not room.wait(9, 0.0, lambda: True)
    assert room.take(4)


def test_what_was_given_up_stays_free() -> None:
    room = StreamRoom(10)
    assert room.take(10)
    room.give(10)
    assert room.take(10)


@pytest.mark.parametrize(
    ("memory", "workers", "room"),
    [
        (None, 1, STREAMS),
        (100 << 20, 1, STREAMS),
        (limits.NEEDED, 1, STREAMS),
        (limits.NEEDED + (100 << 20), 1, STREAMS + (50 << 20)),
        (limits.NEEDED + (228 << 20), 2, STREAMS + (50 << 20)),
        (8 << 30, 4, STREAMS_MOST),
    ],
)
def test_streams_take_more_where_there_is_more(memory: int | None, workers: int, room: int) -> None:
    assert limits.stream_room(memory, workers) == room


def test_any_machine_decodes_a_stream_in_4k_or_four_smaller_ones() -> None:
    assert bytes_for(UHD) <= STREAMS
    assert 4 * bytes_for(FULL_HD) <= STREAMS
    assert bytes_for(LARGEST) <= STREAMS_MOST


async def test_large_streams_wait_for_each_other(prepared: None) -> None:
    """Four of them take more memory than the engine may have, so they take turns, and the engine goes on."""
    film = films.film(seconds=1.0, size=(3840, 2160), bit_rate=8_000_000)
    with running_engine() as engine:

        async def one() -> tuple[int, dict[str, object]]:
            seen = 0
            async with a_stream(engine) as client:
                await client.feed(*film.pieces)
                await client.end()
                after: dict[str, float] = {}
                while "status" not in (answer := await client.ask(**after)) or answer["status"] in (408, 503):
                    if "time" in answer:
                        seen, after = seen + 1, {"after": answer["time"]}
                return seen, answer

        for seen, last in await asyncio.gather(*(one() for _ in range(4))):
            assert last["status"] == 410, last
            assert seen
        assert engine.process is not None
        assert engine.process.poll() is None


def test_memory_that_is_short_is_no_fault_of_a_picture(
    prepared: None, portrait: bytes, tmp_path: Path
) -> None:
    picture = tmp_path / "picture.jpg"
    picture.write_bytes(portrait)
    code = """
from pathlib import Path
import cv2
import numpy as np
from engine.decoding import decode_here
from engine.headers import read_header
from engine.limits import limit_growth
data = Path(sys.argv[1]).read_bytes()
# Whatever is free already would do for a small one.
large = cv2.imencode(".jpg", np.zeros((9000, 9000, 3), np.uint8))[1].tobytes()
limit_growth(16 << 20)
def said(data):
    try:
        decode_here(data, read_header(data), 1)
    except Exception as err:
        return type(err).__name__
print(json.dumps([said(large), said(data)]))
"""
    assert run_in_engine(code, picture) == ["MemoryError", None]
