"""Home Assistant's own list of notifications, whose only public reader is the websocket API."""

from collections.abc import Callable
import json

from homeassistant.components import persistent_notification
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.json import ExtendedJSONEncoder


def check(hass: HomeAssistant) -> bool:
    """Return whether this Home Assistant still keeps it as is expected here."""
    read = getattr(persistent_notification, "_async_get_or_create_notifications", None)
    return callable(read) and isinstance(read(hass), dict)


@callback
def async_dismiss_where(hass: HomeAssistant, is_gone: Callable[[str], bool]) -> int:
    """Dismiss notifications, by all that they are as JSON; return how many it was."""
    notifications = persistent_notification._async_get_or_create_notifications(hass)
    gone = [
        notification_id
        for notification_id, notification in notifications.items()
        if is_gone(json.dumps(notification, cls=ExtendedJSONEncoder, ensure_ascii=False))
    ]
    for notification_id in gone:
        persistent_notification.async_dismiss(hass, notification_id)
    return len(gone)
