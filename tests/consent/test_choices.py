"""What was not agreed to does not happen: where, what is kept, and pictures. The vault and the recorder are looked at."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
import sqlite3
import threading
from typing import Any

from homeassistant.components.recorder.core import Recorder
from homeassistant.components.recorder.tasks import RecorderTask
from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, State, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.helpers.json import json_dumps
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.consent.record import build_consent
from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.erasing import purging
from custom_components.familiar_faces.erasing.home_traces import async_entity_ids
from custom_components.familiar_faces.household.signals import SIGNAL_VISIT
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Choices, Keeping
from custom_components.familiar_faces.people.person import ConsentMethod

from ..common.home import DATABASE, Home, MakeRecorder, home
from ..common.people_on_record import DAY, a_consent, now, put_on_record
from ..common.pictures import astronaut, enrolment_photos, photos_of, stranger
from ..common.restoring import stored_states
from ..common.steps import VISITOR, configure, enrol, later, ring, state_of, visits
from ..conftest import CAMERA, DOORBELL, FrontDoor, a_door, an_entry, put_up, set_up

pytestmark = pytest.mark.usefixtures("entity_registry_enabled_by_default")

BACK_BELL = "input_button.back"
NOTHING = Choices(keeping=Keeping.NOTHING)
SILENT = Choices(keeping=Keeping.SILENT)
NO_PICTURES = Choices(pictures=False)
PICTURES = {"image.front_door_last_familiar_visitor", "image.eileen_last_picture"}


@pytest.fixture
def told(hass: HomeAssistant) -> list[State]:
    """Return every state of any entity of this integration, as they come."""
    states: list[State] = []

    @callback
    def changed(event: Event[EventStateChangedData]) -> None:
        if (new := event.data["new_state"]) is not None:
            states.append(new)

    hass.bus.async_listen("state_changed", changed)
    return states


async def agree(hass: HomeAssistant, hub: Hub, person_id: str, choices: Choices) -> None:
    """Have somebody agree to this from now on."""
    name = hub.people[person_id].name
    consent = build_consent(
        hub,
        name=name,
        child=False,
        given_by=name,
        method=ConsentMethod.IN_PERSON,
        choices=choices,
        text="They said yes.",
        language="en",
    )
    await hass.async_add_executor_job(hub.vault.record_consent, person_id, consent)
    await hub.async_refresh_people()
    await hass.async_block_till_done(wait_background_tasks=True)


def restorable(hass: HomeAssistant) -> str:
    """Return what Home Assistant would write down now to restore it."""
    return json_dumps([each.as_dict() for each in stored_states(hass)])


def seen_at(hub: Hub) -> list[object]:
    """Return when each person was last seen, by the vault's own column."""
    with hub.vault._database.read() as connection:
        return [at for (at,) in connection.execute("SELECT seen_at FROM person").fetchall()]


async def kept(hass: HomeAssistant, hub: Hub) -> tuple[int, int, bool]:
    """Return how many visits and pictures the vault holds, and whether it knows when anybody was seen."""
    stored = await hass.async_add_executor_job(hub.vault.stored)
    moments = await hass.async_add_executor_job(seen_at, hub)
    return stored.visits, stored.pictures, any(moments)


# Keep nothing


async def test_nothing_is_kept_of_who_wants_that(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str, told: list[State]
) -> None:
    """They are named while they are here; afterwards nothing tells that they were."""
    await agree(hass, hub, eileen, NOTHING)
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    await ring(hass, hub)
    event = hass.states.get(VISITOR)
    assert (event.attributes["event_type"], event.attributes["person_name"]) == ("familiar", "Eileen")
    assert state_of(hass, "binary_sensor.eileen_present") == "on"
    assert state_of(hass, "binary_sensor.front_door_familiar_person") == "on"
    assert state_of(hass, "sensor.familiar_faces_visits_today") == "1"
    assert dt_util.parse_datetime(state_of(hass, "event.eileen_seen"))

    assert await kept(hass, hub) == (0, 0, False)
    # Not for a moment: the recorder writes down every state.
    silent = {
        "sensor.front_door_last_visitor",
        "sensor.eileen_last_seen_where",
        "sensor.eileen_last_seen_when",
        *PICTURES,
    }
    assert {each.state for each in told if each.entity_id in silent} == set()
    assert {state_of(hass, entity_id) for entity_id in silent} == {"unknown"}
    stored = restorable(hass)
    assert "input_button.doorbell" in stored
    assert '"person_name"' not in stored
    assert '"state":"Eileen"' not in stored
    assert event.attributes["visit_id"] not in stored
    assert event.state not in stored


async def test_nothing_comes_back_after_a_restart(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str, entry: MockConfigEntry
) -> None:
    """What was live before the restart is gone with it."""
    await agree(hass, hub, eileen, NOTHING)
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    assert '"person_name"' not in restorable(hass)
    assert "event.eileen_seen" not in restorable(hass)
    assert VISITOR not in restorable(hass)
    hub = await set_up(hass, entry)
    assert state_of(hass, VISITOR) == state_of(hass, "event.eileen_seen") == "unknown"
    assert state_of(hass, "binary_sensor.eileen_present") == "off"


async def test_less_than_before(hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str) -> None:
    """Anyone who agrees to less has what was kept erased, and taken from what is shown, at once."""
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    assert await kept(hass, hub) == (1, 1, True)
    assert state_of(hass, "sensor.front_door_last_visitor") == "Eileen"
    assert state_of(hass, "image.eileen_last_picture") != "unknown"
    assert '"person_name":"Eileen"' in restorable(hass)
    assert '"state":"Eileen"' in restorable(hass)
    await agree(hass, hub, eileen, NO_PICTURES)
    assert await kept(hass, hub) == (1, 0, True)
    assert (
        state_of(hass, "image.eileen_last_picture")
        == state_of(hass, "image.front_door_last_familiar_visitor")
        == "unknown"
    )
    assert state_of(hass, "sensor.front_door_last_visitor") == "Eileen"
    await agree(hass, hub, eileen, NOTHING)
    assert await kept(hass, hub) == (0, 0, False)
    assert state_of(hass, "sensor.front_door_last_visitor") == "unknown"
    assert (
        state_of(hass, "sensor.eileen_last_seen_where")
        == state_of(hass, "sensor.eileen_last_seen_when")
        == "unknown"
    )
    assert state_of(hass, "binary_sensor.eileen_present") == "off"
    assert state_of(hass, "event.eileen_seen") == "unknown"
    assert hass.states.get("event.eileen_seen").attributes["event_type"] is None
    assert "person_name" not in hass.states.get(VISITOR).attributes
    shown = restorable(hass)
    # Whether alerts may speak of them is kept, and no moment.
    assert "event.eileen_seen" not in shown
    assert '"state":"Eileen"' not in shown
    assert '"person_name"' not in shown


async def test_visits_that_are_switched_off(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str, entry: MockConfigEntry
) -> None:
    """A period of zero keeps nothing of anybody, not even until the next purge."""
    hass.config_entries.async_update_entry(entry, options={"visit_days": 0, "picture_days": 0})
    await hass.async_block_till_done(wait_background_tasks=True)
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    assert hass.states.get(VISITOR).attributes["person_name"] == "Eileen"
    assert await kept(hass, hub) == (0, 0, False)
    assert state_of(hass, "sensor.front_door_last_visitor") == "unknown"


async def test_no_longer_than_the_visit_is_kept(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str
) -> None:
    """When a visit is past its time, its name is in no state."""
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    with later(until=dt_util.utcnow() + timedelta(days=30, minutes=1)):
        await hub.purging.async_purge()
        await hass.async_block_till_done(wait_background_tasks=True)
        assert await kept(hass, hub) == (0, 0, True)
        assert state_of(hass, "sensor.front_door_last_visitor") == "unknown"
        assert (
            state_of(hass, "sensor.eileen_last_seen_where")
            == state_of(hass, "sensor.eileen_last_seen_when")
            == "unknown"
        )
        assert "person_name" not in hass.states.get(VISITOR).attributes
        assert state_of(hass, "event.eileen_seen") == "unknown"
        assert "event.eileen_seen" not in restorable(hass)


async def test_no_longer_than_the_picture_is_kept(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str, entry: MockConfigEntry
) -> None:
    """When a picture is past its time, no image says from when it was; nor after a restart."""
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    assert "unknown" not in {state_of(hass, entity_id) for entity_id in PICTURES}
    with later(until=dt_util.utcnow() + timedelta(days=7, minutes=1)):
        await hub.purging.async_purge()
        await hass.async_block_till_done(wait_background_tasks=True)
        assert await kept(hass, hub) == (1, 0, True)
        assert {state_of(hass, entity_id) for entity_id in PICTURES} == {"unknown"}
        assert await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
        assert {state_of(hass, entity_id) for entity_id in PICTURES} == {"unknown"}


async def test_less_than_before_however_it_comes_to_be_known(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str
) -> None:
    """The people are read again for many reasons; each of them takes away what is no longer agreed to."""
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    consent = replace(hub.people[eileen].consents[-1], consent_id="narrower", choices=SILENT)
    await hass.async_add_executor_job(hub.vault.record_consent, eileen, consent)
    await hub.roster.async_refresh()
    assert hub.open_visits.visits == ()
    assert "person_name" not in hass.states.get(VISITOR).attributes
    assert (
        state_of(hass, "sensor.front_door_last_visitor") == state_of(hass, "event.eileen_seen") == "unknown"
    )


# Pictures


async def test_no_picture_without_a_yes(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str, told: list[State]
) -> None:
    """The visit is kept and its picture is not, and no image shows one."""
    await agree(hass, hub, eileen, NO_PICTURES)
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    assert await kept(hass, hub) == (1, 0, True)
    assert state_of(hass, "sensor.front_door_last_visitor") == "Eileen"
    assert {each.state for each in told if each.entity_id in PICTURES} == set()
    assert {state_of(hass, entity_id) for entity_id in PICTURES} == {"unknown"}


async def test_a_visit_carries_no_picture_without_a_yes(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str
) -> None:
    """Anyone who is told of the visit, as an alert is, gets no picture with it."""
    told: list[bytes | None] = []
    async_dispatcher_connect(
        hass, SIGNAL_VISIT.format(hub.entry.entry_id), lambda visit, timing: told.append(visit.portrait)
    )
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    await agree(hass, hub, eileen, NO_PICTURES)
    with later(minutes=5):
        await ring(hass, hub)
    assert [each is None for each in told] == [False, True]


# Silent


async def test_silence(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str, told: list[State]
) -> None:
    """They come, and not one state of any entity changes."""
    await agree(hass, hub, eileen, SILENT)
    front_door.frames = visits(astronaut())
    before = {each.entity_id: each for each in hass.states.async_all()}
    told.clear()
    await ring(hass, hub)
    await ring(hass, hub)
    assert front_door.fetched > 0
    changed = {each.entity_id for each in told} - {
        # That the bell rang: as with anybody, or nobody, at the door.
        DOORBELL,
    }
    assert changed == set()
    assert {each.entity_id for each in hass.states.async_all()} == before.keys()
    assert hub.visits_today == 0
    (watcher,) = hub.watchers.values()
    assert (watcher.time_to_name, watcher.fitness.faces) == (None, 0)
    assert await kept(hass, hub) == (0, 0, False)
    answer: Any = await hass.services.async_call(
        DOMAIN, "identify", {"camera": CAMERA}, blocking=True, return_response=True
    )
    # Not even that somebody is there who is known.
    assert answer["faces"] == []
    with pytest.raises(ServiceValidationError) as refused:
        await hass.services.async_call(
            DOMAIN, "identify", {"camera": CAMERA, "person": "Eileen"}, blocking=True, return_response=True
        )
    assert refused.value.translation_key == "no_consent"
    # Nor by what is read again while they are there.
    assert hub.open_visits.of_person(eileen) is not None
    await hub.board.async_read()
    assert hub.board.present_until(eileen) is None
    assert state_of(hass, "binary_sensor.eileen_present") == "off"


# Cameras


@pytest.fixture
def entry_of_two(hass: HomeAssistant, config_folder: Path) -> MockConfigEntry:
    """Return an entry with two doors, each with its bell; both cameras show the same."""
    entry = an_entry(a_door(), a_door("camera.back_door", "Back door", BACK_BELL))
    entry.add_to_hass(hass)
    return entry


async def ring_at(hass: HomeAssistant, hub: Hub, bell: str, camera_id: str) -> None:
    """Press a doorbell and wait until the look is over."""
    await hass.services.async_call("input_button", "press", {"entity_id": bell}, blocking=True)
    await hass.async_block_till_done()
    watching = hub.watchers[camera_id]
    assert watching._looking is not None
    await asyncio.wait_for(watching._looking, 60)
    await hass.async_block_till_done()


async def test_a_camera_that_was_not_agreed_to_never_names_them(
    hass: HomeAssistant, real_engine: None, entry_of_two: MockConfigEntry
) -> None:
    """At one door they have a name; at the other they are a stranger, and nothing of that is kept."""
    entry = entry_of_two
    front, back = FrontDoor(), FrontDoor("Back door")
    await put_up(hass, [front, back], ["doorbell", "back"])
    hub = await set_up(hass, entry)
    cameras = {each.title: each.subentry_id for each in entry.subentries.values()}
    eileen = await enrol(hass, entry, enrolment_photos())
    await agree(hass, hub, eileen, Choices(frozenset({cameras["Front door"]})))
    front.frames = back.frames = visits(astronaut())

    # Nobody agreed to that camera, so it is not even looked at.
    assert not hub.can_recognise(cameras["Back door"])
    # Somebody else did.
    other = await enrol(hass, entry, photos_of(stranger(0)), name="Otto")
    assert hub.people[other].choices.cameras is None
    assert hub.can_recognise(cameras["Back door"])

    await ring_at(hass, hub, BACK_BELL, cameras["Back door"])
    told = hass.states.get("event.back_door_visitor")
    assert told.attributes["event_type"] == "stranger"
    assert "Eileen" not in str(told.attributes)
    assert await kept(hass, hub) == (0, 0, False)
    assert state_of(hass, "event.eileen_seen") == "unknown"
    assert state_of(hass, "binary_sensor.eileen_present") == "off"
    answer = await hass.services.async_call(
        DOMAIN, "identify", {"camera": "camera.back_door"}, blocking=True, return_response=True
    )
    assert "Eileen" not in str(answer)
    with pytest.raises(ServiceValidationError) as refused:
        await hass.services.async_call(
            DOMAIN,
            "identify",
            {"camera": "camera.back_door", "person": "Eileen"},
            blocking=True,
            return_response=True,
        )
    assert refused.value.translation_key == "no_consent"

    await ring_at(hass, hub, DOORBELL, cameras["Front door"])
    assert hass.states.get(VISITOR).attributes["person_name"] == "Eileen"
    assert await kept(hass, hub) == (1, 1, True)
    assert await hass.config_entries.async_unload(entry.entry_id)


# The recorder


def recorded(folder: Path, entity_ids: frozenset[str]) -> list[tuple[str, str]]:
    """Return what the recorder's database holds of entities: their ids and states, oldest first."""
    with sqlite3.connect(folder / DATABASE) as connection:
        rows = connection.execute(
            "SELECT states_meta.entity_id, state FROM states JOIN states_meta USING (metadata_id) ORDER BY state_id"
        ).fetchall()
    return [(entity_id, found) for entity_id, found in rows if entity_id in entity_ids]


async def purge(running: Home) -> None:
    """Purge, and wait until the recorder has done its part."""
    await running.hub.purging.async_purge()
    await running.settle()


async def test_the_recorder_keeps_nothing_either(
    tmp_path: Path, make_recorder: MakeRecorder, real_engine: None
) -> None:
    """After a purge the database knows no moment and no name of people with nothing kept; others' stay."""
    entry = an_entry()
    last_visitor = frozenset({"sensor.front_door_last_visitor"})
    async with home(tmp_path / "config", make_recorder, entry) as running:
        hass, hub = running.hass, running.hub
        eileen = await enrol(hass, entry, enrolment_photos())
        own = async_entity_ids(hass, [eileen])
        running.front_door.frames = visits(astronaut())
        await ring(hass, hub)
        await purge(running)
        # What is agreed to stays.
        assert ("sensor.front_door_last_visitor", "Eileen") in recorded(running.folder, last_visitor)
        assert ("sensor.eileen_last_seen_where", "Front door") in recorded(running.folder, own)

        await agree(hass, hub, eileen, NOTHING)
        await purge(running)
        assert recorded(running.folder, own) == []
        assert "Eileen" not in [name for _, name in recorded(running.folder, last_visitor)]

        # Nor of a later visit.
        with later(minutes=5):
            await ring(hass, hub)
            await running.settle()
            assert recorded(running.folder, own) != []
            await purge(running)
        assert recorded(running.folder, own) == []
        assert "Eileen" not in [name for _, name in recorded(running.folder, last_visitor)]


async def test_the_recorder_keeps_it_no_longer_than_was_agreed(
    tmp_path: Path, make_recorder: MakeRecorder, real_engine: None
) -> None:
    """A longer period that the owner set later counts for those only who agreed to it."""
    async with home(tmp_path / "config", make_recorder, an_entry()) as running:
        hass, hub = running.hass, running.hub
        began = now()
        for name, agreed in (("Nadie", 7 * DAY), ("Otto", 30 * DAY)):
            consent = replace(a_consent(began, began + 100 * DAY), visits_for=agreed)
            await put_on_record(hass, hub, consent, name.lower(), name)
        watched = {
            "sensor.nadie_last_seen_where",
            "sensor.otto_last_seen_where",
            "sensor.front_door_last_visitor",
        }
        for days in (10, 5):
            moment = (began - days * DAY).timestamp()
            for entity_id in watched:
                # What names visitors may hold none but the names of those whose visits are kept.
                named = {10: "Otto", 5: "Nadie"} if entity_id.endswith("_last_visitor") else {}
                hass.states.async_set(entity_id, named.get(days, f"{days} days ago"), timestamp=moment)
        await running.settle()
        await purge(running)
        left = recorded(running.folder, frozenset(watched))
        old = [each for each, said in left if said in ("10 days ago", "Otto")]
        new = [each for each, said in left if said in ("5 days ago", "Nadie")]
        assert old == ["sensor.otto_last_seen_where"]
        assert set(new) == watched


async def test_a_recorder_that_stands_still_does_not_stop_the_purge(
    tmp_path: Path,
    make_recorder: MakeRecorder,
    real_engine: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the vault keeps is erased in time, whatever the recorder is busy with."""
    monkeypatch.setattr(purging, "PATIENCE", 0.2)
    async with home(tmp_path / "config", make_recorder, an_entry()) as running:
        hass, hub = running.hass, running.hub
        began = now()
        await put_on_record(hass, hub, a_consent(began, began + 100 * DAY, choices=NOTHING))
        assert running.recorder is not None
        go_on = threading.Event()

        @dataclass
        class Stuck(RecorderTask):
            """What takes the recorder very long, such as a migration."""

            def run(self, instance: Recorder) -> None:
                go_on.wait(90)

        try:
            running.recorder.queue_task(Stuck())
            await asyncio.wait_for(hub.purging.async_purge(), 30)
            assert not go_on.is_set()
        finally:
            go_on.set()
        await running.settle()


async def test_state_changes_are_told_once(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str
) -> None:
    """Keeping nothing does not make automations run twice: a visit is one change of the event."""
    await agree(hass, hub, eileen, NOTHING)
    changes: list[State] = []

    @callback
    def changed(event: Event[EventStateChangedData]) -> None:
        if (new := event.data["new_state"]) is not None:
            changes.append(new)

    async_track_state_change_event(hass, VISITOR, changed)
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    await hub.purging.async_purge()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(changes) == 1


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        (Choices(), "Everybody has agreed to this camera too."),
        (Choices(frozenset({"another"})), "Nobody has agreed to this camera yet. Not named here: Nadie."),
        (None, "Not everybody has agreed to this camera yet. Not named here: Nadie."),
    ],
    ids=["all", "none", "some"],
)
async def test_a_later_camera_says_who_did_not_agree(
    hass: HomeAssistant,
    hub: Hub,
    front_door: FrontDoor,
    entry: MockConfigEntry,
    choices: Choices | None,
    said: str,
) -> None:
    """The last step of a new camera names those who get no name there."""
    began = now()
    narrow = choices or Choices(frozenset({"another"}))
    await put_on_record(hass, hub, a_consent(began, began + 100 * DAY, choices=narrow))
    if choices is None:
        await put_on_record(hass, hub, a_consent(began, began + 100 * DAY), "otto", "Otto")
    result = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "camera"), context={"source": SOURCE_USER}
    )
    hass.states.async_set("camera.garden", "idle")
    camera = {"camera": "camera.garden", "mode": "on_ring", "public_space": False}
    result = await configure(hass, dict(result), camera)
    result = await configure(hass, result, {"triggers": [DOORBELL]})
    assert result["description_placeholders"]["agreed"].startswith(said)
