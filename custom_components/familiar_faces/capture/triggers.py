"""What starts a look: which entities are suggested for a camera, and when one of them says so."""

from datetime import datetime, timedelta

from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.components.event import DoorbellEventType, EventDeviceClass
from homeassistant.const import ATTR_DEVICE_CLASS, STATE_OFF, STATE_ON, Platform
from homeassistant.core import HomeAssistant, State, callback, split_entity_id
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util

from ..const import DOMAIN, Mode
from ..visits.turns import Urgency

ATTR_EVENT_TYPE = "event_type"
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


@callback
def async_own_entities(hass: HomeAssistant) -> list[str]:
    """Return the entities of this integration: what they say follows from a look, and starts none."""
    return [each.entity_id for each in er.async_get(hass).entities.values() if each.platform == DOMAIN]


@callback
def async_may_ring(hass: HomeAssistant, entity_id: str) -> bool:
    """Return whether a trigger may be something that a visitor rings.

    A doorbell's contact is a binary sensor of no class; one of any class reports something else than a ring.
    """
    device_class = _device_class(hass, entity_id)
    if device_class in MOTION:
        return False
    return device_class is None or split_entity_id(entity_id)[0] != Platform.BINARY_SENSOR


@callback
def async_urgency(hass: HomeAssistant, entity_id: str, mode: Mode) -> Urgency:
    """Return what it means that a trigger of a camera in this mode fires: a ring, or something that moved.

    Where a camera looks because of motion, a binary sensor of no class is most likely a sensor of it.
    """
    if mode is Mode.ON_RING:
        return Urgency.RING
    binary_sensor = split_entity_id(entity_id)[0] == Platform.BINARY_SENSOR
    return Urgency.RING if not binary_sensor and async_may_ring(hass, entity_id) else Urgency.MOTION


def _device_class(hass: HomeAssistant, entity_id: str) -> str | None:
    if (entry := er.async_get(hass).async_get(entity_id)) is not None:
        device_class = entry.device_class or entry.original_device_class
        if device_class is not None:
            return device_class
    if (state := hass.states.get(entity_id)) is not None:
        found: str | None = state.attributes.get(ATTR_DEVICE_CLASS)
        return found
    return None


@callback
def async_suggest_triggers(hass: HomeAssistant, camera: str) -> tuple[list[str], list[str]]:
    """Return the doorbells and the motion entities that belong with a camera.

    Those of the camera's own device come first; those of its area only where the device has none.
    """
    entities = er.async_get(hass)
    if (entry := entities.async_get(camera)) is None:
        return [], []
    device = dr.async_get(hass).async_get(entry.device_id) if entry.device_id else None
    area = entry.area_id or (device.area_id if device else None)
    same_device = er.async_entries_for_device(entities, entry.device_id) if entry.device_id else []
    same_area: list[er.RegistryEntry] = []
    if area is not None:
        same_area = list(er.async_entries_for_area(entities, area))
        for other in dr.async_entries_for_area(dr.async_get(hass), area):
            same_area += er.async_entries_for_device(entities, other.id)

    def pick(candidates: list[er.RegistryEntry], *, ring: bool) -> list[str]:
        found = [each.entity_id for each in candidates if _is_trigger(hass, each, ring=ring)]
        return list(dict.fromkeys(found))

    return (
        pick(same_device, ring=True) or pick(same_area, ring=True),
        pick(same_device, ring=False) or pick(same_area, ring=False),
    )


def _is_trigger(hass: HomeAssistant, entry: er.RegistryEntry, *, ring: bool) -> bool:
    if entry.disabled_by is not None or entry.platform == DOMAIN:
        return False
    device_class = _device_class(hass, entry.entity_id)
    if ring:
        return entry.domain == Platform.EVENT and device_class == EventDeviceClass.DOORBELL
    return entry.domain in (Platform.BINARY_SENSOR, Platform.EVENT) and device_class in MOTION


@callback
def async_fires(old: State | None, new: State | None, now: datetime) -> bool:
    """Return whether a change of a trigger entity's state starts a look.

    Switching on does, and so does a fresh press or event, also of a battery doorbell that only woke up
    to say so. Being on after having been unavailable, and the last press shown again after a restart, do
    not.
    """
    if new is None or old is None:
        return False
    if new.state in (STATE_ON, STATE_OFF):
        return new.state == STATE_ON and old.state == STATE_OFF
    if old.state == new.state:
        return False
    pressed = dt_util.parse_datetime(new.state)
    if pressed is None or pressed.tzinfo is None or abs(now - pressed) > FRESH:
        return False
    if new.attributes.get(ATTR_DEVICE_CLASS) == EventDeviceClass.DOORBELL:
        return new.attributes.get(ATTR_EVENT_TYPE) == DoorbellEventType.RING
    return True
