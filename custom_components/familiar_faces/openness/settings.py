"""What follows when the owner changes a setting: it is noted, and what is past its time now is erased."""

from collections.abc import Callable, Mapping
import logging
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.util import dt as dt_util

from ..const import (
    CONF_CONTACT,
    CONF_MODE,
    CONF_RESPONSIBLE,
    CONF_SWITCHED_OFF,
    DOMAIN,
    EVERYWHERE,
    SUBENTRY_CAMERA,
)
from ..household.household import Household
from ..household.options import PERIODS
from ..vault.errors import VaultError
from ..vault.records import Detail

_LOGGER = logging.getLogger(__name__)

SETTING_CHANGED = "setting_changed"
_OF_PEOPLE = {CONF_CONTACT, CONF_RESPONSIBLE}
"""Settings that hold a name: of these the log, which outlives people, says only that they were changed."""


class Settings:
    """The settings as they were last seen."""

    def __init__(self, household: Household, purge_soon: Callable[[], None]) -> None:
        """See those of now; `purge_soon` is called when something else is past its time by them."""
        self._household = household
        self._purge_soon = purge_soon
        self._seen = dict(household.entry.options)
        self._cameras = _cameras(household.entry)

    async def async_follow(self) -> None:
        """Note what was changed, and purge when it was a period."""
        before, self._seen = self._seen, dict(self._household.entry.options)
        changed = [key for key in sorted({*before, *self._seen}) if before.get(key) != self._seen.get(key)]
        for key in changed:
            await self.async_note(
                {"key": key}
                if key in _OF_PEOPLE
                else {"key": key, "old": _said(before.get(key)), "new": _said(self._seen.get(key))}
            )
        await self._async_follow_cameras()
        if PERIODS.keys() & set(changed):
            self._purge_soon()
        if changed:
            self._household.async_changed()

    async def _async_follow_cameras(self) -> None:
        """Note which cameras were added, changed or removed, by their ids and when they are looked at."""
        before, self._cameras = self._cameras, _cameras(self._household.entry)
        for camera_id in sorted({*before, *self._cameras}):
            old, new = before.get(camera_id), self._cameras.get(camera_id)
            if old != new:
                modes = {
                    name: None if data is None else str(data[CONF_MODE])
                    for name, data in (("old", old), ("new", new))
                }
                await self.async_note({"key": "camera", "of": camera_id, **modes})

    def switched_on(self, key: str) -> bool:
        """Return whether recognition is not switched off, at a camera or (`EVERYWHERE`) everywhere."""
        return key not in self._household.books.read(CONF_SWITCHED_OFF)

    async def async_switch_recognition(self, on: bool, key: str) -> None:
        """Switch recognition on or off, at a camera or (`EVERYWHERE`) everywhere; it outlives a power cut."""
        household = self._household
        off = household.books.read(CONF_SWITCHED_OFF)
        household.books.async_write(CONF_SWITCHED_OFF, off - {key} if on else off | {key})
        if on is (key in off):
            household.entry.async_create_task(
                household.hass,
                self.async_note({"key": "recognition", "of": key, "old": not on, "new": on}),
                f"{DOMAIN} note of a switch",
            )
        household.async_changed(*([] if key == EVERYWHERE else [key]))
        await household.books.async_save()

    async def async_note(self, details: Mapping[str, Detail]) -> None:
        """Write in the audit log which setting was changed. A full disk must not undo the change itself."""
        try:
            await self._household.hass.async_add_executor_job(
                self._household.vault.audit, SETTING_CHANGED, None, details, dt_util.utcnow()
            )
        except VaultError as err:
            _LOGGER.error("That a setting was changed could not be noted: %s", err)


def _cameras(entry: ConfigEntry) -> dict[str, dict[str, Any]]:
    """Return what was chosen of each camera, by the ids of their subentries."""
    return {each.subentry_id: dict(each.data) for each in entry.get_subentries_of_type(SUBENTRY_CAMERA)}


def _said(value: object) -> Detail:
    """Return a setting as the log holds it; nothing for one that was left at its default."""
    return (
        value if isinstance(value, bool | int | float | str) else "default" if value is None else str(value)
    )
