"""Home Assistant's own list of notifications, whose only public reader is the websocket API."""

from collections.abc import Callable
import json
from typing import Any

from homeassistant.components import persistent_notification
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.json import ExtendedJSONEncoder

from .unreachable import reach


def check(hass: HomeAssistant) -> bool:
    """Return whether this Home Assistant still keeps it as is expected here."""
    return _notifications(hass) is not None


@callback
def async_find_where(hass: HomeAssistant, is_it: Callable[[str, str, set[str]], bool]) -> list[str]:
    """Return the ids of notifications, by their id, all that they are as JSON, and their title and message.

    Raises Unreachable.
    """
    reach(hass, __name__, check)
    return [
        notification_id
        for notification_id, each in (_notifications(hass) or {}).items()
        if is_it(
            notification_id,
            json.dumps(each, cls=ExtendedJSONEncoder, ensure_ascii=False),
            {str(each[part]) for part in ("message", "title") if each.get(part)},
        )
    ]


@callback
def async_dismiss_where(hass: HomeAssistant, is_gone: Callable[[str, str, set[str]], bool]) -> int:
    """Dismiss notifications, found as above; return how many it was. Raises Unreachable."""
    gone = async_find_where(hass, is_gone)
    for notification_id in gone:
        persistent_notification.async_dismiss(hass, notification_id)
    return len(gone)


def _notifications(hass: HomeAssistant) -> dict[str, Any] | None:
    """Return them by their ids; None where they are kept in another way."""
    read = getattr(persistent_notification, "_async_get_or_create_notifications", None)
    kept = read(hass) if callable(read) else None
    return kept if isinstance(kept, dict) else None
