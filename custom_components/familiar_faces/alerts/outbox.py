"""The queue to one recipient: one notification after the other, and only the newest of each tag."""

import asyncio
from collections.abc import Awaitable, Callable
import logging

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError

from ..const import DOMAIN

_LOGGER = logging.getLogger(__name__)

SEND_SECONDS = 10.0
"""How long a recipient may take for a notification."""
MOST_WAITING = 50
"""How many tags may wait for a recipient that does not answer; the oldest are given up."""

type Deliver = Callable[[], Awaitable[None]]


class Outbox:
    """Delivers in the background, so that a slow recipient holds up neither the cameras nor other recipients."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, key: str) -> None:
        """Deliver to the recipient with this key."""
        self._hass = hass
        self._entry = entry
        self._key = key
        self._waiting: dict[str, Deliver] = {}
        self._task: asyncio.Task[None] | None = None
        self._stopped = False

    @callback
    def async_put(self, tag: str, deliver: Deliver) -> None:
        """Deliver what a tag says now, instead of what still waits under it."""
        if self._stopped:
            return
        self._waiting.pop(tag, None)
        self._waiting[tag] = deliver
        while len(self._waiting) > MOST_WAITING:
            given_up = next(iter(self._waiting))
            del self._waiting[given_up]
            _LOGGER.warning("A notification is given up: too many wait for %s", self._key)
        if self._task is None or self._task.done():
            # Not at once: many recipients would hold the event loop for all of them together.
            self._task = self._entry.async_create_background_task(
                self._hass,
                self._async_deliver(),
                f"{DOMAIN} notifications {self._key}",
                eager_start=False,
            )

    async def async_flush(self) -> None:
        """Wait until everything is delivered."""
        while self._task is not None and not self._task.done():
            await asyncio.wait({self._task})

    async def async_stop(self) -> None:
        """Give up what waits, and take nothing more."""
        self._stopped = True
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _async_deliver(self) -> None:
        while self._waiting:
            tag = next(iter(self._waiting))
            deliver = self._waiting.pop(tag)
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    await deliver()
            except TimeoutError:
                _LOGGER.warning("A notification took too long: %s does not answer", self._key)
            except HomeAssistantError as err:
                _LOGGER.warning("A notification to %s failed: %s", self._key, err)
            except Exception:
                # One that cannot be delivered must not keep the next from being.
                _LOGGER.exception("A notification to %s failed", self._key)
