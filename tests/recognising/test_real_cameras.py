"""Cameras of Home Assistant's own integrations that fail: nobody gets the name of who came before."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from PIL import Image
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.capture import trying
from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.household.issues import AFTER_FAILURES
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.recognising import identify

from ..common.calling import act, refused
from ..common.pictures import astronaut, jpeg, porch, stranger
from ..common.real_cameras import Fault, RealDoor, put_up_real
from ..common.steps import VISITOR, choose, configure, consent, later, look_for, ring, start_person, visits
from ..conftest import CAMERA, DOORBELL

pytestmark = pytest.mark.usefixtures("entity_registry_enabled_by_default")

FITNESS = "sensor.front_door_camera_fitness"
OLD, NONE = "old_picture", "no_picture"


@pytest.fixture
async def front_door(
    request: pytest.FixtureRequest, hass: HomeAssistant, sockets: None, tmp_path: Path
) -> AsyncGenerator[RealDoor]:
    """Return what stands before a camera of one of Home Assistant's integrations; there is a doorbell beside it."""
    assert await async_setup_component(hass, "homeassistant", {})
    bell = DOORBELL.removeprefix("input_button.")
    assert await async_setup_component(hass, "input_button", {"input_button": {bell: {}}})
    async with put_up_real(hass, request.param, tmp_path, [jpeg(porch())]) as door:
        yield door


async def _rings(hass: HomeAssistant, hub: Hub) -> tuple[str, object]:
    """Ring, and return when somebody was told last, and what."""
    await ring(hass, hub)
    state = hass.states.get(VISITOR)
    assert state is not None
    return state.state, state.attributes.get("person_name")


@pytest.mark.parametrize(
    ("front_door", "fault", "said"),
    [
        ("generic", Fault.ERROR, OLD),
        ("generic", Fault.REFUSES, OLD),
        ("generic", Fault.FROZEN, OLD),
        ("mjpeg", Fault.ERROR, NONE),
        ("mjpeg", Fault.REFUSES, NONE),
        ("local_file", Fault.FROZEN, OLD),
        ("push", Fault.FROZEN, OLD),
    ],
    indirect=["front_door"],
)
async def test_who_rings_while_it_fails_gets_no_name(
    hass: HomeAssistant,
    hub: Hub,
    front_door: RealDoor,
    entry: MockConfigEntry,
    eileen: str,
    monkeypatch: pytest.MonkeyPatch,
    fault: Fault,
    said: str,
) -> None:
    """Whatever shows the camera's picture says that it is old or not there, and a repair says so at the third ring."""
    monkeypatch.setattr(identify, "SECONDS", 1.0)
    monkeypatch.setattr(trying, "STILL_SECONDS", 0.8)
    front_door.frames = visits(astronaut())
    told = await _rings(hass, hub)
    assert told[1] == "Eileen"
    front_door.fault = fault
    look_for(hub, 1.0)
    with later(minutes=2):
        for failures in range(1, AFTER_FAILURES + 1):
            # She is gone, and somebody else rings; or nobody is there.
            front_door.frames = visits(stranger(0)) if failures < AFTER_FAILURES else [jpeg(porch())]
            assert await _rings(hass, hub) == told
            assert hass.states.get(FITNESS).state == said
            issues = [issue_id for _, issue_id in ir.async_get(hass).issues if "_picture_" in issue_id]
            assert [each.split("_picture_")[0] for each in issues] == (
                [f"camera_{said.removesuffix('_picture')}"] if failures >= AFTER_FAILURES else []
            )
        # What comes instead of a picture may be a page that says what is wrong.
        key = "image_rejected" if (fault, said) == (Fault.ERROR, NONE) else f"camera_{said}"
        assert await refused(hass, "identify", camera=CAMERA) == key
        (camera,) = entry.get_subentries_of_type("camera")
        dialog = await entry.start_subentry_reconfigure_flow(hass, camera.subentry_id)
        dialog = await configure(hass, dialog, {"camera": CAMERA, "mode": "on_ring", "public_space": False})
        dialog = await configure(hass, dialog, {"triggers": [DOORBELL]})
        found = dialog["description_placeholders"]["found"]
        assert ("repeated one picture" if said == OLD else "picture") in found, found
        hass.config_entries.subentries.async_abort(dialog["flow_id"])
        # Once it gives pictures of now, who is there now is said.
        front_door.fault, front_door.frames = None, visits(stranger(0))
        look_for(hub, 3.0)
        assert await _rings(hass, hub) != told
        assert hass.states.get(VISITOR).attributes["event_type"] == "stranger"
        assert hass.states.get(FITNESS).state == "good"
        assert not [issue_id for domain, issue_id in ir.async_get(hass).issues if "_picture_" in issue_id]
        answer = await act(hass, "identify", camera=CAMERA)
        assert [face["name"] for face in answer["faces"]] == [None]


@pytest.mark.parametrize("front_door", ["generic"], indirect=True)
@pytest.mark.parametrize("turn", [Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180])
async def test_a_camera_that_lies_makes_nobody_a_stranger(
    hass: HomeAssistant, hub: Hub, front_door: RealDoor, eileen: str, turn: Image.Transpose
) -> None:
    """A repair says that it is turned; once the owner has set by how much, people are recognised."""
    front_door.frames = [
        jpeg(Image.open(BytesIO(each)).transpose(turn)) for each in visits(astronaut(), stranger(0))
    ]
    for _ in range(2):
        assert (await _rings(hass, hub))[1] is None
        attributes = hass.states.get(VISITOR).attributes
        assert (attributes["event_type"], attributes.get("reason")) == ("unclear", "no_usable_face")
    assert hass.states.get(FITNESS).state == "turned"
    (watcher,) = hub.watchers.values()
    issue = (DOMAIN, f"camera_turned_{watcher.camera_id}")
    assert issue in ir.async_get(hass).issues
    # Pillow turns the other way round.
    degrees = {Image.Transpose.ROTATE_90: 90, Image.Transpose.ROTATE_180: 180}[turn]
    watcher.settings = replace(watcher.settings, turn=degrees)
    for _ in range(3):
        await _rings(hass, hub)
    assert hass.states.get("sensor.eileen_last_seen_where").state == "Front door"
    assert hass.states.get(FITNESS).state == "good"
    assert issue not in ir.async_get(hass).issues


@pytest.mark.parametrize("front_door", ["generic", "local_file"], indirect=True)
async def test_no_photo_is_taken_of_who_stood_there_before(
    hass: HomeAssistant, hub: Hub, front_door: RealDoor, entry: MockConfigEntry
) -> None:
    """The walk-up waits for a picture of now."""
    front_door.frames = visits(astronaut())
    front_door.picture()
    front_door.fault = Fault.FROZEN
    dialog = await configure(hass, await start_person(hass, entry), consent())
    dialog = await choose(hass, dialog, "walk_up")
    (camera,) = entry.get_subentries_of_type("camera")
    dialog = await configure(hass, dialog, {"camera": camera.subentry_id})
    assert (dialog["type"], dialog["progress_action"]) == (FlowResultType.SHOW_PROGRESS, "come")
    await asyncio.sleep(1.5)
    dialog = await configure(hass, dialog, {})
    assert (dialog["type"], dialog["progress_action"]) == (FlowResultType.SHOW_PROGRESS, "come")
    stored = await hass.async_add_executor_job(hub.vault.stored)
    assert (stored.templates, stored.photos) == (0, 0)
    front_door.fault = None
    async with asyncio.timeout(30):
        while dialog["type"] is FlowResultType.SHOW_PROGRESS and dialog["progress_action"] == "come":
            await asyncio.sleep(0.1)
            dialog = await configure(hass, dialog, {})
    hass.config_entries.subentries.async_abort(dialog["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)
