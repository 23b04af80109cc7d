"""Whether all recipients of the alerts can be notified, and the alerts still have somebody to notify about."""

from typing import TYPE_CHECKING, Any

from homeassistant.const import ATTR_DOMAIN, EVENT_SERVICE_REGISTERED, EVENT_SERVICE_REMOVED
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.start import async_at_started
from homeassistant.util.event_type import EventType

from ..household.issues import async_check_about, async_check_alert
from .recipients import NOTIFY, async_recipients
from .rules import Rules

if TYPE_CHECKING:
    from datetime import datetime

PATIENCE = 30.0
"""Seconds after which somebody is gone: what is set up again is away for a moment."""


class Reach:
    """Reports alerts with a recipient that can no longer be notified, and withdraws that when it can."""

    def __init__(self, hass: HomeAssistant, rules: Rules) -> None:
        """Have asked about nobody yet."""
        self._hass = hass
        self._rules = rules
        self._unsubscribe: list[CALLBACK_TYPE] = []
        self._later: CALLBACK_TYPE | None = None

    @callback
    def async_start(self) -> None:
        """Check once Home Assistant has started, and whenever a way to tell somebody comes or goes."""
        services: tuple[EventType[Any] | str, ...] = (EVENT_SERVICE_REGISTERED, EVENT_SERVICE_REMOVED)
        self._unsubscribe += [
            async_at_started(self._hass, self.async_check),
            *(
                self._hass.bus.async_listen(each, self._async_check_later, _is_notify_action)
                for each in services
            ),
            self._hass.bus.async_listen(
                er.EVENT_ENTITY_REGISTRY_UPDATED, self._async_check_later, _is_notify_entity
            ),
        ]

    @callback
    def async_stop(self) -> None:
        """Stop asking."""
        while self._unsubscribe:
            self._unsubscribe.pop()()
        if self._later is not None:
            self._later()
            self._later = None

    @callback
    def async_check(self, _hass: HomeAssistant | None = None) -> None:
        """Report alerts without a recipient, or without anybody to notify about."""
        if not self._hass.is_running:
            return
        known = {each.key for each in async_recipients(self._hass)}
        for rule in self._rules.read():
            async_check_alert(
                self._hass, rule.alert_id, rule.title, gone=not known.issuperset(rule.recipients)
            )
            async_check_about(self._hass, rule.alert_id, rule.title, nobody=rule.about_nobody)
        for alert_id, title in self._rules.unreadable.items():
            async_check_about(self._hass, alert_id, title, nobody=True)

    @callback
    def _async_check_later(self, _event: object) -> None:
        if self._later is not None:
            self._later()

        @callback
        def check(_now: datetime) -> None:
            self._later = None
            self.async_check()

        self._later = async_call_later(self._hass, PATIENCE, HassJob(check, cancel_on_shutdown=True))


@callback
def _is_notify_action(data: Any) -> bool:
    return bool(data[ATTR_DOMAIN] == NOTIFY)


@callback
def _is_notify_entity(data: Any) -> bool:
    return str(data["entity_id"]).startswith(f"{NOTIFY}.")
