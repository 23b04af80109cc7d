"""Home Assistant's own notifications, which have no public reader but the websocket API."""

from typing import Any

from homeassistant.components import persistent_notification
from homeassistant.core import HomeAssistant


def notified(hass: HomeAssistant) -> dict[str, Any]:
    """Return the notifications that are shown, by their ids."""
    shown: dict[str, Any] = vars(persistent_notification)["_async_get_or_create_notifications"](hass)
    return shown
