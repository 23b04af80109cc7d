"""The running hub, for everything that does not belong to an entry: actions, views, repairs and the media source."""

from typing import TYPE_CHECKING

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN

if TYPE_CHECKING:
    from .hub import FamiliarFacesConfigEntry, Hub


@callback
def async_running_hub(hass: HomeAssistant) -> Hub | None:
    """Return the hub while it runs."""
    entries: list[FamiliarFacesConfigEntry] = hass.config_entries.async_entries(DOMAIN)
    return next((each.runtime_data for each in entries if each.state is ConfigEntryState.LOADED), None)
