"""Event pictures: an image entity that a camera's integration fills when something happens."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

from homeassistant.components.image import async_get_image
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util

from ..host.engine_errors import EngineBusy, EngineUnavailable
from .known_pictures import KnownPictures, async_digest
from .picture_source import Ask, NoPicture, Pictures, Seen, Trouble, Wish, failing_as_home_assistant

BEFORE = timedelta(seconds=1.5)
"""How much older than what starts a look a picture may be: a camera may take it, and only then say so."""
AHEAD = timedelta(seconds=5)
"""How far in the future a picture's time may lie."""
AGAIN = 0.5
"""Seconds until a fetch that failed is tried again."""
FETCH_SECONDS = 5


class EventPictures:
    """The pictures of an image entity, whose state is the time at which each was made or arrived."""

    def __init__(self, hass: HomeAssistant, image: str, known: KnownPictures) -> None:
        """Take the pictures of an image entity, except those that are `known` whatever their time says."""
        self._hass = hass
        self._image = image
        self._known = known

    def open(self, ask: Ask) -> AbstractAsyncContextManager[Pictures]:
        """Take pictures for a look from now on."""
        return self._async_open(ask)

    @asynccontextmanager
    async def _async_open(self, ask: Ask) -> AsyncGenerator[Pictures]:
        look = _LookAtImage(self._hass, self._image, self._known, ask)
        end = async_track_state_change_event(self._hass, [self._image], look.async_changed)
        try:
            yield look
        finally:
            end()


class _LookAtImage:
    """The pictures of one look. Each has a time, so it is known to be fresh."""

    def __init__(self, hass: HomeAssistant, image: str, known: KnownPictures, ask: Ask) -> None:
        self.waited = 0.0
        self.trouble: Trouble | None = Trouble.NO_PICTURE
        self._hass = hass
        self._image = image
        self._known = known
        self._ask = ask
        now = hass.loop.time()
        self._until = now + ask.seconds
        self._first_until = self._until if ask.patience is None else min(self._until, now + ask.patience)
        self._newest: tuple[datetime, bytes] | None = None
        self._last = ask.at - BEFORE
        self._looked_at: datetime | None = None
        """The time of the last picture that was fetched."""
        self._changed = asyncio.Event()
        self._tried = False

    @property
    def newest(self) -> bytes | None:
        return None if self._newest is None else self._newest[1]

    @callback
    def async_changed(self, _event: Event[EventStateChangedData]) -> None:
        self._changed.set()

    def _has_one(self) -> bool:
        return self._newest is not None

    async def ready(self) -> bool:
        loop = self._hass.loop
        since = loop.time()
        until = self._until if self.trouble is None else self._first_until
        try:
            while not self._has_one():
                self._changed.clear()
                failed = not await self._async_fetch()
                if self._has_one():
                    break
                if loop.time() >= until:
                    if self.trouble is not None:
                        raise NoPicture(self.trouble, self._image)
                    return False
                wait = until - loop.time()
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(wait, AGAIN) if failed else wait):
                        await self._changed.wait()
        finally:
            self.waited += loop.time() - since
        return True

    async def _async_fetch(self) -> bool:
        """Fetch the picture if it is another one, and offer it if it is fresh; return False if that failed."""
        state = self._hass.states.get(self._image)
        made = None if state is None else dt_util.parse_datetime(state.state)
        if made is None or made.tzinfo is None or made == self._looked_at:
            return True
        try:
            with failing_as_home_assistant(self._image):
                picture = (await async_get_image(self._hass, self._image, FETCH_SECONDS)).content
        except HomeAssistantError:
            return False
        self._looked_at = made
        # A clock that is wrong dates old pictures ahead; a broker hands out old ones again, under the time of now.
        ahead = made > dt_util.utcnow() + AHEAD
        if self._known.note(await async_digest(picture)) or ahead or made <= self._last:
            if self.trouble is Trouble.NO_PICTURE:
                self.trouble = Trouble.OLD_PICTURE
            return True
        self._last = made
        self._newest = (made.astimezone(UTC), picture)
        self._tried = False
        self.trouble = None
        return True

    async def see(self, wish: Wish) -> Seen:
        if self._newest is None:
            raise ValueError("there is no picture to look at")
        (at, image), self._newest = self._newest, None
        try:
            faces = await self._ask.faces(image, wish)
        except EngineBusy, EngineUnavailable:
            if not self._tried:
                self._newest, self._tried = (at, image), True
            raise
        return Seen(faces, at, image, self._ask.turn)


async def async_last_picture(hass: HomeAssistant, image: str) -> bytes:
    """Return the picture that an image entity has now, however old; raise HomeAssistantError without any."""
    with failing_as_home_assistant(image):
        return (await async_get_image(hass, image, FETCH_SECONDS)).content
