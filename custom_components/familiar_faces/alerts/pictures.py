"""The pictures of notifications: in memory for as long as a phone needs to fetch one, and behind signed links."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import token_urlsafe

from homeassistant.components.http.auth import async_sign_path
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from .notification import LINK_MINUTES

PICTURE_PATH = f"/api/{DOMAIN}/notification/{{picture_id}}"
MOST = 64
MOST_BYTES = 48 * 1024**2
"""How many pictures are held at once, and how large they are together; the oldest go first."""
LARGEST = 10 * 1024**2
"""Bytes of a picture that the apps show at most: companion.home-assistant.io/docs/notifications/notification-attachments.

A frame is sent as the camera made it. Making it smaller would mean decoding it, which Home Assistant does not do
here; one of a 4K camera has 1 to 4 MB, and a portrait some kilobytes.
"""
_LIFE = timedelta(minutes=LINK_MINUTES)


@dataclass(frozen=True, slots=True)
class _Held:
    episode_id: str
    picture: bytes = field(repr=False)
    of: frozenset[str]
    """Who it shows, by the ids of people; nobody who was not named."""
    since: datetime
    until: datetime

    def there(self, now: datetime) -> bool:
        """Return whether it may be shown; not after the clock was set back either."""
        return self.since <= now < self.until


class PictureStore:
    """The pictures that notifications link to. They are nowhere but in memory."""

    def __init__(self, may_show: Callable[[str], bool]) -> None:
        """Hold none; `may_show` says whether there may still be pictures of somebody."""
        self._may_show = may_show
        self._held: dict[str, _Held] = {}

    def __len__(self) -> int:
        """Return how many are held."""
        return len(self._held)

    @property
    def size(self) -> int:
        """Return how many bytes are held."""
        return sum(len(held.picture) for held in self._held.values())

    @callback
    def async_offer(
        self, hass: HomeAssistant, episode_id: str, picture: bytes, of: frozenset[str] = frozenset()
    ) -> str | None:
        """Hold a picture (JPEG) of an episode for a while, and return the signed path to it.

        `of`: the ids of the people it shows. It is there only as long as they agree to that.

        None for a picture that is too large for a phone.
        """
        now = dt_util.utcnow()
        self.async_expire(now)
        if len(picture) > LARGEST:
            return None
        known = next(
            (
                key
                for key, held in self._held.items()
                if held.episode_id == episode_id and held.picture is picture
            ),
            None,
        )
        picture_id = known or token_urlsafe(16)
        self._held.pop(picture_id, None)
        self._held[picture_id] = _Held(episode_id, picture, of, now, now + _LIFE)
        while len(self._held) > MOST or self.size > MOST_BYTES:
            del self._held[next(iter(self._held))]
        path = PICTURE_PATH.format(picture_id=picture_id)
        return async_sign_path(hass, path, _LIFE, use_content_user=True)

    @callback
    def async_take_back(self, episode_id: str | None = None) -> None:
        """Stop showing the pictures of an episode; without one, those of all."""
        if episode_id is None:
            self._held.clear()
        self._held = {key: held for key, held in self._held.items() if held.episode_id != episode_id}

    @callback
    def async_expire(self, now: datetime) -> None:
        """Drop what is past its time."""
        self._held = {key: held for key, held in self._held.items() if held.there(now)}

    @callback
    def async_get(self, picture_id: str, now: datetime) -> bytes | None:
        """Return a picture; None when there is none, or no longer."""
        held = self._held.get(picture_id)
        if held is None or not held.there(now) or not all(map(self._may_show, held.of)):
            return None
        return held.picture
