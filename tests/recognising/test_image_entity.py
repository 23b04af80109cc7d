"""A door that has no camera in Home Assistant, but an image entity with a picture of each ring."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

from homeassistant.core import HomeAssistant, State
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.hub import Hub

from ..common.event_image import IMAGE, EventImage, put_up_image
from ..common.pictures import astronaut, enrolment_photos, frame, stranger
from ..common.steps import enrol, ring
from ..conftest import FrontDoor, a_door, add_entry, hub_of


@pytest.fixture
async def image(hass: HomeAssistant, front_door: FrontDoor) -> EventImage:
    """Return a real image entity; the doorbell is beside it."""
    return await put_up_image(hass)


@pytest.fixture
def entry(
    hass: HomeAssistant, config_folder: object, image: EventImage, one_picture: bool
) -> MockConfigEntry:
    """Return an entry with the image entity as its only camera."""
    door: dict[str, Any] = {**a_door(IMAGE)}
    door["data"] = {**door["data"], "one_picture": one_picture}
    return add_entry(hass, door)  # type: ignore[arg-type]


@pytest.fixture
async def hub(hass: HomeAssistant, real_engine: None, entry: MockConfigEntry) -> AsyncGenerator[Hub]:
    """Return the running hub, with a real engine that is ready."""
    async with hub_of(hass, entry) as hub:
        yield hub


def told(hass: HomeAssistant) -> State:
    """Return the visitor's event."""
    (state,) = [each for each in hass.states.async_all("event") if each.entity_id.endswith("_visitor")]
    return state


@pytest.mark.parametrize(("one_picture", "decision"), [(True, "familiar"), (False, "unclear")])
async def test_one_picture_a_ring(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, image: EventImage, decision: str
) -> None:
    """A picture of after the ring names somebody where the owner said that it is the only one."""
    await enrol(hass, entry, enrolment_photos())
    image.show(frame(astronaut()), dt_util.utcnow())
    await ring(hass, hub)
    assert told(hass).attributes["event_type"] == decision
    assert told(hass).attributes.get("person_name") == ("Eileen" if decision == "familiar" else None)


@pytest.mark.parametrize("one_picture", [True])
async def test_the_picture_of_an_earlier_ring(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, image: EventImage
) -> None:
    """It names nobody, and anyone who rings now is told by a picture of now."""
    await enrol(hass, entry, enrolment_photos())
    image.show(frame(astronaut()), dt_util.utcnow() - timedelta(minutes=1))
    await ring(hass, hub)
    assert told(hass).state == "unknown"
    fitness = [each for each in hass.states.async_all("sensor") if each.entity_id.endswith("_camera_fitness")]
    assert [each.state for each in fitness] == ["old_picture"]
    image.show(frame(stranger(0)), dt_util.utcnow())
    await ring(hass, hub)
    assert told(hass).attributes.get("person_name") is None
    assert told(hass).attributes["event_type"] in ("stranger", "unclear")
