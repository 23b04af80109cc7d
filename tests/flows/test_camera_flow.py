"""Adding and changing a camera."""

import asyncio
from base64 import b64decode
from dataclasses import replace
from http import HTTPStatus
from io import BytesIO
import re
from typing import TYPE_CHECKING
from unittest.mock import patch

from homeassistant.components.camera import CameraCapabilities
from homeassistant.components.camera.const import StreamType
from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from PIL import Image
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.capture import trying
from custom_components.familiar_faces.const import CONF_WHERE, DOMAIN, Where
from custom_components.familiar_faces.engine.protocol import Health
from custom_components.familiar_faces.host.client import EngineClient
from custom_components.familiar_faces.host.engine_errors import EngineUnavailable
from custom_components.familiar_faces.household.issues import async_check_pictures
from custom_components.familiar_faces.household.subentries import camera_names
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.visits.fitness import Fitness

from ..common.pictures import astronaut, frame, jpeg, porch, stranger
from ..common.steps import Result, choose, configure, suggestion
from ..conftest import CAMERA, DOORBELL, FrontDoor

if TYPE_CHECKING:
    from pytest_homeassistant_custom_component.typing import ClientSessionGenerator


@pytest.fixture
def entry(hass: HomeAssistant, config_folder: object) -> MockConfigEntry:
    """Return an entry without a camera."""
    entry = MockConfigEntry(domain=DOMAIN, title="Familiar Faces", data={CONF_WHERE: Where.THIS_MACHINE})
    entry.add_to_hass(hass)
    return entry


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try a camera that gives nothing for a moment only."""
    monkeypatch.setattr(trying, "STILL_SECONDS", 0.8)


async def _start(hass: HomeAssistant, entry: MockConfigEntry, **camera: object) -> Result:
    result = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "camera"), context={"source": SOURCE_USER}
    )
    return await configure(
        hass, result, {"camera": CAMERA, "mode": "on_ring", "public_space": False} | camera
    )


async def test_camera_is_added(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry
) -> None:
    """A camera, a doorbell and a still in words make a camera that is watched at once."""
    front_door.frames = [frame(astronaut()), frame(astronaut(), stranger(0)), jpeg(porch())]
    result = await _start(hass, entry)
    assert result["step_id"] == "triggers"
    result = await configure(hass, result, {})
    assert result["errors"] == {"triggers": "no_trigger"}
    result = await configure(hass, result, {"triggers": [DOORBELL]})
    assert (result["type"], result["step_id"]) == (FlowResultType.MENU, "still")
    found = result["description_placeholders"]["found"]
    assert found.startswith("1 face, ")
    assert re.fullmatch(r".* px wide, sharp enough\. The first frame came after \d\.\d s\.", found)
    result = await choose(hass, result, "again")
    assert result["description_placeholders"]["found"].startswith("2 faces; the largest is ")
    result = await choose(hass, result, "again")
    assert result["description_placeholders"]["found"].startswith("No face was found in the still.")
    result = await choose(hass, result, "save")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Front door"
    await hass.async_block_till_done()
    (watcher,) = hub.watchers.values()
    assert (watcher.camera, watcher.triggers, watcher.recognition) == (CAMERA, [DOORBELL], True)
    assert hass.states.get("event.front_door_visitor").state == "unknown"

    # A camera that is there already is not offered again, and not taken.
    with pytest.raises(InvalidData):
        await _start(hass, entry)


async def test_the_still_is_shown(
    hass: HomeAssistant,
    hub: Hub,
    front_door: FrontDoor,
    entry: MockConfigEntry,
    hass_client_no_auth: ClientSessionGenerator,
    sockets: None,
) -> None:
    """With a frame around each face, until another one is taken or the dialog is closed."""
    shot, empty = frame(astronaut(), stranger(0)), jpeg(porch())
    front_door.frames = [shot, empty]
    client = await hass_client_no_auth()
    result = await configure(hass, await _start(hass, entry), {"triggers": [DOORBELL]})
    path = _picture_of(result)
    assert (await client.get(path.split("?")[0])).status == HTTPStatus.UNAUTHORIZED
    response = await client.get(path)
    assert (response.status, response.content_type) == (HTTPStatus.OK, "image/svg+xml")
    assert "sandbox" in response.headers["Content-Security-Policy"]
    drawn = await response.text()
    assert _pixels(_inside(drawn)) == _pixels(shot)
    assert drawn.count("<rect ") == 2
    log = await hass.async_add_executor_job(hub.vault.audit_entries)
    assert [each.kind for each in log].count("faces_viewed") == 1

    again = await choose(hass, result, "again")
    assert (await client.get(path)).status == HTTPStatus.NOT_FOUND
    drawn = await (await client.get(_picture_of(again))).text()
    assert _pixels(_inside(drawn)) == _pixels(empty)
    assert "<rect " not in drawn

    hass.config_entries.subentries.async_abort(again["flow_id"])
    assert len(hub.alerts.pictures) == 0


def _inside(drawn: str) -> bytes:
    found = re.search(r'href="data:image/jpeg;base64,([^"]+)"', drawn)
    assert found is not None
    return b64decode(found[1])


def _pixels(picture: bytes) -> bytes:
    return Image.open(BytesIO(picture)).tobytes()


def _picture_of(result: Result) -> str:
    found = re.fullmatch(r"!\[\]\((.+)\)\s*", result["description_placeholders"]["picture"])
    assert found is not None
    return found[1]


async def test_camera_without_a_picture_can_be_saved(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry
) -> None:
    """A camera that is away now may be back tomorrow."""
    result = await _start(hass, entry)
    result = await configure(hass, result, {"triggers": [DOORBELL]})
    assert "gave no picture" in result["description_placeholders"]["found"]
    assert result["description_placeholders"]["picture"] == ""
    result = await choose(hass, result, "save")
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_camera_that_takes_its_time_shows_progress(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry
) -> None:
    """The dialog does not stand still while the camera is tried, and goes on by itself."""
    slow = asyncio.Event()
    front_door.before = slow.wait
    front_door.frames = [frame(astronaut())]
    result = await _start(hass, entry)
    flow = hass.config_entries.subentries
    result = await flow.async_configure(result["flow_id"], {"triggers": [DOORBELL]})
    assert (result["type"], result["step_id"]) == (FlowResultType.SHOW_PROGRESS, "try")
    slow.set()
    front_door.before = None
    await hass.async_block_till_done(wait_background_tasks=True)
    assert flow.async_get(result["flow_id"])["step_id"] == "still"
    result = await flow.async_configure(result["flow_id"])
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    assert placeholders["found"].startswith("1 face, ")


async def test_a_dialog_that_is_closed_tries_no_longer(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry
) -> None:
    """What nobody waits for is not looked at."""
    front_door.before = asyncio.Event().wait
    result = await _start(hass, entry)
    flow = hass.config_entries.subentries
    result = await flow.async_configure(result["flow_id"], {"triggers": [DOORBELL]})
    assert [task.get_name() for task in asyncio.all_tasks() if "camera's pictures" in task.get_name()]
    flow.async_abort(result["flow_id"])
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not [task.get_name() for task in asyncio.all_tasks() if "camera's pictures" in task.get_name()]


@pytest.mark.parametrize("stuck", [True, False])
async def test_a_camera_for_browsers_only(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry, stuck: bool
) -> None:
    """A camera that shows one placeholder for ever, because its pictures go to browsers alone, is said to be one."""
    front_door.frames, front_door.stuck = [jpeg(porch())], stuck
    browsers = CameraCapabilities({StreamType.WEB_RTC})
    with patch.object(FrontDoor, "camera_capabilities", browsers):
        result = await configure(hass, await _start(hass, entry), {"triggers": [DOORBELL]})
    found = result["description_placeholders"]["found"]
    # One that gives stills anyway is a camera as any other.
    assert ("WebRTC" in found) == stuck
    assert found.startswith("This camera sends its pictures to browsers only") == stuck


async def test_public_space_is_not_watched_all_the_time(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    """The street is looked at when somebody rings, never for good; one's own porch may be."""
    result = await _start(hass, entry, mode="always", public_space=True)
    assert result["errors"] == {"mode": "always_in_public"}
    result = await configure(hass, result, {"camera": CAMERA, "mode": "always", "public_space": False})
    assert result["step_id"] == "still"


async def test_camera_that_does_not_exist(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """A camera that was removed meanwhile is said to be gone."""
    result = await _start(hass, entry, camera="camera.nowhere")
    assert result["errors"] == {"camera": "no_such_camera"}


async def test_triggers_are_suggested(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry
) -> None:
    """The doorbell of the camera's device and the motion sensor of its area are suggested by mode."""
    other = MockConfigEntry(domain="test")
    other.add_to_hass(hass)
    area = ar.async_get(hass).async_create("Porch")
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=other.entry_id, identifiers={("test", "doorbell")}
    )
    dr.async_get(hass).async_update_device(device.id, area_id=area.id)
    registry = er.async_get(hass)
    registry.async_update_entity(CAMERA, device_id=device.id)
    bell = registry.async_get_or_create(
        "event", "test", "bell", device_id=device.id, original_device_class="doorbell"
    )
    motion = registry.async_get_or_create("binary_sensor", "test", "motion", original_device_class="motion")
    registry.async_update_entity(motion.entity_id, area_id=area.id)
    registry.async_get_or_create("binary_sensor", "test", "window", device_id=device.id)

    # The camera's own bell is not asked about: it is shown, and can be changed.
    result = await _start(hass, entry)
    assert (result["step_id"], result["menu_options"]) == (
        "still",
        ["save", "again", "triggers", "pictures"],
    )
    assert result["description_placeholders"]["starts"] == f"Started by: {bell.entity_id}."
    assert suggestion(await choose(hass, result, "triggers")) == [bell.entity_id]
    assert suggestion(await _start(hass, entry, mode="on_motion")) == [motion.entity_id, bell.entity_id]


async def test_camera_is_changed_and_removed(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry
) -> None:
    """A changed camera is watched the new way; a removed one not at all."""
    result = await _start(hass, entry)
    result = await configure(hass, result, {"triggers": [DOORBELL]})
    await choose(hass, result, "save")
    await hass.async_block_till_done()
    ((subentry_id, before),) = hub.watchers.items()

    result = await entry.start_subentry_reconfigure_flow(hass, subentry_id)
    result = await configure(hass, result, {"camera": CAMERA, "mode": "always", "public_space": False})
    result = await choose(hass, result, "save")
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    watcher = hub.watchers[subentry_id]
    assert watcher is not before
    assert (watcher.mode, watcher.triggers, watcher.recognition) == ("always", [], True)

    hass.config_entries.async_remove_subentry(entry, subentry_id)
    await hass.async_block_till_done()
    assert hub.watchers == {}
    assert hass.states.get("event.front_door_visitor") is None


async def test_renamed_and_removed_entities(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry
) -> None:
    """A renamed camera is followed; a removed trigger becomes a repair issue, and its return ends it."""
    from homeassistant.helpers import issue_registry as ir

    result = await _start(hass, entry)
    result = await configure(hass, result, {"triggers": [DOORBELL]})
    await choose(hass, result, "save")
    await hass.async_block_till_done()
    (subentry_id,) = entry.subentries
    er.async_get(hass).async_update_entity(CAMERA, new_entity_id="camera.porch")
    await hass.async_block_till_done()
    assert entry.subentries[subentry_id].data["camera"] == "camera.porch"
    assert hub.watchers[subentry_id].camera == "camera.porch"

    issue = f"entity_missing_{subentry_id}_{DOORBELL}"
    state = hass.states.get(DOORBELL)
    er.async_get(hass).async_remove(DOORBELL)
    hass.states.async_remove(DOORBELL)
    await hass.async_block_till_done()
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue) is not None
    hass.states.async_set(DOORBELL, state.state)
    await hass.async_block_till_done()
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue) is None


async def test_only_a_ring_is_a_ring(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry
) -> None:
    """A camera that is looked at when somebody rings takes no sensor of motion; in another mode it does."""
    hass.states.async_set("binary_sensor.hall", "off", {"device_class": "motion"})
    hass.states.async_set("binary_sensor.bell_contact", "off")
    result = await _start(hass, entry)
    result = await configure(hass, result, {"triggers": [DOORBELL, "binary_sensor.hall"]})
    assert result["errors"] == {"triggers": "not_a_ring"}
    assert suggestion(result) == [DOORBELL, "binary_sensor.hall"]
    result = await configure(hass, result, {"triggers": [DOORBELL, "binary_sensor.bell_contact"]})
    assert result["step_id"] == "still"
    result = await _start(hass, entry, mode="on_motion")
    result = await configure(hass, result, {"triggers": [DOORBELL, "binary_sensor.hall"]})
    assert result["step_id"] == "still"


async def test_changed_mode_suggests_anew(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry
) -> None:
    """What started a look on motion is not carried over to rings; in the same mode it is."""
    hass.states.async_set("binary_sensor.hall", "off", {"device_class": "motion"})
    result = await _start(hass, entry, mode="on_motion")
    result = await configure(hass, result, {"triggers": ["binary_sensor.hall"]})
    await choose(hass, result, "save")
    await hass.async_block_till_done()
    (subentry_id,) = hub.watchers
    for mode, suggested in (("on_motion", ["binary_sensor.hall"]), ("on_ring", [])):
        result = await entry.start_subentry_reconfigure_flow(hass, subentry_id)
        result = await configure(hass, result, {"camera": CAMERA, "mode": mode, "public_space": False})
        assert suggestion(result) == suggested
    result = await configure(hass, result, {"triggers": [DOORBELL]})
    await choose(hass, result, "save")
    await hass.async_block_till_done()
    assert hub.watchers[subentry_id].triggers == [DOORBELL]


async def test_own_entities_are_no_triggers(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry
) -> None:
    """A visitor's event, which follows from a look, is not offered to start one, and not taken."""
    result = await _start(hass, entry)
    (selector,) = result["data_schema"].schema.values()
    assert "button.familiar_faces_purge_now" in selector.config["exclude_entities"]
    with pytest.raises(InvalidData):
        await configure(hass, result, {"triggers": ["button.familiar_faces_purge_now"]})
    # One that came while the form was open.
    later = er.async_get(hass).async_get_or_create("event", DOMAIN, "visitor", config_entry=entry)
    result = await configure(hass, result, {"triggers": [DOORBELL, later.entity_id]})
    assert result["errors"] == {"triggers": "own_trigger"}
    assert suggestion(result) == [DOORBELL]
    result = await configure(hass, result, {"triggers": [DOORBELL]})
    assert result["step_id"] == "still"


async def test_still_that_is_no_image(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry
) -> None:
    """What a camera sends instead of an image is not blamed on the engine."""
    front_door.frames = [b"<html>login</html>"]
    result = await configure(hass, await _start(hass, entry), {"triggers": [DOORBELL]})
    assert "cannot be read as an image" in result["description_placeholders"]["found"]


async def test_a_bell_that_does_not_ring(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry
) -> None:
    """Which of its events is a press is asked; without any, the bell would never start a look."""
    types = {"event_types": ["voicemail_played", "button_1"], "device_class": "doorbell"}
    hass.states.async_set("event.bell", "unknown", types | {"friendly_name": "Bell"})
    result = await configure(hass, await _start(hass, entry), {"triggers": ["event.bell", DOORBELL]})
    assert (result["step_id"], suggestion(result)) == ("events", [])
    (selector,) = result["data_schema"].schema.values()
    assert [each["label"] for each in selector.config["options"]] == [
        "Bell: voicemail_played",
        "Bell: button_1",
    ]
    result = await configure(hass, result, {})
    assert result["errors"] == {"event_types": "never_fires"}
    result = await configure(hass, result, {"event_types": ["event.bell|button_1"]})
    await choose(hass, result, "save")
    await hass.async_block_till_done()
    (watcher,) = hub.watchers.values()
    assert watcher.settings.event_types == {"event.bell": {"button_1"}}

    # Asked again, it is as it was chosen; with another bell it is not kept.
    (subentry_id,) = hub.watchers
    result = await entry.start_subentry_reconfigure_flow(hass, subentry_id)
    result = await configure(hass, result, {"camera": CAMERA, "mode": "on_ring", "public_space": False})
    result = await configure(hass, result, {"triggers": ["event.bell", DOORBELL]})
    assert suggestion(result) == ["event.bell|button_1"]
    result = await entry.start_subentry_reconfigure_flow(hass, subentry_id)
    result = await configure(hass, result, {"camera": CAMERA, "mode": "on_ring", "public_space": False})
    result = await configure(hass, result, {"triggers": [DOORBELL]})
    await choose(hass, result, "save")
    await hass.async_block_till_done()
    assert hub.watchers[subentry_id].settings.event_types == {}


@pytest.mark.parametrize("types", [["ring"], ["ring", "tamper"], []])
async def test_a_bell_that_rings_is_asked_nothing(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry, types: list[str]
) -> None:
    """Its ring is known, and so is one that is away."""
    hass.states.async_set("event.bell", "unknown", {"event_types": types, "device_class": "doorbell"})
    result = await configure(hass, await _start(hass, entry), {"triggers": ["event.bell"]})
    assert result["step_id"] == "still"


async def test_the_owner_says_which_are_bells(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry
) -> None:
    """Where motion starts a look, a bell may be among the sensors, also one that looks like no bell."""
    for name in ("hall", "contact"):
        hass.states.async_set(f"binary_sensor.{name}", "off", {"device_class": "occupancy"})
    result = await _start(hass, entry, mode="on_motion")
    result = await configure(
        hass, result, {"triggers": ["binary_sensor.hall"], "bells": ["binary_sensor.contact", DOORBELL]}
    )
    await choose(hass, result, "save")
    await hass.async_block_till_done()
    (watcher,) = hub.watchers.values()
    assert watcher.triggers == ["binary_sensor.hall", "binary_sensor.contact", DOORBELL]
    assert watcher.settings.roles == {
        "binary_sensor.hall": "motion",
        "binary_sensor.contact": "bell",
        DOORBELL: "bell",
    }


async def test_a_frozen_camera_is_said_to_be_one(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry
) -> None:
    """What its picture shows is said anyway, for where it hangs."""
    front_door.frames, front_door.stuck = [frame(astronaut())], True
    result = await configure(hass, await _start(hass, entry), {"triggers": [DOORBELL]})
    found = result["description_placeholders"]["found"]
    assert found.startswith("1 face, ")
    assert "repeated one picture" in found


async def test_a_turned_camera(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry
) -> None:
    """How to turn it is said and suggested, and once it is set the face is a good one."""
    lying = Image.open(BytesIO(frame(astronaut()))).transpose(Image.Transpose.ROTATE_90)
    front_door.frames = [jpeg(lying)]
    result = await configure(hass, await _start(hass, entry), {"triggers": [DOORBELL]})
    assert "set a rotation of 90 degrees" in result["description_placeholders"]["found"]
    result = await choose(hass, result, "pictures")
    suggested = {str(key): key.description["suggested_value"] for key in result["data_schema"].schema}
    assert suggested["turn"] == "90"
    chosen = {key: value for key, value in suggested.items() if value is not None}
    result = await configure(hass, result, chosen)
    found = result["description_placeholders"]["found"]
    assert re.fullmatch(r".* px wide, sharp enough\. The first frame came after \d\.\d s\.", found)
    await choose(hass, result, "save")
    await hass.async_block_till_done()
    (watcher,) = hub.watchers.values()
    assert watcher.settings.turn == 90


async def test_how_pictures_are_taken(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry
) -> None:
    """What the owner chooses is kept, and what makes no sense is said."""
    front_door.frames = [jpeg(porch())]
    result = await configure(hass, await _start(hass, entry), {"triggers": [DOORBELL]})
    result = await choose(hass, result, "pictures")
    chosen = {
        "source": "event",
        "stream": "never",
        "one_picture": True,
        "judge": True,
        "turn": "0",
        "wait": 1.5,
        "seconds": 12,
    }
    result = await configure(hass, result, chosen)
    assert result["errors"] == {"event_picture": "no_event_picture"}
    result = await configure(hass, result, chosen | {"source": "still"})
    assert result["step_id"] == "still"
    await choose(hass, result, "save")
    await hass.async_block_till_done()
    (watcher,) = hub.watchers.values()
    settings = watcher.settings
    assert (settings.source, settings.stream, settings.one_picture) == ("still", "never", True)
    assert settings.judge
    assert (settings.wait, settings.seconds, settings.turn) == (1.5, 12.0, 0)


@pytest.mark.parametrize("engine", ["old", "silent"])
async def test_an_engine_that_cannot_judge_faces(
    hass: HomeAssistant,
    hub: Hub,
    front_door: FrontDoor,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
) -> None:
    """The option says so when it is switched on; an engine that says nothing at the moment holds nobody up."""
    front_door.frames = [jpeg(porch())]
    result = await configure(hass, await _start(hass, entry), {"triggers": [DOORBELL]})
    result = await choose(hass, result, "pictures")
    suggested = {str(key): key.description["suggested_value"] for key in result["data_schema"].schema}
    assert suggested["judge"] is False
    health = await hub.client.health()

    async def says(self: EngineClient, timeout: float = 5) -> Health:
        if engine == "silent":
            raise EngineUnavailable("it is silent")
        return replace(health, judges=False)

    assert health.judges
    monkeypatch.setattr(EngineClient, "health", says)
    chosen = {key: value for key, value in suggested.items() if value is not None} | {"judge": True}
    result = await configure(hass, result, chosen)
    if engine == "silent":
        assert result["step_id"] == "still"
    else:
        assert result["errors"] == {"judge": "engine_too_old_to_judge"}
        result = await configure(hass, result, chosen | {"judge": False})
        assert result["step_id"] == "still"


async def test_a_camera_whose_name_is_markup(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry
) -> None:
    """What a camera says that it is called is no link, picture or tag in a dialog, a repair or a notification."""
    hostile = "<img src=x>![x](https://evil.example/x.png) www.evil.example \u202eDoor"
    plain = "img src=x!x(https//evil. example/x. png) www. evil. example Door"
    state = hass.states.get(CAMERA)
    hass.states.async_set(CAMERA, state.state, {**state.attributes, "friendly_name": hostile})
    result = await _start(hass, entry)
    result = await configure(hass, result, {"triggers": [DOORBELL]})
    result = await choose(hass, result, "save")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done(wait_background_tasks=True)
    (camera,) = entry.get_subentries_of_type("camera")
    assert camera.title == plain
    # Anyone who gives it another title in Home Assistant writes into its dialogs.
    hass.config_entries.async_update_subentry(entry, camera, title=hostile)
    assert camera_names(entry) == {camera.subentry_id: plain}
    async_check_pictures(hass, camera.subentry_id, hostile, Fitness.TURNED, failures=9)
    issue = ir.async_get(hass).async_get_issue(DOMAIN, f"camera_turned_{camera.subentry_id}")
    assert issue is not None
    assert issue.translation_placeholders == {"camera": plain}
