"""A camera is looked at again while a trigger stays on and nobody was decided."""

from dataclasses import replace
from datetime import timedelta

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.recognising.watcher import AGAIN, AGAIN_UNTIL, Watcher

from ..common.pictures import astronaut, jpeg, porch
from ..common.steps import VISITOR, visits
from ..conftest import CAMERA, FrontDoor, a_door, add_entry

MOTION = "binary_sensor.presence"


@pytest.fixture
def entry(hass: HomeAssistant, config_folder: object) -> MockConfigEntry:
    """Return an entry whose camera is looked at on motion, not set up."""
    hass.states.async_set(MOTION, "off", {"device_class": "presence"})
    door = a_door(CAMERA, "Front door", MOTION)
    door["data"] = {**door["data"], "mode": "on_motion"}
    return add_entry(hass, door)


@pytest.fixture
def watcher(hub: Hub, eileen: str, front_door: FrontDoor) -> Watcher:
    """Return the camera's watcher, which looks for a moment only, at an empty porch."""
    (watcher,) = hub.watchers.values()
    watcher.settings = replace(watcher.settings, seconds=2.0)
    front_door.frames = [jpeg(porch(seed)) for seed in range(4)]
    return watcher


async def motion(hass: HomeAssistant, state: str) -> None:
    """Have the sensor change, and wait for the look."""
    hass.states.async_set(MOTION, state, {"device_class": "presence"})
    await hass.async_block_till_done(wait_background_tasks=True)


async def wait(hass: HomeAssistant, seconds: float) -> None:
    """Have some time pass, and wait for the look."""
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=seconds))
    await hass.async_block_till_done(wait_background_tasks=True)


def visitor(hass: HomeAssistant) -> str | None:
    """Return who the last visitor's event told of."""
    name: str | None = hass.states.get(VISITOR).attributes.get("person_name")
    return name


async def test_somebody_who_comes_near_later(
    hass: HomeAssistant, watcher: Watcher, front_door: FrontDoor
) -> None:
    """A presence sensor sees them in the garden; a while later they stand before the camera."""
    await motion(hass, "on")
    assert (visitor(hass), watcher._again) == (None, 1)
    front_door.frames = visits(astronaut())
    await wait(hass, AGAIN[0] + 1)
    assert visitor(hass) == "Eileen"
    # Who they are is known, so the camera is left alone.
    fetched = front_door.fetched
    await wait(hass, 100)
    assert (watcher._next, front_door.fetched) == (None, fetched)


async def test_it_grows_rarer_and_comes_to_an_end(
    hass: HomeAssistant, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sensor that never switches off does not keep the camera busy for ever."""
    pauses: list[float] = []
    for number in range(3):
        if number == 0:
            await motion(hass, "on")
        pauses.append(AGAIN[watcher._again - 1])
        await wait(hass, pauses[-1] + 1)
    assert pauses == sorted(set(pauses))
    monkeypatch.setattr(watcher, "_on_since", watcher._on_since - AGAIN_UNTIL)
    await wait(hass, 200)
    assert watcher._next is None


async def test_it_ends_with_the_motion(hass: HomeAssistant, watcher: Watcher, front_door: FrontDoor) -> None:
    """Where nothing moves, nobody is looked for."""
    await motion(hass, "on")
    await motion(hass, "off")
    fetched = front_door.fetched
    await wait(hass, 100)
    assert (front_door.fetched, watcher._next) == (fetched, None)


async def test_it_ends_with_the_watching(
    hass: HomeAssistant, watcher: Watcher, hub: Hub, entry: MockConfigEntry
) -> None:
    """An entry that is unloaded leaves no timer behind."""
    await motion(hass, "on")
    assert watcher._next is not None
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert watcher._next is None
