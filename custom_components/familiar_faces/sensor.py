"""Sensors: who was last seen where and when, and how cameras, alerts, the engine and the vault are doing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, override

from homeassistant.components.sensor import (
    RestoreSensor,
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import EntityCategory, UnitOfTime
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.restore_state import RestoreEntity
from homeassistant.helpers.typing import StateType
from homeassistant.util import dt as dt_util

from .entity import AlertEntity, CameraEntity, HubEntity, PersonEntity, async_setup_entities
from .host.engine import EngineStatus
from .household.engine_trouble import async_trouble
from .household.signals import SIGNAL_TOLD, Of
from .hub import FamiliarFacesConfigEntry, Hub
from .people.person import ConsentState, Person
from .recognising.watcher import Watcher
from .visits.fitness import Fitness
from .visits.visit import Decision
from .wording.words import async_say

PARALLEL_UPDATES = 0

FAILED = "failed"
ATTR_REASON = "reason"


@dataclass(frozen=True, kw_only=True)
class HubSensorDescription(SensorEntityDescription):
    """A sensor of the hub."""

    of: Of
    """What it shows something of."""
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
    HubSensorDescription(
        key="people", translation_key="people", of=Of.PEOPLE, value=lambda hub: len(hub.people)
    ),
    HubSensorDescription(
        key="engine_latency",
        translation_key="engine_latency",
        of=Of.LOOKS,
        entity_category=EntityCategory.DIAGNOSTIC,
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.MILLISECONDS,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=0,
        # It changes with every look, so it is off by default.
        entity_registry_enabled_default=False,
        value=lambda hub: hub.engine.latency_ms,
    ),
    HubSensorDescription(
        key="stored_items",
        translation_key="stored_items",
        of=Of.STORED,
        entity_category=EntityCategory.DIAGNOSTIC,
        # What is measured has no line in Activity for each change.
        state_class=SensorStateClass.MEASUREMENT,
        value=_stored_items,
    ),
    HubSensorDescription(
        key="next_purge",
        translation_key="next_purge",
        of=Of.STORED,
        entity_category=EntityCategory.DIAGNOSTIC,
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_registry_enabled_default=False,
        value=lambda hub: hub.next_purge,
    ),
)

ENGINE_STATUS = HubSensorDescription(
    key="engine_status",
    translation_key="engine_status",
    of=Of.ENGINE,
    entity_category=EntityCategory.DIAGNOSTIC,
    device_class=SensorDeviceClass.ENUM,
    options=[FAILED, *(str(status) for status in EngineStatus if status is not EngineStatus.UNAVAILABLE)],
    # "unavailable" is what Home Assistant says of an entity that says nothing.
    value=lambda hub: FAILED if hub.engine.status is EngineStatus.UNAVAILABLE else hub.engine.status,
)

VISITS_TODAY = HubSensorDescription(
    key="visits_today",
    translation_key="visits_today",
    of=Of.VISITS,
    state_class=SensorStateClass.TOTAL_INCREASING,
    value=lambda hub: hub.visits_today,
)

LAST_SEEN = SensorEntityDescription(key="last_seen", translation_key="last_seen")
LAST_SEEN_AT = SensorEntityDescription(
    key="last_seen_at",
    translation_key="last_seen_at",
    device_class=SensorDeviceClass.TIMESTAMP,
    # The event of the person shows the time too, and this one changes, with a line in Activity, while a visit goes on.
    entity_registry_enabled_default=False,
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
    await async_setup_entities(
        entry,
        async_add_entities,
        hub=[
            VisitsTodaySensor(entry.runtime_data, VISITS_TODAY, VISITS_TODAY.of),
            EngineSensor(entry.runtime_data, ENGINE_STATUS, ENGINE_STATUS.of),
            *(HubSensor(entry.runtime_data, description, description.of) for description in HUB_SENSORS),
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


class EngineSensor(HubSensor):
    """How the engine is doing, and why it does not work while it does not."""

    _unrecorded_attributes = frozenset({ATTR_REASON})

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Return what is wrong, in a sentence."""
        if self.hub.engine.status is not EngineStatus.UNAVAILABLE:
            return {}
        return {ATTR_REASON: async_trouble(self.hass, self.hub.engine.problem)}


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
    tells_of_visits = True

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


ATTR_ADVICE = "advice"
ATTR_FACES = "faces"
ATTR_FACE_WIDTH = "face_width"


@dataclass(frozen=True, kw_only=True)
class CameraSensorDescription(SensorEntityDescription):
    """A diagnostic sensor of a camera."""

    value: Callable[[Watcher], StateType]


CAMERA_SENSORS = (
    CameraSensorDescription(
        key="time_to_name",
        translation_key="time_to_name",
        entity_category=EntityCategory.DIAGNOSTIC,
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.MILLISECONDS,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=0,
        value=lambda watcher: watcher.time_to_name,
    ),
)
FITNESS = CameraSensorDescription(
    key="fitness",
    translation_key="fitness",
    entity_category=EntityCategory.DIAGNOSTIC,
    device_class=SensorDeviceClass.ENUM,
    options=[str(fitness) for fitness in Fitness],
    value=lambda watcher: watcher.fitness_state,
)
LAST_VISITOR = SensorEntityDescription(
    key="last_visitor",
    translation_key="last_visitor",
    # The event of the camera has the name as an attribute, and Activity has a sentence.
    entity_registry_enabled_default=False,
)


def make_camera_sensors(hub: Hub, subentry: ConfigSubentry) -> list[SensorEntity]:
    """Return the sensors of a camera."""
    return [
        LastVisitorSensor(hub, subentry, LAST_VISITOR),
        *(CameraSensor(hub, subentry, description) for description in CAMERA_SENSORS),
        FitnessSensor(hub, subentry, FITNESS),
    ]


class CameraSensor(CameraEntity, RestoreSensor):
    """Something that the watcher of a camera found out; kept until it finds out again."""

    entity_description: CameraSensorDescription
    _camera: str | None = None
    """What the value was found out about: another camera entity may be chosen."""

    @override
    async def async_added_to_hass(self) -> None:
        """Show what was found out before a restart."""
        await super().async_added_to_hass()
        if (data := await self.async_get_last_sensor_data()) is not None:
            value = data.native_value
            if self.options is None or value in self.options:
                self._attr_native_value = value
        self._async_read()

    @override
    @callback
    def async_hub_changed(self) -> None:
        """Show what was found out."""
        self._async_read()
        super().async_hub_changed()

    @callback
    def _async_read(self) -> None:
        watcher = self.watcher
        if watcher is not None and watcher.camera != self._camera:
            if self._camera is not None:
                self._attr_native_value = None
            self._camera = watcher.camera
        if watcher is not None and (value := self.entity_description.value(watcher)) is not None:
            self._attr_native_value = value


class FitnessSensor(CameraSensor):
    """How well a camera shows faces, and what would help."""

    _unrecorded_attributes = frozenset({ATTR_ADVICE, ATTR_FACE_WIDTH, ATTR_FACES})

    def __init__(self, hub: Hub, subentry: ConfigSubentry, description: CameraSensorDescription) -> None:
        """Belong to a camera."""
        super().__init__(hub, subentry, description)
        self._advice: dict[str, str] = {}
        self._faces: int | None = None
        self._width: int | None = None

    @override
    async def async_added_to_hass(self) -> None:
        """Get the sentences, and the figures from before a restart."""
        for fitness in Fitness:
            self._advice[fitness] = await async_say(self.hass, "fitness_advice", fitness)
        if (state := await self.async_get_last_state()) is not None:
            self._faces = state.attributes.get(ATTR_FACES)
            self._width = state.attributes.get(ATTR_FACE_WIDTH)
        await super().async_added_to_hass()

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Return one sentence of advice and the figures behind it."""
        state = self._attr_native_value
        if state is None or self._width is None:
            return {}
        return {
            ATTR_ADVICE: self._advice[str(state)].replace("{width}", str(self._width)),
            ATTR_FACE_WIDTH: self._width,
            ATTR_FACES: self._faces,
        }

    @override
    @callback
    def _async_read(self) -> None:
        super()._async_read()
        if (watcher := self.watcher) is not None and watcher.fitness.faces:
            self._faces = watcher.fitness.faces
            self._width = watcher.fitness.face_width


class LastVisitorSensor(CameraEntity, SensorEntity, RestoreEntity):
    """Who was last at a camera: a name, or what else the visit was decided to be."""

    needs_engine = True
    tells_of_visits = True

    @override
    async def async_added_to_hass(self) -> None:
        """Have it be known who came before a restart, if they had no name: nothing else says so."""
        await super().async_added_to_hass()
        state = await self.async_get_last_state()
        if state is not None and state.state in (Decision.STRANGER, Decision.UNCLEAR):
            self.hub.board.async_restored(
                self.camera_id, Decision(state.state), state.last_changed, f"before_{self.camera_id}"
            )

    @property
    @override
    def native_value(self) -> str | None:
        """Return who it was, as far as that may be written down: the recorder writes every state down."""
        visit = self.hub.board.last_visitor(self.camera_id)
        return None if visit is None else visit.name or str(visit.decision)


LAST_TOLD = SensorEntityDescription(
    key="last_told",
    translation_key="last_told",
    device_class=SensorDeviceClass.TIMESTAMP,
    entity_category=EntityCategory.DIAGNOSTIC,
    # Activity has a line for each notification otherwise.
    entity_registry_enabled_default=False,
)


def make_alert_sensors(hub: Hub, subentry: ConfigSubentry) -> list[SensorEntity]:
    """Return the sensors of an alert."""
    return [LastToldSensor(hub, subentry, LAST_TOLD)]


class LastToldSensor(AlertEntity, RestoreSensor):
    """When an alert last notified. Who it was about is stored nowhere: the kept visits show who came."""

    @override
    async def async_added_to_hass(self) -> None:
        """Show what was shown before a restart, and follow the alert."""
        await super().async_added_to_hass()
        data = await self.async_get_last_sensor_data()
        if data is not None and isinstance(data.native_value, datetime):
            self.hub.alerts.async_told_before(self.alert_id, data.native_value)
        self.async_on_remove(self.hub.async_connect(SIGNAL_TOLD, self.async_write_ha_state))

    @property
    @override
    def native_value(self) -> datetime | None:
        """Return when it last notified, while a visit it could have been about may still be kept."""
        return self.hub.alerts.last_told(self.alert_id)
