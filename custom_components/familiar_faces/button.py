"""Buttons: purge what is past its time, and forget a person."""

from typing import override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN
from .entity import HubEntity, PersonEntity, async_setup_entities
from .hub import FamiliarFacesConfigEntry
from .vault.errors import VaultError

PARALLEL_UPDATES = 0

PURGE = ButtonEntityDescription(
    key="purge", translation_key="purge", entity_category=EntityCategory.DIAGNOSTIC
)
FORGET = ButtonEntityDescription(
    key="forget", translation_key="forget", entity_category=EntityCategory.CONFIG
)


async def async_setup_entry(
    hass: HomeAssistant, entry: FamiliarFacesConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the buttons."""
    async_setup_entities(
        entry,
        async_add_entities,
        hub=[PurgeButton(entry.runtime_data, PURGE)],
        person=lambda hub, subentry: [ForgetButton(hub, subentry, FORGET)],
    )


class PurgeButton(HubEntity, ButtonEntity):
    """Erases what is past its time, now."""

    @override
    async def async_press(self) -> None:
        """Purge."""
        try:
            await self.hub.async_purge()
        except VaultError as err:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="purge_failed",
                translation_placeholders={"reason": str(err)},
            ) from err


class ForgetButton(PersonEntity, ButtonEntity):
    """Erases a person from everywhere."""

    @override
    async def async_press(self) -> None:
        """Forget the person."""
        try:
            await self.hub.async_forget(self.person_id)
        except VaultError as err:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="forget_failed",
                translation_placeholders={"reason": str(err)},
            ) from err
