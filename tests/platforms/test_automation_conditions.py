"""The conditions, in real automations."""

from dataclasses import replace
from datetime import timedelta
import logging
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.helpers import area_registry as ar, device_registry as dr
from homeassistant.helpers.condition import async_from_config, async_validate_condition_config
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.trigger import async_initialize_triggers, async_validate_trigger_config
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
import voluptuous as vol

from custom_components.familiar_faces.household.signals import SIGNAL_CORRECTED
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Keeping
from custom_components.familiar_faces.vault.records import Corrected, VisitRecord
from custom_components.familiar_faces.visits.visit import Decision

from ..common.automations import a_visit, automate, check, device_of, somebody
from ..common.made_up_visits import announce, go_on
from ..common.people_on_record import DAY
from ..common.pictures import astronaut, enrolment_photos, stranger
from ..common.steps import enrol, later, ring, visits
from ..conftest import CAMERA, FrontDoor, set_up, start_again

IS_PRESENT = "familiar_faces.is_present"
WAS_SEEN = "familiar_faces.was_seen_within"
FAMILIAR = {"trigger": "familiar_faces.familiar_person_seen"}
MINUTE = timedelta(minutes=1)


@pytest.fixture
def anna(freezer: FrozenDateTimeFactory, anna: str) -> str:
    """Put Anna on record while time stands still, and return the id of their device."""
    return anna


@pytest.fixture
def ben(anna: str, ben: str) -> str:
    """Put Ben on record after Anna, and return the id of their device."""
    return ben


def present(target: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    """Return the condition that somebody is present."""
    return {"condition": IS_PRESENT, "options": options} | ({} if target is None else {"target": target})


def seen(minutes: float = 10, target: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    """Return the condition that somebody was seen."""
    condition = {"condition": WAS_SEEN, "options": {"within": {"minutes": minutes}, **options}}
    return condition | ({} if target is None else {"target": target})


async def wait(hass: HomeAssistant, freezer: FrozenDateTimeFactory, period: timedelta) -> None:
    """Let time pass."""
    freezer.tick(period)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()


async def keep(hass: HomeAssistant, hub: Hub, person_id: str, ago: timedelta, visit_id: str = "kept") -> None:
    """Have a visit be in the vault as it is after a restart."""
    camera_id, at = next(iter(hub.watchers)), dt_util.utcnow() - ago
    record = VisitRecord(visit_id, person_id, camera_id, at, 0.95, 3)
    await hass.async_add_executor_job(hub.vault.add_visit, record, None, at)
    await hub.board.async_read()


# With the real engine


async def test_ring(hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry) -> None:
    """Anyone who rang is present and was seen; the visit that set an automation off does not count for it."""
    eileen = device_of(hass, await enrol(hass, entry, enrolment_photos()))
    assert await check(hass, present({"device_id": eileen})) == 0
    assert await check(hass, seen(person=eileen)) == 0
    first = await automate(hass, FAMILIAR, conditions=[{"condition": "not", "conditions": [seen(30)]}])
    again = await automate(hass, FAMILIAR, conditions=[seen(30)])
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    assert (len(first), len(again)) == (1, 0)
    assert await check(hass, present({"device_id": eileen}), seen(person=eileen)) == 1
    assert await check(hass, seen(kind="stranger")) == 0
    with later(minutes=8):
        await ring(hass, hub)
        assert (len(first), len(again)) == (1, 1)
        front_door.frames = visits(stranger())
        await ring(hass, hub)
        assert await check(hass, seen(kind=["stranger"])) == 1
    with later(minutes=50):
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
        assert await check(hass, present({"device_id": eileen})) == 0
        assert await check(hass, seen(30)) == 0
        front_door.frames = visits(astronaut())
        await ring(hass, hub)
        assert (len(first), len(again)) == (2, 1)


# Who is present


async def test_present(hass: HomeAssistant, hub: Hub, anna: str, ben: str) -> None:
    """One or all of those who were chosen have to be present; without a choice it is everybody."""
    area = ar.async_get(hass).async_create("Family")
    dr.async_get(hass).async_update_device(anna, area_id=area.id)
    both = {"device_id": [anna, ben]}
    assert await check(hass, present()) == 0
    await announce(hass, hub, a_visit(hub, "anna"))
    for target, any_of_them, all_of_them in (
        (both, 1, 0),
        (None, 1, 0),
        ({}, 1, 0),
        ({"device_id": anna}, 1, 1),
        ({"area_id": area.id}, 1, 1),
        ({"entity_id": "binary_sensor.anna_present"}, 1, 1),
        ({"entity_id": ["binary_sensor.ben_present"]}, 0, 0),
        ({"device_id": device_of(hass, next(iter(hub.watchers)))}, 0, 0),
        ({"entity_id": [CAMERA, "binary_sensor.front_door_familiar_person"]}, 0, 0),
        ({"device_id": "0" * 32}, 0, 0),
    ):
        assert await check(hass, present(target)) == any_of_them, target
        assert await check(hass, present(target, behavior="all")) == all_of_them, target
    await announce(hass, hub, a_visit(hub, "ben"))
    assert await check(hass, present(both, behavior="all")) == 1
    assert await check(hass, present(behavior="all")) == 1


async def test_nobody_known(hass: HomeAssistant, hub: Hub) -> None:
    """Of nobody at all it is not true that all are present."""
    assert await check(hass, present(behavior="all")) == 0
    assert await check(hass, present()) == 0


async def test_present_for(hass: HomeAssistant, hub: Hub, anna: str, freezer: FrozenDateTimeFactory) -> None:
    """Somebody has to have been present for long enough, without a break."""
    condition = present({"device_id": anna}, **{"for": "00:02:00"})
    visit = a_visit(hub, "anna")
    await announce(hass, hub, visit)
    await wait(hass, freezer, 119 * timedelta(seconds=1))
    assert await check(hass, condition) == 0
    await wait(hass, freezer, timedelta(seconds=1))
    assert await check(hass, condition) == 1
    await wait(hass, freezer, 3 * MINUTE)
    assert await check(hass, condition) == 0
    await announce(hass, hub, a_visit(hub, "anna"))
    assert await check(hass, condition) == 0


# Who was seen


async def test_seen(
    hass: HomeAssistant, hub: Hub, anna: str, ben: str, freezer: FrozenDateTimeFactory
) -> None:
    """Only visits of those who were chosen count, and only those that were not too long ago."""
    front = next(iter(hub.watchers))
    assert await check(hass, seen()) == 0
    await announce(hass, hub, a_visit(hub, "anna"), a_visit(hub, decision=Decision.UNCLEAR))
    await announce(hass, hub, a_visit(hub, "anna", camera_id="another"))
    await wait(hass, freezer, 10 * MINUTE)
    for condition, fits in (
        (seen(), 1),
        (seen(person=anna), 1),
        (seen(person=[anna, ben]), 1),
        (seen(person=ben), 0),
        (seen(person="0" * 32), 0),
        (seen(target={"entity_id": "event.anna_seen"}), 1),
        (seen(target={"entity_id": "event.ben_seen"}), 0),
        (seen(target={"device_id": device_of(hass, front)}), 1),
        (seen(camera=device_of(hass, front)), 1),
        (seen(camera=device_of(hass, front), person=anna), 1),
        (seen(camera=device_of(hass, front), person=ben), 0),
        (seen(kind="familiar"), 1),
        (seen(kind="unclear"), 1),
        (seen(kind=["stranger"]), 0),
        (seen(kind=["stranger", "unclear"]), 1),
        (seen(kind=[]), 1),
        (seen(kind="unclear", person=anna), 0),
        (seen(9.9), 0),
    ):
        assert await check(hass, condition) == fits, condition


async def test_seen_until(hass: HomeAssistant, hub: Hub, anna: str, freezer: FrozenDateTimeFactory) -> None:
    """What counts is when somebody was last seen, not when the visit began."""
    assert await check(hass, seen(1)) == 0
    visit = a_visit(hub, "anna")
    await announce(hass, hub, visit)
    await wait(hass, freezer, 2 * MINUTE)
    assert await check(hass, seen(1)) == 0
    await go_on(hass, hub, replace(visit, last_seen_at=dt_util.utcnow()))
    assert await check(hass, seen(1)) == 1


async def test_the_one_before(hass: HomeAssistant, hub: Hub, anna: str, ben: str) -> None:
    """Besides the visit that set the automation off, it is the one before of the same person that counts."""
    ran = await automate(hass, FAMILIAR, conditions=[seen(person=anna)])
    await announce(hass, hub, a_visit(hub, "anna"))
    assert len(ran) == 0
    await announce(hass, hub, *(a_visit(hub, "ben") for _ in range(3)))
    assert ran.said("person_name") == ["Ben"] * 3
    await announce(hass, hub, a_visit(hub, "anna"))
    assert ran.said("person_name") == ["Ben"] * 3 + ["Anna"]


@pytest.mark.parametrize(("person_id", "decision"), [("anna", Decision.FAMILIAR), (None, Decision.STRANGER)])
async def test_stayed(
    hass: HomeAssistant,
    hub: Hub,
    anna: str,
    freezer: FrozenDateTimeFactory,
    person_id: str | None,
    decision: Decision,
) -> None:
    """Once the visitor who set the automation off is seen again, that counts: they have not gone yet."""
    kind = {"familiar": "familiar_person_seen", "stranger": "stranger_seen"}[decision]
    told: list[dict[str, Any]] = []

    @callback
    def note(variables: dict[str, Any], context: Context | None = None) -> None:
        told.append(variables)

    config = await async_validate_trigger_config(hass, [{"platform": f"familiar_faces.{kind}"}])
    stop = await async_initialize_triggers(hass, config, note, "test", "test", logging.getLogger().log)
    assert stop is not None
    condition = await async_from_config(
        hass, await async_validate_condition_config(hass, seen(kind=str(decision)))
    )
    visit = a_visit(hub, person_id, decision, began=dt_util.utcnow() - timedelta(seconds=2))
    await announce(hass, hub, visit)
    (variables,) = told
    assert condition.async_check(variables=None) is True
    assert condition.async_check(variables=variables) is False
    await wait(hass, freezer, MINUTE)
    assert condition.async_check(variables=variables) is False
    await go_on(hass, hub, replace(visit, last_seen_at=dt_util.utcnow()))
    assert condition.async_check(variables=variables) is True
    stop()


async def test_turned_out_familiar(hass: HomeAssistant, hub: Hub, anna: str) -> None:
    """Anyone who was a stranger at first and then is not was never one."""
    assert await check(hass, seen()) == 0
    begun = a_visit(hub, decision=Decision.STRANGER)
    await announce(hass, hub, begun)
    assert await check(hass, seen(kind="stranger")) == 1
    await announce(hass, hub, replace(a_visit(hub, "anna"), visit_id=begun.visit_id))
    assert await check(hass, seen(kind="stranger")) == 0
    assert await check(hass, seen(kind="familiar")) == 1


# After a start


async def test_after_a_start(hass: HomeAssistant, hub: Hub, anna: str, ben: str) -> None:
    """What is kept is known from the vault."""
    await keep(hass, hub, "anna", 20 * MINUTE)
    assert await check(hass, seen(21, person=anna)) == 1
    assert await check(hass, seen(19, person=anna)) == 0
    assert await check(hass, seen(21, person=ben)) == 0


async def test_before_the_entry(
    hass: HomeAssistant, front_door: FrontDoor, real_engine: None, entry: MockConfigEntry
) -> None:
    """Automations may be set up before the entry, and know what the vault holds once it is there."""
    event = await automate(
        hass, {"trigger": "event", "event_type": "asked"}, conditions=[seen(kind="familiar")]
    )

    async def ask() -> int:
        hass.bus.async_fire("asked")
        await hass.async_block_till_done()
        return len(event)

    assert await ask() == 0
    hub = await set_up(hass, entry)
    await somebody(hass, hub, "anna")
    assert await ask() == 0
    await keep(hass, hub, "anna", MINUTE)
    await start_again(hass, entry)
    assert await ask() == 1
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert await ask() == 1


async def test_stranger_before(
    hass: HomeAssistant, hub: Hub, anna: str, freezer: FrozenDateTimeFactory
) -> None:
    """Of a stranger who came before a restart, the camera's event entity knows."""
    front = {"entity_id": "event.front_door_visitor"}
    await announce(hass, hub, a_visit(hub, decision=Decision.STRANGER))
    await wait(hass, freezer, 10 * MINUTE)
    hub = await start_again(hass, hub.entry)
    assert await check(hass, seen(11, kind="stranger")) == 1
    assert await check(hass, seen(11, kind="stranger", target=front)) == 1
    assert await check(hass, seen(9, kind="stranger")) == 0
    assert await check(hass, seen(11, kind="unclear")) == 0
    assert await check(hass, seen(11, kind="stranger", target={"entity_id": "event.anna_seen"})) == 0
    await announce(hass, hub, a_visit(hub, "anna"))
    assert await check(hass, seen(11, kind=["stranger", "unclear"])) == 1


# Consent


async def test_silent(hass: HomeAssistant, hub: Hub) -> None:
    """Of those who stay silent nothing is said."""
    await somebody(hass, hub, "dora", keeping=Keeping.SILENT)
    assert await check(hass, seen()) == 0
    await announce(hass, hub, a_visit(hub, "dora"))
    assert await check(hass, seen()) == 0


async def test_kept_no_longer(hass: HomeAssistant, hub: Hub, freezer: FrozenDateTimeFactory) -> None:
    """Of a visit that is no longer kept nothing is said."""
    await somebody(hass, hub, "dora", visits_for=DAY)
    await keep(hass, hub, "dora", timedelta(hours=23))
    condition = seen(48 * 60)
    assert await check(hass, condition) == 1
    await wait(hass, freezer, timedelta(hours=1))
    assert await check(hass, condition) == 0


async def test_nothing_kept(hass: HomeAssistant, hub: Hub, freezer: FrozenDateTimeFactory) -> None:
    """Of people with nothing kept it is said for as long as they are present."""
    await somebody(hass, hub, "dora", keeping=Keeping.NOTHING)
    assert await check(hass, seen()) == 0
    await announce(hass, hub, a_visit(hub, "dora"))
    await wait(hass, freezer, 4 * MINUTE)
    assert await check(hass, seen(), present()) == 1
    await wait(hass, freezer, MINUTE)
    assert await check(hass, seen()) == await check(hass, present()) == 0


async def test_forgotten(hass: HomeAssistant, hub: Hub, anna: str) -> None:
    """Of somebody who is forgotten nothing is said, and nobody else is meant in their place."""
    assert await check(hass, seen()) == 0
    await announce(hass, hub, a_visit(hub, "anna"))
    assert await check(hass, seen()) == 1
    await hub.forgetting.async_forget("anna")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert await check(hass, seen()) == 0
    await announce(hass, hub, a_visit(hub, decision=Decision.STRANGER))
    assert await check(hass, seen(person=anna)) == 0
    assert await check(hass, seen(target={"device_id": anna})) == 0
    assert await check(hass, present({"device_id": anna})) == 0


@pytest.mark.parametrize("moved", [True, False])
async def test_corrected(hass: HomeAssistant, hub: Hub, anna: str, ben: str, moved: bool) -> None:
    """A visit that was somebody else's counts for them."""
    assert await check(hass, seen()) == 0
    visit = a_visit(hub, "anna")
    await announce(hass, hub, visit)
    record = VisitRecord(visit.visit_id, "anna", visit.camera_id, visit.started_at, 0.95, 3)
    really = replace(record, visit_id="moved", person_id="ben") if moved else None
    corrected = Corrected(visit.visit_id, visit.camera_id, "anna", really)
    async_dispatcher_send(hass, SIGNAL_CORRECTED.format(hub.entry.entry_id), corrected)
    await hass.async_block_till_done()
    assert await check(hass, seen(person=anna)) == 0
    assert await check(hass, seen(person=ben)) == int(moved)


# Bad input


@pytest.mark.parametrize(
    "config",
    [
        {"condition": "familiar_faces.is_home"},
        {"condition": IS_PRESENT, "options": {"behavior": "some"}},
        {"condition": IS_PRESENT, "options": {"for": "-00:01:00"}},
        {"condition": IS_PRESENT, "options": {"person": "Anna"}},
        {"condition": IS_PRESENT, "target": {"entity_id": "nothing"}},
        {"condition": WAS_SEEN},
        {"condition": WAS_SEEN, "options": {}},
        {"condition": WAS_SEEN, "options": {"within": "soon"}},
        {"condition": WAS_SEEN, "options": {"within": {"minutes": -5}}},
        {"condition": WAS_SEEN, "options": {"within": {"days": 10**12}}},
        {"condition": IS_PRESENT, "options": {"for": {"days": 10**12}}},
        {"condition": WAS_SEEN, "options": {"within": "00:05:00", "kind": "courier"}},
        {"condition": WAS_SEEN, "options": {"within": "00:05:00", "person": "Anna"}},
        {"condition": WAS_SEEN, "options": {"within": "00:05:00", "person": "0" * 32, "camera": CAMERA}},
    ],
)
async def test_bad_input(hass: HomeAssistant, config: dict[str, Any]) -> None:
    """What cannot be meant is refused."""
    assert await async_validate_condition_config(hass, seen(person="0" * 32))
    with pytest.raises(vol.Invalid):
        await async_validate_condition_config(hass, config)


async def test_wrong_devices(hass: HomeAssistant, hub: Hub, anna: str) -> None:
    """A camera is no person, and a person no camera."""
    front = device_of(hass, next(iter(hub.watchers)))
    wrong: tuple[dict[str, Any], ...] = ({"person": front}, {"camera": anna})
    for options in wrong:
        with pytest.raises(vol.Invalid, match="of this integration"):
            await async_validate_condition_config(hass, seen(**options))
