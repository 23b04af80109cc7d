"""The language that a user has chosen for the frontend. Home Assistant has no public way to ask for it."""

from asyncio import Future

from homeassistant.components.frontend import storage
from homeassistant.core import HomeAssistant


def check(hass: HomeAssistant) -> bool:
    """Return whether this Home Assistant still keeps it as is expected here."""
    return isinstance(getattr(storage, "DATA_STORAGE", None), str) and hasattr(storage, "UserStore")


def language_of(hass: HomeAssistant, user_id: str) -> str | None:
    """Return a user's language, from memory; None where it is not known. Any thread may ask."""
    if not check(hass):
        return None
    stored = hass.data.get(storage.DATA_STORAGE, {}).get(user_id)
    if not isinstance(stored, Future) or not stored.done() or stored.cancelled() or stored.exception():
        return None
    chosen = getattr(stored.result(), "data", {}).get("language")
    language = chosen.get("language") if isinstance(chosen, dict) else None
    return language if isinstance(language, str) and language else None
