"""The lab's RTSP camera is one for a client that knows nothing of it: PyAV, as Home Assistant uses it."""

import asyncio
from collections.abc import AsyncGenerator
from itertools import pairwise
import time

import av
from camera_lab.door import Fault
from camera_lab.films import VISIT_SECONDS
import pytest

from tests.camera_lab.conftest import Doors

TIMEOUT = 1.5


def _open(url: str, transport: str = "tcp") -> av.container.InputContainer:
    options = {"rtsp_transport": transport, "fflags": "nobuffer", "timeout": str(int(TIMEOUT * 1e6))}
    return av.open(url, options=options, timeout=TIMEOUT)


def _watch(url: str, seconds: float, transport: str = "tcp") -> list[tuple[float, float, bool, bool]]:
    """Return when each picture came and was to be shown, whether it is a key frame, and whether somebody is seen."""
    seen = []
    with _open(url, transport) as container:
        end = time.monotonic() + seconds
        for packet in container.demux(video=0):
            for frame in packet.decode():
                colour = frame.to_ndarray(format="rgb24")[150, 160]
                red = int(colour[0]) - int(colour[1]) > 100
                seen.append((time.monotonic(), float(frame.time), frame.key_frame, red))
            if time.monotonic() > end:
                break
    return seen


@pytest.mark.parametrize("codec", ["h264", "h265"])
async def test_a_visit_is_seen_in_real_time(opened: Doors, codec: str) -> None:
    door, server = await opened(codec, 1)
    watching = [
        asyncio.create_task(asyncio.to_thread(_watch, server.url, VISIT_SECONDS + 6, way))
        for way in ("tcp", "udp")
    ]
    await asyncio.sleep(1)
    await door.visit("red")
    came = time.monotonic()
    await door.gone()
    left = time.monotonic()
    for seen in await asyncio.gather(*watching):
        there = [at for at, _, _, red in seen if red]
        assert there[0] == pytest.approx(came, abs=1.0)
        assert len(there) == pytest.approx(VISIT_SECONDS * 10, abs=4)
        assert there[-1] == pytest.approx(came + VISIT_SECONDS, abs=1.0)
        assert left > there[-1] - 1.0
        assert not any(red for at, _, _, red in seen if at < came - 0.5)
        arrivals, shown = seen[-1][0] - seen[0][0], seen[-1][1] - seen[0][1]
        assert arrivals == pytest.approx(shown, abs=1.0)
        # A clip of 10 pictures a second, none left out and none twice.
        steps = [after[1] - before[1] for before, after in pairwise(seen)]
        assert all(step == pytest.approx(0.1, abs=0.02) for step in steps)


@pytest.mark.parametrize("every", [1, 2, 4])
async def test_key_frames_are_as_far_apart_as_they_are_to_be(opened: Doors, every: int) -> None:
    _, server = await opened("h264", every)
    seen = await asyncio.to_thread(_watch, server.url, 2.5 * every)
    keys = [shown for _, shown, key, _ in seen if key]
    assert len(keys) >= 2
    assert keys[1] - keys[0] == pytest.approx(every, abs=0.05)


async def test_several_watch_at_once(opened: Doors) -> None:
    _, server = await opened("h264", 1)
    watching = [asyncio.to_thread(_watch, server.url, 2, way) for way in ("tcp", "tcp", "udp")]
    for seen in await asyncio.gather(*watching):
        assert len(seen) > 8
    assert server.opened == 3


async def test_a_second_connection_is_refused(opened: Doors) -> None:
    door, server = await opened("h264", 1)
    door.single = True
    first = await asyncio.to_thread(_open, server.url)
    try:
        with pytest.raises(av.FFmpegError):
            await asyncio.to_thread(_open, server.url)
    finally:
        await asyncio.to_thread(first.close)
    await asyncio.sleep(0.3)
    assert await asyncio.to_thread(_watch, server.url, 1)


@pytest.mark.parametrize("fault", [Fault.REFUSES, Fault.UNREACHABLE, Fault.ERROR])
async def test_who_comes_during_a_fault_gets_nothing_and_later_all(opened: Doors, fault: Fault) -> None:
    door, server = await opened("h264", 1)
    door.break_down(fault)
    before = time.monotonic()
    with pytest.raises((av.FFmpegError, OSError)):
        await asyncio.to_thread(_open, server.url)
    waited = time.monotonic() - before
    assert (waited > 0.8 * TIMEOUT) is (fault is Fault.UNREACHABLE)
    door.break_down(None)
    await asyncio.sleep(0.1)
    assert await asyncio.to_thread(_watch, server.url, 1)


async def _pictures(url: str) -> AsyncGenerator[bytes]:
    """Yield what a connection that stays open brings."""
    host, port = url.removeprefix("rtsp://").removesuffix("/door").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        for number, (method, more) in enumerate(
            (
                ("DESCRIBE", ""),
                ("SETUP", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"),
                ("PLAY", ""),
            )
        ):
            writer.write(f"{method} {url} RTSP/1.0\r\nCSeq: {number}\r\n{more}\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert b" 200 " in head.split(b"\r\n")[0]
            if method == "DESCRIBE":
                await reader.readexactly(int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0]))
        while True:
            head = await reader.readexactly(4)
            yield await reader.readexactly(int.from_bytes(head[2:]))
    finally:
        writer.close()


async def _all(pictures: AsyncGenerator[bytes]) -> None:
    async for _ in pictures:
        pass


async def test_freezing_stays_connected_and_is_silent(opened: Doors) -> None:
    door, server = await opened("h264", 1)
    pictures = _pictures(server.url)
    await anext(pictures)
    door.break_down(Fault.FREEZES)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(_all(pictures), 1)
    assert server.playing == 1
    await pictures.aclose()


async def test_being_frozen_repeats_one_picture_with_new_times(opened: Doors) -> None:
    door, server = await opened("h264", 1)
    watching = asyncio.create_task(asyncio.to_thread(_watch, server.url, 7))
    await door.visit("red")
    await asyncio.sleep(1.2)
    door.break_down(Fault.FROZEN)
    frozen = time.monotonic()
    await door.gone()
    seen = [each for each in await watching if each[0] > frozen + 1.2]
    # Nobody is there now, and yet it shows them.
    assert seen
    assert all(key and red for _, _, key, red in seen)
    assert len({shown for _, shown, _, _ in seen}) == len(seen)
