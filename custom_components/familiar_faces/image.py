"""Images: the last picture of a familiar visitor, and the QR code of an invitation.

Pictures stay encrypted until one is asked for.
"""

from datetime import datetime
from typing import override

from homeassistant.components.image import ImageEntity, ImageEntityDescription
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import EntityCategory
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_track_point_in_utc_time

from .consent.invitations import qr_png
from .entity import CameraEntity, FamiliarFacesEntity, PersonEntity, async_setup_entities
from .hub import FamiliarFacesConfigEntry, Hub
from .internals import image_answers
from .seen.shown import Shown
from .vault.errors import VaultError

PARALLEL_UPDATES = 0

LAST_VISITOR = ImageEntityDescription(key="last_visitor_picture", translation_key="last_visitor")
LAST_PICTURE = ImageEntityDescription(key="last_picture", translation_key="last_picture")
INVITATION = ImageEntityDescription(
    key="invitation",
    translation_key="invitation",
    entity_category=EntityCategory.DIAGNOSTIC,
    # Every user of this Home Assistant sees what an entity shows, and a visitor who follows an invitation to renew sees
    # and ends all that is kept of that person. The dialog, which is the administrators', shows the code as well.
    entity_registry_enabled_default=False,
)


async def async_setup_entry(
    hass: HomeAssistant, entry: FamiliarFacesConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the images."""
    await async_setup_entities(
        entry,
        async_add_entities,
        camera=lambda hub, subentry: [LastVisitorImage(hub, subentry, LAST_VISITOR)],
        person=lambda hub, subentry: [
            LastPictureImage(hub, subentry, LAST_PICTURE),
            InvitationImage(hub, subentry, INVITATION),
        ],
    )


class _VisitImage(FamiliarFacesEntity, ImageEntity):
    """The picture of a visit."""

    _attr_content_type = "image/jpeg"
    tells_of_visits = True

    @property
    def visit(self) -> Shown | None:
        """Return the visit whose picture is shown."""
        raise NotImplementedError

    @override
    async def async_added_to_hass(self) -> None:
        """Have no browser store the picture."""
        await super().async_added_to_hass()
        image_answers.async_answer_for(self.hass, self.entity_id)

    @property
    @override
    def image_last_updated(self) -> datetime | None:
        """Return when the visit began: the picture is another one with every visit."""
        return None if self.visit is None else self.visit.started_at

    @override
    async def async_image(self) -> bytes | None:
        """Return the picture, and note that it was seen; None when it is past its time."""
        if (visit := self.visit) is None or visit.person_id is None:
            return None
        try:
            picture = await self.hass.async_add_executor_job(self.hub.vault.visit_picture, visit.visit_id)
        except VaultError:
            return None
        if picture is not None:
            await self.hub.viewings.async_note(visit.person_id)
        return picture


class LastVisitorImage(CameraEntity, _VisitImage):
    """The last familiar visitor at a camera."""

    def __init__(self, hub: Hub, subentry: ConfigSubentry, description: EntityDescription) -> None:
        """Belong to a camera."""
        super().__init__(hub, subentry, description)
        ImageEntity.__init__(self, hub.hass)

    @property
    @override
    def visit(self) -> Shown | None:
        """Return the newest visit that has a picture."""
        return self.hub.board.last_picture(camera_id=self.camera_id)


class LastPictureImage(PersonEntity, _VisitImage):
    """A person as last seen."""

    def __init__(self, hub: Hub, subentry: ConfigSubentry, description: EntityDescription) -> None:
        """Belong to a person."""
        super().__init__(hub, subentry, description)
        ImageEntity.__init__(self, hub.hass)

    @property
    @override
    def visit(self) -> Shown | None:
        """Return the newest visit that has a picture."""
        return self.hub.board.last_picture(person_id=self.person_id)


class InvitationImage(PersonEntity, ImageEntity):
    """The QR code of a person's invitation while it is open; after a restart nothing is known of it."""

    _attr_content_type = "image/png"
    _invitation_id: str | None = None
    _end: CALLBACK_TYPE | None = None

    def __init__(self, hub: Hub, subentry: ConfigSubentry, description: EntityDescription) -> None:
        """Belong to a person."""
        super().__init__(hub, subentry, description)
        ImageEntity.__init__(self, hub.hass)

    @property
    @override
    def available(self) -> bool:
        """Return whether an invitation is open."""
        return self.hub.invitations.async_of(self.person_id) is not None

    @override
    def image(self) -> bytes | None:
        """Return the QR code."""
        invited = self.hub.invitations.async_of(self.person_id)
        return None if invited is None else qr_png(invited.url)

    @override
    async def async_added_to_hass(self) -> None:
        """Show an invitation from before a reload of the platform, and stop with the entity."""
        await super().async_added_to_hass()
        image_answers.async_answer_for(self.hass, self.entity_id)
        self.async_on_remove(self._async_end)
        self._async_show()

    @override
    @callback
    def async_hub_changed(self) -> None:
        """Show a new invitation, and look whether the one that is shown is still open."""
        if not self._async_show() and self._invitation_id is not None:
            self.hass.async_create_task(self.hub.invitations.async_check(), f"{self.entity_id} invitation")
        super().async_hub_changed()

    @callback
    def _async_show(self) -> bool:
        """Show the invitation as it is now; return whether it is another one."""
        invited = self.hub.invitations.async_of(self.person_id)
        invitation_id = None if invited is None else invited.invitation_id
        if invitation_id == self._invitation_id:
            return False
        self._async_end()
        self._invitation_id = invitation_id
        self._attr_image_last_updated = None if invited is None else invited.created_at
        if invited is not None:
            self._end = async_track_point_in_utc_time(self.hass, self._async_over, invited.expires_at)
        return True

    @callback
    def _async_over(self, _now: datetime) -> None:
        self._end = None
        self.hub.invitations.async_drop(self.person_id)
        self.async_hub_changed()

    @callback
    def _async_end(self) -> None:
        if self._end is not None:
            self._end()
            self._end = None
