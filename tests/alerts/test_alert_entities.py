"""The switches, button and sensor of alerts, the action that mutes, and that nothing of the forgotten is left in them."""

from datetime import timedelta
import json
import os
from pathlib import Path
from typing import Any

from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Keeping

from ..common.alerting import an_alert, ring_and_tell
from ..common.calling import act, refused
from ..common.evidence import NAME, Evidence
from ..common.home import Home, MakeRecorder, home, snapshot
from ..common.notified import notified
from ..common.phone import NewPhone, Phone
from ..common.pictures import astronaut, enrolment_photos, stranger
from ..common.steps import add_photo, choose, configure, consent, later, ring, start_person, visits
from ..conftest import CAMERA, FrontDoor

ALERT = "switch.everybody_alert"
TEST = "button.everybody_send_a_test"
LAST_TOLD = "sensor.everybody_last_notified"
OF_THE_CAMERA = "switch.front_door_notifications"
OF_EILEEN = "switch.eileen_notifications"


@pytest.fixture
async def phone(hub: Hub, new_phone: NewPhone) -> Phone:
    """Register a phone."""
    return await new_phone("Pixel")


@pytest.fixture
async def alert_id(hass: HomeAssistant, entry: MockConfigEntry, phone: Phone, eileen: str) -> str:
    """Add an alert about everybody, and return its id."""
    alert = an_alert([phone.key])
    hass.config_entries.async_add_subentry(entry, alert)
    await hass.async_block_till_done()
    return alert.subentry_id


async def switch(hass: HomeAssistant, entity_id: str, on: bool) -> None:
    """Turn a switch on or off."""
    service = "turn_on" if on else "turn_off"
    await hass.services.async_call("switch", service, {"entity_id": entity_id}, blocking=True)
    assert hass.states.get(entity_id).state == ("on" if on else "off")


async def told(hass: HomeAssistant, hub: Hub, phone: Phone, *, minutes: int) -> list[str]:
    """Have the doorbell rung some time from now, and return what the phone was told."""
    before = len(phone.messages)
    with later(minutes=minutes):
        await ring_and_tell(hass, hub)
        await hass.async_block_till_done()
    return phone.messages[before:]


EILEEN = ["Eileen is at the front door."]


async def test_the_device(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, alert_id: str) -> None:
    """An alert has a device of its own, that belongs to it and is reached through the hub's."""
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, alert_id), entry.entry_id)
    assert device is not None
    assert (device.name, device.model_id) == ("Everybody", "alert")
    found = er.async_entries_for_device(er.async_get(hass), device.id, include_disabled_entities=True)
    assert {each.entity_id: (each.entity_category, each.config_subentry_id) for each in found} == {
        ALERT: (EntityCategory.CONFIG, alert_id),
        TEST: (EntityCategory.DIAGNOSTIC, alert_id),
        LAST_TOLD: (EntityCategory.DIAGNOSTIC, alert_id),
    }


@pytest.mark.parametrize("entity_id", [ALERT, OF_THE_CAMERA, OF_EILEEN])
async def test_switched_off(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, phone: Phone, alert_id: str, entity_id: str
) -> None:
    """Nobody is told by an alert, of a camera or of a person that is switched off; afterwards they are again."""
    front_door.frames = visits(astronaut())
    await switch(hass, entity_id, False)
    assert await told(hass, hub, phone, minutes=0) == []
    await switch(hass, entity_id, True)
    assert await told(hass, hub, phone, minutes=30) == EILEEN


async def test_only_this_person_is_not_told_of(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, phone: Phone, alert_id: str
) -> None:
    """The switch of a person keeps quiet about nobody else."""
    await switch(hass, OF_EILEEN, False)
    front_door.frames = visits(stranger(0))
    assert await told(hass, hub, phone, minutes=0) == ["A stranger is at the front door."]


async def test_a_power_cut_switches_nothing_on(
    tmp_path: Path,
    lived: tuple[Path, Evidence],
    make_recorder: MakeRecorder,
) -> None:
    """What was switched off or muted is so after a kill in that very moment, before Home Assistant would write it."""
    folder, evidence = lived
    entity_ids = [
        "switch.familiar_faces_recognition",
        ALERT,
        OF_THE_CAMERA,
        f"switch.{NAME.lower()}_notifications",
    ]
    async with home(folder, make_recorder) as running:
        alert = an_alert(["here:"])
        running.hass.config_entries.async_add_subentry(running.entry, alert)
        await running.settle()
        await running.write()
        for number, entity_id in enumerate(entity_ids):
            await switch(running.hass, entity_id, False)
            snapshot(folder, tmp_path / f"killed {number}")
        await act(running.hass, "mute", person=NAME, duration={"days": 2})
        snapshot(folder, killed := tmp_path / "killed")
    for number in range(len(entity_ids)):
        written = json.loads((tmp_path / f"killed {number}/.storage/core.config_entries").read_text())
        (data,) = [each["data"] for each in written["data"]["entries"] if each["domain"] == DOMAIN]
        assert len([*data["switched_off"], *data.get("unannounced", ())]) == number + 1
    (killed / ".storage" / "core.restore_state").unlink()
    async with home(killed, make_recorder) as running:
        assert {running.hass.states.get(each).state for each in entity_ids} == {"off"}
        until = running.hub.alerts.mutes.until(evidence.person_id, dt_util.utcnow())
        assert until is not None
        assert timedelta(days=1) < until - dt_util.utcnow() <= timedelta(days=2)


async def test_a_power_cut_right_after_it_was_written(
    lived: tuple[Path, Evidence],
    make_recorder: MakeRecorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the time that a switch has been thrown, it is on the disk, and not on its way there."""
    folder, _evidence = lived
    synced: list[str] = []
    sync = os.fsync

    def note(file: int) -> None:
        synced.append(Path(f"/proc/self/fd/{file}").readlink().name)
        sync(file)

    async with home(folder, make_recorder) as running:
        await running.write()
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", note)
            await switch(running.hass, OF_THE_CAMERA, False)
    # Once when it is written, and once before it is read again.
    assert synced == ["core.config_entries", ".storage"] * 2


# The button and the sensor


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_the_test_button(hass: HomeAssistant, hub: Hub, phone: Phone, alert_id: str) -> None:
    """It sends a test; who it does not reach is said as the error of the action."""
    await hass.services.async_call("button", "press", {"entity_id": TEST}, blocking=True)
    assert phone.messages == ["Test: this is how you will be notified. Nobody is at a camera."]
    phone.server.refused.add("Pixel")
    with pytest.raises(HomeAssistantError) as caught:
        await hass.services.async_call("button", "press", {"entity_id": TEST}, blocking=True)
    assert caught.value.translation_key == "test_failed"
    assert "Pixel" in str(caught.value.translation_placeholders)
    assert hass.states.get(LAST_TOLD).state == "unknown"


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_last_told(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, phone: Phone, eileen: str, alert_id: str
) -> None:
    """When it told somebody last is shown, without a name, and no longer once the visitor is forgotten."""
    front_door.frames = visits(astronaut())
    before = dt_util.utcnow().replace(microsecond=0)
    assert await told(hass, hub, phone, minutes=0) == EILEEN
    state = hass.states.get(LAST_TOLD)
    at = dt_util.parse_datetime(state.state)
    assert at is not None
    assert before <= at <= dt_util.utcnow()
    assert "Eileen" not in str(state.as_dict())
    assert eileen not in str(state.as_dict())
    await hub.forgetting.async_forget(eileen)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert hass.states.get(LAST_TOLD).state == "unknown"


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_last_told_of_whom_nothing_is_kept(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor, phone: Phone
) -> None:
    """When somebody came who has nothing kept is not shown either; the recorder would write it down."""
    result = await start_person(hass, entry)
    result = await configure(hass, result, consent(keeping=Keeping.NOTHING, pictures=False))
    for photo in enrolment_photos():
        result = await add_photo(hass, result, photo)
    await choose(hass, result, "finish")
    hass.config_entries.async_add_subentry(entry, an_alert([phone.key]))
    await hass.async_block_till_done(wait_background_tasks=True)
    front_door.frames = visits(astronaut())
    assert await told(hass, hub, phone, minutes=0) == EILEEN
    assert hass.states.get(LAST_TOLD).state == "unknown"


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_last_told_after_a_restart(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    front_door: FrontDoor,
    phone: Phone,
    eileen: str,
    alert_id: str,
) -> None:
    """It is shown again after a restart; whose visit it was is not known then, so any forgetting ends it."""
    front_door.frames = visits(astronaut())
    await told(hass, hub, phone, minutes=0)
    shown = hass.states.get(LAST_TOLD).state
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert hass.states.get(LAST_TOLD).state == shown != "unknown"
    hub = entry.runtime_data
    await hub.forgetting.async_forget(eileen)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert hass.states.get(LAST_TOLD).state == "unknown"


# The action that mutes


@pytest.mark.parametrize(
    ("what", "entity_id"),
    [
        ({"person": "Eileen"}, OF_EILEEN),
        ({"camera": CAMERA}, OF_THE_CAMERA),
        ({"camera": "front door"}, OF_THE_CAMERA),
        ({"alert": "Everybody"}, ALERT),
    ],
)
async def test_muted(
    hass: HomeAssistant,
    hub: Hub,
    front_door: FrontDoor,
    phone: Phone,
    alert_id: str,
    what: dict[str, Any],
    entity_id: str,
) -> None:
    """Nobody is told for an hour, which the switch says, and then again; also when it is ended before."""
    front_door.frames = visits(astronaut())
    answer = await act(hass, "mute", **what)
    until = dt_util.parse_datetime(answer["until"])
    assert until is not None
    assert timedelta(minutes=59) < until - dt_util.utcnow() <= timedelta(hours=1)
    shown = dt_util.parse_datetime(hass.states.get(entity_id).attributes["muted_until"])
    assert (hass.states.get(entity_id).state, shown) == ("on", until)
    assert await told(hass, hub, phone, minutes=0) == []
    assert await told(hass, hub, phone, minutes=30) == []
    assert await told(hass, hub, phone, minutes=70) == EILEEN
    await act(hass, "mute", **what, duration={"hours": 24})
    assert await act(hass, "mute", **what, duration=0) == {"until": None}
    assert "muted_until" not in hass.states.get(entity_id).attributes
    assert await told(hass, hub, phone, minutes=100) == EILEEN
    assert "muted" not in entry_data(hass)


def entry_data(hass: HomeAssistant) -> dict[str, Any]:
    """Return the data of the entry."""
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    return dict(entry.data)


async def test_muted_by_its_device(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, alert_id: str
) -> None:
    """As the selectors give it; several things are muted each by itself."""
    registry = dr.async_get(hass)
    (camera_id,) = hub.watchers
    camera = registry.async_get_device_by_identifier((DOMAIN, camera_id), entry.entry_id)
    alert = registry.async_get_device_by_identifier((DOMAIN, alert_id), entry.entry_id)
    assert camera is not None
    assert alert is not None
    await act(hass, "mute", camera=camera.id, alert=alert.id, duration="00:10:00")
    now = dt_util.utcnow()
    assert hub.alerts.mutes.until(camera_id, now) == hub.alerts.mutes.until(alert_id, now) is not None


async def test_mute_says_what_is_wrong(hass: HomeAssistant, hub: Hub, alert_id: str) -> None:
    """Nothing, too long, nobody, nowhere and no alert are each said; then nothing is muted."""
    assert await refused(hass, "mute") == "nothing_to_mute"
    week = {"days": 7, "seconds": 1}
    assert await refused(hass, "mute", alert="Everybody", duration=week) == "muted_too_long"
    assert await refused(hass, "mute", alert="Everybody", person="Zoe") == "unknown_person"
    assert await refused(hass, "mute", camera="camera.nowhere") == "unknown_camera"
    with pytest.raises(vol.Invalid, match="too long"):
        await act(hass, "mute", alert="Everybody", duration={"days": 10**12})
    # The device of something else is no camera.
    assert await refused(hass, "mute", camera=alert_id) == "unknown_camera"
    assert await refused(hass, "mute", alert="Nothing") == "unknown_alert"
    assert "muted" not in entry_data(hass)


# Forgetting


async def test_the_forgotten_leave_nothing_in_alerts(
    lived: tuple[Path, Evidence],
    make_recorder: MakeRecorder,
) -> None:
    """Alerts, switches, mutes, notifications: anyone who is forgotten is in none of them, in no file, and says so."""
    folder, evidence = lived
    only, also = an_alert(["here:"], who=[], people=[evidence.person_id]), an_alert(["here:"])
    async with home(folder, make_recorder) as running:
        for alert in (only, also):
            running.hass.config_entries.async_add_subentry(running.entry, alert)
        await running.settle()
        running.front_door.frames = visits(astronaut())
        with later(minutes=30):
            await ring(running.hass, running.hub)
            await running.hub.alerts.async_flush()
        assert messages(running) == [f"{NAME} is at the front door."]
        await switch(running.hass, f"switch.{NAME.lower()}_notifications", False)
        await act(running.hass, "mute", person=NAME)
        await running.write()
        written = (folder / ".storage" / "core.config_entries").read_text()
        # The person, who is shown; the alert; that they are switched off; and that they are muted.
        assert written.count(evidence.person_id) > 4

        await running.hub.forgetting.async_forget(evidence.person_id)
        await running.settle()
        receipt = await running.hass.async_add_executor_job(running.hub.vault.receipt, evidence.person_id)
        assert messages(running) == []
        data = running.entry.subentries[only.subentry_id].data
        assert (data["who"], data["people"]) == ([], [])
        assert running.entry.subentries[also.subentry_id].data["who"] != []
        assert {"unannounced", "muted"}.isdisjoint(running.entry.data)
        said = {str(each.translation_key) for each in ir.async_get(running.hass).issues.values()}
        assert "alert_about_nobody" in said
    assert evidence.find(folder) == []
    assert receipt is not None
    assert receipt.verified
    assert receipt.finished_at is not None
    assert receipt.reached["mentioned_elsewhere"] == 0


def messages(running: Home) -> list[str]:
    """Return what Home Assistant's own notifications say that are ours."""
    shown = notified(running.hass)
    return [each["message"] for each in shown.values() if "front door" in each["message"]]


async def test_killed_between_forgetting_and_the_alerts(
    lived: tuple[Path, Evidence],
    make_recorder: MakeRecorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A start takes out of the alerts the people that a killed Home Assistant had forgotten already."""
    folder, evidence = lived
    alert = an_alert(["here:"], people=[evidence.person_id])
    async with home(folder, make_recorder) as running:
        running.hass.config_entries.async_add_subentry(running.entry, alert)
        await running.settle()
        with monkeypatch.context() as dying:
            dying.setattr(type(running.hub.alerts), "async_prune", lambda _self: None)
            await running.hub.forgetting.async_forget(evidence.person_id)
            await running.settle()
    assert evidence.find(folder) == ["the id in .storage/core.config_entries"]
    async with home(folder, make_recorder) as running:
        await running.settle()
        assert running.entry.subentries[alert.subentry_id].data["people"] == []
    assert evidence.find(folder) == []
