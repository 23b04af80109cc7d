"""The device triggers and device conditions, in real automations."""

from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.device_automation import (
    DeviceAutomationType,
    async_get_device_automation_platform,
)
from homeassistant.components.device_automation.exceptions import InvalidDeviceAutomationConfig
from homeassistant.components.device_automation.helpers import async_validate_device_automation_config
from homeassistant.components.device_automation.trigger import TRIGGER_SCHEMA
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    async_get_device_automation_capabilities,
    async_get_device_automations,
)
import voluptuous as vol

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.visits.visit import Decision

from ..common.automations import a_visit, automate, check, device_of
from ..common.made_up_visits import announce
from ..common.pictures import astronaut, enrolment_photos
from ..common.steps import enrol, ring, visits
from ..conftest import FrontDoor, set_up

TRIGGER, CONDITION = DeviceAutomationType.TRIGGER, DeviceAutomationType.CONDITION
CAMERA_TRIGGERS = ["familiar_person_seen", "stranger_seen", "unclear_seen"]
CAMERA_CONDITIONS = ["familiar_person_was_seen", "stranger_was_seen", "unclear_was_seen"]
PERSON_CONDITIONS = ["is_present", "was_seen"]


def trigger(device_id: str, type_: str, **more: Any) -> dict[str, Any]:
    """Return a device trigger."""
    return {"trigger": "device", "domain": DOMAIN, "device_id": device_id, "type": type_, **more}


def condition(device_id: str, type_: str, **more: Any) -> dict[str, Any]:
    """Return a device condition."""
    return {"condition": "device", "domain": DOMAIN, "device_id": device_id, "type": type_, **more}


@pytest.fixture
def anna(ben: str, anna: str) -> str:
    """Put Anna on record after Ben, and return the id of their device."""
    return anna


async def test_offered(hass: HomeAssistant, hub: Hub, anna: str, front: str) -> None:
    """Each device offers what it has, with what else can be chosen."""
    assert await async_setup_component(hass, "automation", {})

    async def offered(kind: DeviceAutomationType, device_id: str) -> dict[str, Any]:
        found = [
            each
            for each in await async_get_device_automations(hass, kind, device_id)
            if each["domain"] == DOMAIN
        ]
        return {
            each["type"]: (await async_get_device_automation_capabilities(hass, kind, each))["extra_fields"]
            for each in found
        }

    for_ = [{"name": "for", "optional": True, "type": "positive_time_period_dict"}]
    within = [{"name": "within", "required": True, "type": "positive_time_period_dict"}]
    bare = [
        [{key: value for key, value in each.items() if key in for_[0] | within[0]} for each in fields]
        for fields in (for_, within)
    ]
    assert bare == [for_, within]
    assert list(await offered(TRIGGER, front)) == CAMERA_TRIGGERS
    assert list(await offered(TRIGGER, anna)) == ["seen"]
    assert list(await offered(CONDITION, front)) == CAMERA_CONDITIONS
    assert list(await offered(CONDITION, anna)) == PERSON_CONDITIONS
    for kind, device_id in ((TRIGGER, front), (TRIGGER, anna), (CONDITION, front), (CONDITION, anna)):
        for type_, fields in (await offered(kind, device_id)).items():
            (field,) = fields
            expected = for_[0] if kind is TRIGGER or type_ == "is_present" else within[0]
            assert {key: field.get(key) for key in expected} == expected, type_
    hub_device = device_of(hass, hub.entry.entry_id)
    assert await offered(TRIGGER, hub_device) == await offered(CONDITION, hub_device) == {}


async def test_ring(hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry) -> None:
    """Anyone who rings sets off what was chosen on their page and on the camera's."""
    eileen = await enrol(hass, entry, enrolment_photos())
    device_id, front = device_of(hass, eileen), device_of(hass, next(iter(hub.watchers)))
    theirs = await automate(hass, trigger(device_id, "seen"), conditions=[condition(device_id, "is_present")])
    cameras = await automate(hass, trigger(front, "familiar_person_seen"))
    strangers = await automate(hass, trigger(front, "stranger_seen"))
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    assert (len(theirs), len(cameras), len(strangers)) == (1, 1, 0)
    (told,) = theirs.calls
    assert (told["platform"], told["person_id"], told["person_name"]) == ("device", eileen, "Eileen")
    assert told["camera_device_id"] == front
    assert await check(hass, condition(device_id, "was_seen", within={"minutes": 1})) == 1
    assert await check(hass, condition(front, "familiar_person_was_seen", within={"minutes": 1})) == 1
    assert await check(hass, condition(front, "stranger_was_seen", within={"minutes": 1})) == 0


@pytest.mark.parametrize(
    ("type_", "decision"), zip(CAMERA_TRIGGERS, ("familiar", "stranger", "unclear"), strict=True)
)
async def test_camera(
    hass: HomeAssistant, hub: Hub, anna: str, front: str, type_: str, decision: str
) -> None:
    """A camera's trigger is set off there, and by visitors of its kind alone; so are its conditions."""
    ran = await automate(hass, trigger(front, type_))
    within = {"within": {"minutes": 5}}
    found = condition(front, CAMERA_CONDITIONS[CAMERA_TRIGGERS.index(type_)], **within)
    assert await check(hass, found) == 0
    for each in Decision:
        if each != decision:
            await announce(hass, hub, a_visit(hub, "anna", each))
        await announce(hass, hub, a_visit(hub, "anna", each, camera_id="another"))
    assert await check(hass, found) == len(ran) == 0
    await announce(hass, hub, a_visit(hub, "anna", Decision(decision)))
    assert ran.said("decision") == [decision]
    assert await check(hass, found) == 1


async def test_person(hass: HomeAssistant, hub: Hub, anna: str, freezer: FrozenDateTimeFactory) -> None:
    """A person's trigger and conditions are of this person, for as long as was chosen."""
    ran = await automate(hass, trigger(anna, "seen"))
    stayed = await automate(hass, trigger(anna, "seen", **{"for": {"seconds": 10}}))
    before = await automate(
        hass, trigger(anna, "seen"), conditions=[condition(anna, "was_seen", within={"hours": 1})]
    )
    is_present, for_long = (
        condition(anna, "is_present"),
        condition(anna, "is_present", **{"for": {"minutes": 1}}),
    )
    was_seen = condition(anna, "was_seen", within={"minutes": 9})
    await announce(hass, hub, a_visit(hub, "ben"), a_visit(hub, decision=Decision.STRANGER))
    assert [await check(hass, each) for each in (is_present, for_long, was_seen)] == [0, 0, 0]
    await announce(hass, hub, a_visit(hub, "anna"))
    assert [await check(hass, each) for each in (is_present, for_long, was_seen)] == [1, 0, 1]
    assert (len(ran), len(stayed), len(before)) == (1, 0, 0)
    freezer.tick(timedelta(minutes=1))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert [await check(hass, each) for each in (is_present, for_long, was_seen)] == [1, 1, 1]
    freezer.tick(timedelta(minutes=9))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert [await check(hass, each) for each in (is_present, for_long, was_seen)] == [0, 0, 0]
    await announce(hass, hub, a_visit(hub, "anna"))
    assert (len(ran), len(before)) == (2, 1)
    freezer.tick(timedelta(seconds=10))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert stayed.said("for") == ["0:00:10"]


async def test_while_not_loaded(
    hass: HomeAssistant, hub: Hub, anna: str, front: str, entry: MockConfigEntry
) -> None:
    """Automations are set up anyway while the entry is not, and run once it is."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    theirs = await automate(
        hass, trigger(anna, "seen", **{"for": {"seconds": 0}}), conditions=[condition(anna, "is_present")]
    )
    cameras = await automate(
        hass,
        trigger(front, "familiar_person_seen"),
        conditions=[condition(front, "familiar_person_was_seen", within={"minutes": 5})],
    )
    hub = await set_up(hass, entry)
    await announce(hass, hub, a_visit(hub, "anna"))
    assert (len(theirs), len(cameras)) == (1, 0)
    await announce(hass, hub, a_visit(hub, "anna"))
    assert (len(theirs), len(cameras)) == (2, 1)


async def test_bad_input(hass: HomeAssistant, hub: Hub, anna: str, front: str) -> None:
    """What a device does not offer is refused, with a reason."""
    await async_get_device_automation_platform(hass, DOMAIN, TRIGGER)

    async def validate(config: dict[str, Any]) -> None:
        if "trigger" in config:
            config = {"platform": "device", **{key: config[key] for key in config.keys() - {"trigger"}}}
            await async_validate_device_automation_config(hass, config, TRIGGER_SCHEMA, TRIGGER)
        else:
            await async_validate_device_automation_config(hass, config, cv.DEVICE_CONDITION_SCHEMA, CONDITION)

    five = {"minutes": 5}
    for good in (
        trigger(anna, "seen", **{"for": five}),
        trigger(front, "unclear_seen"),
        condition(anna, "is_present"),
        condition(front, "stranger_was_seen", within=five),
    ):
        await validate(good)
    for elsewhere in (
        trigger(front, "seen"),
        trigger(anna, "stranger_seen"),
        trigger(device_of(hass, hub.entry.entry_id), "seen"),
        condition(front, "is_present"),
        condition(anna, "stranger_was_seen", within=five),
    ):
        with pytest.raises(InvalidDeviceAutomationConfig, match=f"does not offer {elsewhere['type']}"):
            await validate(elsewhere)
    for wrong in (
        trigger(anna, "waved"),
        trigger(anna, "seen", **{"for": "soon"}),
        trigger(anna, "seen", **{"for": "00:05:00"}),
        trigger(anna, "seen", **{"for": {"days": 10**12}}),
        trigger(anna, "seen", person=[anna]),
        condition(anna, "waved"),
        condition(anna, "was_seen"),
        condition(anna, "was_seen", within={"minutes": -1}),
        condition(anna, "was_seen", within={"days": 10**12}),
        condition(anna, "is_present", **{"for": {"days": 10**12}}),
        condition(anna, "was_seen") | {"type": ["was_seen"]},
        condition(anna, "is_present", within=five),
    ):
        with pytest.raises(vol.Invalid):
            await validate(wrong)
    # The editor shows this when no time was filled in.
    with pytest.raises(vol.Invalid, match="required key not provided.*within"):
        await validate(condition(anna, "was_seen"))
    await hub.forgetting.async_forget("anna")
    await hass.async_block_till_done(wait_background_tasks=True)
    with pytest.raises(InvalidDeviceAutomationConfig):
        await validate(trigger(anna, "seen"))
