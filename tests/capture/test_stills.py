"""The stills of a look: only fresh ones, the newest wins, bounded in time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from homeassistant.util import dt as dt_util
import pytest

from custom_components.familiar_faces.capture.known_pictures import KnownPictures
from custom_components.familiar_faces.capture.picture_source import Ask, NoPicture, Trouble, Wish
from custom_components.familiar_faces.capture.stills import Stills
from custom_components.familiar_faces.engine.protocol import Faces
from custom_components.familiar_faces.host.engine_errors import EngineBusy, EngineUnavailable, ImageRejected

WISH = Wish()


class Engine:
    """Notes which pictures it was asked about."""

    def __init__(self) -> None:
        """Fail at nothing."""
        self.asked: list[bytes] = []
        self.failures: list[Exception] = []

    async def faces(self, image: bytes, **_: Any) -> Faces:
        """See nobody."""
        self.asked.append(image)
        if self.failures:
            raise self.failures.pop(0)
        return Faces("sface", (640, 480), (), {"total": 1.0})


@pytest.fixture
def engine() -> Engine:
    """Return an engine that sees nobody."""
    return Engine()


def stills(
    engine: Engine,
    fetch: Callable[[], Awaitable[bytes]],
    seconds: float = 1.0,
    known: KnownPictures | None = None,
) -> Stills:
    """Return the stills of a look."""
    ask = Ask(dt_util.utcnow(), seconds, lambda: engine)  # type: ignore[arg-type, return-value]
    return Stills("camera.a", fetch, known or KnownPictures(), ask)


def giving(*pictures: bytes | Exception) -> Callable[[], Awaitable[bytes]]:
    """Return a camera that gives these pictures, and the last one for ever."""
    left = list(pictures)

    async def fetch() -> bytes:
        await asyncio.sleep(0)
        picture = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(picture, Exception):
            raise picture
        return b"\xff\xd8\xff" + picture

    return fetch


async def looked_at(pictures: Stills, engine: Engine) -> list[bytes]:
    """Have everything be looked at; return which pictures were."""
    async with pictures:
        while await pictures.ready():
            await pictures.see(WISH)
    return [each[3:] for each in engine.asked]


async def test_first_picture_is_no_evidence(engine: Engine) -> None:
    """Nobody knows how old it is; those that follow are new."""
    assert await looked_at(stills(engine, giving(b"a", b"b", b"c")), engine) == [b"b", b"c"]


@pytest.mark.parametrize("picture", [b"a", b"never seen before"])
async def test_frozen_camera(engine: Engine, picture: bytes) -> None:
    """A camera that gives one picture for ever gives no evidence, whether it was known before or not."""
    known = KnownPictures()
    known.judge(b"another", 0.0, 0.0)
    pictures = stills(engine, giving(picture), 0.6, known)
    with pytest.raises(NoPicture) as raised:
        await looked_at(pictures, engine)
    assert (raised.value.trouble, engine.asked) == (Trouble.OLD_PICTURE, [])


async def test_old_picture_and_then_a_new_one(engine: Engine) -> None:
    """A snapshot that comes a moment after the ring is looked at, and never the one before it."""
    known = KnownPictures()
    assert await looked_at(stills(engine, giving(b"x", b"anna"), 0.5, known), engine) == [b"anna"]
    engine.asked.clear()
    fetched = giving(*[b"anna"] * 4, b"somebody")
    assert await looked_at(stills(engine, fetched, 2.0, known), engine) == [b"somebody"]


async def test_repeated_pictures_use_up_nothing(engine: Engine) -> None:
    """They neither end the look nor count: its budget is time and new pictures."""
    fetched = giving(b"a", *[b"a"] * 6, b"b")
    assert await looked_at(stills(engine, fetched, 3.0), engine) == [b"b"]


async def test_a_frozen_camera_leaves_time_for_another_source(engine: Engine) -> None:
    """Its stream may show who is there; one that gives fresh pictures is asked until the look is over."""
    known = KnownPictures()
    known.judge(b"another", 0.0, 0.0)
    patient = Ask(dt_util.utcnow(), 60.0, lambda: engine, patience=0.3)  # type: ignore[arg-type, return-value]
    with pytest.raises(NoPicture):
        await asyncio.wait_for(looked_at(Stills("camera.a", giving(b"a"), known, patient), engine), 30)
    numbers = iter(range(1000))

    async def fetch() -> bytes:
        return b"\xff\xd8\xff%d" % next(numbers)

    live = replace(patient, seconds=1.5)
    seen = await looked_at(Stills("camera.a", fetch, KnownPictures(), live), engine)
    assert len(seen) > 3, "patience is only for the first one"


async def test_newest_wins(engine: Engine) -> None:
    """Pictures that came while the last one was looked at are passed over, except the newest."""
    numbers = iter(range(1000))

    async def fetch() -> bytes:
        return b"\xff\xd8\xff%d" % next(numbers)

    pictures = stills(engine, fetch, 1.2)
    async with pictures:
        assert await pictures.ready()
        first = await pictures.see(WISH)
        await asyncio.sleep(0.6)
        assert await pictures.ready()
        second = await pictures.see(WISH)
    seen = [int(each[3:]) for each in engine.asked]
    assert seen[1] - seen[0] >= 3
    assert second.at > first.at


async def test_failed_fetch_is_tried_again(engine: Engine) -> None:
    """A camera that was asleep is asked again, whatever it raised."""
    fetched = giving(OSError("asleep"), b"a", KeyError("gone"), b"b")
    assert await looked_at(stills(engine, fetched, 2.0), engine) == [b"b"]


async def test_a_picture_that_is_known_to_be_old(engine: Engine) -> None:
    """Where that is known before it is looked at, it is said as of any other old one."""
    with pytest.raises(NoPicture) as raised:
        await looked_at(stills(engine, giving(NoPicture(Trouble.OLD_PICTURE, "camera.a")), 0.5), engine)
    assert raised.value.trouble is Trouble.OLD_PICTURE


async def test_what_comes_after_an_old_picture_is_new(engine: Engine) -> None:
    """A camera that says that it shows its last picture has made no other one until then."""
    old = NoPicture(Trouble.OLD_PICTURE, "camera.a", b"\xff\xd8\xffold")
    assert await looked_at(stills(engine, giving(old, b"old", b"a"), 2.0), engine) == [b"a"]


async def test_camera_that_never_answers(engine: Engine) -> None:
    """It is said to give no picture, with its own reason."""
    with pytest.raises(NoPicture) as raised:
        await looked_at(stills(engine, giving(OSError("gone")), 0.2), engine)
    assert raised.value.trouble is Trouble.NO_PICTURE
    assert isinstance(raised.value.__cause__, OSError)


async def test_leaving_stops_the_fetch(engine: Engine) -> None:
    """A look that is over asks the camera for nothing more."""
    fetched = 0

    async def fetch() -> bytes:
        nonlocal fetched
        fetched += 1
        return b"\xff\xd8\xff%d" % fetched

    async with stills(engine, fetch, 60.0) as pictures:
        await pictures.ready()
    before = fetched
    await asyncio.sleep(0.3)
    assert fetched == before


@pytest.mark.parametrize("failure", [EngineBusy(0.1), EngineUnavailable("away")])
async def test_a_picture_that_could_not_be_looked_at_is_offered_once_more(
    engine: Engine, failure: Exception
) -> None:
    """The engine may be back in a moment; a picture that it cannot read is given up."""
    pictures = stills(engine, giving(b"a", b"b"), 0.8)
    async with pictures:
        assert await pictures.ready()
        engine.failures = [failure, failure]
        for _ in range(2):
            with pytest.raises(type(failure)):
                await pictures.see(WISH)
            await asyncio.sleep(0)
        assert pictures.newest is None
        with pytest.raises(ValueError, match="no picture"):
            await pictures.see(WISH)
    assert engine.asked == [b"\xff\xd8\xffb"] * 2


async def test_rejected_picture_is_given_up(engine: Engine) -> None:
    """A picture that the engine cannot read is no longer offered."""
    pictures = stills(engine, giving(b"a", b"b"), 0.8)
    async with pictures:
        assert await pictures.ready()
        engine.failures = [ImageRejected("not_an_image", "It is none")]
        with pytest.raises(ImageRejected):
            await pictures.see(WISH)
        assert pictures.newest is None
