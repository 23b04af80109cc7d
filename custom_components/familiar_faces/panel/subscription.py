"""A subscription of a browser: what is sent when, one after the other, for as long as the browser listens."""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any, ClassVar, Final

from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.messages import event_message
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_call_later

from ..const import DOMAIN
from ..recognising.late_answers import Listener
from ..running import async_running_hub

AGAIN: Final = 10.0
"""Seconds until what could not be read is read again."""


class Subscription(ABC):
    """Sends one browser what it is to show. Calling it ends it, as Home Assistant ends subscriptions."""

    most: ClassVar[int]
    """How many of its kind a connection has at most."""
    together: ClassVar[float]
    """Seconds for which changes are gathered."""

    def __init__(self, hass: HomeAssistant, connection: ActiveConnection, message_id: int) -> None:
        """Send nothing yet."""
        self._hass = hass
        self._connection = connection
        self._message_id = message_id
        self._ends: list[CALLBACK_TYPE] = []
        """What ends with it."""
        self._answers: CALLBACK_TYPE | None = None
        self._timer: CALLBACK_TYPE | None = None
        self._sending = self._ended = False

    @callback
    def async_begin(self) -> None:
        """Begin it; raise HomeAssistantError when the connection has too many of its kind."""
        ours = [each for each in self._connection.subscriptions.values() if isinstance(each, type(self))]
        if len(ours) >= self.most:
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="too_many_subscriptions")
        self._connection.subscriptions[self._message_id] = self
        self._async_start()

    @callback
    def __call__(self) -> None:
        """End it."""
        self._ended = True
        for each in (self._timer, self._answers, *self._ends):
            if each is not None:
                each()
        self._timer = self._answers = None
        self._ends = []

    @abstractmethod
    def _async_start(self) -> None:
        """Send what there is, and follow."""

    @abstractmethod
    async def _async_send(self) -> None:
        """Send what changed; called for one at a time, so that the newest comes last."""

    @callback
    def _async_follow_answers(self, listener: Listener) -> None:
        """Follow the answers of the hub that runs now."""
        if self._answers is not None:
            self._answers()
            self._answers = None
        if (hub := async_running_hub(self._hass)) is not None:
            self._answers = hub.late_answers.async_listen(listener)

    @callback
    def _async_soon(self, after: float | None = None) -> None:
        """Send in some seconds, by default those for which changes are gathered."""
        if self._timer is None and not self._ended:
            self._timer = async_call_later(
                self._hass, self.together if after is None else after, self._async_due
            )

    @callback
    def _async_due(self, _now: datetime) -> None:
        self._timer = None
        if not self._sending:
            self._hass.async_create_task(self._async_send(), f"{DOMAIN} panel")

    @callback
    def _say(self, event: dict[str, Any]) -> None:
        if not self._ended:
            self._connection.send_message(event_message(self._message_id, event))
