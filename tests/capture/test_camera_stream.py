"""Keeping a camera's stream: warm or for a look, again after it was lost, and for several looks at once."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
import gc
import time
from unittest.mock import patch

from custom_components.familiar_faces.capture import camera_stream
from custom_components.familiar_faces.capture.camera_stream import CameraStream, Subscription
from custom_components.familiar_faces.capture.packets import Piece
from custom_components.familiar_faces.capture.stream_origin import Origin, StreamEnd
from custom_components.familiar_faces.capture.stream_reader import StreamAddress
from tests.common.live_streams import LiveStream

from ..common.waiting import until


class Finding:
    """Says where the stream is, and counts how often it was asked."""

    def __init__(self, url: str | None) -> None:
        self.url = url
        self.asked = 0

    async def __call__(self) -> Sequence[Origin]:
        self.asked += 1
        return () if self.url is None else (StreamAddress(self.url),)


@asynccontextmanager
async def kept(find: Finding, *, warm: bool) -> AsyncGenerator[CameraStream]:
    stream = CameraStream("door", find, warm=warm)
    stream.async_start()
    try:
        yield stream
    finally:
        await stream.async_stop()
        assert stream.size == 0


async def collect(subscription: Subscription, count: int) -> list[Piece]:
    pieces: list[Piece] = []
    async with asyncio.timeout(20):
        while len(pieces) < count:
            pieces += await subscription.take()
    return pieces


def whole(pieces: list[Piece]) -> bool:
    return pieces[0].key and [each.number for each in pieces] == list(
        range(pieces[0].number, pieces[0].number + len(pieces))
    )


async def test_a_warm_stream_has_what_was_before(door_stream: LiveStream) -> None:
    async with kept(find := Finding(door_stream.address), warm=True) as stream:
        await asyncio.sleep(5)
        assert stream.running
        rang = time.monotonic()
        async with stream.subscribe(rang - 1.5) as subscription:
            pieces = await collect(subscription, 60)
        assert whole(pieces)
        # From the last key frame on that came 1.5 s before: they come every two seconds.
        assert 1.5 <= rang - pieces[0].arrived < 3.7
        assert pieces[-1].arrived > rang
        assert find.asked == door_stream.connections == 1
        # It stays open.
        await asyncio.sleep(1)
        assert stream.running


async def test_a_stream_is_opened_for_a_look_and_closed_after_it(door_stream: LiveStream) -> None:
    find = Finding(door_stream.address)
    with patch.object(camera_stream, "LINGER", 1.5):
        async with kept(find, warm=False) as stream:
            await asyncio.sleep(0.3)
            assert find.asked == 0
            for _ in range(2):
                # The second look comes before it is closed.
                async with stream.subscribe(time.monotonic() - 1.5) as subscription:
                    assert whole(await collect(subscription, 10))
                await asyncio.sleep(0.5)
            assert door_stream.connections == 1
            await until(lambda: not stream.running and stream.size == 0)
            async with stream.subscribe(time.monotonic() - 1.5) as subscription:
                assert whole(await collect(subscription, 10))
            assert door_stream.connections == find.asked == 2


async def test_a_stream_that_is_lost_is_opened_again(door_stream: LiveStream) -> None:
    async with kept(find := Finding(door_stream.address), warm=True) as stream:
        async with stream.subscribe(0) as subscription:
            before = await collect(subscription, 10)
            await door_stream.drop()
            after: list[Piece] = []
            while not after:
                after = await subscription.take()
                after = [piece for piece in after if piece.arrived > before[-1].arrived + 0.3]
            # Asked again: some addresses are good for one time.
            await until(lambda: find.asked == 2)
            assert after[0].key
            assert after[0].number > before[-1].number
            assert after[0].time > before[-1].time
        assert subscription.failures == 1


async def test_a_stream_that_is_not_there_is_tried_again_and_again(door_stream: LiveStream) -> None:
    door_stream.refusing = True
    async with kept(find := Finding(door_stream.address), warm=True) as stream:
        await until(lambda: stream.end is StreamEnd.REFUSED)
        await asyncio.sleep(3)
        # Less and less often.
        assert 2 <= find.asked <= 4
        door_stream.refusing = False
        # A look does not wait for the next try.
        async with stream.subscribe(0) as subscription:
            assert whole(await collect(subscription, 5))
        assert stream.end is None


async def test_without_an_address_a_look_is_told(local_streams: None) -> None:
    async with kept(Finding(None), warm=False) as stream, stream.subscribe(0) as subscription:
        await until(lambda: subscription.failures > 0)
        assert stream.end is StreamEnd.UNFIT
        assert await subscription.take() == []


async def test_a_slow_look_holds_nobody_up(door_stream: LiveStream) -> None:
    async with (
        kept(Finding(door_stream.address), warm=True) as stream,
        stream.subscribe(0) as slow,
        stream.subscribe(0) as quick,
    ):
        slow.outlet._most = 20_000
        assert whole(await collect(quick, 75))
        held = slow.outlet.take()
        assert slow.outlet.lost > 0
        assert sum(len(piece.data) for piece in held) <= 20_000
        assert not held or whole(held)


async def test_looks_at_once_get_the_same(door_stream: LiveStream) -> None:
    async with kept(Finding(door_stream.address), warm=True) as stream:
        await asyncio.sleep(3)

        async def look(delay: float) -> list[Piece]:
            await asyncio.sleep(delay)
            async with stream.subscribe(time.monotonic() - 1.5) as subscription:
                return await collect(subscription, 45)

        looks = await asyncio.gather(*(look(0.05 * number) for number in range(8)))
        assert all(map(whole, looks))
        # They share one connection, and one copy of the data.
        assert door_stream.connections == 1
        common = {piece.number for piece in looks[0]} & {piece.number for piece in looks[-1]}
        first = {piece.number: piece for piece in looks[0]}
        assert common
        assert all(first[piece.number] is piece for piece in looks[-1] if piece.number in common)


async def test_a_stream_that_is_stopped_leaves_nothing(door_stream: LiveStream) -> None:
    before = asyncio.all_tasks()
    async with kept(Finding(door_stream.address), warm=True) as stream:
        await until(lambda: stream.size > 0)
    await until(lambda: not door_stream._writers)
    gc.collect()
    # The server's task ends as well.
    await asyncio.sleep(0.1)
    assert {task for task in asyncio.all_tasks() - before if not task.done()} == set()


async def test_an_integration_that_never_says_where(local_streams: None) -> None:
    async def never() -> Sequence[Origin]:
        await asyncio.Event().wait()
        return ()

    with patch.object(camera_stream, "ADDRESS_SECONDS", 0.2):
        stream = CameraStream("door", never, warm=False)
        async with stream.subscribe(0) as subscription:
            await until(lambda: subscription.failures > 0)
        assert stream.end is StreamEnd.REFUSED
        await stream.async_stop()
