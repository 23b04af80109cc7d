"""Binary sensors: who is there now."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import override

from homeassistant.components.binary_sensor import BinarySensorEntity, BinarySensorEntityDescription
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from .const import KEY_PRESENT, OCCUPIED_FOR, PRESENT_FOR
from .entity import CameraEntity, FamiliarFacesEntity, PersonEntity, async_setup_entities
from .household.keeping import may_show
from .hub import FamiliarFacesConfigEntry, Hub
from .vault.records import Corrected
from .visits.visit import Decision, Timing, Visit

PARALLEL_UPDATES = 0

FAMILIAR_PERSON = BinarySensorEntityDescription(
    key="familiar_person",
    translation_key="familiar_person",
    device_class=BinarySensorDeviceClass.OCCUPANCY,
)
STRANGER = BinarySensorEntityDescription(
    key="stranger", translation_key="stranger", device_class=BinarySensorDeviceClass.OCCUPANCY
)
# No device class: "home" is not what being seen at a camera means.
PRESENT = BinarySensorEntityDescription(key=KEY_PRESENT, translation_key=KEY_PRESENT)


async def async_setup_entry(
    hass: HomeAssistant, entry: FamiliarFacesConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the binary sensors."""
    async_setup_entities(
        entry,
        async_add_entities,
        camera=lambda hub, subentry: [
            CameraOccupancy(hub, subentry, FAMILIAR_PERSON, Decision.FAMILIAR),
            CameraOccupancy(hub, subentry, STRANGER, Decision.STRANGER),
        ],
        person=lambda hub, subentry: [PersonPresent(hub, subentry, PRESENT)],
    )


class _OnForAWhile(FamiliarFacesEntity, BinarySensorEntity):
    """Is on for some time after it was last told so."""

    needs_engine = True
    _attr_is_on = False
    _end: CALLBACK_TYPE | None = None

    @callback
    def async_hold(self, duration: timedelta) -> None:
        """Be on from now, for `duration`."""
        self._attr_is_on = True
        if self._end is not None:
            self._end()
        self._end = async_call_later(
            self.hass, duration, HassJob(self._async_time_is_up, cancel_on_shutdown=True)
        )

    @callback
    def _async_time_is_up(self, _now: datetime) -> None:
        self._end = None
        self.async_end()

    @callback
    def async_end(self) -> None:
        """Be off."""
        if self._end is not None:
            self._end()
            self._end = None
        self._attr_is_on = False
        self.async_write_ha_state()

    @override
    async def async_will_remove_from_hass(self) -> None:
        """Stop waiting."""
        if self._end is not None:
            self._end()
            self._end = None


class CameraOccupancy(CameraEntity, _OnForAWhile):
    """Somebody of a kind is at a camera."""

    def __init__(
        self, hub: Hub, subentry: ConfigSubentry, description: EntityDescription, decision: Decision
    ) -> None:
        """Be on for visits with this decision."""
        super().__init__(hub, subentry, description)
        self._decision = decision
        self._visit: Visit | None = None

    @override
    @callback
    def async_visit(self, visit: Visit, timing: Timing) -> None:
        """Be on while this kind of visitor is here."""
        if visit.camera_id != self.camera_id:
            return
        if visit.decision is self._decision:
            self._visit = visit
            self.async_hold(OCCUPIED_FOR)
            self.async_write_ha_state()
        elif self._visit is not None and self._visit.visit_id == visit.visit_id:
            # Whom this was on for turned out to be somebody else.
            self.async_end()

    @override
    @callback
    def async_seen_again(self, visit: Visit) -> None:
        """Stay on while the visit goes on."""
        if visit.camera_id == self.camera_id and visit.decision is self._decision:
            self._visit = visit
            self.async_hold(OCCUPIED_FOR)
            self.async_write_ha_state()

    @override
    @callback
    def async_forgotten(self, person_id: str) -> None:
        """Be off when it was for a person who is no longer known."""
        if self._visit is not None and self._visit.person_id == person_id:
            self.async_end()

    @override
    async def async_corrected(self, corrected: Corrected) -> None:
        """Be off when the familiar person was none."""
        if self._visit is None or self._visit.visit_id != corrected.visit.visit_id:
            return
        if corrected.moved is None:
            self.async_end()
        else:
            self._visit = replace(self._visit, person_id=corrected.moved.person_id)

    @callback
    def async_end(self) -> None:
        """Be off, and forget for whom it was on."""
        self._visit = None
        super().async_end()


class PersonPresent(PersonEntity, _OnForAWhile):
    """A person was seen a moment ago: until `PRESENT_FOR` after they were last seen."""

    _cleared = 0
    """How often all that was known was dropped, so that what is read meanwhile is not shown afterwards."""

    @override
    async def async_added_to_hass(self) -> None:
        """Be on when they were seen a moment ago, also when that was before a restart."""
        await super().async_added_to_hass()
        await self._async_read()

    async def _async_read(self) -> bool:
        """Be on or off by when they were last seen in a visit that goes on or is kept; return which."""
        cleared = self._cleared
        kept = await self.hass.async_add_executor_job(self.hub.vault.last_seen_in, self.person_id)
        seen: list[datetime] = []
        # Of those who stay silent there are visits in memory, and nowhere else.
        if self.person is not None and self.person.choices.announced:
            # Only now: somebody may have come while the vault was read.
            if (still := self.hub.open_visits.of_person(self.person_id)) is not None:
                seen.append(still.last_seen_at)
            if (
                kept is not None
                and cleared == self._cleared
                and may_show(self.hub, self.person_id, kept.started_at)
            ):
                seen.append(kept.until)
        self._attr_is_on = False
        if seen:
            self._async_hold_since(max(seen))
        return self._attr_is_on

    @callback
    def _async_hold_since(self, seen_at: datetime) -> None:
        """Be on for as long as somebody counts as present who was last seen at a moment."""
        left = seen_at + PRESENT_FOR - dt_util.utcnow()
        if left > timedelta(0):
            # A moment that is yet to come was noted by a clock that was wrong.
            self.async_hold(min(left, PRESENT_FOR))

    @override
    @callback
    def async_forgotten(self, person_id: str) -> None:
        """Be off when less is agreed to than before."""
        if person_id == self.person_id:
            self._cleared += 1
            self.async_end()

    @override
    async def async_corrected(self, corrected: Corrected) -> None:
        """Be on or off by the visits that are left, or have come."""
        if corrected.concerns(self.person_id):
            if await self._async_read():
                self.async_write_ha_state()
            else:
                self.async_end()

    @override
    @callback
    def async_visit(self, visit: Visit, timing: Timing) -> None:
        """Be on for a while after every visit of this person."""
        self.async_seen_again(visit)

    @override
    @callback
    def async_seen_again(self, visit: Visit) -> None:
        """Stay on while a visit goes on."""
        if visit.person_id == self.person_id:
            self._async_hold_since(visit.last_seen_at)
            self.async_write_ha_state()
