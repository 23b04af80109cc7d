"""Where things lie in the folders of this Home Assistant."""

from collections.abc import Callable
from pathlib import Path

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import STORAGE_DIR

from ..const import CONF_FORGETTING, CONF_PEOPLE, CONF_PERSON_ID, DOMAIN


@callback
def vault_folder(hass: HomeAssistant) -> Path:
    """Return the folder of the vault."""
    return Path(hass.config.path(STORAGE_DIR, DOMAIN))


@callback
def witness_file(hass: HomeAssistant) -> Path:
    """Return where the mark of the vault lies, outside of what backups hold."""
    return Path(hass.config.cache_path(DOMAIN, "witness.json"))


@callback
def async_vault_expected(hass: HomeAssistant, entry: ConfigEntry) -> Callable[[], bool]:
    """Return how to tell, in a thread, whether there was a vault before: people were here, or it left its mark.

    What it was is not made again then: an empty one in its place would look as if nobody had ever been here.
    """
    people = any(each.data.get(CONF_PERSON_ID) for each in entry.subentries.values())
    books = [entry.data.get(key) for key in (CONF_PEOPLE, CONF_FORGETTING)]
    noted = any(isinstance(book, list) and any(isinstance(line, str) for line in book) for book in books)
    mark = witness_file(hass)
    return lambda: people or noted or mark.exists()


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
