"""The frames of a live stream, as a real engine sees them."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
import time

from PIL import Image
import pytest

from custom_components.familiar_faces.capture.camera_stream import CameraStream
from custom_components.familiar_faces.capture.picture_source import (
    Ask,
    NoPicture,
    Pictures,
    Seen,
    Trouble,
    Wish,
)
from custom_components.familiar_faces.capture.stream_pictures import BEFORE, StreamPictures
from custom_components.familiar_faces.capture.stream_reader import StreamAddress
from custom_components.familiar_faces.engine.stream_protocol import MAX_STREAMS
from custom_components.familiar_faces.host.client import EngineClient
from custom_components.familiar_faces.host.engine_errors import (
    EngineUnavailable,
    ImageRejected,
    StreamsUnknown,
)
from custom_components.familiar_faces.host.serving import open_session
from tests.common import films, pictures
from tests.common.engine_process import EngineProcess
from tests.common.live_streams import LiveStream, live

FPS = 15
SIZE = (640, 368)
CAMERA = "camera.front_door"
WISH = Wish(min_face=30)


@pytest.fixture
async def client(local_streams: None, shared_engine: Path) -> AsyncGenerator[EngineClient]:
    async with open_session(shared_engine) as session:
        yield EngineClient(session, "http://engine")


@asynccontextmanager
async def a_camera(server: LiveStream, *, warm: bool, seconds: float = 0.0) -> AsyncGenerator[CameraStream]:
    async def find() -> Sequence[StreamAddress]:
        return (StreamAddress(server.address),)

    stream = CameraStream("door", find, warm=warm)
    stream.async_start()
    try:
        await asyncio.sleep(seconds)
        yield stream
    finally:
        await stream.async_stop()


def ask(client: EngineClient, seconds: float = 4.0, at: datetime | None = None) -> Ask:
    return Ask(datetime.now(UTC) if at is None else at, seconds, lambda: client)


async def see_all(looking: Pictures, most: int = 1000) -> list[Seen]:
    seen: list[Seen] = []
    while len(seen) < most and await looking.ready():
        try:
            seen.append(await looking.see(WISH))
        except ImageRejected:
            continue
    return seen


def numbers(seen: list[Seen]) -> list[int]:
    return [films.number_in(each.picture or b"") for each in seen]


def made(seen: Seen) -> float:
    """Return when a picture was made, by the clock that is never set."""
    return time.monotonic() - (datetime.now(UTC) - seen.at).total_seconds()


def after_each_other(one: int, other: int, count: int) -> bool:
    """Return whether a frame of a film that is shown over and over is later than another."""
    return 0 < (other - one) % count < count / 2


@pytest.mark.parametrize("warm", [True, False])
async def test_frames_come_one_after_the_other_and_are_fresh(
    client: EngineClient, door_stream: LiveStream, door_film: films.Film, warm: bool
) -> None:
    count = len(door_film.pieces)
    async with a_camera(door_stream, warm=warm, seconds=5 if warm else 0) as stream:
        for _ in range(2):
            rang = time.monotonic()
            looking = StreamPictures(stream, CAMERA, every_picture=True).open(ask(client))
            async with looking as found:
                assert found.trouble is Trouble.NO_PICTURE
                assert found.newest is None
                seen = await see_all(found)
            assert time.monotonic() - rang < 8
            assert found.trouble is None
            assert found.newest == seen[-1].picture
            assert len(seen) >= 3
            # No frame twice, each later than the one before.
            shown = numbers(seen)
            assert all(after_each_other(one, other, count) for one, other in pairwise(shown))
            assert all(one.at < other.at for one, other in pairwise(seen))
            for number, each in zip(shown, seen, strict=True):
                # The time of a frame is when the camera showed it.
                expected = door_stream.number_at(made(each))
                assert min((number - expected) % count, (expected - number) % count) <= 6
                assert made(each) >= rang - BEFORE - 0.3
                assert len(each.faces.faces) == 1
            # The last one shows the end of the look, as far as a machine that is busy comes.
            assert made(seen[-1]) > rang + 1


async def test_of_what_was_before_only_a_moment_counts(local_streams: None, client: EngineClient) -> None:
    """Somebody who left two seconds before the bell rings is no evidence of who rings."""
    left = round(4.5 * FPS)
    film = films.film(
        films.visited(size=SIZE, last=left), size=SIZE, seconds=16, key_every=4, bit_rate=500_000
    )
    async with live(film.pieces, FPS) as server, a_camera(server, warm=True) as stream:
        # The group of pictures that is sent to the engine begins while they are there.
        while server.number_at(time.monotonic()) < left + round((BEFORE + 0.7) * FPS):
            await asyncio.sleep(0.05)
        async with StreamPictures(stream, CAMERA, every_picture=True).open(ask(client, 2.0)) as found:
            seen = await see_all(found)
    assert seen
    assert min(numbers(seen)) > left
    assert all(each.faces.faces == () for each in seen)


async def test_who_was_there_a_moment_before_counts(local_streams: None, client: EngineClient) -> None:
    left = round(6 * FPS)
    film = films.film(
        films.visited(size=SIZE, last=left), size=SIZE, seconds=16, key_every=4, bit_rate=500_000
    )
    async with live(film.pieces, FPS) as server, a_camera(server, warm=True) as stream:
        while server.number_at(time.monotonic()) < left + 3:
            await asyncio.sleep(0.05)
        async with StreamPictures(stream, CAMERA, every_picture=True).open(ask(client, 2.0)) as found:
            seen = await see_all(found)
    assert len(seen[0].faces.faces) == 1
    assert left - BEFORE * FPS - 6 <= numbers(seen)[0] <= left
    assert seen[-1].faces.faces == ()


async def test_a_look_at_what_happened_a_while_ago(client: EngineClient, door_stream: LiveStream) -> None:
    """A look that had to wait for its turn begins where it was asked for, as far as that is kept."""
    async with a_camera(door_stream, warm=True, seconds=6) as stream:
        rang = datetime.now(UTC) - timedelta(seconds=1)
        async with StreamPictures(stream, CAMERA).open(ask(client, 2.0, rang)) as found:
            seen = await see_all(found, 1)
        assert seen[0].at >= rang - timedelta(seconds=BEFORE + 0.3)
        assert seen[0].at < rang + timedelta(seconds=1)


@pytest.mark.parametrize("off", [timedelta(hours=-1), timedelta(hours=1), timedelta(days=3)])
async def test_a_clock_that_was_set_is_no_matter(
    client: EngineClient, door_stream: LiveStream, off: timedelta
) -> None:
    async with a_camera(door_stream, warm=True, seconds=3) as stream:
        asked = ask(client, 2.0, datetime.now(UTC) + off)
        async with StreamPictures(stream, CAMERA).open(asked) as found:
            assert len(await see_all(found, 2)) == 2


async def test_a_camera_that_is_not_there_gives_no_picture(
    client: EngineClient, door_stream: LiveStream
) -> None:
    door_stream.refusing = True
    async with a_camera(door_stream, warm=True, seconds=1) as stream:
        began = time.monotonic()
        async with StreamPictures(stream, CAMERA).open(ask(client, 8.0)) as found:
            with pytest.raises(NoPicture) as raised:
                await found.ready()
        assert raised.value.trouble is Trouble.NO_PICTURE
        # Early enough for something else to be tried.
        assert time.monotonic() - began < 5


async def test_a_camera_that_freezes_gives_nothing_old(client: EngineClient, door_stream: LiveStream) -> None:
    async with a_camera(door_stream, warm=True, seconds=4) as stream:
        door_stream.frozen = True
        # More than what counts of before a ring, and less than what is noticed.
        await asyncio.sleep(BEFORE + 1)
        async with StreamPictures(stream, CAMERA).open(ask(client, 3.0)) as found:
            with pytest.raises(NoPicture):
                await see_all(found)


async def test_a_stream_that_is_lost_in_a_look_goes_on(client: EngineClient, door_stream: LiveStream) -> None:
    async with (
        a_camera(door_stream, warm=True, seconds=3) as stream,
        StreamPictures(stream, CAMERA).open(ask(client, 20.0)) as found,
    ):
        before = await see_all(found, 2)
        await door_stream.drop()
        lost = datetime.now(UTC)
        after = before
        while after[-1].at < lost:
            after = await see_all(found, 1)
            assert after
        assert after[-1].at > before[-1].at


async def test_an_engine_that_dies_and_comes_back(
    local_streams: None, door_stream: LiveStream, tmp_path: Path
) -> None:
    engine = EngineProcess().start()
    assert engine.socket is not None
    session = open_session(engine.socket.parent)
    client = EngineClient(session, "http://engine")

    def current() -> EngineClient:
        return client

    try:
        async with a_camera(door_stream, warm=True, seconds=3) as stream:
            asked = Ask(datetime.now(UTC), 40.0, current)
            async with StreamPictures(stream, CAMERA).open(asked) as found:
                before = await see_all(found, 2)
                engine.kill()
                # Anyone who speaks to it first notices: a question, which fails, or who feeds it, and then there is no
                # frame to ask about until it is back.
                with suppress(EngineUnavailable, TimeoutError):
                    async with asyncio.timeout(3):
                        await see_all(found)
                        pytest.fail("the look ended with its engine")
                await session.close()
                engine = EngineProcess().start()
                assert engine.socket is not None
                session = open_session(engine.socket.parent)
                client = EngineClient(session, "http://engine")
                after = await see_all(found, 2)
                assert len(after) == 2
                assert after[0].at > before[-1].at
    finally:
        await session.close()
        engine.kill()


async def test_more_cameras_than_the_engine_decodes(client: EngineClient, door_stream: LiveStream) -> None:
    """Everybody has their turn, and begins where it rang."""

    async def look(stream: CameraStream) -> list[Seen]:
        async with StreamPictures(stream, CAMERA).open(ask(client, 20.0)) as found:
            return await see_all(found, 2)

    async with a_camera(door_stream, warm=True, seconds=4) as stream:
        rang = datetime.now(UTC)
        looks = await asyncio.gather(*(look(stream) for _ in range(3 * MAX_STREAMS)))
    assert [len(seen) for seen in looks] == [2] * 3 * MAX_STREAMS
    for seen in looks:
        assert seen[0].at < rang + timedelta(seconds=2)


async def test_a_look_lasts_as_long_as_the_engine_was_busy(
    client: EngineClient, door_stream: LiveStream
) -> None:
    """Who rang while others were decoded is in the frames that were kept meanwhile."""
    async with a_camera(door_stream, warm=True, seconds=4) as stream, AsyncExitStack() as others:
        for _ in range(MAX_STREAMS):
            await others.enter_async_context(client.stream())
        rang = datetime.now(UTC)
        async with StreamPictures(stream, CAMERA).open(ask(client, 2.0)) as found:
            looking = asyncio.create_task(see_all(found, 3))
            await asyncio.sleep(4)
            assert not looking.done()
            await others.aclose()
            seen = await looking
    assert len(seen) == 3
    assert seen[0].at < rang + timedelta(seconds=1)


async def test_cameras_that_send_nothing_take_no_place(
    client: EngineClient, door_stream: LiveStream, door_film: films.Film
) -> None:
    async with (
        a_camera(door_stream, warm=True, seconds=3) as stream,
        live(door_film.pieces, FPS) as silent,
        AsyncExitStack() as stack,
    ):
        silent.frozen = True
        for _ in range(MAX_STREAMS):
            waiting = await stack.enter_async_context(a_camera(silent, warm=False))
            await stack.enter_async_context(StreamPictures(waiting, CAMERA).open(ask(client, 60.0)))
        # They are connected to by now.
        await asyncio.sleep(1)
        assert silent.connections == MAX_STREAMS
        async with StreamPictures(stream, CAMERA).open(ask(client, 3.0)) as found:
            assert len(await see_all(found, 1)) == 1


async def test_an_engine_that_knows_no_streams_is_told_at_once(door_stream: LiveStream) -> None:
    class Older:
        def stream(self, timeout: float = 5) -> object:
            raise StreamsUnknown("The engine is too old to look at streams")

    async with a_camera(door_stream, warm=True, seconds=3) as stream:
        began = time.monotonic()
        asked = Ask(datetime.now(UTC), 8.0, Older)  # type: ignore[arg-type]
        async with StreamPictures(stream, CAMERA).open(asked) as found:
            with pytest.raises(NoPicture):
                await found.ready()
        assert time.monotonic() - began < 2


async def test_a_person_who_walks_up_is_seen_in_time(local_streams: None, client: EngineClient) -> None:
    came = round(5 * FPS)
    person = pictures.astronaut().resize((180, 180), Image.Resampling.LANCZOS)
    scene = films.visited(person, size=SIZE, first=came)
    film = films.film(scene, size=SIZE, seconds=16, key_every=4, bit_rate=500_000)
    async with (
        live(film.pieces, FPS) as server,
        a_camera(server, warm=True, seconds=4) as stream,
        StreamPictures(stream, CAMERA, every_picture=True).open(ask(client, 5.0)) as found,
    ):
        seen = await see_all(found)
    for number, each in zip(numbers(seen), seen, strict=True):
        assert len(each.faces.faces) == (number >= came)
    assert seen[0].faces.faces == ()
    assert len(seen[-1].faces.faces) == 1
