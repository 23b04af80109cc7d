"""Switches: recognition at all cameras or one, and whether somebody is told of a person."""

from typing import Any, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import STATE_OFF, EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.restore_state import RestoreEntity

from .entity import CameraEntity, FamiliarFacesEntity, HubEntity, PersonEntity, async_setup_entities
from .hub import FamiliarFacesConfigEntry

PARALLEL_UPDATES = 0

RECOGNITION = SwitchEntityDescription(key="recognition", translation_key="recognition")
NOTIFICATIONS = SwitchEntityDescription(
    key="notifications", translation_key="notifications", entity_category=EntityCategory.CONFIG
)


async def async_setup_entry(
    hass: HomeAssistant, entry: FamiliarFacesConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the switches."""
    async_setup_entities(
        entry,
        async_add_entities,
        hub=[HubRecognition(entry.runtime_data, RECOGNITION)],
        camera=lambda hub, subentry: [CameraRecognition(hub, subentry, RECOGNITION)],
        person=lambda hub, subentry: [PersonNotifications(hub, subentry, NOTIFICATIONS)],
    )


class _RestoredSwitch(FamiliarFacesEntity, SwitchEntity, RestoreEntity):
    """A switch that is on until it is switched off, and stays so over a restart."""

    _attr_is_on = True

    @override
    async def async_added_to_hass(self) -> None:
        """Be as before the restart."""
        await super().async_added_to_hass()
        state = await self.async_get_last_state()
        self._async_set(state is None or state.state != STATE_OFF)

    @callback
    def _async_set(self, on: bool) -> None:
        self._attr_is_on = on

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Switch on."""
        self._async_set(True)
        self.async_write_ha_state()

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Switch off."""
        self._async_set(False)
        self.async_write_ha_state()


class HubRecognition(HubEntity, _RestoredSwitch):
    """Recognition at all cameras together."""

    @override
    @callback
    def _async_set(self, on: bool) -> None:
        super()._async_set(on)
        self.hub.async_set_recognition(on)


class CameraRecognition(CameraEntity, _RestoredSwitch):
    """Recognition at one camera."""

    @override
    @callback
    def _async_set(self, on: bool) -> None:
        super()._async_set(on)
        if self.watcher is not None:
            self.watcher.recognition = on

    @override
    @callback
    def async_hub_changed(self) -> None:
        """Also tell a watcher that has taken the old one's place."""
        if self.watcher is not None:
            self.watcher.recognition = bool(self._attr_is_on)
        super().async_hub_changed()


class PersonNotifications(PersonEntity, _RestoredSwitch):
    """Whether alerts speak of a person."""
