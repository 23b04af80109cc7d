"""What Home Assistant holds to show it again after a restart, in whichever release."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers.restore_state import StoredState, async_get


def stored_states(hass: HomeAssistant) -> list[StoredState]:
    """Return all that it holds, wherever: what was stored, and what it would write down now."""
    data = async_get(hass)
    held = [each for book in vars(data).values() if isinstance(book, dict) for each in book.values()]
    return [*data.async_get_stored_states(), *(each for each in held if isinstance(each, StoredState))]
