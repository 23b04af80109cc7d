"""A photo of somebody that hangs where a camera sees it, through the real engine."""

from dataclasses import replace

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import numpy as np
from PIL import Image
import pytest

from custom_components.familiar_faces.capture.camera_settings import camera_settings
from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.household.issues import CAMERA_POSTER, async_check_posters
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.visits.posters import LOOKS
from custom_components.familiar_faces.visits.visit import Decision, UnclearReason

from ..common.owner import Owner
from ..common.pictures import astronaut, jpeg, porch, stranger
from ..common.steps import VISITOR, look_for, ring, visits
from ..conftest import FrontDoor

pytestmark = pytest.mark.usefixtures("entity_registry_enabled_by_default")

FRAMES = 24


def poster(
    person: Image.Image, width: int = 240, *, visitor: Image.Image | None = None, frames: int = FRAMES
) -> list[bytes]:
    """Return the frames of a still scene with a photo of somebody: the noise of the sensor alone is new in each.

    `visitor`: somebody who walks past it.
    """
    hung = person.resize((width, width), Image.Resampling.LANCZOS)
    return [_scene(hung, visitor, number) for number in range(frames)]


def _scene(hung: Image.Image, visitor: Image.Image | None, number: int) -> bytes:
    scene = porch()
    scene.paste(hung, (500, 150))
    if visitor is not None:
        scene.paste(visitor, (150 + 25 * number, 160))
    pixels = np.asarray(scene, np.int16)
    noisy = pixels + np.random.default_rng(number).normal(0, 2, pixels.shape).astype(np.int16)
    return jpeg(Image.fromarray(noisy.clip(0, 255).astype(np.uint8)))


@pytest.mark.parametrize("width", [150, 240])
async def test_a_poster_is_not_named(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str, width: int
) -> None:
    """Nobody is said to be there, and why is said wherever an unclear visit is shown."""
    look_for(hub, 3.0)
    front_door.frames = poster(astronaut(), width)
    await ring(hass, hub)
    (visit,) = hub.open_visits.visits
    assert (visit.decision, visit.reason) == (Decision.UNCLEAR, UnclearReason.MAY_BE_A_PICTURE)
    shown = hass.states.get(VISITOR).attributes
    assert (shown["event_type"], shown["reason"]) == ("unclear", "may_be_a_picture")
    assert "person_id" not in shown
    assert hass.states.get("binary_sensor.eileen_present").state == "off"
    assert (await hass.async_add_executor_job(hub.vault.stored)).visits == 0


async def test_the_poster_of_a_stranger_is_no_stranger(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str
) -> None:
    """It would be one at every look."""
    look_for(hub, 3.0)
    front_door.frames = poster(stranger(0))
    await ring(hass, hub)
    assert hass.states.get(VISITOR).attributes["reason"] == "may_be_a_picture"
    assert hass.states.get("binary_sensor.front_door_stranger").state == "off"


def in_a_hand(person: Image.Image, width: int = 240, frames: int = FRAMES) -> list[bytes]:
    """Return the frames of somebody who holds a photo with a white edge before the camera, and never quite still."""
    border = width // 10
    sheet = Image.new("RGB", (width + 2 * border,) * 2, (240, 240, 240))
    sheet.paste(person.resize((width, width), Image.Resampling.LANCZOS), (border, border))
    shown = []
    for number in range(frames):
        held = sheet.convert("RGBA").rotate(4 + number % 5, expand=True, resample=Image.Resampling.BICUBIC)
        scene = porch(number)
        scene.paste(held, (480 + 12 * (number % 4), 150 + 8 * (number % 3)), held)
        shown.append(jpeg(scene))
    return shown


def in_person(person: Image.Image, frames: int = FRAMES) -> list[bytes]:
    """Return the frames of somebody who fills the picture to its edges, and moves."""
    large = person.resize((700, 700), Image.Resampling.LANCZOS)
    return [
        jpeg(large.crop((left, top, left + 640, top + 640)))
        for left, top in ((5 * (number % 11), 4 * (number % 7)) for number in range(frames))
    ]


def judge(hub: Hub) -> None:
    """Have faces judged at the front door, as the owner can choose."""
    (watcher,) = hub.watchers.values()
    watcher.settings = replace(watcher.settings, judge=True)


@pytest.mark.parametrize("judged", [True, False])
async def test_a_photo_in_a_hand_is_not_named_where_the_owner_chose_it(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str, judged: bool
) -> None:
    """It moves as people do. Without the option it gets the name, which the limits say."""
    look_for(hub, 3.0)
    if judged:
        judge(hub)
    front_door.frames = in_a_hand(astronaut())
    await ring(hass, hub)
    (visit,) = hub.open_visits.visits
    shown = hass.states.get(VISITOR).attributes
    if judged:
        assert (visit.decision, visit.reason) == (Decision.UNCLEAR, UnclearReason.MAY_BE_A_PICTURE)
        assert (shown["event_type"], shown["reason"]) == ("unclear", "may_be_a_picture")
        assert hass.states.get("binary_sensor.eileen_present").state == "off"
        (watcher,) = hub.watchers.values()
        assert not watcher.suspected.likely, "what is in a hand is no poster"
    else:
        assert visit.person_id == eileen


async def test_a_person_is_named_where_faces_are_judged(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str
) -> None:
    look_for(hub, 3.0)
    judge(hub)
    front_door.frames = in_person(astronaut())
    await ring(hass, hub)
    (visit,) = hub.open_visits.visits
    assert visit.person_id == eileen


async def test_the_person_themselves_is_named_within_the_visit(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str
) -> None:
    """Anyone who stood as still as a picture is named as soon as they move."""
    look_for(hub, 3.0)
    front_door.frames = poster(astronaut())
    await ring(hass, hub)
    (before,) = hub.open_visits.visits
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    (visit,) = hub.open_visits.visits
    assert (visit.visit_id, visit.person_id) == (before.visit_id, eileen)
    assert hass.states.get(VISITOR).attributes["event_type"] == "familiar"


async def test_a_poster_is_ignored_in_one_step(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str, owner: Owner
) -> None:
    """After some looks it is offered; then it is no visitor, and anyone who walks past it still is."""
    (camera_id,) = hub.watchers
    issue_id, registry = f"{CAMERA_POSTER}_{camera_id}", ir.async_get(hass)
    look_for(hub, 2.5)
    front_door.frames = poster(stranger(0))
    for _ in range(LOOKS):
        assert registry.async_get_issue(DOMAIN, issue_id) is None
        await ring(hass, hub)
    issue = registry.async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.translation_placeholders == {"camera": "Front door"}

    shown = await owner.repair(issue_id)
    assert shown["description_placeholders"] == {"camera": "Front door", "count": "1"}
    assert not camera_settings(hub.entry.subentries[camera_id].data).posters, "nothing is done before that"
    await owner.answer(shown, {})
    await hass.async_block_till_done()
    assert len(camera_settings(hub.entry.subentries[camera_id].data).posters) == 1
    assert registry.async_get_issue(DOMAIN, issue_id) is None

    hub.open_visits.leave(camera_id)
    look_for(hub, 2.5)
    await ring(hass, hub)
    assert not hub.open_visits.visits
    front_door.frames = poster(stranger(0), visitor=astronaut())
    await ring(hass, hub)
    (visit,) = hub.open_visits.visits
    assert visit.person_id == eileen


async def test_a_repair_of_a_picture_that_is_gone(hass: HomeAssistant, hub: Hub, owner: Owner) -> None:
    """Between the repair and the answer the camera was set up again: there is nothing to ignore, and nothing fails."""
    (camera_id,) = hub.watchers
    async_check_posters(hass, camera_id, "Front door", found=True)
    shown = await owner.repair(f"{CAMERA_POSTER}_{camera_id}")
    assert shown["type"] == "create_entry"
    assert not camera_settings(hub.entry.subentries[camera_id].data).posters
