"""The sensors of a camera: who was last there, how soon a name is said, and how well it shows faces."""

from collections.abc import Callable
from dataclasses import dataclass
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
from homeassistant.core import callback
from homeassistant.helpers.restore_state import RestoreEntity
from homeassistant.helpers.typing import StateType

from .entity import CameraEntity
from .hub import Hub
from .recognising.watcher import Watcher
from .visits.fitness import Fitness
from .visits.visit import Decision
from .wording.words import async_say

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
    value=lambda watcher: watcher.fitness.state,
)
LAST_VISITOR = SensorEntityDescription(key="last_visitor", translation_key="last_visitor")


def make_camera_sensors(hub: Hub, subentry: ConfigSubentry) -> list[SensorEntity]:
    """Return the sensors of a camera."""
    return [
        LastVisitorSensor(hub, subentry, LAST_VISITOR),
        *(CameraSensor(hub, subentry, description) for description in CAMERA_SENSORS),
        FitnessSensor(hub, subentry, FITNESS),
    ]


class CameraSensor(CameraEntity, RestoreSensor):
    """Something that the watcher of a camera found out; kept until it finds out anew."""

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
