"""Many cameras at once: everybody is served by the real engine, and nothing queues without bound."""

import asyncio
from collections import Counter
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.capture.picture_source import Seen, Wish
from custom_components.familiar_faces.capture.stills import Stills
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.visits.look import LOOK_FRAMES
from custom_components.familiar_faces.visits.turns import AT_ONCE

from ..common.pictures import astronaut, enrolment_photos, frame
from ..common.steps import enrol
from ..conftest import DOORBELL, FrontDoor, a_door, add_entry, put_up

DOORS = 16


@pytest.fixture
async def front_door(hass: HomeAssistant) -> list[FrontDoor]:
    """Return many cameras, and set up a doorbell button for all of them."""
    frames = [frame(astronaut(), seed=seed) for seed in range(LOOK_FRAMES)]
    cameras = []
    for number in range(DOORS):
        camera = FrontDoor(f"Door {number}")
        camera.frames = frames
        cameras.append(camera)
    await put_up(hass, cameras)
    await hass.async_block_till_done()
    return cameras


@pytest.fixture
def entry(hass: HomeAssistant, config_folder: Any) -> MockConfigEntry:
    """Return an entry in which every camera looks when the one doorbell rings, not set up."""
    return add_entry(hass, *(a_door(f"camera.door_{number}", f"Door {number}") for number in range(DOORS)))


class Requests:
    """Notes what reaches the real engine from the watchers, and when frames were the newest."""

    def __init__(self, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        """Listen to the hub's watchers."""
        self.cameras: list[str] = []
        self.most = self.waiting = 0
        inside = 0
        ask = Stills.see

        async def see(stills: Stills, wish: Wish) -> Seen:
            nonlocal inside
            inside += 1
            self.most = max(self.most, inside)
            self.waiting = max(self.waiting, hub.turns.waiting)
            self.cameras.append(stills._camera)
            try:
                return await ask(stills, wish)
            finally:
                inside -= 1

        monkeypatch.setattr(Stills, "see", see)


async def ring_everywhere(hass: HomeAssistant, hub: Hub) -> None:
    """Press the doorbell and wait until all looks are over."""
    await hass.services.async_call("input_button", "press", {"entity_id": DOORBELL}, blocking=True)
    await hass.async_block_till_done()
    looks = [each._looking for each in hub.watchers.values() if each._looking is not None]
    assert len(looks) == DOORS
    await asyncio.wait(looks, timeout=60)
    await hass.async_block_till_done()


async def test_everybody_who_rings_at_once_is_named(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixteen doors ring together: each visitor is named, and who was seen is named before another is looked for."""
    await enrol(hass, entry, enrolment_photos())
    requests = Requests(hub, monkeypatch)
    await ring_everywhere(hass, hub)
    events = [hass.states.get(f"event.door_{number}_visitor") for number in range(DOORS)]
    assert [event.attributes["event_type"] for event in events] == ["familiar"] * DOORS
    assert requests.most == AT_ONCE
    assert 0 < requests.waiting <= DOORS - AT_ONCE
    assert set(requests.cameras) == {f"camera.door_{number}" for number in range(DOORS)}
    # Two are served at the same time, and the last one to be begun comes after most have their name.
    last = requests.cameras.index(next(reversed(dict.fromkeys(requests.cameras))))
    assert last > DOORS
    assert max(Counter(requests.cameras).values()) <= LOOK_FRAMES
    assert hub.turns.waiting == 0


async def test_no_turn_is_lost_when_cameras_are_removed_in_mid_look(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    """Looks that are given up while they wait or are served leave the engine to the others."""
    await enrol(hass, entry, enrolment_photos())
    doors = entry.get_subentries_of_type("camera")
    await hass.services.async_call("input_button", "press", {"entity_id": DOORBELL}, blocking=True)
    while hub.turns.waiting < DOORS // 2:
        await asyncio.sleep(0)
    for door in doors[1:]:
        hass.config_entries.async_remove_subentry(entry, door.subentry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert hass.states.get("event.door_0_visitor").attributes["event_type"] == "familiar"
    assert (hub.turns.waiting, hub.turns._free) == (0, AT_ONCE)
