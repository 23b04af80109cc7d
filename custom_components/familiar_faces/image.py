"""Images: the last picture of a familiar visitor. Pictures stay encrypted until one is asked for."""

from datetime import datetime
from typing import override

from homeassistant.components.image import ImageEntity, ImageEntityDescription
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import CameraEntity, FamiliarFacesEntity, PersonEntity, async_setup_entities
from .hub import FamiliarFacesConfigEntry, Hub
from .vault.errors import VaultError
from .vault.records import Corrected, VisitRecord
from .visits.visit import Visit
from .visits.watcher import Timing

PARALLEL_UPDATES = 0

LAST_VISITOR = ImageEntityDescription(key="last_visitor_picture", translation_key="last_visitor")
LAST_PICTURE = ImageEntityDescription(key="last_picture", translation_key="last_picture")


async def async_setup_entry(
    hass: HomeAssistant, entry: FamiliarFacesConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the images."""
    async_setup_entities(
        entry,
        async_add_entities,
        camera=lambda hub, subentry: [LastVisitorImage(hub, subentry, LAST_VISITOR)],
        person=lambda hub, subentry: [LastPictureImage(hub, subentry, LAST_PICTURE)],
    )


class _VisitImage(FamiliarFacesEntity, ImageEntity):
    """The picture of a visit."""

    _attr_content_type = "image/jpeg"
    _visit_id: str | None = None
    _person_id: str | None = None

    def _find(self) -> VisitRecord | None:
        """Return the last visit that it shows. Blocks."""
        raise NotImplementedError

    @override
    async def async_added_to_hass(self) -> None:
        """Show the last visit, also one before a restart."""
        await super().async_added_to_hass()
        if (visit := await self.hass.async_add_executor_job(self._find)) is not None:
            self.async_show(visit.visit_id, visit.person_id, visit.started_at)

    @callback
    def async_show(self, visit_id: str | None, person_id: str | None, at: datetime | None) -> None:
        """Show a visit's picture from now on."""
        self._visit_id = visit_id
        self._person_id = person_id
        self._attr_image_last_updated = at

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
            self.async_show(None, None, None)
            self.async_write_ha_state()

    @override
    async def async_corrected(self, corrected: Corrected) -> None:
        """Show another visit when the one that is shown was somebody else's, or a newer one has come."""
        visit = await self.hass.async_add_executor_job(self._find)
        if visit is None:
            self.async_show(None, None, None)
        elif (visit.visit_id, visit.person_id) != (self._visit_id, self._person_id):
            self.async_show(visit.visit_id, visit.person_id, visit.started_at)
        else:
            return
        self.async_write_ha_state()


class LastVisitorImage(CameraEntity, _VisitImage):
    """The last familiar visitor at a camera."""

    def __init__(self, hub: Hub, subentry: ConfigSubentry, description: EntityDescription) -> None:
        """Belong to a camera."""
        super().__init__(hub, subentry, description)
        ImageEntity.__init__(self, hub.hass)

    @override
    def _find(self) -> VisitRecord | None:
        return next(iter(self.hub.vault.visits(camera_id=self.camera_id, limit=1)), None)

    @override
    @callback
    def async_visit(self, visit: Visit, timing: Timing) -> None:
        """Show a familiar visitor; of others there are no pictures."""
        if visit.camera_id == self.camera_id and visit.person_id is not None:
            self.async_show(visit.visit_id, visit.person_id, visit.last_seen_at)


class LastPictureImage(PersonEntity, _VisitImage):
    """A person as last seen."""

    def __init__(self, hub: Hub, subentry: ConfigSubentry, description: EntityDescription) -> None:
        """Belong to a person."""
        super().__init__(hub, subentry, description)
        ImageEntity.__init__(self, hub.hass)

    @override
    def _find(self) -> VisitRecord | None:
        return self.hub.vault.last_visit(self.person_id)

    @override
    @callback
    def async_visit(self, visit: Visit, timing: Timing) -> None:
        """Show this person's newest visit."""
        if visit.person_id == self.person_id:
            self.async_show(visit.visit_id, visit.person_id, visit.last_seen_at)
