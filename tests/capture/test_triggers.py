"""What starts a look."""

from datetime import timedelta

from homeassistant.core import CoreState, HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest

from custom_components.familiar_faces.capture.triggers import (
    Triggers,
    async_likely_types,
    async_may_ring,
    async_own_entities,
)
from custom_components.familiar_faces.const import DOMAIN, Mode, Role
from custom_components.familiar_faces.visits.turns import Urgency

NOW = dt_util.utcnow()
FRESH = (NOW - timedelta(milliseconds=5)).isoformat()
OLD = (NOW - timedelta(hours=5)).isoformat()
BELL = {"device_class": "doorbell", "event_type": "ring"}


def triggers(
    hass: HomeAssistant,
    *entity_ids: str,
    mode: Mode = Mode.ON_RING,
    roles: dict[str, Role] | None = None,
    types: dict[str, frozenset[str]] | None = None,
) -> Triggers:
    """Return the triggers of a camera."""
    return Triggers(hass, mode, entity_ids, roles or {}, types or {})


@pytest.mark.parametrize(
    ("old", "new", "fires"),
    [
        (State("binary_sensor.a", "off"), State("binary_sensor.a", "on"), True),
        (State("binary_sensor.a", "on"), State("binary_sensor.a", "on"), False),
        (State("binary_sensor.a", "on"), State("binary_sensor.a", "off"), False),
        (State("binary_sensor.a", "unavailable"), State("binary_sensor.a", "on"), True),
        (State("binary_sensor.a", "unknown"), State("binary_sensor.a", "on"), True),
        (State("binary_sensor.a", "unknown"), State("binary_sensor.a", "off"), False),
        (State("binary_sensor.a", "unavailable"), State("binary_sensor.a", "on", {"restored": True}), False),
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
        (State("sensor.a", "cold"), State("sensor.a", "warm"), False),
    ],
)
async def test_fires(hass: HomeAssistant, old: State | None, new: State | None, fires: bool) -> None:
    """Switching on and fresh presses start a look, also of what was away; restored states do not."""
    entity_id = (new or old or State("a.a", "")).entity_id
    assert triggers(hass, entity_id).async_fires(entity_id, old, new, NOW) is fires


@pytest.mark.parametrize(
    "change", [-timedelta(hours=1), -timedelta(days=3), timedelta(hours=1), timedelta(days=3)]
)
@pytest.mark.parametrize("entity_id", ["button.a", "input_button.a", "event.a"])
async def test_a_clock_that_was_set_hides_no_ring(
    hass: HomeAssistant, entity_id: str, change: timedelta
) -> None:
    """The last press lies in the future then, or days back; the next one is a press of now."""
    now = NOW + change
    old, pressed = State(entity_id, NOW.isoformat(), BELL), State(entity_id, now.isoformat(), BELL)
    ringing = triggers(hass, entity_id, types={entity_id: frozenset({"ring"})})
    assert ringing.async_fires(entity_id, old, pressed, now)
    # What is shown again after a restart is the old one, whatever the clock says.
    away = State(entity_id, "unavailable")
    assert not ringing.async_fires(entity_id, away, old, now)


async def test_what_comes_while_home_assistant_starts(hass: HomeAssistant) -> None:
    """A sensor that is on when it comes back at a start may have been on for hours."""
    hass.set_state(CoreState.starting)
    old, new = State("binary_sensor.a", "unknown"), State("binary_sensor.a", "on")
    assert not triggers(hass, "binary_sensor.a").async_fires("binary_sensor.a", old, new, NOW)
    off = State("binary_sensor.a", "off")
    assert triggers(hass, "binary_sensor.a").async_fires("binary_sensor.a", off, new, NOW)


@pytest.mark.parametrize(
    ("types", "device_class", "chosen", "event_type", "fires"),
    [
        (["ring"], "doorbell", None, "ring", True),
        (["ring", "tamper"], "doorbell", None, "tamper", False),
        (["press"], "doorbell", None, "press", True),
        (["press", "voicemail_played"], "doorbell", None, "voicemail_played", False),
        (["pressed", "voicemail_played"], None, None, "voicemail_played", False),
        (["voicemail_played", "button_1"], "doorbell", None, "button_1", False),
        (["voicemail_played", "button_1"], "doorbell", ["button_1"], "button_1", True),
        (["voicemail_played", "button_1"], "doorbell", ["button_1"], "voicemail_played", False),
        (["single", "double", "long"], "button", None, "double", False),
        (["single", "double", "long"], "button", ["double"], "double", True),
        (["detected", "vehicle"], "motion", None, "vehicle", True),
        (["detected", "vehicle"], "motion", ["detected"], "vehicle", False),
    ],
)
async def test_events(
    hass: HomeAssistant,
    types: list[str],
    device_class: str | None,
    chosen: list[str] | None,
    event_type: str,
    fires: bool,
) -> None:
    """A press is one whatever an integration calls it; what else a bell has to say is none."""
    attributes = {"event_types": types, "device_class": device_class}
    hass.states.async_set("event.a", OLD, attributes)
    of_camera = triggers(hass, "event.a", types={"event.a": frozenset(chosen)} if chosen else None)
    old, new = (
        State("event.a", OLD, attributes),
        State("event.a", FRESH, {**attributes, "event_type": event_type}),
    )
    assert of_camera.async_fires("event.a", old, new, NOW) is fires
    assert not of_camera.async_fires("event.a", old, State("event.a", OLD, new.attributes), NOW)


async def test_likely_types_of_an_entity_that_is_away(hass: HomeAssistant) -> None:
    """The registry knows what an entity reports that is unavailable."""
    entry = er.async_get(hass).async_get_or_create(
        "event", "test", "bell", capabilities={"event_types": ["tamper", "press"]}
    )
    assert async_likely_types(hass, entry.entity_id) == ["press"]
    assert async_likely_types(hass, "binary_sensor.a") == []


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
        ("binary_sensor.a", "occupancy", True),
        ("binary_sensor.a", "sound", True),
        ("binary_sensor.a", "door", False),
    ],
)
async def test_may_ring(hass: HomeAssistant, entity_id: str, device_class: str | None, rings: bool) -> None:
    """A sensor of motion is none; some bells are sensors of occupancy or sound. The owner's class goes first."""
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
    """Anyone who rings goes before what moves, whatever the camera's mode is."""
    hass.states.async_set("event.ring", "unknown", {"device_class": "doorbell"})
    hass.states.async_set("event.motion", "unknown", {"device_class": "motion"})
    hass.states.async_set("binary_sensor.motion", "off", {"device_class": "motion"})
    assert triggers(hass, entity_id, mode=mode).async_urgency(entity_id) is urgency


async def test_the_owner_says_what_a_trigger_is(hass: HomeAssistant) -> None:
    """A binary sensor that is a bell is one, whatever it looks like, and the other way round."""
    roles = {"binary_sensor.bell": Role.BELL, "button.a": Role.MOTION}
    of_camera = triggers(hass, *roles, mode=Mode.ON_MOTION, roles=roles)
    assert of_camera.async_urgency("binary_sensor.bell") is Urgency.RING
    assert of_camera.async_urgency("button.a") is Urgency.MOTION


async def test_a_trigger_that_is_on(hass: HomeAssistant) -> None:
    """It is known as long as one is."""
    of_camera = triggers(hass, "binary_sensor.motion", "button.a", mode=Mode.ON_MOTION)
    hass.states.async_set("button.a", FRESH)
    assert of_camera.on is None
    hass.states.async_set("binary_sensor.motion", "on")
    assert of_camera.on == "binary_sensor.motion"
    hass.states.async_set("binary_sensor.motion", "unavailable")
    assert of_camera.on is None


async def test_own_entities_start_no_look(hass: HomeAssistant) -> None:
    """What follows from a look is known as such."""
    own = er.async_get(hass).async_get_or_create("binary_sensor", DOMAIN, "seen")
    er.async_get(hass).async_get_or_create("binary_sensor", "test", "motion")
    assert async_own_entities(hass) == [own.entity_id]
