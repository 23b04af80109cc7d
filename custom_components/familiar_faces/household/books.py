"""What the entry's data holds besides what the owner chose: sets of ids, written with the subentries."""

from contextlib import suppress

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError

from ..const import BOOKKEEPING, DOMAIN
from ..internals.stored_files import async_stored_entry, async_write_entries


class Books:
    """The books of an entry."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Keep the books of an entry."""
        self._hass = hass
        self._entry = entry

    @property
    def chosen(self) -> dict[str, object]:
        """Return what the owner chose."""
        return {key: value for key, value in self._entry.data.items() if key not in BOOKKEEPING}

    def read(self, key: str) -> set[str]:
        """Return the ids that are noted under a key; what is damaged is as if it were not noted."""
        noted = self._entry.data.get(key, ())
        if not isinstance(noted, (list, tuple)):
            return set()
        return {each for each in noted if isinstance(each, str)}

    @callback
    def async_write(self, key: str, ids: set[str]) -> None:
        """Note other ids under a key."""
        data = {**self._entry.data, key: sorted(ids)}
        if not ids:
            del data[key]
        if data != self._entry.data:
            self._hass.config_entries.async_update_entry(self._entry, data=data)

    async def async_outlives(self, key: str, noted: str) -> bool:
        """Write what is noted, and return whether an id is on the disk under a key: read again, not believed."""
        with suppress(HomeAssistantError):
            await async_write_entries(self._hass)
        stored = await async_stored_entry(self._hass, self._entry.entry_id)
        return stored is not None and noted in stored.get(key, ())

    async def async_save(self) -> None:
        """Have what is noted outlive a power cut from now on; raise HomeAssistantError when it does not.

        Home Assistant says of a disk that refuses in its log alone, so the file is read again.
        """
        await async_write_entries(self._hass)
        if self._hass.is_stopping:
            # It is written at the very end of the stop.
            return
        stored = await async_stored_entry(self._hass, self._entry.entry_id)
        if stored is not None and any(stored.get(key) != self._entry.data.get(key) for key in BOOKKEEPING):
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="not_saved")
