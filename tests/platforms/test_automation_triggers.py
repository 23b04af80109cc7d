"""The triggers, in real automations."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.trace.const import DATA_TRACE
from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er
from homeassistant.helpers.dispatcher import DATA_DISPATCHER, async_dispatcher_send
from homeassistant.helpers.json import json_dumps
from homeassistant.helpers.trigger import async_validate_trigger_config
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
import voluptuous as vol

from custom_components.familiar_faces.household.signals import SIGNAL_CORRECTED
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Keeping
from custom_components.familiar_faces.vault.records import Corrected
from custom_components.familiar_faces.visits.visit import Decision, UnclearReason, Visit

from ..common.automations import a_visit, automate, device_of, somebody
from ..common.made_up_visits import announce, go_on
from ..common.pictures import astronaut, enrolment_photos, stranger
from ..common.steps import enrol, later, ring, visits
from ..conftest import CAMERA, FrontDoor, an_entry, set_up, start_again

FAMILIAR = "familiar_faces.familiar_person_seen"
STRANGER = "familiar_faces.stranger_seen"
UNCLEAR = "familiar_faces.unclear_seen"
TRIGGERS = {FAMILIAR: Decision.FAMILIAR, STRANGER: Decision.STRANGER, UNCLEAR: Decision.UNCLEAR}
SECOND = timedelta(seconds=1)


# With the real engine


async def test_who_rings(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry
) -> None:
    """Anyone who rings sets off the automation for their kind, once, and it can say who and where it was."""
    hass.states.async_set("person.eileen", "home")
    eileen = await enrol(hass, entry, enrolment_photos(), linked_entity="person.eileen")
    ran = {trigger: await automate(hass, {"trigger": trigger}) for trigger in TRIGGERS}
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    with later(minutes=0.2):
        await ring(hass, hub)
    assert {key: len(value) for key, value in ran.items()} == {FAMILIAR: 1, STRANGER: 0, UNCLEAR: 0}
    (told,) = ran[FAMILIAR].calls
    event = hass.states.get("event.front_door_visitor")
    assert event is not None
    assert told["confidence"] == event.attributes["confidence"] > 0.9
    camera_id = next(iter(hub.watchers))
    assert {key: told[key] for key in told.keys() - {"confidence", "started_at", "last_seen_at"}} == {
        "platform": FAMILIAR,
        "entity_id": "event.front_door_visitor",
        "visit_id": event.attributes["visit_id"],
        "decision": "familiar",
        "reason": None,
        "person_id": eileen,
        "person_name": "Eileen",
        "person_device_id": device_of(hass, eileen),
        "person_entity_id": "person.eileen",
        "camera_id": camera_id,
        "camera_name": "Front door",
        "camera_device_id": device_of(hass, camera_id),
        "camera_entity_id": CAMERA,
        "for": None,
        "description": "state of event.front_door_visitor",
    }
    assert datetime.fromisoformat(told["started_at"]) <= datetime.fromisoformat(told["last_seen_at"])
    with later(minutes=10):
        front_door.frames = visits(stranger())
        await ring(hass, hub)
    assert {key: len(value) for key, value in ran.items()} == {FAMILIAR: 1, STRANGER: 1, UNCLEAR: 0}
    assert ran[STRANGER].said("person_id") == ran[STRANGER].said("confidence") == [None]


async def test_what_automations_read(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry
) -> None:
    """By the time an automation runs, the entities show the visit that set it off."""
    same = "{{ state_attr(trigger.entity_id, 'visit_id') == trigger.visit_id }}"
    here = "{{ is_state('binary_sensor.eileen_present', 'on') }}"
    ran = await automate(
        hass,
        {"trigger": FAMILIAR},
        conditions=[
            {"condition": "template", "value_template": same},
            {"condition": "template", "value_template": here},
        ],
    )
    # Her entities are there after the automation, and are told of visits after it.
    await enrol(hass, entry, enrolment_photos())
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    assert len(ran) == 1


# What is chosen


async def test_people(hass: HomeAssistant, hub: Hub, anna: str, ben: str) -> None:
    """Only the people who were chosen count, and nobody is chosen by an empty list."""
    annas = await automate(hass, {"trigger": FAMILIAR, "options": {"person": anna}})
    both = await automate(hass, {"trigger": FAMILIAR, "options": {"person": [anna, ben]}})
    everybody = await automate(hass, {"trigger": FAMILIAR, "options": {"person": [], "camera": []}})
    await announce(hass, hub, *(a_visit(hub, each) for each in ("anna", "ben")))
    assert annas.said("person_name") == ["Anna"]
    assert both.said("person_id") == everybody.said("person_id") == ["anna", "ben"]


async def test_renamed(hass: HomeAssistant, hub: Hub, anna: str) -> None:
    """A choice outlives another name, which is then the one that is said."""
    ran = await automate(hass, {"trigger": FAMILIAR, "options": {"person": [anna]}})
    await hass.async_add_executor_job(hub.vault.update_person, "anna", "Anna-Maria", None)
    await hub.async_refresh_people()
    await announce(hass, hub, a_visit(hub, "anna"))
    assert ran.said("person_name") == ["Anna-Maria"]


async def test_forgotten_is_nobody(hass: HomeAssistant, hub: Hub, anna: str, ben: str) -> None:
    """Anyone who waits for somebody who is forgotten does not wait for everybody then, and goes on for the others."""
    annas = await automate(hass, {"trigger": FAMILIAR, "options": {"person": [anna]}})
    both = await automate(hass, {"trigger": FAMILIAR, "options": {"person": [anna, ben]}})
    targeted = await automate(hass, {"trigger": FAMILIAR, "target": {"device_id": [anna]}})
    await hub.forgetting.async_forget("anna")
    await hass.async_block_till_done(wait_background_tasks=True)
    again = await automate(hass, {"trigger": FAMILIAR, "options": {"person": [anna]}})
    await announce(hass, hub, *(a_visit(hub, each) for each in ("anna", "ben")))
    assert (len(annas), len(targeted), len(again)) == (0, 0, 0)
    assert both.said("person_id") == ["ben"]


def add_camera(hass: HomeAssistant, hub: Hub) -> ConfigSubentry:
    """Add another camera, and return its subentry."""
    subentry = ConfigSubentry(
        data=MappingProxyType(
            {"camera": "camera.back", "mode": "on_motion", "public_space": False, "triggers": []}
        ),
        subentry_type="camera",
        title="Back door",
        unique_id="back",
    )
    hass.config_entries.async_add_subentry(hub.entry, subentry)
    return subentry


async def test_targets(hass: HomeAssistant, hub: Hub, anna: str, ben: str, front: str) -> None:
    """Cameras and people are targeted by entity, device, area and label; either of the two has to fit."""
    back = add_camera(hass, hub).subentry_id
    await hass.async_block_till_done(wait_background_tasks=True)
    area = ar.async_get(hass).async_create("Garden")
    dr.async_get(hass).async_update_device(device_of(hass, back), area_id=area.id)
    er.async_get(hass).async_update_entity("event.ben_seen", labels={"young"})
    targets: dict[str, dict[str, Any]] = {
        "front": {"entity_id": "event.front_door_visitor"},
        "front device": {"device_id": front},
        "garden": {"area_id": area.id},
        "anna": {"entity_id": ["event.anna_seen"]},
        "ben by label": {"label_id": "young"},
        "anna or back": {"device_id": [anna, device_of(hass, back)]},
        "none": {},
        "another's": {"entity_id": [CAMERA, "event.front_door_visitor_2"]},
        "no event": {"entity_id": "binary_sensor.anna_present"},
        "hub": {"device_id": device_of(hass, hub.entry.entry_id)},
    }
    ran = {
        name: await automate(hass, {"trigger": FAMILIAR, "target": target})
        for name, target in targets.items()
    }
    first = next(iter(hub.watchers))
    for person_id in ("anna", "ben"):
        for camera_id in (first, back):
            await announce(hass, hub, a_visit(hub, person_id, camera_id=camera_id))
    seen = {
        name: list(zip(each.said("person_name"), each.said("camera_name"), strict=True))
        for name, each in ran.items()
    }
    at_front, at_back = (
        [("Anna", "Front door"), ("Ben", "Front door")],
        [("Anna", "Back door"), ("Ben", "Back door")],
    )
    assert seen == {
        "front": at_front,
        "front device": at_front,
        "garden": at_back,
        "anna": [at_front[0], at_back[0]],
        "ben by label": [at_front[1], at_back[1]],
        "anna or back": [at_front[0], at_back[0], at_back[1]],
        "none": [at_front[0], at_back[0], at_front[1], at_back[1]],
        "another's": [],
        "no event": [],
        "hub": [],
    }


async def test_cameras(hass: HomeAssistant, hub: Hub, anna: str, ben: str, front: str) -> None:
    """Target and cameras narrow each other down."""
    back = add_camera(hass, hub).subentry_id
    await hass.async_block_till_done(wait_background_tasks=True)
    ran = await automate(
        hass, {"trigger": FAMILIAR, "target": {"device_id": anna}, "options": {"camera": front}}
    )
    await announce(hass, hub, a_visit(hub, "ben"), a_visit(hub, "anna", camera_id=back))
    assert len(ran) == 0
    await announce(hass, hub, a_visit(hub, "anna"))
    assert ran.said("camera_name") == ["Front door"]


async def test_confidence(hass: HomeAssistant, hub: Hub, anna: str) -> None:
    """A visit sets it off as soon as it is that sure, and never again."""
    ran = await automate(hass, {"trigger": FAMILIAR, "options": {"confidence": 0.9}})
    visit = a_visit(hub, "anna", confidence=0.899)
    await announce(hass, hub, visit)
    assert len(ran) == 0
    for _ in range(3):
        await go_on(hass, hub, replace(visit, confidence=0.9))
    assert ran.said("confidence") == [0.9]


# Once a visit


@pytest.mark.parametrize("first", [Decision.UNCLEAR, Decision.STRANGER])
async def test_turned_out_familiar(hass: HomeAssistant, hub: Hub, anna: str, first: Decision) -> None:
    """A visit that becomes a familiar person's sets off one of each, and those of other kinds nothing more."""
    ran = {trigger: await automate(hass, {"trigger": trigger}) for trigger in TRIGGERS}
    begun = a_visit(hub, decision=first)
    familiar = replace(a_visit(hub, "anna"), visit_id=begun.visit_id)
    await announce(hass, hub, begun)
    await go_on(hass, hub, begun)
    await announce(hass, hub, familiar, familiar)
    await go_on(hass, hub, familiar)
    assert {key: value.said("visit_id") for key, value in ran.items()} == {
        trigger: [begun.visit_id] if decision in (first, Decision.FAMILIAR) else []
        for trigger, decision in TRIGGERS.items()
    }


async def test_reason(hass: HomeAssistant, hub: Hub) -> None:
    """Of somebody unclear it is said why."""
    ran = await automate(hass, {"trigger": UNCLEAR})
    await announce(
        hass, hub, replace(a_visit(hub, decision=Decision.UNCLEAR), reason=UnclearReason.TOO_ALIKE)
    )
    assert ran.said("reason") == ["too_alike"]
    assert ran.said("person_name") == [None]


async def test_begun_before(hass: HomeAssistant, hub: Hub, anna: str) -> None:
    """A visit that began before the automation was set up does not set it off."""
    visit = a_visit(hub, "anna")
    await announce(hass, hub, visit)
    ran = await automate(hass, {"trigger": FAMILIAR})
    await go_on(hass, hub, visit)
    assert len(ran) == 0


# For how long


async def wait(hass: HomeAssistant, freezer: FrozenDateTimeFactory, seconds: float) -> None:
    """Let time pass."""
    freezer.tick(seconds)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()


@pytest.fixture
async def at_once(hass: HomeAssistant, hub: Hub, anna: str, freezer: FrozenDateTimeFactory) -> None:
    """Have time stand still."""


@pytest.mark.usefixtures("at_once")
async def test_for(hass: HomeAssistant, hub: Hub, freezer: FrozenDateTimeFactory) -> None:
    """It is set off once the visit has gone on for that long, and says so."""
    ran = await automate(hass, {"trigger": FAMILIAR, "options": {"for": {"seconds": 70}}})
    visit = a_visit(hub, "anna")
    await announce(hass, hub, visit)
    for _ in range(3):
        await wait(hass, freezer, 20)
        visit = replace(visit, last_seen_at=dt_util.utcnow())
        await go_on(hass, hub, visit)
    await wait(hass, freezer, 9)
    assert len(ran) == 0
    await wait(hass, freezer, 1)
    assert ran.said("for") == ["0:01:10"]
    assert ran.said("last_seen_at") == [str(visit.last_seen_at)]
    await go_on(hass, hub, visit)
    await wait(hass, freezer, 100)
    assert len(ran) == 1


@pytest.mark.usefixtures("at_once")
async def test_left_too_soon(hass: HomeAssistant, hub: Hub, freezer: FrozenDateTimeFactory) -> None:
    """Who has not been seen for 30 seconds has left."""
    ran = await automate(hass, {"trigger": FAMILIAR, "options": {"for": "00:00:40"}})
    visit = a_visit(hub, "anna")
    await announce(hass, hub, visit)
    await wait(hass, freezer, 9)
    await go_on(hass, hub, replace(visit, last_seen_at=dt_util.utcnow()))
    await wait(hass, freezer, 31)
    await wait(hass, freezer, 60)
    assert len(ran) == 0


@pytest.mark.usefixtures("at_once")
async def test_seen_again_late(hass: HomeAssistant, hub: Hub, freezer: FrozenDateTimeFactory) -> None:
    """A visit that goes on after all counts from its beginning."""
    ran = await automate(hass, {"trigger": FAMILIAR, "options": {"for": {"seconds": 31}}})
    visit = a_visit(hub, "anna")
    await announce(hass, hub, visit)
    await wait(hass, freezer, 31)
    assert len(ran) == 0
    await go_on(hass, hub, replace(visit, last_seen_at=visit.started_at + 30 * SECOND))
    assert len(ran) == 1


@pytest.mark.usefixtures("at_once")
async def test_unclear_for_a_moment(hass: HomeAssistant, hub: Hub, freezer: FrozenDateTimeFactory) -> None:
    """Anyone who is recognised in time was never unclear for long enough."""
    options = {"for": {"seconds": 5}}
    ran = {key: await automate(hass, {"trigger": key, "options": options}) for key in TRIGGERS}
    begun = a_visit(hub, decision=Decision.UNCLEAR)
    await announce(hass, hub, begun)
    await wait(hass, freezer, 4)
    await announce(
        hass, hub, replace(a_visit(hub, "anna"), visit_id=begun.visit_id, started_at=begun.started_at)
    )
    assert [len(each) for each in ran.values()] == [0, 0, 0]
    await wait(hass, freezer, 1)
    await wait(hass, freezer, 60)
    assert [len(each) for each in ran.values()] == [1, 0, 0]


type Spoil = Callable[[HomeAssistant, Hub, Visit], Any]


async def forget(hass: HomeAssistant, hub: Hub, visit: Visit) -> None:
    """Forget them."""
    await hub.forgetting.async_forget("anna")


async def withdraw(hass: HomeAssistant, hub: Hub, visit: Visit) -> None:
    """Have them withdraw."""
    await hass.async_add_executor_job(hub.vault.withdraw_consent, "anna", dt_util.utcnow())
    await hub.async_refresh_people()


async def correct(hass: HomeAssistant, hub: Hub, visit: Visit) -> None:
    """Say that it was not them."""
    corrected = Corrected(visit.visit_id, visit.camera_id, "anna", None)
    async_dispatcher_send(hass, SIGNAL_CORRECTED.format(hub.entry.entry_id), corrected)


async def reload(hass: HomeAssistant, hub: Hub, visit: Visit) -> None:
    """Start the integration again."""
    await hass.config_entries.async_reload(hub.entry.entry_id)


async def switch_off(hass: HomeAssistant, hub: Hub, visit: Visit) -> None:
    """Switch the automation off."""
    await hass.services.async_call(
        "automation", "turn_off", {"entity_id": "automation.visitors"}, blocking=True
    )


async def nothing(hass: HomeAssistant, hub: Hub, visit: Visit) -> None:
    """Do nothing."""


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    ("spoil", "times"),
    [(nothing, 1), (forget, 0), (withdraw, 0), (correct, 0), (reload, 0), (switch_off, 0)],
)
async def test_spoilt_meanwhile(
    hass: HomeAssistant, hub: Hub, freezer: FrozenDateTimeFactory, spoil: Spoil, times: int
) -> None:
    """What was no longer so when the time was up is not told of."""
    ran = await automate(hass, {"trigger": FAMILIAR, "options": {"for": {"seconds": 5}}})
    visit = a_visit(hub, "anna")
    await announce(hass, hub, visit)
    await spoil(hass, hub, visit)
    await wait(hass, freezer, 5)
    assert len(ran) == times


# Consent


@pytest.mark.parametrize(("keeping", "times"), [(Keeping.NOTHING, 1), (Keeping.SILENT, 0)])
async def test_silent(hass: HomeAssistant, hub: Hub, keeping: Keeping, times: int) -> None:
    """Of those who stay silent nothing is said; of people with nothing kept it is."""
    await somebody(hass, hub, "dora", keeping=keeping)
    ran = await automate(hass, {"trigger": FAMILIAR})
    await announce(hass, hub, a_visit(hub, "dora"))
    assert len(ran) == times


async def test_not_at_this_camera(hass: HomeAssistant, hub: Hub) -> None:
    """Of those who agreed to other cameras nothing is said."""
    await somebody(hass, hub, "dora", cameras=frozenset({"another"}))
    ran = await automate(hass, {"trigger": FAMILIAR})
    await announce(hass, hub, a_visit(hub, "dora"), a_visit(hub, "nobody"))
    assert len(ran) == 0


async def test_no_name_in_the_logbook(hass: HomeAssistant, hub: Hub, anna: str) -> None:
    """What the recorder and the logbook get of a run names nobody."""
    told: list[dict[str, Any]] = []
    hass.bus.async_listen("automation_triggered", lambda event: told.append(dict(event.data)))
    ran = await automate(hass, {"trigger": FAMILIAR})
    await announce(hass, hub, a_visit(hub, "anna"))
    assert len(ran) == 1
    assert told[0]["source"] == "state of event.front_door_visitor"
    assert "anna" not in str(told).lower()


# Before there is an entry, and while it is away


async def test_before_the_entry(
    hass: HomeAssistant, front_door: FrontDoor, real_engine: None, config_folder: Path
) -> None:
    """Automations may be there before the entry is, and outlive it while it is set up again."""
    ran = await automate(hass, {"trigger": STRANGER})
    entry = an_entry()
    entry.add_to_hass(hass)
    hub = await set_up(hass, entry)
    await enrol(hass, entry, enrolment_photos())
    front_door.frames = visits(stranger())
    await ring(hass, hub)
    assert len(ran) == 1
    hub = await start_again(hass, entry)
    # The entities came back from being unavailable, with what they showed before.
    state = hass.states.get("event.front_door_visitor")
    assert state is not None
    assert state.state != STATE_UNAVAILABLE
    assert len(ran) == 1
    with later(minutes=5):
        await ring(hass, hub)
    assert len(ran) == 2
    await hass.config_entries.async_remove(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED


async def test_without_an_entry(hass: HomeAssistant) -> None:
    """Without an entry nothing is wrong either."""
    await automate(hass, {"trigger": FAMILIAR, "options": {"person": "0" * 32}})
    state = hass.states.get("automation.visitors")
    assert state is not None
    assert state.state == "on"


# Bad input


@pytest.mark.parametrize(
    "config",
    [
        {"trigger": "familiar_faces.nobody_seen"},
        {"trigger": FAMILIAR, "options": {"confidence": 1.01}},
        {"trigger": FAMILIAR, "options": {"confidence": -0.1}},
        {"trigger": FAMILIAR, "options": {"confidence": "much"}},
        {"trigger": FAMILIAR, "options": {"confidence": float("nan")}},
        {"trigger": FAMILIAR, "options": {"person": "Anna"}},
        {"trigger": FAMILIAR, "options": {"person": [{"name": "Anna"}]}},
        {"trigger": FAMILIAR, "options": {"for": "-00:00:05"}},
        {"trigger": FAMILIAR, "options": {"who": "Anna"}},
        {"trigger": FAMILIAR, "options": None},
        {"trigger": FAMILIAR, "target": {"entity_id": "no entity"}},
        {"trigger": STRANGER, "options": {"person": ["0" * 32]}},
        {"trigger": UNCLEAR, "options": {"confidence": 0.5}},
        {"trigger": STRANGER, "options": {"for": {"days": 10**12}}},
    ],
)
async def test_bad_input(hass: HomeAssistant, config: dict[str, Any]) -> None:
    """What cannot be meant is refused."""
    assert await async_validate_trigger_config(hass, [{"platform": FAMILIAR}])
    config = {"platform": config["trigger"], **{key: config[key] for key in config.keys() - {"trigger"}}}
    with pytest.raises(vol.Invalid):
        await async_validate_trigger_config(hass, [config])


async def test_wrong_devices(hass: HomeAssistant, hub: Hub, anna: str, front: str) -> None:
    """A camera is no person, nor is a device of something else."""
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    another = dr.async_get(hass).async_get_or_create(
        config_entry_id=other.entry_id, identifiers={("other", "anna")}
    )
    for options, said in (
        ({"person": front}, f"device {front} is no person of this integration"),
        ({"person": [anna, another.id]}, f"device {another.id} is no person"),
        ({"camera": anna}, f"device {anna} is no camera"),
    ):
        with pytest.raises(vol.Invalid, match=said):
            await async_validate_trigger_config(hass, [{"platform": FAMILIAR, "options": options}])


# What is left behind


async def test_traces(hass: HomeAssistant, hub: Hub, anna: str) -> None:
    """The trace of a run tells who came, and is gone when they are forgotten."""
    ran = await automate(hass, {"trigger": FAMILIAR})
    await announce(hass, hub, a_visit(hub, "anna"))
    assert len(ran) == 1

    def traces() -> str:
        return json_dumps(
            [each.as_dict() for buckets in hass.data[DATA_TRACE].values() for each in buckets.all_traces()]
        )

    assert "Anna" in traces()
    await hub.forgetting.async_forget("anna")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert "anna" not in traces().lower()


async def test_nothing_listens_any_more(hass: HomeAssistant, hub: Hub, anna: str) -> None:
    """An automation that is switched off leaves nothing that listens."""

    def listening() -> int:
        return sum(len(targets) for targets in hass.data[DATA_DISPATCHER].values())

    await automate(hass, {"trigger": "event", "event_type": "never"})
    before = listening()
    ran = await automate(hass, {"trigger": FAMILIAR}, alias="Greeting")
    assert listening() == before + 5
    await hass.services.async_call(
        "automation", "turn_off", {"entity_id": "automation.greeting"}, blocking=True
    )
    assert listening() == before
    await announce(hass, hub, a_visit(hub, "anna"))
    assert len(ran) == 0
