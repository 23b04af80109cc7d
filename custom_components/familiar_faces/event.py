"""Event entities: who came, once per visit."""

from dataclasses import replace
from datetime import datetime
from typing import Any, override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .const import (
    ATTR_CAMERA_FETCH_MS,
    ATTR_CAMERA_ID,
    ATTR_CONFIDENCE,
    ATTR_ENGINE_MS,
    ATTR_FRAMES,
    ATTR_MS,
    ATTR_PERSON_ID,
    ATTR_PERSON_NAME,
    ATTR_QUALITY,
    ATTR_REASON,
    ATTR_VISIT_ID,
    KEY_SEEN,
    KEY_VISITOR,
)
from .entity import CameraEntity, FamiliarFacesEntity, PersonEntity, async_setup_entities
from .household.keeping import keeps_visits, may_be_told, may_show
from .hub import FamiliarFacesConfigEntry
from .vault.records import Corrected, VisitRecord
from .visits.visit import Decision, Timing, Visit

PARALLEL_UPDATES = 0

EVENT_SEEN = "seen"

VISITOR = EventEntityDescription(
    key=KEY_VISITOR, translation_key=KEY_VISITOR, event_types=[str(decision) for decision in Decision]
)
PERSON_SEEN = EventEntityDescription(key=KEY_SEEN, translation_key="seen", event_types=[EVENT_SEEN])


async def async_setup_entry(
    hass: HomeAssistant, entry: FamiliarFacesConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the event entities."""
    async_setup_entities(
        entry,
        async_add_entities,
        camera=lambda hub, subentry: [VisitorEvent(hub, subentry, VISITOR)],
        person=lambda hub, subentry: [SeenEvent(hub, subentry, PERSON_SEEN)],
    )


class _VisitEvent(FamiliarFacesEntity, EventEntity):
    """Tells of visits.

    Who it was stands beside the event and not in it: an event cannot be changed, and a name has to be gone
    when the person is forgotten. After a restart the vault says it again.

    An event that comes while the engine is away waits for it: automations pass over a change that comes
    straight from `unavailable`.
    """

    _unrecorded_attributes = frozenset({ATTR_CONFIDENCE, ATTR_PERSON_ID, ATTR_PERSON_NAME, ATTR_VISIT_ID})
    _attr_extra_state_attributes: dict[str, Any] = {}
    _named_at: datetime | None = None
    """When the visit began that is told of with a name and is kept; None for one that is not."""
    _waiting: tuple[tuple[str, Visit, Timing], ...] = ()
    needs_engine = True

    def _find(self) -> VisitRecord | None:
        """Return the last visit that it tells of. Blocks."""
        raise NotImplementedError

    @override
    async def async_added_to_hass(self) -> None:
        """Name the last visitor again after a restart."""
        await super().async_added_to_hass()
        visit = await self.hass.async_add_executor_job(self._find)
        if visit is None or self.state_attributes.get(ATTR_VISIT_ID) != visit.visit_id:
            return
        person = self.hub.people.get(visit.person_id)
        if person is not None and may_show(self.hub, visit.person_id, visit.started_at):
            self._async_name(person.person_id, person.name, visit.confidence)
            self._named_at = visit.started_at

    @override
    @callback
    def async_hub_changed(self) -> None:
        """Fire what has waited for the engine, and show another name that the person has now."""
        attributes = self._attr_extra_state_attributes
        if self._named_at is not None and not may_show(
            self.hub, attributes.get(ATTR_PERSON_ID), self._named_at
        ):
            # The visit is not kept any longer.
            self._async_name(None, None, None)
            attributes = {}
        if (person := self.hub.people.get(attributes.get(ATTR_PERSON_ID, ""))) is not None:
            self._attr_extra_state_attributes = {**attributes, ATTR_PERSON_NAME: person.name}
        super().async_hub_changed()
        if self.available:
            waiting, self._waiting = self._waiting, ()
            for event_type, visit, timing in waiting:
                if visit.person_id is None:
                    self.async_tell(event_type, visit, timing)
                    continue
                person = self.hub.people.get(visit.person_id)
                # The consent may have ended, or the name changed, while the event waited.
                if person is not None and may_be_told(self.hub, person.person_id, visit.camera_id):
                    self.async_tell(event_type, replace(visit, name=person.name), timing)

    @callback
    def async_tell(self, event_type: str, visit: Visit, timing: Timing) -> None:
        """Fire for a visit."""
        if not self.available:
            self._waiting = (*self._waiting, (event_type, visit, timing))
            return
        attributes: dict[str, Any] = {
            ATTR_VISIT_ID: visit.visit_id,
            ATTR_CAMERA_ID: visit.camera_id,
            ATTR_FRAMES: visit.frames,
            ATTR_MS: round(timing.ms),
            ATTR_CAMERA_FETCH_MS: round(timing.camera_fetch_ms),
            ATTR_ENGINE_MS: round(timing.engine_ms),
        }
        if visit.reason is not None:
            attributes[ATTR_REASON] = str(visit.reason)
        if visit.quality is not None:
            attributes[ATTR_QUALITY] = visit.quality
        self._async_name(visit.person_id, visit.name, visit.confidence)
        kept = keeps_visits(self.hub, visit.person_id)
        self._named_at = visit.started_at if kept else None
        # Of a visit that is not kept, nothing may be written down.
        self.async_set_restorable(kept or visit.person_id is None)
        self._trigger_event(event_type, attributes)
        self.async_write_ha_state()

    @callback
    def _async_name(self, person_id: str | None, name: str | None, confidence: float | None) -> None:
        if person_id is None or confidence is None:
            self._attr_extra_state_attributes = {}
            self._named_at = None
            return
        self._attr_extra_state_attributes = {
            ATTR_PERSON_ID: person_id,
            ATTR_PERSON_NAME: name,
            ATTR_CONFIDENCE: round(confidence, 3),
        }

    @override
    @callback
    def async_forgotten(self, person_id: str) -> None:
        """Take a forgotten person's name away from the last event, and from those that wait."""
        self._waiting = tuple(each for each in self._waiting if each[1].person_id != person_id)
        if self._attr_extra_state_attributes.get(ATTR_PERSON_ID) == person_id:
            self._async_name(None, None, None)
            self.async_write_ha_state()

    @override
    async def async_corrected(self, corrected: Corrected) -> None:
        """Tell no more of a visit under the wrong name; the event itself has happened."""
        visit_id = corrected.visit.visit_id
        self._waiting = tuple(each for each in self._waiting if each[1].visit_id != visit_id)
        if self.state_attributes.get(ATTR_VISIT_ID) == visit_id:
            self._async_rename(corrected.moved)
            self.async_write_ha_state()

    @callback
    def _async_rename(self, moved: VisitRecord | None) -> None:
        """Say whose the last visit really was, as far as it is told of here."""
        self._async_name(None, None, None)


class VisitorEvent(CameraEntity, _VisitEvent):
    """Somebody came to a camera."""

    @override
    def _find(self) -> VisitRecord | None:
        return next(iter(self.hub.vault.visits(camera_id=self.camera_id, limit=1)), None)

    @override
    @callback
    def async_visit(self, visit: Visit, timing: Timing) -> None:
        """Tell of a visit at this camera."""
        if visit.camera_id == self.camera_id:
            self.async_tell(visit.decision, visit, timing)

    @override
    @callback
    def _async_rename(self, moved: VisitRecord | None) -> None:
        """Name whoever it was."""
        person = None if moved is None else self.hub.people.get(moved.person_id)
        if moved is None or person is None:
            super()._async_rename(moved)
        else:
            self._async_name(person.person_id, person.name, moved.confidence)
            self._named_at = moved.started_at


class SeenEvent(PersonEntity, _VisitEvent):
    """A person came to any of the cameras."""

    @override
    async def async_added_to_hass(self) -> None:
        """Have no moment be written down that is not kept."""
        await super().async_added_to_hass()
        self._async_keep()

    @override
    @callback
    def async_hub_changed(self) -> None:
        """Have no moment be shown or written down that is not kept any longer."""
        self._async_keep()
        super().async_hub_changed()

    @override
    @callback
    def async_forgotten(self, person_id: str) -> None:
        """Show no moment either of what was agreed to before."""
        if person_id == self.person_id:
            self._async_clear()
            self.async_write_ha_state()
        super().async_forgotten(person_id)

    @callback
    def _async_keep(self) -> None:
        kept = may_show(self.hub, self.person_id, dt_util.parse_datetime(self.state or ""))
        if self._restorable and not kept:
            # What was never kept is live until the next visit: then nothing is changed afterwards.
            self._async_clear()
        self.async_set_restorable(kept)

    @callback
    def _async_clear(self) -> None:
        """Tell of no visit. Home Assistant has no public way to take an event back."""
        self._async_name(None, None, None)
        self._EventEntity__last_event_triggered: datetime | None = None
        self._EventEntity__last_event_type: str | None = None
        self._EventEntity__last_event_attributes: dict[str, Any] | None = None

    @override
    def _find(self) -> VisitRecord | None:
        return self.hub.vault.last_visit(self.person_id)

    @override
    @callback
    def async_visit(self, visit: Visit, timing: Timing) -> None:
        """Tell of a visit of this person."""
        if visit.person_id == self.person_id:
            self.async_tell(EVENT_SEEN, visit, timing)
