"""Buttons: purge what is past its time, invite or forget a person, and send a test of an alert."""

from typing import override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, Unauthorized
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .alerts.trial import async_try
from .const import DOMAIN
from .entity import AlertEntity, HubEntity, PersonEntity, async_setup_entities
from .household.signals import Of
from .hub import FamiliarFacesConfigEntry
from .vault.errors import VaultError
from .wording.vault_errors import Failed, vault_failed

PARALLEL_UPDATES = 0

PURGE = ButtonEntityDescription(
    key="purge", translation_key="purge", entity_category=EntityCategory.DIAGNOSTIC
)
INVITE = ButtonEntityDescription(
    key="invite",
    translation_key="invite",
    entity_category=EntityCategory.CONFIG,
    # As the image that shows the QR code.
    entity_registry_enabled_default=False,
)
FORGET = ButtonEntityDescription(
    key="forget",
    translation_key="forget",
    entity_category=EntityCategory.CONFIG,
    # One press, beside a switch, and all of a person is gone: the person's dialog asks first, and shows the receipt.
    entity_registry_enabled_default=False,
)
TEST = ButtonEntityDescription(key="test", translation_key="test", entity_category=EntityCategory.DIAGNOSTIC)


async def async_setup_entry(
    hass: HomeAssistant, entry: FamiliarFacesConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the buttons."""
    await async_setup_entities(
        entry,
        async_add_entities,
        hub=[PurgeButton(entry.runtime_data, PURGE, Of.SETTINGS)],
        person=lambda hub, subentry: [
            InviteButton(hub, subentry, INVITE),
            ForgetButton(hub, subentry, FORGET),
        ],
        alert=lambda hub, subentry: [TestButton(hub, subentry, TEST)],
    )


class PurgeButton(HubEntity, ButtonEntity):
    """Erases what is past its time, now."""

    @override
    async def async_press(self) -> None:
        """Purge."""
        try:
            await self.hub.purging.async_purge()
        except VaultError as err:
            raise vault_failed(err, Failed.PURGING) from err


class _AdminButton(PersonEntity, ButtonEntity):
    """A button that only administrators may press, like the action that does the same; automations may too."""

    async def async_check_user(self) -> None:
        """Raise Unauthorized when another user pressed it."""
        context = self._context
        if context is None or context.user_id is None:
            return
        user = await self.hass.auth.async_get_user(context.user_id)
        if user is None or not user.is_admin:
            raise Unauthorized(context=context, entity_id=self.entity_id)


class InviteButton(_AdminButton):
    """Invites a person to renew their consent; the image beside it shows the QR code."""

    @override
    async def async_press(self) -> None:
        """Make the invitation."""
        await self.async_check_user()
        await self.hub.invitations.async_invite(self.person_id)


class ForgetButton(_AdminButton):
    """Erases a person from everywhere."""

    @override
    async def async_press(self) -> None:
        """Forget the person."""
        await self.async_check_user()
        try:
            await self.hub.forgetting.async_forget(self.person_id)
        except VaultError as err:
            raise vault_failed(err, Failed.FORGETTING) from err


class TestButton(AlertEntity, ButtonEntity):
    """Sends a test to every recipient of an alert."""

    @override
    async def async_press(self) -> None:
        """Send it, and name the recipients that it did not reach."""
        if (rule := self.rule) is None:
            return
        tried = await async_try(self.hass, rule.title, rule.recipients, critical=rule.critical)
        if failed := [each.words for each in tried if not each.sent]:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="test_failed",
                translation_placeholders={"reason": " ".join(failed)},
            )
