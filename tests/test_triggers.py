"""What starts a look."""

from datetime import timedelta

from homeassistant.core import State
from homeassistant.util import dt as dt_util
import pytest

from custom_components.familiar_faces.visits.triggers import async_fires

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
        (State("button.a", "unavailable"), State("button.a", FRESH), False),
        (State("button.a", FRESH), State("button.a", "unavailable"), False),
        (State("button.a", FRESH), State("button.a", FRESH, {"x": 1}), False),
        (State("event.a", "unknown"), State("event.a", FRESH, BELL), True),
        (State("event.a", OLD), State("event.a", FRESH, BELL | {"event_type": "tamper"}), False),
        (State("event.a", OLD), State("event.a", FRESH, {"event_type": "motion"}), True),
        (State("sensor.a", "cold"), State("sensor.a", "warm"), False),
    ],
)
def test_fires(old: State | None, new: State | None, fires: bool) -> None:
    """Switching on and fresh presses start a look; restored and returning states do not."""
    assert async_fires(old, new, NOW) is fires
