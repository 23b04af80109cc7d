"""Where things lie in the folders of this Home Assistant."""

from pathlib import Path

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import STORAGE_DIR

from ..const import DOMAIN


@callback
def vault_folder(hass: HomeAssistant) -> Path:
    """Return the folder of the vault."""
    return Path(hass.config.path(STORAGE_DIR, DOMAIN))


@callback
def witness_file(hass: HomeAssistant) -> Path:
    """Return where the mark of the vault lies, outside of what backups hold."""
    return Path(hass.config.cache_path(DOMAIN, "witness.json"))


@callback
def clock_file(hass: HomeAssistant) -> Path:
    """Return where the last time that was believed lies."""
    return Path(hass.config.cache_path(DOMAIN, "clock.json"))


@callback
def engine_cache(hass: HomeAssistant) -> Path:
    """Return the folder of the engine's environment, which backups leave out: all of it can be made again."""
    return Path(hass.config.cache_path(DOMAIN))


@callback
def engine_runtime(hass: HomeAssistant) -> Path:
    """Return the folder of what the engine needs while it runs."""
    return Path(hass.config.cache_path(DOMAIN, "run"))
