"""Keeps camera watchers and stored people in step with the subentries."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
import logging

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import CONF_NAME
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util

from ..capture.cameras import Cameras
from ..const import CONF_PERSON_ID, CONF_SWITCHED_OFF, DOMAIN, SUBENTRY_CAMERA, SUBENTRY_PERSON
from ..household.household import Household
from ..household.issues import (
    async_check_agreed,
    async_check_anybody,
    async_check_camera,
    async_clear_subentry,
)
from ..household.linked import async_follow_linked, async_show_links
from ..household.signals import SIGNAL_SUBENTRY
from ..household.subentries import async_follow_renames
from ..vault.errors import VaultError
from .announcing import Announcer
from .renaming import async_follow_title
from .watcher import Watcher

_LOGGER = logging.getLogger(__name__)


class Following:
    """The subentries as they were last seen, and the watchers of the cameras among them."""

    def __init__(
        self,
        household: Household,
        announcer: Announcer,
        cameras: Cameras,
        forget_removed: Callable[[str], Awaitable[None]],
        followed: Callable[[], None],
    ) -> None:
        """Have seen nothing yet.

        `forget_removed`: forgets a person, by their id, whose subentry was removed; raises VaultError when that
        has to be done later. `followed`: called after every change.
        """
        self.watchers: dict[str, Watcher] = {}
        self._household = household
        self._announcer = announcer
        self._cameras = cameras
        self._forget_removed = forget_removed
        self._followed = followed
        self._hass = household.hass
        self._entry = household.entry
        self._subentries: dict[str, ConfigSubentry] = {}
        self._unsubscribe: list[CALLBACK_TYPE] = []

    @callback
    def async_start(self) -> None:
        """Watch the cameras that there are."""
        async_show_links(self._household)
        self._subentries = _snapshot(self._entry)
        for subentry in self._subentries.values():
            self._async_add_watcher(subentry)
        self._unsubscribe += [
            async_follow_renames(self._hass, self._entry),
            async_follow_linked(self._household),
            self._household.async_on_people(self._async_check_agreed),
            async_at_started(self._hass, self.async_check_cameras),
            async_at_started(self._hass, self._async_check_agreed),
        ]

    async def async_stop(self) -> None:
        """Stop watching."""
        while self._unsubscribe:
            self._unsubscribe.pop()()
        for camera_id in list(self.watchers):
            await self._async_remove_watcher(camera_id)

    async def async_follow(self) -> None:
        """Watch what was added, forget who was removed. Not to be called while it runs."""
        before, after = self._subentries, _snapshot(self._entry)
        self._subentries = after
        if before == after:
            return
        for subentry_id, subentry in before.items():
            if after.get(subentry_id) != subentry:
                await self._async_remove_watcher(subentry_id)
                async_clear_subentry(self._hass, subentry)
            if subentry_id not in after:
                await self._async_removed(subentry)
        for subentry_id, subentry in after.items():
            if before.get(subentry_id) == subentry:
                continue
            self._async_add_watcher(subentry)
            if subentry_id in before:
                self._async_rename_device(subentry)
            else:
                self._household.async_send(SIGNAL_SUBENTRY, subentry)
            if subentry.subentry_type == SUBENTRY_PERSON and subentry.title != subentry.data[CONF_NAME]:
                await async_follow_title(self._household, subentry)
        self._household.roster.async_note_people()
        self._followed()
        try:
            await self._household.async_refresh_people()
        except VaultError as err:
            _LOGGER.error("The people could not be read again; those known before are recognised: %s", err)

    async def _async_removed(self, subentry: ConfigSubentry) -> None:
        if subentry.subentry_type == SUBENTRY_CAMERA:
            off = self._household.books.read(CONF_SWITCHED_OFF)
            self._household.books.async_write(CONF_SWITCHED_OFF, off - {subentry.subentry_id})
        elif (person_id := subentry.data.get(CONF_PERSON_ID)) is not None:
            if person_id in self._household.roster.leaving:
                # Forgetting them is what removed the subentry.
                return
            try:
                await self._forget_removed(person_id)
            except VaultError as err:
                _LOGGER.error("A removed person could not be erased yet, it is tried again: %s", err)

    @callback
    def _async_rename_device(self, subentry: ConfigSubentry) -> None:
        """Give the device of a renamed camera, person or alert its new name."""
        person = subentry.subentry_type == SUBENTRY_PERSON
        identifier = subentry.data[CONF_PERSON_ID] if person else subentry.subentry_id
        registry = dr.async_get(self._hass)
        device = registry.async_get_device_by_identifier((DOMAIN, identifier), self._entry.entry_id)
        if device is not None:
            name = subentry.data[CONF_NAME] if person else subentry.title
            registry.async_update_device(device.id, name=name)

    @callback
    def _async_add_watcher(self, subentry: ConfigSubentry) -> None:
        if subentry.subentry_type != SUBENTRY_CAMERA:
            return
        watcher = self.watchers[subentry.subentry_id] = Watcher(
            self._household, subentry, self._announcer, self._cameras, self.async_check_cameras
        )
        watcher.async_start()
        if self._hass.is_running:
            async_check_camera(self._hass, subentry)

    async def _async_remove_watcher(self, camera_id: str) -> None:
        if (watcher := self.watchers.pop(camera_id, None)) is not None:
            await watcher.async_stop()
            self._household.open_visits.leave(camera_id)

    @callback
    def async_check_cameras(self, _hass: HomeAssistant | None = None) -> None:
        """Say which cameras and triggers are gone, once Home Assistant has started."""
        if not self._hass.is_running:
            return
        for subentry in self._entry.get_subentries_of_type(SUBENTRY_CAMERA):
            async_check_camera(self._hass, subentry)

    async def _async_check_agreed(self, _hass: HomeAssistant | None = None) -> None:
        """Say at which cameras nobody is recognised, and that there are no people. Not while it is doubted who they are."""
        household, now = self._household, dt_util.utcnow()
        people = household.people.values()
        doubted = bool(household.roster.held) or not household.wall_clock.believed()
        cameras = list(self._entry.get_subentries_of_type(SUBENTRY_CAMERA))
        nobody = bool(cameras) and not people and not household.roster.subentries() and not doubted
        async_check_anybody(self._hass, nobody=nobody and self._hass.is_running)
        for subentry in cameras:
            agreed = any(each.may_be_recognised(now, subentry.subentry_id) for each in people)
            # Where nobody is recognised anywhere, their consents themselves are over.
            anywhere = any(each.may_be_recognised(now) for each in people)
            async_check_agreed(
                self._hass,
                subentry.subentry_id,
                subentry.title,
                nobody=anywhere and not agreed and not doubted,
            )


def _snapshot(entry: ConfigEntry) -> dict[str, ConfigSubentry]:
    """Return the subentries as they are now; Home Assistant changes them in place."""
    return {subentry_id: replace(subentry) for subentry_id, subentry in entry.subentries.items()}
