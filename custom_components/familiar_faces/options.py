"""The options of the entry: what the owner may change at any time, and what counts without a restart."""

import logging

from homeassistant.config_entries import ConfigEntry

from .const import CONF_STRICTNESS
from .people.calibration import Strictness

_LOGGER = logging.getLogger(__name__)

DEFAULT_STRICTNESS = Strictness.BALANCED


def chosen_strictness(entry: ConfigEntry) -> Strictness:
    """Return how sure the owner wants to be before a name is said."""
    chosen = entry.options.get(CONF_STRICTNESS, DEFAULT_STRICTNESS)
    try:
        return Strictness(chosen)
    except ValueError:
        # Written by another version, or by hand.
        _LOGGER.debug("There is no strictness %s: %s counts", chosen, DEFAULT_STRICTNESS)
        return DEFAULT_STRICTNESS
