"""What the entities of the hub, a camera, a person and an alert have in common."""

import asyncio
from collections.abc import Callable, Iterable
from typing import override

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_NAME
from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .alerts.rule import Rule
from .const import CONF_PERSON_ID, DOMAIN, MANUFACTURER, SUBENTRY_ALERT, SUBENTRY_CAMERA, SUBENTRY_PERSON
from .engine import VERSION
from .host.engine import EngineStatus
from .household.breath import Breath
from .household.signals import SIGNAL_CHANGED, SIGNAL_SHOWN, SIGNAL_SUBENTRY, Of
from .hub import FamiliarFacesConfigEntry, Hub
from .internals import restored_states
from .panel.program import PANEL_PATH
from .people.person import Person
from .recognising.watcher import Watcher

type MakeEntities = Callable[[Hub, ConfigSubentry], Iterable[Entity]]


async def async_setup_entities(
    entry: FamiliarFacesConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    *,
    hub: Iterable[Entity] = (),
    camera: MakeEntities | None = None,
    person: MakeEntities | None = None,
    alert: MakeEntities | None = None,
) -> None:
    """Add the hub's entities, and those of every camera, person and alert, now and when one is added.

    A part after the other: of a thousand people it would hold the event loop for seconds.
    """
    make = {SUBENTRY_CAMERA: camera, SUBENTRY_PERSON: person, SUBENTRY_ALERT: alert}

    @callback
    def add(subentry: ConfigSubentry) -> None:
        if (make_entities := make.get(subentry.subentry_type)) is not None:
            async_add_entities(
                make_entities(entry.runtime_data, subentry), config_subentry_id=subentry.subentry_id
            )

    # Home Assistant begins all platforms in one turn of the event loop: the first part of each would add up.
    await asyncio.sleep(0)
    async_add_entities(hub)
    entry.async_on_unload(entry.runtime_data.async_connect(SIGNAL_SUBENTRY, add))
    breath = Breath()
    for subentry in list(entry.subentries.values()):
        if subentry.subentry_id in entry.subentries:
            add(subentry)
        await breath.async_take()


_PANEL = f"homeassistant://{PANEL_PATH}"
"""Where Home Assistant's link "Visit" of a device leads: to its part of the panel, as far as the user may see it."""


@callback
def async_hub_device(hub: Hub) -> dr.DeviceEntry:
    """Return the hub's device, which the others are reached through."""
    return dr.async_get(hub.hass).async_get_or_create(
        config_entry_id=hub.entry.entry_id, **_hub_device_info(hub)
    )


def _hub_device_info(hub: Hub) -> DeviceInfo:
    return DeviceInfo(
        configuration_url=_PANEL,
        identifiers={(DOMAIN, hub.entry.entry_id)},
        entry_type=DeviceEntryType.SERVICE,
        manufacturer=MANUFACTURER,
        name=hub.entry.title,
        sw_version=VERSION,
    )


def _device_info(hub: Hub, identifier: str, name: str, kind: str) -> DeviceInfo:
    return DeviceInfo(
        identifiers={(DOMAIN, identifier)},
        entry_type=DeviceEntryType.SERVICE,
        manufacturer=MANUFACTURER,
        name=name,
        # By this the fields of actions, triggers and conditions offer devices of one kind alone.
        model_id=kind,
        via_device_id=async_hub_device(hub).id,
    )


class FamiliarFacesEntity(Entity):
    """An entity that shows something of the hub."""

    _attr_has_entity_name = True
    _attr_should_poll = False
    needs_engine = False
    """Whether it says nothing true while the engine is not ready."""
    tells_of_visits = False
    """Whether something can be made of it that names a visitor."""
    _restorable = True
    _told_of: str | None = None

    def __init__(
        self, hub: Hub, description: EntityDescription, unique_id: str, device_info: DeviceInfo
    ) -> None:
        """Belong to the device of the hub, a camera, a person or an alert, whose id `unique_id` is."""
        self.hub = hub
        self._of = unique_id
        self._follows = unique_id
        """What it shows something of."""
        self.entity_description = description
        self._attr_unique_id = f"{unique_id}_{description.key}"
        self._attr_device_info = device_info

    @property
    @override
    def available(self) -> bool:
        """Return whether there is something true to show."""
        return not self.needs_engine or self.hub.engine.status is EngineStatus.READY

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the hub."""
        await super().async_added_to_hass()
        for end in (
            self.hub.async_connect(SIGNAL_CHANGED, self.async_hub_changed, of=self._follows),
            self.hub.async_connect(SIGNAL_SHOWN, self.async_shown, of=self._follows),
        ):
            self.async_on_remove(end)
        self._async_mark()

    @property
    def whose(self) -> str | None:
        """Return the id of the person of whose visit it tells now, None of nobody's."""
        return None

    @callback
    def async_write(self) -> None:
        """Write the state, in a context that leads to whose visit it is."""
        self._async_mark()
        self.async_write_ha_state()

    @callback
    def _async_mark(self) -> None:
        if not self.tells_of_visits:
            return
        # That somebody is no longer shown tells of them once more. Also for nobody it is a context of its own:
        # Home Assistant uses the one before for some seconds.
        before, self._told_of = self._told_of, self.whose
        self.async_set_context(self.hub.async_context(self._told_of or before))

    @callback
    def async_set_restorable(self, restorable: bool) -> None:
        """Have Home Assistant write down what is shown, to show it after a restart, or have it not do so."""
        self._restorable = restorable
        if restorable:
            restored_states.async_note(self)
        else:
            restored_states.async_drop(self)

    @override
    async def async_internal_will_remove_from_hass(self) -> None:
        """Have nothing stored to be restored of what is not to be kept."""
        if not self._restorable:
            # Home Assistant takes it away together with what it would store.
            restored_states.async_note(self)
        await super().async_internal_will_remove_from_hass()
        if not self._restorable:
            restored_states.async_drop_stored(self)

    @callback
    def async_hub_changed(self) -> None:
        """Show what the hub holds now of what this entity follows."""
        self.async_write()

    @callback
    def async_shown(self) -> None:
        """Show what the board says now of this camera or person."""
        self.async_write()


class HubEntity(FamiliarFacesEntity):
    """An entity of the hub's device."""

    def __init__(self, hub: Hub, description: EntityDescription, follows: Of) -> None:
        """Belong to the hub, and look again when something changes that is shown of `follows`."""
        super().__init__(hub, description, hub.entry.entry_id, _hub_device_info(hub))
        self._follows = follows


class CameraEntity(FamiliarFacesEntity):
    """An entity of a camera's device."""

    def __init__(self, hub: Hub, subentry: ConfigSubentry, description: EntityDescription) -> None:
        """Belong to a camera."""
        self.camera_id = subentry.subentry_id
        info = _device_info(hub, self.camera_id, subentry.title, SUBENTRY_CAMERA)
        info["configuration_url"] = f"{_PANEL}/cameras"
        super().__init__(hub, description, self.camera_id, info)

    @property
    def watcher(self) -> Watcher | None:
        """Return the camera's watcher; None for the moment in which it is exchanged."""
        return self.hub.watchers.get(self.camera_id)

    @property
    @override
    def whose(self) -> str | None:
        """Return the id of the last visitor."""
        last = self.hub.board.last_at(self.camera_id)
        return None if last is None else last.person_id


class PersonEntity(FamiliarFacesEntity):
    """An entity of a person's device."""

    def __init__(self, hub: Hub, subentry: ConfigSubentry, description: EntityDescription) -> None:
        """Belong to a person."""
        self.person_id: str = subentry.data[CONF_PERSON_ID]
        self._subentry_id = subentry.subentry_id
        info = _device_info(hub, self.person_id, subentry.data[CONF_NAME], SUBENTRY_PERSON)
        info["configuration_url"] = f"{_PANEL}/people/{self.person_id}"
        super().__init__(hub, description, self.person_id, info)

    @override
    async def async_internal_will_remove_from_hass(self) -> None:
        """Have nothing stored to be restored of a person who was removed."""
        await super().async_internal_will_remove_from_hass()
        if self._subentry_id not in self.hub.entry.subentries:
            restored_states.async_drop_stored(self)

    @property
    @override
    def whose(self) -> str | None:
        """Return the id of the person."""
        return self.person_id

    @property
    def person(self) -> Person | None:
        """Return the person as the vault has them; None once they are forgotten."""
        return self.hub.people.get(self.person_id)


class AlertEntity(FamiliarFacesEntity):
    """An entity of an alert's device."""

    def __init__(self, hub: Hub, subentry: ConfigSubentry, description: EntityDescription) -> None:
        """Belong to an alert."""
        self.alert_id = subentry.subentry_id
        info = _device_info(hub, self.alert_id, subentry.title, SUBENTRY_ALERT)
        super().__init__(hub, description, self.alert_id, info)

    @property
    def rule(self) -> Rule | None:
        """Return what the alert says; None once it is removed."""
        return next((each for each in self.hub.alerts.all_rules if each.alert_id == self.alert_id), None)
