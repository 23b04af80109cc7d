"""A photo of somebody that hangs where a camera sees it, through the real engine."""

from homeassistant.core import HomeAssistant
import numpy as np
from PIL import Image
import pytest

from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.visits.visit import Decision, UnclearReason

from ..common.pictures import astronaut, jpeg, porch, stranger
from ..common.steps import VISITOR, look_for, ring, visits
from ..conftest import FrontDoor

pytestmark = pytest.mark.usefixtures("entity_registry_enabled_by_default")

FRAMES = 24


def poster(person: Image.Image, width: int = 240) -> list[bytes]:
    """Return the frames of a still scene with a photo of somebody: the noise of the sensor alone is new in each."""
    scene = porch()
    scene.paste(person.resize((width, width), Image.Resampling.LANCZOS), (500, 150))
    pixels = np.asarray(scene, np.int16)
    rng = np.random.default_rng(8)
    noisy = (pixels + rng.normal(0, 2, pixels.shape).astype(np.int16) for _ in range(FRAMES))
    return [jpeg(Image.fromarray(each.clip(0, 255).astype(np.uint8))) for each in noisy]


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
