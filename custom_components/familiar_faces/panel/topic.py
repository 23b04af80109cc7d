"""One subscription of a browser to something that is said whole, now and whenever it may have changed."""

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
import logging
from typing import Any, Final

from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.messages import event_message
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, Unauthorized
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_call_later

from ..const import DOMAIN
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
from ..running import async_running_hub
from ..seen.visit_signals import async_follow_visits
from ..vault.errors import VaultError
from .permitted import Asked, asked_of, async_asked

_LOGGER = logging.getLogger(__name__)

MOST_TOPICS: Final = 20
"""Subscriptions of one connection: a panel has one or two."""
TOGETHER: Final = 0.2
"""Seconds for which changes are gathered: what is written of a visit follows it."""
AGAIN: Final = 10.0
"""Seconds until what could not be read is read again."""

type Read = Callable[[Asked], Awaitable[dict[str, Any]]]
"""Returns what is said; raises Unauthorized for anyone who may see it no longer, HomeAssistantError for what is gone."""


class Topic:
    """Sends one browser what it is to show. Calling it ends it, as Home Assistant ends subscriptions."""

    def __init__(
        self,
        hass: HomeAssistant,
        connection: ActiveConnection,
        message_id: int,
        read: Read,
        of: Collection[Of] = (Of.PEOPLE, Of.MUTES),
    ) -> None:
        """Send nothing yet; `of`: what it depends on besides visits and the whole house."""
        self._hass = hass
        self._connection = connection
        self._message_id = message_id
        self._read = read
        self._of = of
        self._timer: CALLBACK_TYPE | None = None
        self._unsubscribe: CALLBACK_TYPE | None = None
        self._answers: CALLBACK_TYPE | None = None
        self._sending = self._again = self._ended = False

    @callback
    def async_start(self) -> None:
        """Say it, and follow."""

        def changed(of: Of) -> Listener:
            return lambda hass, entry_id: async_dispatcher_connect(
                hass, SIGNAL_CHANGED.format(entry_id, of), self._async_changed
            )

        self._unsubscribe = async_follow_visits(
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
        self._async_loaded()

    @callback
    def __call__(self) -> None:
        """End it."""
        self._ended = True
        for each in (self._timer, self._unsubscribe, self._answers):
            if each is not None:
                each()
        self._timer = self._unsubscribe = self._answers = None

    @callback
    def _async_loaded(self) -> None:
        """Follow the answers of the hub that runs now, too."""
        if self._answers is not None:
            self._answers()
            self._answers = None
        if (hub := async_running_hub(self._hass)) is not None:
            self._answers = hub.late_answers.async_listen(self._async_changed)
        self._async_soon(0)

    @callback
    def _async_changed(self, *_what: object) -> None:
        self._async_soon(TOGETHER)

    @callback
    def _async_soon(self, after: float) -> None:
        self._again = True
        if self._timer is None and not self._ended:
            self._timer = async_call_later(self._hass, after, self._async_due)

    @callback
    def _async_due(self, _now: datetime) -> None:
        self._timer = None
        if not self._sending:
            self._hass.async_create_task(self._async_send(), f"{DOMAIN} panel topic")

    async def _async_send(self) -> None:
        """Say it; one after the other, so that the newest comes last."""
        self._sending, self._again = True, False
        after = TOGETHER
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
    def _say(self, event: dict[str, Any]) -> None:
        if not self._ended:
            self._connection.send_message(event_message(self._message_id, event))


@callback
def async_subscribe(
    hass: HomeAssistant, connection: ActiveConnection, message_id: int, read: Read, of: Collection[Of]
) -> None:
    """Begin a subscription; raise HomeAssistantError while the integration does not run, and for too many."""
    asked_of(hass, connection)
    ours = [each for each in connection.subscriptions.values() if isinstance(each, Topic)]
    if len(ours) >= MOST_TOPICS:
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key="too_many_subscriptions")
    topic = Topic(hass, connection, message_id, read, of)
    connection.subscriptions[message_id] = topic
    topic.async_start()
