"""Switches: recognition at all cameras or one, and whether somebody is told of a person."""

from typing import Any, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import STATE_OFF, EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.restore_state import RestoreEntity

from .const import CONF_SWITCHED_OFF
from .entity import CameraEntity, FamiliarFacesEntity, HubEntity, PersonEntity, async_setup_entities
from .hub import HUB, FamiliarFacesConfigEntry, Hub

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


class _RecognitionSwitch(FamiliarFacesEntity, SwitchEntity):
    """Recognition, on until it is switched off; the hub keeps it."""

    key: str

    @property
    @override
    def is_on(self) -> bool:
        """Return whether it is switched on."""
        return self.key not in self.hub.books.read(CONF_SWITCHED_OFF)

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Switch on."""
        self.hub.async_switch_recognition(True, self.key)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Switch off."""
        self.hub.async_switch_recognition(False, self.key)


class HubRecognition(HubEntity, _RecognitionSwitch):
    """Recognition at all cameras together."""

    key = HUB


class CameraRecognition(CameraEntity, _RecognitionSwitch):
    """Recognition at one camera."""

    def __init__(self, hub: Hub, subentry: ConfigSubentry, description: SwitchEntityDescription) -> None:
        """Belong to a camera."""
        super().__init__(hub, subentry, description)
        self.key = subentry.subentry_id


class PersonNotifications(PersonEntity, SwitchEntity, RestoreEntity):
    """Whether alerts speak of a person: on until it is switched off, and so after a restart."""

    _attr_is_on = True

    @override
    async def async_added_to_hass(self) -> None:
        """Be as before the restart."""
        await super().async_added_to_hass()
        state = await self.async_get_last_state()
        self._attr_is_on = state is None or state.state != STATE_OFF

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Switch on."""
        self._attr_is_on = True
        self.async_write_ha_state()

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Switch off."""
        self._attr_is_on = False
        self.async_write_ha_state()
