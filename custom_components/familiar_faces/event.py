"""Event entities: who came, once per visit."""

from typing import Any, override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.components.event.const import ATTR_EVENT_TYPE
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
from .household.signals import SIGNAL_VISIT
from .hub import FamiliarFacesConfigEntry
from .internals import event_entities
from .seen.shown import Shown
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
    await async_setup_entities(
        entry,
        async_add_entities,
        camera=lambda hub, subentry: [VisitorEvent(hub, subentry, VISITOR)],
        person=lambda hub, subentry: [SeenEvent(hub, subentry, PERSON_SEEN)],
    )


class _VisitEvent(FamiliarFacesEntity, EventEntity):
    """Tells of visits.

    Who it was stands beside the event and not in it: an event cannot be changed, and a name has to be gone
    when the person is forgotten. After a restart the board says it again.

    An event that comes while the engine is away waits for it: automations pass over a change that comes
    straight from `unavailable`.
    """

    _unrecorded_attributes = frozenset({ATTR_CONFIDENCE, ATTR_PERSON_ID, ATTR_PERSON_NAME, ATTR_VISIT_ID})
    _waiting: tuple[tuple[str, Visit, Timing], ...] = ()
    needs_engine = True
    tells_of_visits = True

    @override
    async def async_added_to_hass(self) -> None:
        """Tell of visits from now on."""
        await super().async_added_to_hass()
        self.async_on_remove(self.hub.async_connect(SIGNAL_VISIT, self.async_visit))

    @callback
    def async_visit(self, visit: Visit, timing: Timing) -> None:
        """Tell of a visit, if it is one that is told of here."""
        raise NotImplementedError

    @property
    def _visit(self) -> Shown | None:
        """Return the visit that the last event told of, as far as it may be shown and is told of here."""
        return self.hub.board.find(str(self.state_attributes.get(ATTR_VISIT_ID)))

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Return who it was."""
        visit = self._visit
        if visit is None or visit.person_id is None or visit.confidence is None:
            return {}
        return {
            ATTR_PERSON_ID: visit.person_id,
            ATTR_PERSON_NAME: visit.name,
            ATTR_CONFIDENCE: round(visit.confidence, 3),
        }

    @override
    @callback
    def async_hub_changed(self) -> None:
        """Fire what has waited for the engine."""
        super().async_hub_changed()
        if self.available:
            waiting, self._waiting = self._waiting, ()
            for event_type, visit, timing in waiting:
                # The consent may have ended, or the name changed, while the event waited.
                if (still := self.hub.board.tellable(visit)) is not None:
                    self.async_tell(event_type, still, timing)

    @override
    @callback
    def async_shown(self) -> None:
        """Let nothing wait that was corrected or forgotten meanwhile."""
        self._waiting = tuple(each for each in self._waiting if self._is_still(each[1]))
        super().async_shown()

    def _is_still(self, visit: Visit) -> bool:
        shown = self.hub.board.find(visit.visit_id)
        return visit.person_id is None or (shown is not None and shown.person_id == visit.person_id)

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
        self._trigger_event(event_type, attributes)
        # Of a visit that is not kept, nothing may be written down.
        shown = self.hub.board.find(visit.visit_id)
        self.async_set_restorable(shown is not None and shown.kept)
        self.async_write()


class VisitorEvent(CameraEntity, _VisitEvent):
    """Somebody came to a camera."""

    @override
    async def async_added_to_hass(self) -> None:
        """Have it be known who came before a restart, if they had no name: nothing else says so."""
        await super().async_added_to_hass()
        decision, at = self.state_attributes.get(ATTR_EVENT_TYPE), dt_util.parse_datetime(self.state or "")
        if at is not None and decision in (Decision.STRANGER, Decision.UNCLEAR):
            visit_id = str(self.state_attributes.get(ATTR_VISIT_ID))
            self.hub.board.async_restored(self.camera_id, Decision(decision), at, visit_id)

    @property
    @override
    def whose(self) -> str | None:
        """Return the id of the person in the last event."""
        visit = self._visit
        return None if visit is None else visit.person_id

    @override
    @callback
    def async_visit(self, visit: Visit, timing: Timing) -> None:
        """Tell of a visit at this camera."""
        if visit.camera_id == self.camera_id:
            self.async_tell(visit.decision, visit, timing)

    @override
    @callback
    def async_shown(self) -> None:
        """Show it; but that a visitor is recognised only now is first said by the event itself."""
        visit = self._visit
        if visit is None or visit.decision == self.state_attributes.get(ATTR_EVENT_TYPE):
            super().async_shown()
        else:
            self.hass.loop.call_soon(super().async_shown)


class SeenEvent(PersonEntity, _VisitEvent):
    """A person came to any of the cameras."""

    @override
    async def async_added_to_hass(self) -> None:
        """Have no moment be written down that is not kept."""
        await super().async_added_to_hass()
        self._async_keep()

    @property
    @override
    def _visit(self) -> Shown | None:
        visit = super()._visit
        return visit if visit is not None and visit.person_id == self.person_id else None

    @override
    @callback
    def async_hub_changed(self) -> None:
        """Have no moment be shown or written down that is not kept any longer."""
        self._async_keep()
        super().async_hub_changed()

    @override
    @callback
    def async_shown(self) -> None:
        """Show no moment either of what was agreed to before."""
        self._async_keep()
        super().async_shown()

    @callback
    def _async_keep(self) -> None:
        visit = self._visit
        if visit is None:
            event_entities.async_take_back(self)
        self.async_set_restorable(visit is not None and visit.kept)

    @override
    @callback
    def async_visit(self, visit: Visit, timing: Timing) -> None:
        """Tell of a visit of this person."""
        if visit.person_id == self.person_id:
            self.async_tell(EVENT_SEEN, visit, timing)
