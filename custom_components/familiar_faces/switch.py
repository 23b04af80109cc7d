"""Switches: recognition at all cameras or one, and notifications about a person, about a camera, or at all."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .const import EVERYWHERE
from .entity import (
    AlertEntity,
    CameraEntity,
    FamiliarFacesEntity,
    HubEntity,
    PersonEntity,
    async_setup_entities,
)
from .household.signals import Of
from .hub import FamiliarFacesConfigEntry

PARALLEL_UPDATES = 0

ATTR_MUTED_UNTIL = "muted_until"

# Settings, which voice assistants are not given unless the owner exposes them: nobody switches recognition on by
# calling through a window.
RECOGNITION = SwitchEntityDescription(
    key="recognition", translation_key="recognition", entity_category=EntityCategory.CONFIG
)
NOTIFICATIONS = SwitchEntityDescription(
    key="notifications", translation_key="notifications", entity_category=EntityCategory.CONFIG
)
ALERT = SwitchEntityDescription(key="alert", translation_key="alert", entity_category=EntityCategory.CONFIG)


async def async_setup_entry(
    hass: HomeAssistant, entry: FamiliarFacesConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the switches."""
    await async_setup_entities(
        entry,
        async_add_entities,
        hub=[HubRecognition(entry.runtime_data, RECOGNITION, Of.SETTINGS)],
        camera=lambda hub, subentry: [
            CameraRecognition(hub, subentry, RECOGNITION),
            CameraNotifications(hub, subentry, NOTIFICATIONS),
        ],
        person=lambda hub, subentry: [PersonNotifications(hub, subentry, NOTIFICATIONS)],
        alert=lambda hub, subentry: [AlertSwitch(hub, subentry, ALERT)],
    )


class _NotedSwitch(FamiliarFacesEntity, SwitchEntity):
    """On until it is switched off, which no power cut forgets."""

    @property
    def key(self) -> str:
        """Return what is switched."""
        return self._of

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Switch on."""
        await self._async_switch(True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Switch off."""
        await self._async_switch(False)

    async def _async_switch(self, on: bool) -> None:
        raise NotImplementedError


class _RecognitionSwitch(_NotedSwitch):
    """Recognition."""

    @property
    @override
    def is_on(self) -> bool:
        """Return whether it is switched on."""
        return self.hub.settings.switched_on(self.key)

    @override
    async def _async_switch(self, on: bool) -> None:
        await self.hub.settings.async_switch_recognition(on, self.key)


class HubRecognition(HubEntity, _RecognitionSwitch):
    """Recognition at all cameras together."""

    key = EVERYWHERE


class CameraRecognition(CameraEntity, _RecognitionSwitch):
    """Recognition at one camera."""


class _NotificationSwitch(_NotedSwitch):
    """Whether somebody is told."""

    @property
    @override
    def is_on(self) -> bool:
        """Return whether it is switched on."""
        return self.hub.alerts.mutes.switched_on(self.key)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return until when it is muted, while it is."""
        until = self.hub.alerts.mutes.until(self.key, dt_util.utcnow())
        return None if until is None else {ATTR_MUTED_UNTIL: until.isoformat()}

    @override
    async def _async_switch(self, on: bool) -> None:
        await self.hub.alerts.mutes.async_switch(on, self.key)
        self.async_write_ha_state()


class CameraNotifications(CameraEntity, _NotificationSwitch):
    """Whether alerts notify about a camera."""


class PersonNotifications(PersonEntity, _NotificationSwitch):
    """Whether alerts notify about a person."""


class AlertSwitch(AlertEntity, _NotificationSwitch):
    """Whether an alert tells anybody."""
