"""Visits through the real engine: who comes is told once, and strangers leave nothing."""

import asyncio
from collections.abc import Callable
import contextlib
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
import os
from pathlib import Path
import signal
from typing import Any
from unittest.mock import patch

from homeassistant.core import Event, EventStateChangedData, HomeAssistant, State, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util
from PIL import Image
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.familiar_faces.const import DOMAIN, EVERYWHERE
from custom_components.familiar_faces.diagnostics import async_get_config_entry_diagnostics
from custom_components.familiar_faces.engine.protocol import Faces
from custom_components.familiar_faces.host.client import EngineClient
from custom_components.familiar_faces.host.engine import EngineStatus
from custom_components.familiar_faces.host.process import EngineProcess
from custom_components.familiar_faces.household.issues import AFTER_FAILURES
from custom_components.familiar_faces.household.signals import SIGNAL_VISIT
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.recognising import look_taking
from custom_components.familiar_faces.vault.errors import VaultUnwritable
from custom_components.familiar_faces.visits.fitness import FACES_A_LOOK
from custom_components.familiar_faces.visits.visit import Decision, Timing, Visit

from ..common.pictures import astronaut, enrolment_photos, huge_png, jpeg, porch, stranger, variant
from ..common.steps import VISITOR, enrol, later, look_for, ring, visits
from ..conftest import FrontDoor, start_again

pytestmark = pytest.mark.usefixtures("entity_registry_enabled_by_default")

FITNESS = "sensor.front_door_camera_fitness"


@pytest.fixture
def told(hass: HomeAssistant) -> list[State]:
    """Return the states of the visitor event, as they come."""
    states: list[State] = []

    @callback
    def changed(event: Event[EventStateChangedData]) -> None:
        old, new = event.data["old_state"], event.data["new_state"]
        if new is not None and dt_util.parse_datetime(new.state) and (not old or old.state != new.state):
            states.append(new)

    async_track_state_change_event(hass, VISITOR, changed)
    return states


async def test_familiar_person(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str, told: list[State]
) -> None:
    """A consenting person who rings is named, in one event, with everything that follows from it."""
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    assert len(told) == 1
    attributes = told[0].attributes
    assert attributes["event_type"] == "familiar"
    assert attributes["person_id"] == eileen
    assert attributes["person_name"] == "Eileen"
    assert attributes["confidence"] > 0.9
    assert attributes["ms"] >= attributes["camera_fetch_ms"]
    assert hass.states.get("event.eileen_seen").attributes["event_type"] == "seen"
    assert hass.states.get("sensor.front_door_last_visitor").state == "Eileen"
    assert hass.states.get("sensor.eileen_last_seen_where").state == "Front door"
    assert hass.states.get("binary_sensor.front_door_familiar_person").state == "on"
    assert hass.states.get("binary_sensor.front_door_stranger").state == "off"
    assert hass.states.get("binary_sensor.eileen_present").state == "on"
    assert hass.states.get("sensor.familiar_faces_visits_today").state == "1"
    assert float(hass.states.get("sensor.front_door_time_to_name").state) > 0
    assert hass.states.get(FITNESS).state == "good"
    assert "sharp and well lit" in hass.states.get(FITNESS).attributes["advice"]
    (visit,) = await hass.async_add_executor_job(hub.vault.visits)
    assert visit.person_id == eileen
    picture = await hass.async_add_executor_job(hub.vault.visit_picture, visit.visit_id)
    assert picture is not None
    assert picture.startswith(b"\xff\xd8")


async def test_stranger_leaves_nothing(
    hass: HomeAssistant,
    hub: Hub,
    front_door: FrontDoor,
    eileen: str,
    told: list[State],
    config_folder: Path,
) -> None:
    """A stranger is told of once, without a name, and nothing of them is written anywhere."""
    before = await hass.async_add_executor_job(hub.vault.stored)
    front_door.frames = visits(stranger(0))
    await ring(hass, hub)
    assert [state.attributes["event_type"] for state in told] == ["stranger"]
    assert "person_name" not in told[0].attributes
    assert "confidence" not in told[0].attributes
    assert hass.states.get("binary_sensor.front_door_stranger").state == "on"
    assert hass.states.get("binary_sensor.eileen_present").state == "off"
    assert hass.states.get("sensor.front_door_last_visitor").state == "stranger"
    after = await hass.async_add_executor_job(hub.vault.stored)
    assert (after.visits, after.pictures, after.templates) == (0, 0, before.templates)
    assert all(visit.portrait is None for visit in hub.open_visits.visits)


async def test_two_people_at_once(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str, told: list[State]
) -> None:
    """A familiar person and a stranger side by side are two visits."""
    front_door.frames = visits(astronaut(), stranger(0))
    await ring(hass, hub)
    assert sorted(state.attributes["event_type"] for state in told) == ["familiar", "stranger"]


async def test_a_visit_is_told_once_and_the_next_one_again(
    hass: HomeAssistant,
    hub: Hub,
    front_door: FrontDoor,
    eileen: str,
    told: list[State],
) -> None:
    """Ringing again at once belongs to the same visit; coming back later is another one."""
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    await ring(hass, hub)
    assert len(told) == 1
    with later(minutes=2):
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
        assert hass.states.get("binary_sensor.front_door_familiar_person").state == "off"
        await ring(hass, hub)
    assert [state.attributes["event_type"] for state in told] == ["familiar", "familiar"]
    assert told[0].attributes["visit_id"] != told[1].attributes["visit_id"]
    with later(minutes=9):
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
    assert hass.states.get("binary_sensor.eileen_present").state == "off"
    assert len(hub.open_visits.visits) == 0


async def test_nobody_there(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str, told: list[State]
) -> None:
    """An empty porch is no visit."""
    front_door.frames = [jpeg(porch(seed)) for seed in range(4)]
    await ring(hass, hub)
    assert told == []


def poor(reason: str, person: Image.Image) -> Image.Image:
    """Return a person as a camera shows them that cannot do better."""
    match reason:
        case "too_small":
            # The face is 12 or 13 pixels wide then.
            side = 37 if person is astronaut() else 28
            return person.resize((side, side), Image.Resampling.LANCZOS)
        case "too_blurred":
            return variant(person, blur=9)
        case "too_dark":
            return variant(person, light=0.06)
        case _:
            raise ValueError(reason)


@pytest.mark.parametrize("reason", ["too_small", "too_blurred", "too_dark"])
@pytest.mark.parametrize("who", [stranger, astronaut])
async def test_poor_face_is_not_a_stranger(
    hass: HomeAssistant,
    hub: Hub,
    front_door: FrontDoor,
    eileen: str,
    told: list[State],
    who: Callable[[], Image.Image],
    reason: str,
) -> None:
    """A face too poor to compare is unclear, no matter who it is, and the camera says what would help."""
    front_door.frames = visits(poor(reason, who()))
    await ring(hass, hub)
    (state,) = told
    assert state.attributes["event_type"] == "unclear"
    assert state.attributes["reason"] == "no_usable_face"
    assert state.attributes["quality"] == reason
    fitness = hass.states.get(FITNESS)
    assert fitness.state == reason
    assert 0 < fitness.attributes["faces"] <= FACES_A_LOOK
    assert fitness.attributes["advice"].startswith("Faces are ")
    assert ": " in fitness.attributes["advice"]


async def test_turned_away_is_not_a_stranger(
    hass: HomeAssistant,
    hub: Hub,
    front_door: FrontDoor,
    eileen: str,
    told: list[State],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor is somebody who looks away: the pictures at hand show none, so the engine's figure is replaced."""
    ask = EngineClient.faces

    async def turned(*args: Any, **options: Any) -> Faces:
        faces = await ask(*args, **options)
        away = [
            replace(face, quality=replace(face.quality, usable=False, reason="turned_away", yaw=70.0))
            for face in faces.faces
        ]
        return replace(faces, faces=tuple(away))

    monkeypatch.setattr(EngineClient, "faces", turned)
    front_door.frames = visits(stranger(0))
    await ring(hass, hub)
    (state,) = told
    assert (state.attributes["reason"], state.attributes["quality"]) == ("no_usable_face", "turned_away")
    assert hass.states.get(FITNESS).state == "turned_away"


async def test_a_print_on_a_shirt(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str, told: list[State]
) -> None:
    """A face on a shirt, which the engine sees in a frame and not in those around it, is no visitor."""
    plain = visits(astronaut())
    with Image.open(BytesIO(plain[1])) as picture:
        printed = picture.convert("RGB")
    print_of = stranger(0)
    width = printed.width // 10
    printed.paste(
        print_of.resize((width, width * print_of.height // print_of.width)),
        ((printed.width - width) // 2, printed.height - 190),
    )
    seen = await hub.client.faces(jpeg(printed))
    assert sum(face.quality.usable for face in seen.faces) == 2, "the print is a face"
    front_door.frames = [plain[0], jpeg(printed), *plain[2:]]
    await ring(hass, hub)
    assert [state.attributes.get("person_name") for state in told] == ["Eileen"], told


async def test_camera_that_shows_everybody_small(
    hass: HomeAssistant,
    hub: Hub,
    front_door: FrontDoor,
    entry: MockConfigEntry,
    eileen: str,
    told: list[State],
) -> None:
    """Faces of 28 pixels are found and named, and the camera says that it is too far away, in any language."""
    front_door.frames = visits(astronaut(), scale=28 / 95)
    await ring(hass, hub)
    assert [state.attributes["event_type"] for state in told] == ["familiar"]
    fitness = hass.states.get(FITNESS)
    width = fitness.attributes["face_width"]
    assert fitness.state == "too_small"
    assert 24 <= width < 30
    assert fitness.attributes["advice"] == (
        f"Faces are {width} pixels wide here: move the camera closer, zoom in or use its main stream."
    )
    diagnostics = await async_get_config_entry_diagnostics(hass, entry)
    assert diagnostics["cameras"][0]["fitness"] == {
        "state": "too_small",
        "faces": fitness.attributes["faces"],
        "face_width": width,
    }
    hass.config.language = "nl"
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    fitness = hass.states.get(FITNESS)
    assert fitness.attributes["advice"].startswith(f"Gezichten zijn hier {width} pixels breed:")


async def test_one_still_over_and_over_is_one_frame(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str, told: list[State]
) -> None:
    """A camera that repeats a picture gives no evidence: it may be of somebody who left long ago."""
    front_door.frames, front_door.stuck = visits(astronaut(), number=1), True
    look_for(hub, 1.0)
    for failures in range(1, AFTER_FAILURES + 1):
        await ring(hass, hub)
        assert told == []
        assert hass.states.get(FITNESS).state == "old_picture"
        issues = [issue_id for _, issue_id in ir.async_get(hass).issues if "old_picture" in issue_id]
        assert bool(issues) is (failures >= AFTER_FAILURES)
    front_door.stuck = False
    await ring(hass, hub)
    assert [state.attributes["event_type"] for state in told] == ["familiar"]
    assert hass.states.get(FITNESS).state == "good"
    assert not [issue_id for _, issue_id in ir.async_get(hass).issues if "old_picture" in issue_id]


@pytest.mark.parametrize("switch", ["switch.familiar_faces_recognition", "switch.front_door_recognition"])
async def test_switched_off(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str, told: list[State], switch: str
) -> None:
    """With recognition switched off the camera is not even asked for a picture; switched on, it is."""
    front_door.frames = visits(astronaut())
    await hass.services.async_call("switch", "turn_off", {"entity_id": switch}, blocking=True)
    await ring(hass, hub)
    assert (told, front_door.fetched) == ([], 0)
    await hass.services.async_call("switch", "turn_on", {"entity_id": switch}, blocking=True)
    await ring(hass, hub)
    assert len(told) == 1


async def test_nobody_is_looked_at_without_a_consenting_person(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, told: list[State]
) -> None:
    """As long as there is nobody to recognise, nobody is looked at."""
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    assert (told, front_door.fetched) == ([], 0)


async def test_consent_that_ran_out(
    hass: HomeAssistant,
    hub: Hub,
    front_door: FrontDoor,
    eileen: str,
    told: list[State],
) -> None:
    """From the minute in which the consent is over, the person is no longer recognised."""
    front_door.frames = visits(astronaut())
    consent = hub.people[eileen].consent
    assert consent is not None
    with later(until=consent.valid_until + timedelta(seconds=1)):
        await ring(hass, hub)
    assert (told, front_door.fetched) == ([], 0)


async def test_forget_button(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str, told: list[State]
) -> None:
    """Forgetting takes the person's name and visits from everywhere, and nobody is named afterwards."""
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    await hass.services.async_call("button", "press", {"entity_id": "button.eileen_forget"}, blocking=True)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert hub.people == {}
    assert hass.states.get("sensor.eileen_consent") is None
    assert hass.states.get("sensor.front_door_last_visitor").state == "unknown"
    assert "person_name" not in hass.states.get(VISITOR).attributes
    stored = await hass.async_add_executor_job(hub.vault.stored)
    assert (stored.people, stored.visits, stored.pictures, stored.templates) == (0, 0, 0, 0)
    assert "Eileen" not in str([state.as_dict() for state in hass.states.async_all()])


async def test_restart(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry, eileen: str
) -> None:
    """After a restart the people are recognised as before, and the last visits are shown again."""
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    event = hass.states.get(VISITOR)
    await start_again(hass, entry)
    assert hass.states.get("sensor.front_door_last_visitor").state == "Eileen"
    assert hass.states.get("sensor.eileen_last_seen_where").state == "Front door"
    assert hass.states.get("binary_sensor.eileen_present").state == "on"
    assert hass.states.get("sensor.familiar_faces_visits_today").state == "1"
    assert hass.states.get(VISITOR).state == event.state
    assert hass.states.get(VISITOR).attributes["person_name"] == "Eileen"


async def test_one_bad_frame_does_not_end_the_look(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str, told: list[State]
) -> None:
    """A cut-off frame or a camera that needs a moment to wake up costs a frame, not the visitor."""
    good = visits(astronaut())
    front_door.frames = [good[0][:5000], *good]

    async def asleep() -> None:
        front_door.before = None
        raise HomeAssistantError("still asleep")

    front_door.before = asleep
    await ring(hass, hub)
    assert [state.attributes["event_type"] for state in told] == ["familiar"]


async def test_switched_off_during_a_look(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str, told: list[State]
) -> None:
    """Anyone who is at the door when recognition is switched off is no longer told of."""
    front_door.frames = visits(astronaut())

    async def switch_off() -> None:
        front_door.before = None
        await hub.settings.async_switch_recognition(False, EVERYWHERE)

    front_door.before = switch_off
    await ring(hass, hub)
    assert told == []


async def test_forgotten_during_a_look(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str, told: list[State]
) -> None:
    """Anyone who is forgotten while they stand at the door is nobody known."""
    front_door.frames = visits(astronaut())

    async def forget() -> None:
        front_door.before = None
        await hub.forgetting.async_forget(eileen)

    front_door.before = forget
    await ring(hass, hub)
    assert "familiar" not in [state.attributes["event_type"] for state in told]
    stored = await hass.async_add_executor_job(hub.vault.stored)
    assert (stored.people, stored.visits) == (0, 0)


async def test_a_visit_that_goes_on(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str, told: list[State]
) -> None:
    """Somebody who stays is there as long as they stay, and is told of once."""
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    seen = hass.states.get("sensor.eileen_last_seen_when").state
    with later(minutes=0.4):
        await ring(hass, hub)
    with later(minutes=0.6):
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
        # 30 seconds after the first look, but not after the second.
        assert hass.states.get("binary_sensor.front_door_familiar_person").state == "on"
    assert hass.states.get("sensor.eileen_last_seen_when").state > seen
    assert len(told) == 1


async def test_camera_that_is_watched_all_the_time(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    front_door: FrontDoor,
    eileen: str,
    told: list[State],
) -> None:
    """Without any ring somebody is noticed and told of once; a still that is repeated tells of nobody."""
    ((subentry_id, _),) = hub.watchers.items()
    front_door.frames, front_door.stuck = visits(stranger(0), number=1), True
    subentry = entry.subentries[subentry_id]
    hass.config_entries.async_update_subentry(
        entry, subentry, data={**subentry.data, "mode": "always", "triggers": []}
    )
    await hass.async_block_till_done()
    async with asyncio.timeout(60):
        while front_door.fetched < 20:
            await asyncio.sleep(0.1)
    assert told == []
    front_door.frames, front_door.stuck = visits(astronaut()), False
    async with asyncio.timeout(60):
        # The look that goes on may see them in its last moment only, which is not enough for a name.
        while not told or told[-1].attributes["event_type"] != "familiar":
            await asyncio.sleep(0.1)
    assert told[-1].attributes["person_name"] == "Eileen"
    assert len({state.attributes["visit_id"] for state in told}) == 1
    # Then the camera gives its last picture for ever: nobody stays because of that.
    front_door.frames, front_door.stuck = front_door.frames[:1], True
    seen = []
    for fetched in (5, 20):
        async with asyncio.timeout(60):
            until = front_door.fetched + fetched
            while front_door.fetched < until:
                await asyncio.sleep(0.1)
        seen.append(hass.states.get("sensor.eileen_last_seen_when").state)
    assert seen[0] == seen[1]


async def test_stranger_is_still_the_last_visitor_after_a_restart(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry, eileen: str
) -> None:
    """A familiar visit from before is not shown as the last one, and the day's count goes on."""
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    front_door.frames = visits(stranger(0))
    await ring(hass, hub)
    assert hass.states.get("sensor.familiar_faces_visits_today").state == "2"
    await start_again(hass, entry)
    assert hass.states.get("sensor.front_door_last_visitor").state == "stranger"
    assert hass.states.get("sensor.familiar_faces_visits_today").state == "2"


async def test_nothing_of_a_stranger_stays_when_the_camera_is_removed(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor, eileen: str
) -> None:
    """What was in memory for the visit goes with the camera."""
    front_door.frames = visits(stranger(0))
    await ring(hass, hub)
    assert len(hub.open_visits.visits) == 1
    ((subentry_id, _),) = hub.watchers.items()
    hass.config_entries.async_remove_subentry(entry, subentry_id)
    await hass.async_block_till_done()
    assert len(hub.open_visits.visits) == 0


async def test_renaming_a_person(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor, eileen: str
) -> None:
    """A new name is shown everywhere at once."""
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    await hass.async_add_executor_job(hub.vault.update_person, eileen, "Colonel Collins", None)
    (subentry,) = entry.get_subentries_of_type("person")
    data = {**subentry.data, "name": "Colonel Collins"}
    hass.config_entries.async_update_subentry(entry, subentry, data=data, title="Colonel Collins")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert hass.states.get("sensor.front_door_last_visitor").state == "Colonel Collins"
    assert hass.states.get(VISITOR).attributes["person_name"] == "Colonel Collins"
    assert hass.states.get("sensor.eileen_consent").name == "Colonel Collins Consent"


@pytest.mark.parametrize("failure", ["none", "error", "slow", "not an image", "cut off", "huge"])
async def test_camera_that_fails(
    hass: HomeAssistant,
    hub: Hub,
    front_door: FrontDoor,
    eileen: str,
    told: list[State],
    failure: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A camera that gives nothing usable is said so once in the log, and the next ring works again."""
    # A look gives up after eight seconds; the test need not wait for that.
    look_for(hub, 1.5)
    good = visits(astronaut())
    match failure:
        case "none":
            front_door.frames = []
        case "error":

            async def broken() -> None:
                raise HomeAssistantError("camera is on fire")

            front_door.before = broken
        case "slow":

            async def slow() -> None:
                await asyncio.sleep(30)

            front_door.before = slow
        case "not an image":
            front_door.frames = [b"<html>please log in</html>"]
        case "cut off":
            front_door.frames = [good[0][:5000]]
        case "huge":
            front_door.frames = [huge_png()]
    await ring(hass, hub)
    await ring(hass, hub)
    assert told == []
    assert caplog.text.count("A look at camera.front_door failed") == 1
    front_door.frames, front_door.before = good, None
    await ring(hass, hub)
    assert [state.attributes["event_type"] for state in told] == ["familiar"]
    assert "Looking at camera.front_door works again" in caplog.text


async def test_camera_that_was_removed(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str, told: list[State]
) -> None:
    """A removed camera is a repair issue, and a ring at it does no harm."""
    ((subentry_id, _),) = hub.watchers.items()
    er.async_get(hass).async_remove("camera.front_door")
    await hass.async_block_till_done()
    issue = f"entity_missing_{subentry_id}_camera.front_door"
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue) is not None
    await ring(hass, hub)
    assert told == []
    assert hub.can_recognise()


async def test_full_disk_during_a_visit(
    hass: HomeAssistant,
    hub: Hub,
    front_door: FrontDoor,
    eileen: str,
    told: list[State],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A visit that cannot be kept is announced anyway, and the log says so."""

    def full(*args: object, took_ms: float | None) -> None:
        raise VaultUnwritable("database or disk is full")

    front_door.frames = visits(astronaut())
    with monkeypatch.context() as patched:
        patched.setattr(hub.vault, "add_visit", full)
        await ring(hass, hub)
    assert [state.attributes["event_type"] for state in told] == ["familiar"]
    assert "could not be kept" in caplog.text
    assert set(hub.people) == {eileen}


def signal_engine(hub: Hub, number: signal.Signals) -> None:
    """Send a signal to the hub's engine."""
    assert isinstance(hub.engine, EngineProcess)
    socket_folder = str(hub.engine._folder)
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            command = path.read_text()
            if "engine/__main__.py" in command and socket_folder in command:
                os.kill(int(path.parent.name), number)


@pytest.mark.own_engine
async def test_engine_killed_in_mid_look(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str, told: list[State]
) -> None:
    """A killed engine comes back by itself; until then the entities that need it are unavailable."""
    front_door.frames = visits(astronaut())

    async def kill() -> None:
        front_door.before = None
        signal_engine(hub, signal.SIGKILL)

    front_door.before = kill
    seen: list[str] = []
    async_track_state_change_event(hass, VISITOR, lambda event: seen.append(event.data["new_state"].state))
    await ring(hass, hub)
    # The visitor is still at the door when the engine is back, and is named in the same look.
    assert "unavailable" in seen
    assert [state.attributes["event_type"] for state in told] == ["familiar"]


@pytest.mark.own_engine
async def test_ring_while_the_engine_is_away(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str, told: list[State]
) -> None:
    """Who rings in the moment in which the engine is started again is named once it is back."""
    front_door.frames = visits(astronaut())
    signal_engine(hub, signal.SIGKILL)
    while hub.engine.status is EngineStatus.READY:
        await asyncio.sleep(0.01)
    await ring(hass, hub)
    assert [state.attributes["event_type"] for state in told] == ["familiar"]


@pytest.mark.own_engine
async def test_engine_that_hangs(
    hass: HomeAssistant,
    hub: Hub,
    front_door: FrontDoor,
    eileen: str,
    told: list[State],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An engine that hangs ends a look in time, is replaced, and the next ring is answered."""
    monkeypatch.setattr(look_taking, "ENGINE_SECONDS", 1.0)
    front_door.frames = visits(astronaut(), number=2)
    signal_engine(hub, signal.SIGSTOP)
    try:
        await ring(hass, hub)
        assert told == []
        hub.engine.report_timeout()
        for _ in range(200):
            await asyncio.sleep(0.1)
            if hub.engine.status is not EngineStatus.READY:
                break
        assert await hub.engine.wait_ready(30)
    finally:
        signal_engine(hub, signal.SIGCONT)
    await hass.async_block_till_done(wait_background_tasks=True)
    await ring(hass, hub)
    assert [state.attributes["event_type"] for state in told] == ["familiar"]


async def test_nobody_who_was_forgotten_is_announced_when_the_engine_is_back(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor
) -> None:
    person_id = await enrol(hass, entry, enrolment_photos())
    other_id = await enrol(hass, entry, [jpeg(stranger(0))], name="Ben")
    now = dt_util.utcnow()
    with patch.object(type(hub.engine), "status", EngineStatus.UNAVAILABLE):
        for known, name in ((person_id, "Eileen"), (other_id, "Ben")):
            visit = Visit(
                f"v-{name}", next(iter(hub.watchers)), Decision.FAMILIAR, now, now, 3, known, name, 0.99
            )
            async_dispatcher_send(hass, SIGNAL_VISIT.format(entry.entry_id), visit, Timing(1, 1, 1))
        await hass.async_block_till_done()
        await hub.forgetting.async_forget(person_id)
        # Whose consent ends meanwhile is not announced either.
        await hass.async_add_executor_job(hub.vault.withdraw_consent, other_id, now)
        await hub.async_refresh_people()
        await hass.async_block_till_done()
    hub.async_changed()
    await hass.async_block_till_done()

    state = hass.states.get(VISITOR)
    assert state.state == "unknown"
    assert "person_name" not in state.attributes
