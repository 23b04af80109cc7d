"""The frames of a look: newest wins, no frame twice, bounded in number and time."""

import asyncio
from collections.abc import Iterator

import pytest

from custom_components.familiar_faces.capture.frames import Frames


async def test_newest_wins() -> None:
    """Frames that came while the last one was looked at are passed over but for the newest."""
    fetched = 0

    async def fetch() -> bytes:
        nonlocal fetched
        fetched += 1
        return b"%d" % (fetched - 1)

    async with asyncio.timeout(60), Frames(fetch, most=10, seconds=60, every=0.01) as frames:
        first = await frames.next()
        while fetched < 10:
            await asyncio.sleep(0.01)
        last = await frames.next()
        assert await frames.next() is None
    assert first is not None
    assert last is not None
    assert (first.image, last.image) == (b"0", b"9")
    assert last.at > first.at


async def test_identical_frames_are_left_out() -> None:
    """A camera that repeats its still gives one frame, and every different one once."""
    images = iter([b"a", b"a", b"b", b"a", b"b", b"c"])

    async def fetch() -> bytes:
        return next(images)

    seen = []
    async with Frames(fetch, most=6, seconds=5, every=0.01) as frames:
        while (frame := await frames.next()) is not None:
            seen.append(frame.image)
    assert seen == [b"a", b"b", b"c"]


async def test_bounded_in_time() -> None:
    """A slow camera ends the look in time, after the fetch that is under way."""
    fetched = 0

    async def fetch() -> bytes:
        nonlocal fetched
        await asyncio.sleep(0.1)
        fetched += 1
        return b"%d" % fetched

    async with Frames(fetch, most=1000, seconds=0.35, every=0.0) as frames:
        while await frames.next() is not None:
            pass
        assert 2 <= fetched <= 4
        assert 0.15 < frames.waited < 0.6


async def test_failed_fetch_is_tried_again() -> None:
    """A camera that was asleep is asked again, and nothing is raised when it has woken up."""
    answers: Iterator[OSError | bytes] = iter([OSError("asleep"), b"a", OSError("gone")])

    async def fetch() -> bytes:
        answer = next(answers)
        if isinstance(answer, bytes):
            return answer
        raise answer

    async with Frames(fetch, most=3, seconds=5, every=0.0) as frames:
        frame = await frames.next()
        assert frame is not None
        assert frame.image == b"a"
        assert await frames.next() is None


async def test_camera_that_never_answers() -> None:
    """When every fetch has failed, the last failure is raised."""

    async def fetch() -> bytes:
        raise OSError("gone")

    async with Frames(fetch, most=2, seconds=5, every=0.0) as frames:
        with pytest.raises(OSError, match="gone"):
            await frames.next()


async def test_leaving_stops_the_fetch() -> None:
    """A look that is over asks the camera for nothing more."""
    fetched = 0

    async def fetch() -> bytes:
        nonlocal fetched
        fetched += 1
        return b"%d" % fetched

    async with Frames(fetch, most=1000, seconds=5, every=0.01) as frames:
        await frames.next()
    before = fetched
    await asyncio.sleep(0.05)
    assert fetched == before


async def test_frames_passed_over_are_made_up_for() -> None:
    """A look that has to wait for its turn still gets its frames, the newest each time, but not without end."""
    images: asyncio.Queue[bytes] = asyncio.Queue()
    taken = []
    async with Frames(images.get, most=3, seconds=60, every=0.0, spare=5) as frames:
        for numbers in (b"abcd", b"ef", b"ghijk"):
            for number in numbers:
                images.put_nowait(bytes([number]))
                for _ in range(5):
                    await asyncio.sleep(0)
            assert await frames.ready()
            taken.append(frames.take().image)
        assert not await frames.ready()
    # Three, and five to spare: nobody asked for the last three.
    assert taken == [b"d", b"f", b"h"]
    assert images.qsize() == 3


async def test_a_frame_that_could_not_be_looked_at_is_offered_again() -> None:
    """Unless there is a newer one."""
    images = iter([b"a", b"b"])

    async def fetch() -> bytes:
        return next(images)

    async with Frames(fetch, most=2, seconds=60, every=0.01) as frames:
        assert await frames.ready()
        first = frames.take()
        frames.put_back(first)
        assert frames.take() is first
        assert await frames.ready()
        newer = frames.take()
        frames.put_back(newer)
        frames.put_back(first)
        assert frames.take() is newer
        assert not await frames.ready()
        with pytest.raises(ValueError, match="no frame"):
            frames.take()


async def test_a_look_that_is_cancelled_stops_fetching_at_once() -> None:
    """Also where a camera's picture takes being cancelled for a failure, as Home Assistant's does."""
    fetched = 0

    async def fetch() -> bytes:
        nonlocal fetched
        fetched += 1
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise OSError("Unable to get image") from None
        return b""

    async with asyncio.timeout(30):
        async with Frames(fetch, most=1000, seconds=60, every=0.01):
            await asyncio.sleep(0.05)
    assert fetched == 1
