"""Event pictures: fresh when they were made after what starts the look."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from custom_components.familiar_faces.capture import event_pictures
from custom_components.familiar_faces.capture.event_pictures import EventPictures
from custom_components.familiar_faces.capture.known_pictures import KnownPictures
from custom_components.familiar_faces.capture.picture_source import Ask, NoPicture, Trouble, Wish
from custom_components.familiar_faces.engine.protocol import Faces
from custom_components.familiar_faces.host.engine_errors import EngineUnavailable

from ..common.event_image import IMAGE, EventImage, put_up_image


class Engine:
    """Notes which pictures it was asked about."""

    def __init__(self) -> None:
        """Fail at nothing."""
        self.asked: list[bytes] = []
        self.failure: Exception | None = None

    async def faces(self, image: bytes, **_: Any) -> Faces:
        """See nobody."""
        self.asked.append(image)
        if self.failure is not None:
            raise self.failure
        return Faces("sface", (640, 480), (), {})


@pytest.fixture
async def image(hass: HomeAssistant) -> EventImage:
    """Return a real image entity."""
    return await put_up_image(hass)


def ask(engine: Engine, at: datetime, seconds: float = 0.3) -> Ask:
    """Return what a look asks."""
    return Ask(at, seconds, lambda: engine)  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize(("age", "trouble"), [(3600, Trouble.OLD_PICTURE), (2, Trouble.OLD_PICTURE)])
async def test_old_picture(hass: HomeAssistant, image: EventImage, age: float, trouble: Trouble) -> None:
    """The picture of an earlier event is no evidence."""
    now, engine = dt_util.utcnow(), Engine()
    image.show(b"anna", now - timedelta(seconds=age))
    async with EventPictures(hass, IMAGE, KnownPictures()).open(ask(engine, now)) as pictures:
        with pytest.raises(NoPicture) as raised:
            await pictures.ready()
    assert (raised.value.trouble, engine.asked) == (trouble, [])


async def test_without_any_picture(hass: HomeAssistant, image: EventImage) -> None:
    """An entity that never had an event has none."""
    async with EventPictures(hass, IMAGE, KnownPictures()).open(ask(Engine(), dt_util.utcnow())) as pictures:
        with pytest.raises(NoPicture) as raised:
            await pictures.ready()
    assert raised.value.trouble is Trouble.NO_PICTURE


async def test_picture_that_comes_later(hass: HomeAssistant, image: EventImage) -> None:
    """It is waited for, looked at once, and dated by its own time; a second one is looked at, too."""
    now, engine = dt_util.utcnow(), Engine()
    image.show(b"anna", now - timedelta(hours=1))
    async with EventPictures(hass, IMAGE, KnownPictures()).open(ask(engine, now, 5.0)) as pictures:
        waiting = asyncio.create_task(pictures.ready())
        await asyncio.sleep(0.05)
        assert not waiting.done()
        for number, made in ((1, now + timedelta(seconds=0.5)), (2, now + timedelta(seconds=1))):
            image.show(b"somebody %d" % number, made)
            assert await (waiting if number == 1 else pictures.ready())
            seen = await pictures.see(Wish())
            assert (seen.at, seen.picture) == (made, b"somebody %d" % number)
        assert pictures.trouble is None
    assert engine.asked == [b"somebody 1", b"somebody 2"]


async def test_picture_that_is_taken_before_it_is_said(hass: HomeAssistant, image: EventImage) -> None:
    """A camera takes the picture, and a second later its bell is heard."""
    now, engine = dt_util.utcnow(), Engine()
    image.show(b"somebody", now - timedelta(seconds=1))
    async with EventPictures(hass, IMAGE, KnownPictures()).open(ask(engine, now)) as pictures:
        assert await pictures.ready()
        engine.failure = EngineUnavailable("away")
        for _ in range(2):
            with pytest.raises(EngineUnavailable):
                await pictures.see(Wish())
        assert not await pictures.ready()
    assert engine.asked == [b"somebody"] * 2


async def test_the_same_picture_under_another_time(hass: HomeAssistant, image: EventImage) -> None:
    """A broker that is connected again hands out its last picture, as if it were made now."""
    now, engine, known = dt_util.utcnow(), Engine(), KnownPictures()
    image.show(b"anna", now - timedelta(seconds=0.2))
    async with EventPictures(hass, IMAGE, known).open(ask(engine, now)) as pictures:
        assert await pictures.ready()
        await pictures.see(Wish())
    later = dt_util.utcnow()
    image.show(b"anna", later)
    async with EventPictures(hass, IMAGE, known).open(ask(engine, later)) as pictures:
        with pytest.raises(NoPicture) as raised:
            await pictures.ready()
    assert (raised.value.trouble, engine.asked) == (Trouble.OLD_PICTURE, [b"anna"])


@pytest.mark.parametrize("ahead", [timedelta(minutes=1), timedelta(hours=2)])
async def test_a_time_in_the_future(hass: HomeAssistant, image: EventImage, ahead: timedelta) -> None:
    """A camera with a wrong clock, or time zone, proves nothing by it."""
    now, engine = dt_util.utcnow(), Engine()
    image.show(b"anna", now + ahead)
    async with EventPictures(hass, IMAGE, KnownPictures()).open(ask(engine, now)) as pictures:
        with pytest.raises(NoPicture):
            await pictures.ready()
    assert engine.asked == []


async def test_a_fetch_that_fails_is_tried_again(
    hass: HomeAssistant, image: EventImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the integration raises: the picture of an event comes once."""
    now, engine = dt_util.utcnow(), Engine()
    fails = [KeyError("a library's mistake"), TimeoutError()]
    fetch = image.async_image

    async def failing() -> bytes:
        if fails:
            raise fails.pop(0)
        return await fetch()

    monkeypatch.setattr(image, "async_image", failing)
    image.show(b"somebody", now)
    async with EventPictures(hass, IMAGE, KnownPictures()).open(ask(engine, now, 5.0)) as pictures:
        assert await pictures.ready()
        assert (await pictures.see(Wish())).picture == b"somebody"


async def test_a_fetch_that_hangs_ends_with_the_look(
    hass: HomeAssistant, image: EventImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look can be given up while a picture is fetched, and is over in time."""

    async def hanging() -> bytes:
        await asyncio.sleep(60)
        return b""

    monkeypatch.setattr(image, "async_image", hanging)
    monkeypatch.setattr(event_pictures, "FETCH_SECONDS", 1)
    image.show(b"somebody", dt_util.utcnow())
    async with EventPictures(hass, IMAGE, KnownPictures()).open(ask(Engine(), dt_util.utcnow())) as pictures:
        with pytest.raises(NoPicture):
            await asyncio.wait_for(pictures.ready(), 10)
        waiting = asyncio.create_task(pictures.ready())
        await asyncio.sleep(0.1)
        waiting.cancel()
        await asyncio.wait((waiting,), timeout=5)
        assert waiting.cancelled()
