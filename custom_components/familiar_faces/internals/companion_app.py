"""The companion apps' integration, `mobile_app`: which phones take notifications, and how one of them is sent one.

It is not imported: that needs what a Home Assistant without phones may not have installed.
"""

from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant, callback

MOBILE_APP = "mobile_app"
_NOTIFY = "notify"


def check(hass: HomeAssistant) -> bool:
    """Return whether this Home Assistant still notifies phones as is expected here; yes where there is no phone."""
    if not hass.config_entries.async_loaded_entries(MOBILE_APP):
        return True
    service = _service(hass)
    return callable(getattr(service, "async_send_message", None)) and hasattr(service, "registered_targets")


def actions_of_phones(hass: HomeAssistant) -> set[str]:
    """Return the notify actions that phones have."""
    return set(getattr(_service(hass), "registered_targets", ()))


@callback
def async_takes_notifications(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Return whether the phone of an entry takes notifications."""
    if entry.state is not ConfigEntryState.LOADED or _service(hass) is None:
        return False
    app = entry.data.get("app_data", {})
    return {"push_token", "push_url"} <= app.keys() or "push_websocket_channel" in app


async def async_push(hass: HomeAssistant, entry: ConfigEntry, said: dict[str, Any]) -> None:
    """Send to one phone, known by its webhook: of phones with one name only the last has an action of its own."""
    await _service(hass).async_send_message(**said, target=[entry.data[CONF_WEBHOOK_ID]])


def _service(hass: HomeAssistant) -> Any:
    """Return what the integration notifies with; None while there is none."""
    data = hass.data.get(MOBILE_APP)
    service = data.get(_NOTIFY) if isinstance(data, dict) else None
    return service if getattr(service, "hass", None) is not None else None
