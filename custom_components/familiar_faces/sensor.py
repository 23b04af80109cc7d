"""Sensors: who was last seen where and when, and how the engine and the vault are doing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import override

from homeassistant.components.sensor import (
    RestoreSensor,
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfTime
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType
from homeassistant.util import dt as dt_util

from .alert_sensors import make_alert_sensors
from .camera_sensors import LastVisitSensor, make_camera_sensors
from .entity import HubEntity, PersonEntity, async_setup_entities
from .host.engine import EngineStatus
from .household.keeping import keeps_visits, may_show
from .hub import FamiliarFacesConfigEntry, Hub
from .people.person import ConsentState, Person
from .vault.records import Corrected, VisitRecord
from .visits.visit import Timing, Visit

PARALLEL_UPDATES = 0

FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class HubSensorDescription(SensorEntityDescription):
    """A sensor of the hub."""

    value: Callable[[Hub], StateType | datetime]


@dataclass(frozen=True, kw_only=True)
class PersonSensorDescription(SensorEntityDescription):
    """A sensor of what is on record of a person."""

    value: Callable[[Person], StateType]


def _stored_items(hub: Hub) -> int | None:
    """Return how many things are kept of people, the audit log not counted."""
    if (stored := hub.stored) is None:
        return None
    kept = stored.templates + stored.photos + stored.visits + stored.pictures + stored.consents
    return kept + stored.invitations + stored.review


HUB_SENSORS = (
    HubSensorDescription(key="people", translation_key="people", value=lambda hub: len(hub.people)),
    HubSensorDescription(
        key="engine_status",
        translation_key="engine_status",
        entity_category=EntityCategory.DIAGNOSTIC,
        device_class=SensorDeviceClass.ENUM,
        options=[FAILED, *(str(status) for status in EngineStatus if status is not EngineStatus.UNAVAILABLE)],
        # "unavailable" is what Home Assistant says of an entity that says nothing.
        value=lambda hub: FAILED if hub.engine.status is EngineStatus.UNAVAILABLE else hub.engine.status,
    ),
    HubSensorDescription(
        key="engine_latency",
        translation_key="engine_latency",
        entity_category=EntityCategory.DIAGNOSTIC,
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.MILLISECONDS,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=0,
        value=lambda hub: hub.engine.latency_ms,
    ),
    HubSensorDescription(
        key="stored_items",
        translation_key="stored_items",
        entity_category=EntityCategory.DIAGNOSTIC,
        value=_stored_items,
    ),
    HubSensorDescription(
        key="next_purge",
        translation_key="next_purge",
        entity_category=EntityCategory.DIAGNOSTIC,
        device_class=SensorDeviceClass.TIMESTAMP,
        value=lambda hub: hub.next_purge,
    ),
)

VISITS_TODAY = HubSensorDescription(
    key="visits_today",
    translation_key="visits_today",
    state_class=SensorStateClass.TOTAL_INCREASING,
    value=lambda hub: hub.visits_today,
)

LAST_SEEN = SensorEntityDescription(key="last_seen", translation_key="last_seen")
LAST_SEEN_AT = SensorEntityDescription(
    key="last_seen_at", translation_key="last_seen_at", device_class=SensorDeviceClass.TIMESTAMP
)
CONSENT = PersonSensorDescription(
    key="consent",
    translation_key="consent",
    device_class=SensorDeviceClass.ENUM,
    options=[str(state) for state in ConsentState],
    value=lambda person: person.consent.state(dt_util.utcnow()) if person.consent else None,
)


async def async_setup_entry(
    hass: HomeAssistant, entry: FamiliarFacesConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the sensors."""
    async_setup_entities(
        entry,
        async_add_entities,
        hub=[
            VisitsTodaySensor(entry.runtime_data, VISITS_TODAY),
            *(HubSensor(entry.runtime_data, description) for description in HUB_SENSORS),
        ],
        camera=make_camera_sensors,
        person=lambda hub, subentry: [
            LastSeenSensor(hub, subentry, LAST_SEEN),
            LastSeenAtSensor(hub, subentry, LAST_SEEN_AT),
            PersonSensor(hub, subentry, CONSENT),
        ],
        alert=make_alert_sensors,
    )


class HubSensor(HubEntity, SensorEntity):
    """Something of the hub."""

    entity_description: HubSensorDescription

    @property
    @override
    def native_value(self) -> StateType | datetime:
        """Return the value."""
        return self.entity_description.value(self.hub)


class VisitsTodaySensor(HubSensor, RestoreSensor):
    """How many visits there were today. Those of strangers are nowhere but in this number."""

    @override
    async def async_added_to_hass(self) -> None:
        """Go on counting after a restart on the same day."""
        await super().async_added_to_hass()
        state = await self.async_get_last_state()
        data = await self.async_get_last_sensor_data()
        if state is None or data is None or not isinstance(data.native_value, int):
            return
        if state.last_changed >= dt_util.start_of_local_day():
            self.hub.visits_today = max(self.hub.visits_today, data.native_value)


class PersonSensor(PersonEntity, SensorEntity):
    """Something on record of a person."""

    entity_description: PersonSensorDescription

    @property
    @override
    def native_value(self) -> StateType | date | datetime:
        """Return the value."""
        return None if self.person is None else self.entity_description.value(self.person)


class LastSeenSensor(PersonEntity, LastVisitSensor):
    """The camera at which a person was last seen, as far as the visit is kept."""

    _shown_at: datetime | None = None
    """When the visit that is shown began."""

    @override
    @callback
    def async_hub_changed(self) -> None:
        """Show a visit no longer than it is kept."""
        if self._shown_at is not None and not may_show(self.hub, self.person_id, self._shown_at):
            self._shown_at = self._attr_native_value = None
        super().async_hub_changed()

    @override
    @callback
    def async_forgotten(self, person_id: str) -> None:
        """Show nothing more of what was agreed to before."""
        if person_id == self.person_id:
            self._shown_at = self._attr_native_value = None
            self.async_write_ha_state()

    @override
    def _find(self) -> VisitRecord | None:
        return self.hub.vault.last_visit(self.person_id)

    @override
    @callback
    def _async_show(self, visit: VisitRecord) -> None:
        if may_show(self.hub, self.person_id, visit.started_at):
            self._shown_at = visit.started_at
            self._async_show_at(visit.camera_id, visit.until)

    @callback
    def _async_show_at(self, camera_id: str, at: datetime) -> None:
        """Show where and when the person was seen."""
        subentry = self.hub.entry.subentries.get(camera_id)
        self._attr_native_value = None if subentry is None else subentry.title

    @override
    @callback
    def async_visit(self, visit: Visit, timing: Timing) -> None:
        """Show where the person came."""
        self.async_seen_again(visit)

    @override
    @callback
    def async_seen_again(self, visit: Visit) -> None:
        """Show that the person is still there."""
        if visit.person_id == self.person_id and keeps_visits(self.hub, self.person_id):
            self._shown_at = visit.started_at
            self._async_show_at(visit.camera_id, visit.last_seen_at)
            self.async_write_ha_state()

    @override
    async def async_corrected(self, corrected: Corrected) -> None:
        """Show the last visit that is left, or that has come."""
        if not corrected.concerns(self.person_id):
            return
        visit = await self.hass.async_add_executor_job(self._find)
        self._shown_at = self._attr_native_value = None
        still = self.hub.open_visits.of_person(self.person_id)
        if still is not None and keeps_visits(self.hub, self.person_id):
            # Newer than anything that is kept: the one that was corrected is not among them any more.
            self._shown_at = still.started_at
            self._async_show_at(still.camera_id, still.last_seen_at)
        elif visit is not None:
            self._async_show(visit)
        self.async_write_ha_state()


class LastSeenAtSensor(LastSeenSensor):
    """When a person was last seen."""

    @override
    @callback
    def _async_show_at(self, camera_id: str, at: datetime) -> None:
        self._attr_native_value = at
