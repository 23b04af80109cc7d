"""Switches: recognition at all cameras or one, and whether somebody is told of a person, a camera, or at all."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .const import CONF_SWITCHED_OFF, CONF_UNANNOUNCED
from .entity import (
    AlertEntity,
    CameraEntity,
    FamiliarFacesEntity,
    HubEntity,
    PersonEntity,
    async_setup_entities,
)
from .hub import HUB, FamiliarFacesConfigEntry, Hub

PARALLEL_UPDATES = 0

ATTR_MUTED_UNTIL = "muted_until"

RECOGNITION = SwitchEntityDescription(key="recognition", translation_key="recognition")
NOTIFICATIONS = SwitchEntityDescription(
    key="notifications", translation_key="notifications", entity_category=EntityCategory.CONFIG
)
ALERT = SwitchEntityDescription(key="alert", translation_key="alert")


async def async_setup_entry(
    hass: HomeAssistant, entry: FamiliarFacesConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the switches."""
    async_setup_entities(
        entry,
        async_add_entities,
        hub=[HubRecognition(entry.runtime_data, RECOGNITION)],
        camera=lambda hub, subentry: [
            CameraRecognition(hub, subentry, RECOGNITION),
            CameraNotifications(hub, subentry, NOTIFICATIONS),
        ],
        person=lambda hub, subentry: [PersonNotifications(hub, subentry, NOTIFICATIONS)],
        alert=lambda hub, subentry: [AlertSwitch(hub, subentry, ALERT)],
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


class _NotificationSwitch(FamiliarFacesEntity, SwitchEntity):
    """Whether somebody is told, on until it is switched off; noted in the books, so that no power cut forgets it."""

    key: str

    @property
    @override
    def is_on(self) -> bool:
        """Return whether it is switched on."""
        return self.key not in self.hub.books.read(CONF_UNANNOUNCED)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return until when it is muted, while it is."""
        until = self.hub.alerts.mutes.until(self.key, dt_util.utcnow())
        return None if until is None else {ATTR_MUTED_UNTIL: until.isoformat()}

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Switch on."""
        self._async_switch(True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Switch off."""
        self._async_switch(False)

    @callback
    def _async_switch(self, on: bool) -> None:
        off = self.hub.books.read(CONF_UNANNOUNCED)
        self.hub.books.async_write(CONF_UNANNOUNCED, off - {self.key} if on else off | {self.key})
        self.async_write_ha_state()


class CameraNotifications(CameraEntity, _NotificationSwitch):
    """Whether alerts tell of a camera."""

    def __init__(self, hub: Hub, subentry: ConfigSubentry, description: SwitchEntityDescription) -> None:
        """Belong to a camera."""
        super().__init__(hub, subentry, description)
        self.key = subentry.subentry_id


class PersonNotifications(PersonEntity, _NotificationSwitch):
    """Whether alerts tell of a person."""

    def __init__(self, hub: Hub, subentry: ConfigSubentry, description: SwitchEntityDescription) -> None:
        """Belong to a person."""
        super().__init__(hub, subentry, description)
        self.key = self.person_id


class AlertSwitch(AlertEntity, _NotificationSwitch):
    """Whether an alert tells anybody."""

    def __init__(self, hub: Hub, subentry: ConfigSubentry, description: SwitchEntityDescription) -> None:
        """Belong to an alert."""
        super().__init__(hub, subentry, description)
        self.key = subentry.subentry_id
