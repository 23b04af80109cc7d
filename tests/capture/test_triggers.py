"""What starts a look."""

from datetime import timedelta

from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import area_registry as ar, entity_registry as er
from homeassistant.util import dt as dt_util
import pytest

from custom_components.familiar_faces.capture.triggers import (
    async_fires,
    async_may_ring,
    async_own_entities,
    async_suggest_triggers,
    async_urgency,
)
from custom_components.familiar_faces.const import DOMAIN, Mode
from custom_components.familiar_faces.visits.turns import Urgency

NOW = dt_util.utcnow()
FRESH = (NOW - timedelta(milliseconds=5)).isoformat()
OLD = (NOW - timedelta(hours=5)).isoformat()
BELL = {"device_class": "doorbell", "event_type": "ring"}


@pytest.mark.parametrize(
    ("old", "new", "fires"),
    [
        (State("binary_sensor.a", "off"), State("binary_sensor.a", "on"), True),
        (State("binary_sensor.a", "on"), State("binary_sensor.a", "on"), False),
        (State("binary_sensor.a", "on"), State("binary_sensor.a", "off"), False),
        (State("binary_sensor.a", "unavailable"), State("binary_sensor.a", "on"), False),
        (State("binary_sensor.a", "unknown"), State("binary_sensor.a", "on"), False),
        (None, State("binary_sensor.a", "on"), False),
        (State("binary_sensor.a", "on"), None, False),
        (State("button.a", "unknown"), State("button.a", FRESH), True),
        (State("button.a", OLD), State("button.a", FRESH), True),
        (State("button.a", "unknown"), State("button.a", OLD), False),
        (State("button.a", "unavailable"), State("button.a", FRESH), True),
        (State("button.a", "unavailable"), State("button.a", OLD), False),
        (None, State("button.a", FRESH), False),
        (State("button.a", FRESH), State("button.a", "unavailable"), False),
        (State("button.a", FRESH), State("button.a", FRESH, {"x": 1}), False),
        (State("event.a", "unknown"), State("event.a", FRESH, BELL), True),
        (State("event.a", "unavailable"), State("event.a", FRESH, BELL), True),
        (State("event.a", "unavailable"), State("event.a", OLD, BELL), False),
        (State("event.a", OLD), State("event.a", FRESH, BELL | {"event_type": "tamper"}), False),
        (State("event.a", OLD), State("event.a", FRESH, {"event_type": "motion"}), True),
        (State("sensor.a", "cold"), State("sensor.a", "warm"), False),
    ],
)
def test_fires(old: State | None, new: State | None, fires: bool) -> None:
    """Switching on and fresh presses start a look, also of a doorbell that woke up; restored states do not."""
    assert async_fires(old, new, NOW) is fires


@pytest.mark.parametrize(
    ("entity_id", "device_class", "rings"),
    [
        ("event.a", "doorbell", True),
        ("event.a", "button", True),
        ("event.a", None, True),
        ("event.a", "motion", False),
        ("button.a", "identify", True),
        ("input_boolean.a", None, True),
        ("binary_sensor.a", None, True),
        ("binary_sensor.a", "motion", False),
        ("binary_sensor.a", "occupancy", False),
        ("binary_sensor.a", "door", False),
    ],
)
async def test_may_ring(hass: HomeAssistant, entity_id: str, device_class: str | None, rings: bool) -> None:
    """A sensor of motion, or of anything else than a ring, is none; the owner's class goes before its own."""
    hass.states.async_set(entity_id, "unknown", {"device_class": device_class} if device_class else {})
    assert async_may_ring(hass, entity_id) is rings
    domain = entity_id.partition(".")[0]
    registered = er.async_get(hass).async_get_or_create(
        domain, "test", "b", original_device_class=device_class
    )
    assert async_may_ring(hass, registered.entity_id) is rings
    er.async_get(hass).async_update_entity(registered.entity_id, device_class="motion")
    assert not async_may_ring(hass, registered.entity_id)


@pytest.mark.parametrize(
    ("entity_id", "mode", "urgency"),
    [
        ("input_button.a", Mode.ON_RING, Urgency.RING),
        ("binary_sensor.a", Mode.ON_RING, Urgency.RING),
        ("binary_sensor.a", Mode.ON_MOTION, Urgency.MOTION),
        ("event.ring", Mode.ON_MOTION, Urgency.RING),
        ("event.motion", Mode.ON_MOTION, Urgency.MOTION),
        ("event.ring", Mode.ALWAYS, Urgency.RING),
        ("binary_sensor.motion", Mode.ALWAYS, Urgency.MOTION),
        ("button.a", Mode.ON_MOTION, Urgency.RING),
    ],
)
async def test_urgency(hass: HomeAssistant, entity_id: str, mode: Mode, urgency: Urgency) -> None:
    """Whoever rings goes before what moves, whatever the camera's mode is."""
    hass.states.async_set("event.ring", "unknown", {"device_class": "doorbell"})
    hass.states.async_set("event.motion", "unknown", {"device_class": "motion"})
    hass.states.async_set("binary_sensor.motion", "off", {"device_class": "motion"})
    assert async_urgency(hass, entity_id, mode) is urgency


async def test_own_entities_start_no_look(hass: HomeAssistant) -> None:
    """What follows from a look is known as such, and not suggested."""
    registry = er.async_get(hass)
    area = ar.async_get(hass).async_create("Porch")
    camera = registry.async_get_or_create("camera", "test", "camera")
    motion = registry.async_get_or_create("binary_sensor", "test", "motion", original_device_class="motion")
    own = registry.async_get_or_create("binary_sensor", DOMAIN, "seen", original_device_class="occupancy")
    for each in (camera, motion, own):
        registry.async_update_entity(each.entity_id, area_id=area.id)
    assert async_own_entities(hass) == [own.entity_id]
    assert async_suggest_triggers(hass, camera.entity_id) == ([], [motion.entity_id])
