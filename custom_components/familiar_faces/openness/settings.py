"""What follows when the owner changes a setting: it is noted, and what is past its time now is erased."""

from collections.abc import Mapping
import logging
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.util import dt as dt_util

from ..const import CONF_CONTACT, CONF_MODE, CONF_RESPONSIBLE, SUBENTRY_CAMERA
from ..options import PERIODS
from ..vault.errors import VaultError
from ..vault.records import Detail

if TYPE_CHECKING:
    from ..hub import Hub

_LOGGER = logging.getLogger(__name__)

SETTING_CHANGED = "setting_changed"
_OF_PEOPLE = {CONF_CONTACT, CONF_RESPONSIBLE}
"""Settings that hold a name: of these the log, which outlives people, says only that they were changed."""


class Settings:
    """The settings as they were last seen."""

    def __init__(self, hub: Hub) -> None:
        """See those of now."""
        self._hub = hub
        self._seen = dict(hub.entry.options)
        self._cameras = _cameras(hub.entry)

    async def async_follow(self) -> None:
        """Note what was changed, and purge when it was a period."""
        before, self._seen = self._seen, dict(self._hub.entry.options)
        changed = [key for key in sorted({*before, *self._seen}) if before.get(key) != self._seen.get(key)]
        for key in changed:
            await self.async_note(
                {"key": key}
                if key in _OF_PEOPLE
                else {"key": key, "old": _said(before.get(key)), "new": _said(self._seen.get(key))}
            )
        await self._async_follow_cameras()
        if PERIODS.keys() & set(changed):
            self._hub.clock.async_purge_soon()
        if changed:
            self._hub.async_changed()

    async def _async_follow_cameras(self) -> None:
        """Note which cameras were added, changed or removed, by their ids and when they are looked at."""
        before, self._cameras = self._cameras, _cameras(self._hub.entry)
        for camera_id in sorted({*before, *self._cameras}):
            old, new = before.get(camera_id), self._cameras.get(camera_id)
            if old != new:
                modes = {
                    name: None if data is None else str(data[CONF_MODE])
                    for name, data in (("old", old), ("new", new))
                }
                await self.async_note({"key": "camera", "of": camera_id, **modes})

    async def async_note(self, details: Mapping[str, Detail]) -> None:
        """Write in the audit log which setting was changed. A full disk must not undo the change itself."""
        try:
            await self._hub.hass.async_add_executor_job(
                self._hub.vault.audit, SETTING_CHANGED, None, details, dt_util.utcnow()
            )
        except VaultError as err:
            _LOGGER.error("That a setting was changed could not be noted: %s", err)


def _cameras(entry: ConfigEntry) -> dict[str, dict[str, Any]]:
    """Return what was chosen of each camera, by the ids of their subentries."""
    return {
        each.subentry_id: dict(each.data)
        for each in entry.subentries.values()
        if each.subentry_type == SUBENTRY_CAMERA
    }


def _said(value: object) -> Detail:
    """Return a setting as the log holds it; nothing for one that was left at its default."""
    return (
        value if isinstance(value, bool | int | float | str) else "default" if value is None else str(value)
    )
