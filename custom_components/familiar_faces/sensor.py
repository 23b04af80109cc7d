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
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType
from homeassistant.util import dt as dt_util

from .alert_sensors import make_alert_sensors
from .camera_sensors import make_camera_sensors
from .entity import HubEntity, PersonEntity, async_setup_entities
from .host.engine import EngineStatus
from .hub import FamiliarFacesConfigEntry, Hub
from .people.person import ConsentState, Person

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
            self.hub.async_go_on_counting(data.native_value)


class PersonSensor(PersonEntity, SensorEntity):
    """Something on record of a person."""

    entity_description: PersonSensorDescription

    @property
    @override
    def native_value(self) -> StateType | date | datetime:
        """Return the value."""
        return None if self.person is None else self.entity_description.value(self.person)


class LastSeenSensor(PersonEntity, SensorEntity):
    """The camera at which a person was last seen, as far as the visit is kept."""

    needs_engine = True

    @property
    @override
    def native_value(self) -> StateType | datetime:
        """Return where it was."""
        if (visit := self.hub.board.last_visit(self.person_id)) is None:
            return None
        camera = self.hub.entry.subentries.get(visit.camera_id)
        return None if camera is None else camera.title


class LastSeenAtSensor(LastSeenSensor):
    """When a person was last seen."""

    @property
    @override
    def native_value(self) -> StateType | datetime:
        """Return when it was."""
        visit = self.hub.board.last_visit(self.person_id)
        return None if visit is None else visit.last_seen_at
