"""One subscription of a browser to something that is said whole, now and whenever it may have changed."""

from collections.abc import Awaitable, Callable, Collection
import logging
from typing import Any, Final, override

from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, Unauthorized
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from ..household.signals import (
    SIGNAL_CHANGED,
    SIGNAL_CONFIRMED,
    SIGNAL_CORRECTED,
    SIGNAL_FORGOTTEN,
    SIGNAL_VISIT,
    Listener,
    Of,
    listener,
)
from ..seen.visit_signals import async_follow_visits
from ..vault.errors import VaultError
from .permitted import Asked, asked_of, async_asked
from .subscription import AGAIN, Subscription

_LOGGER = logging.getLogger(__name__)

MOST_TOPICS: Final = 20
"""Subscriptions of one connection: a panel has one or two."""

type Read = Callable[[Asked], Awaitable[dict[str, Any]]]
"""Returns what is said; raises Unauthorized for anyone who may see it no longer, HomeAssistantError for what is gone."""


class Topic(Subscription):
    """Says something whole, now and whenever it may have changed."""

    most = MOST_TOPICS
    together = 0.2
    """What is written of a visit follows it."""

    def __init__(
        self,
        hass: HomeAssistant,
        connection: ActiveConnection,
        message_id: int,
        read: Read,
        of: Collection[Of] = (Of.PEOPLE, Of.MUTES),
    ) -> None:
        """Send nothing yet; `of`: what it depends on besides visits and the whole house."""
        super().__init__(hass, connection, message_id)
        self._read = read
        self._of = of
        self._again = False

    @override
    @callback
    def _async_start(self) -> None:

        def changed(of: Of) -> Listener:
            return lambda hass, entry_id: async_dispatcher_connect(
                hass, SIGNAL_CHANGED.format(entry_id, of), self._async_changed
            )

        self._ends.append(
            async_follow_visits(
                self._hass,
                [
                    listener(SIGNAL_VISIT, self._async_changed),
                    listener(SIGNAL_CONFIRMED, self._async_changed),
                    listener(SIGNAL_CORRECTED, self._async_changed),
                    listener(SIGNAL_FORGOTTEN, self._async_changed),
                    *map(changed, {Of.WHOLE, *self._of}),
                ],
                self._async_loaded,
                self._async_changed,
            )
        )
        self._async_loaded()

    @callback
    def _async_loaded(self) -> None:
        self._async_follow_answers(self._async_changed)
        self._async_soon(0)

    @callback
    def _async_changed(self, *_what: object) -> None:
        self._async_soon()

    @override
    @callback
    def _async_soon(self, after: float | None = None) -> None:
        self._again = True
        super()._async_soon(after)

    @override
    async def _async_send(self) -> None:
        self._sending, self._again = True, False
        after = self.together
        try:
            if (asked := async_asked(self._hass, self._connection)) is None:
                # It comes back when the entry is loaded.
                self._say({"type": "stopped"})
                return
            try:
                self._say({"type": "all", **await self._read(asked)})
            except VaultError as err:
                _LOGGER.debug("A page of the panel could not be read: %s", err)
                self._say({"type": "failed", "again": AGAIN})
                self._again, after = True, AGAIN
            except Unauthorized, HomeAssistantError:
                # Such as somebody who was forgotten.
                self._say({"type": "gone"})
        finally:
            self._sending = False
            if self._again:
                self._async_soon(after)


@callback
def async_subscribe(
    hass: HomeAssistant, connection: ActiveConnection, message_id: int, read: Read, of: Collection[Of]
) -> None:
    """Begin a subscription; raise HomeAssistantError while the integration does not run, and for too many."""
    asked_of(hass, connection)
    Topic(hass, connection, message_id, read, of).async_begin()
