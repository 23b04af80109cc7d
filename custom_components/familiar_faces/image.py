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
from .household.keeping import keeps_pictures, may_show_picture
from .hub import FamiliarFacesConfigEntry, Hub
from .vault.errors import VaultError
from .vault.records import Corrected, VisitRecord
from .visits.visit import Timing, Visit

PARALLEL_UPDATES = 0

LAST_VISITOR = ImageEntityDescription(key="last_visitor_picture", translation_key="last_visitor")
LAST_PICTURE = ImageEntityDescription(key="last_picture", translation_key="last_picture")
INVITATION = ImageEntityDescription(
    key="invitation",
    translation_key="invitation",
    entity_category=EntityCategory.DIAGNOSTIC,
    # Every user of this Home Assistant sees what an entity shows, and whoever follows an invitation to renew sees
    # and ends all that is kept of that person. The dialog, which is the administrators', shows the code as well.
    entity_registry_enabled_default=False,
)


async def async_setup_entry(
    hass: HomeAssistant, entry: FamiliarFacesConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the images."""
    async_setup_entities(
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
    _visit_id: str | None = None
    _person_id: str | None = None
    _began_at: datetime | None = None
    """When the visit that is shown began."""

    def _find(self) -> VisitRecord | None:
        """Return the last visit that it shows. Blocks."""
        raise NotImplementedError

    @override
    async def async_added_to_hass(self) -> None:
        """Show the last visit, also one before a restart."""
        await super().async_added_to_hass()
        if (visit := await self.hass.async_add_executor_job(self._find)) is not None:
            self.async_show(visit)

    @override
    @callback
    def async_hub_changed(self) -> None:
        """Show a picture no longer than it is kept."""
        if self._person_id is not None and not may_show_picture(self.hub, self._person_id, self._began_at):
            self.async_show(None)
        super().async_hub_changed()

    @callback
    def async_show(self, visit: Visit | VisitRecord | None) -> None:
        """Show a visit's picture from now on, as far as it is kept."""
        if visit is not None and not may_show_picture(self.hub, visit.person_id, visit.started_at):
            visit = None
        self._visit_id = None if visit is None else visit.visit_id
        self._person_id = None if visit is None else visit.person_id
        self._began_at = None if visit is None else visit.started_at
        self._attr_image_last_updated = visit.last_seen_at if isinstance(visit, Visit) else self._began_at

    @override
    async def async_image(self) -> bytes | None:
        """Return the picture, and note that it was seen."""
        person_id, picture = self._person_id, await super().async_image()
        if picture is not None and person_id is not None:
            await self.hub.viewings.async_note(person_id)
        return picture

    @override
    def image(self) -> bytes | None:
        """Return the picture, None when it is past its time."""
        if self._visit_id is None:
            return None
        try:
            return self.hub.vault.visit_picture(self._visit_id)
        except VaultError:
            return None

    @override
    @callback
    def async_forgotten(self, person_id: str) -> None:
        """Show nothing more of a person who was forgotten."""
        if self._person_id == person_id:
            self.async_show(None)
            self.async_write_ha_state()

    @override
    async def async_corrected(self, corrected: Corrected) -> None:
        """Show another visit when the one that is shown was somebody else's, or a newer one has come."""
        visit = await self.hass.async_add_executor_job(self._find)
        if visit is None or (visit.visit_id, visit.person_id) != (self._visit_id, self._person_id):
            self.async_show(visit)
            self.async_write_ha_state()


class LastVisitorImage(CameraEntity, _VisitImage):
    """The last familiar visitor at a camera."""

    def __init__(self, hub: Hub, subentry: ConfigSubentry, description: EntityDescription) -> None:
        """Belong to a camera."""
        super().__init__(hub, subentry, description)
        ImageEntity.__init__(self, hub.hass)

    @override
    def _find(self) -> VisitRecord | None:
        visits = self.hub.vault.visits(camera_id=self.camera_id)
        return next((each for each in visits if keeps_pictures(self.hub, each.person_id)), None)

    @override
    @callback
    def async_visit(self, visit: Visit, timing: Timing) -> None:
        """Show a familiar visitor; of others there are no pictures."""
        if visit.camera_id == self.camera_id and keeps_pictures(self.hub, visit.person_id):
            self.async_show(visit)


class LastPictureImage(PersonEntity, _VisitImage):
    """A person as last seen."""

    def __init__(self, hub: Hub, subentry: ConfigSubentry, description: EntityDescription) -> None:
        """Belong to a person."""
        super().__init__(hub, subentry, description)
        ImageEntity.__init__(self, hub.hass)

    @override
    def _find(self) -> VisitRecord | None:
        return self.hub.vault.last_visit(self.person_id) if keeps_pictures(self.hub, self.person_id) else None

    @override
    @callback
    def async_visit(self, visit: Visit, timing: Timing) -> None:
        """Show this person's newest visit."""
        if visit.person_id == self.person_id and keeps_pictures(self.hub, self.person_id):
            self.async_show(visit)


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
