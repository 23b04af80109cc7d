"""What starts a look: which entities can, what each means, and when one of them says so."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.components.event import ATTR_EVENT_TYPES, DoorbellEventType, EventDeviceClass
from homeassistant.components.event.const import ATTR_EVENT_TYPE
from homeassistant.const import (
    ATTR_DEVICE_CLASS,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    Platform,
)
from homeassistant.core import CoreState, HomeAssistant, State, callback, split_entity_id
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from ..const import DOMAIN, Mode, Role
from ..visits.turns import Urgency

TRIGGER_DOMAINS = [Platform.BINARY_SENSOR, Platform.BUTTON, Platform.EVENT, "input_button", "input_boolean"]
FRESH = timedelta(seconds=10)
"""How old a press may be: an entity that comes back shows its last one again."""
MOTION = {
    BinarySensorDeviceClass.MOTION,
    BinarySensorDeviceClass.OCCUPANCY,
    BinarySensorDeviceClass.PRESENCE,
    BinarySensorDeviceClass.MOVING,
    EventDeviceClass.MOTION,
}
BELL_SENSORS = {
    None,
    BinarySensorDeviceClass.OCCUPANCY,
    BinarySensorDeviceClass.OPENING,
    BinarySensorDeviceClass.SOUND,
    BinarySensorDeviceClass.VIBRATION,
}
"""Classes that integrations give to the binary sensor of a bell: UniFi occupancy, Dahua sound."""
PRESSES = (
    "ring",
    "press",
    "pressed",
    "button_press",
    "short_press",
    "initial_press",
    "single",
    "single_press",
    "single_push",
)
"""Types of an event entity that most likely mean that a bell was pressed, the likeliest first."""


@callback
def async_own_entities(hass: HomeAssistant) -> list[str]:
    """Return the entities of this integration: what they say follows from a look, and starts none."""
    return [each.entity_id for each in er.async_get(hass).entities.values() if each.platform == DOMAIN]


@callback
def async_may_ring(hass: HomeAssistant, entity_id: str) -> bool:
    """Return whether a trigger may be something that a visitor rings."""
    device_class = async_device_class(hass, entity_id)
    if split_entity_id(entity_id)[0] == Platform.BINARY_SENSOR:
        return device_class in BELL_SENSORS
    return device_class not in MOTION


@callback
def async_role(hass: HomeAssistant, entity_id: str, mode: Mode) -> Role:
    """Return what a trigger of a camera in this mode most likely is, a bell or a motion sensor.

    Where a camera looks because of motion, a binary sensor is most likely one of motion.
    """
    if mode is Mode.ON_RING:
        return Role.BELL
    binary_sensor = split_entity_id(entity_id)[0] == Platform.BINARY_SENSOR
    return Role.BELL if not binary_sensor and async_may_ring(hass, entity_id) else Role.MOTION


@callback
def async_event_types(hass: HomeAssistant, entity_id: str) -> list[str]:
    """Return the types of an event entity; none of another entity, or while it is not there."""
    if split_entity_id(entity_id)[0] != Platform.EVENT:
        return []
    types: list[str] | None = None
    if (state := hass.states.get(entity_id)) is not None:
        types = state.attributes.get(ATTR_EVENT_TYPES)
    if types is None and (entry := er.async_get(hass).async_get(entity_id)) is not None:
        types = (entry.capabilities or {}).get(ATTR_EVENT_TYPES)
    return [str(each) for each in types or ()]


@callback
def async_likely_types(hass: HomeAssistant, entity_id: str) -> list[str]:
    """Return which types of an event entity start a look unless the owner chose: a press of a bell, all motion."""
    types = async_event_types(hass, entity_id)
    if DoorbellEventType.RING in types:
        return [DoorbellEventType.RING]
    if (press := next((each for each in PRESSES if each in types), None)) is not None:
        return [press]
    doorbell = async_device_class(hass, entity_id) == EventDeviceClass.DOORBELL
    return [] if doorbell or not types else types


@callback
def async_device_class(hass: HomeAssistant, entity_id: str) -> str | None:
    """Return the device class of an entity, as its owner or else its integration has it."""
    if (entry := er.async_get(hass).async_get(entity_id)) is not None:
        device_class = entry.device_class or entry.original_device_class
        if device_class is not None:
            return device_class
    if (state := hass.states.get(entity_id)) is not None:
        found: str | None = state.attributes.get(ATTR_DEVICE_CLASS)
        return found
    return None


class Triggers:
    """The triggers of a camera, and what each change of one means. Lives on the event loop."""

    def __init__(
        self,
        hass: HomeAssistant,
        mode: Mode,
        entity_ids: Collection[str],
        roles: Mapping[str, Role],
        event_types: Mapping[str, frozenset[str]],
    ) -> None:
        """Follow these entities; `roles` and `event_types` are what the owner chose of some of them."""
        self._hass = hass
        self._mode = mode
        self._entity_ids = entity_ids
        self._roles = roles
        self._event_types = event_types

    @callback
    def async_role(self, entity_id: str) -> Role:
        """Return what a trigger means."""
        return self._roles.get(entity_id) or async_role(self._hass, entity_id, self._mode)

    @callback
    def async_urgency(self, entity_id: str) -> Urgency:
        """Return how urgent the look is that a trigger starts."""
        return Urgency.RING if self.async_role(entity_id) is Role.BELL else Urgency.MOTION

    @callback
    def async_fires(self, entity_id: str, old: State | None, new: State | None, now: datetime) -> bool:
        """Return whether a change of a trigger entity's state starts a look.

        Switching on does, also of an entity that was unknown or unavailable, once Home Assistant runs: a battery
        bell wakes up to say so. So does a fresh press or event; the last one shown again after a restart does not.
        """
        if new is None or old is None:
            return False
        if new.state in (STATE_ON, STATE_OFF):
            if new.state == STATE_OFF or old.state == STATE_ON:
                return False
            away = old.state in (STATE_UNKNOWN, STATE_UNAVAILABLE)
            return not away or (self._hass.state is CoreState.running and not new.attributes.get("restored"))
        if old.state == new.state:
            return False
        pressed = dt_util.parse_datetime(new.state)
        if pressed is None or pressed.tzinfo is None or abs(now - pressed) > FRESH:
            return False
        if split_entity_id(entity_id)[0] != Platform.EVENT:
            return True
        chosen = self._event_types.get(entity_id) or async_likely_types(self._hass, entity_id)
        return new.attributes.get(ATTR_EVENT_TYPE) in chosen

    @property
    def on(self) -> str | None:
        """Return a trigger that is on, a bell if there is one: somebody may still be there."""
        on = [each for each in self._entity_ids if self._hass.states.is_state(each, STATE_ON)]
        return min(on, key=self.async_urgency, default=None)
