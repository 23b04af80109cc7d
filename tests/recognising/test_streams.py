"""Visits at a camera with a stream: a real stream, read by a real Home Assistant, and seen by the real engine."""

import asyncio
from collections.abc import AsyncGenerator

from homeassistant.components.camera.const import CameraEntityFeature
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.hub import Hub

from ..common import films
from ..common.live_streams import LiveStream, live
from ..common.pictures import jpeg, porch
from ..common.steps import VISITOR, ring
from ..conftest import CAMERA, FrontDoor, put_up

FPS = 15
SIZE = (640, 368)


class StreamingDoor(FrontDoor):
    """A camera with a stream. Its stills are the last key frame for ever, as Home Assistant has it of one that idles."""

    _attr_supported_features = CameraEntityFeature.STREAM

    def __init__(self) -> None:
        """Have no stream yet."""
        super().__init__()
        self.frames, self.stuck = [jpeg(porch())], True


@pytest.fixture
async def front_door(hass: HomeAssistant) -> FrontDoor:
    """Return a real camera entity with a stream, and set up a doorbell button beside it."""
    camera = StreamingDoor()
    await put_up(hass, [camera])
    await hass.async_block_till_done()
    return camera


@pytest.fixture(scope="module")
def film() -> films.Film:
    """Return some seconds of Eileen at the door, with a key frame every two seconds."""
    return films.film(films.visited(size=SIZE), size=SIZE, seconds=12, bit_rate=800_000)


@pytest.fixture
async def server(sockets: None, film: films.Film) -> AsyncGenerator[LiveStream]:
    """Return a server that shows it over and over."""
    async with live(film.pieces, FPS) as server:
        yield server


def told(hass: HomeAssistant) -> State:
    """Return the visitor's event."""
    state = hass.states.get(VISITOR)
    assert state is not None
    return state


async def streaming(hass: HomeAssistant, hub: Hub, door: FrontDoor, server: LiveStream) -> None:
    """Have the camera's stream be there, and wait until it is open."""
    door.address = server.address
    ((camera, stream),) = hub.cameras._streams.items()
    assert camera == CAMERA
    async with asyncio.timeout(60):
        while not stream.running:
            stream._wanted.set()
            await asyncio.sleep(0.1)


async def test_named_out_of_the_stream(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str, server: LiveStream
) -> None:
    """The stream is open before anybody rings, and its stills, which are old, are not even asked for."""
    await streaming(hass, hub, front_door, server)
    await ring(hass, hub)
    assert told(hass).attributes["person_name"] == "Eileen"
    assert front_door.fetched == 0
    assert hass.states.get("sensor.front_door_camera_fitness").state in ("good", "too_small")


async def test_a_stream_that_breaks_down(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str, server: LiveStream
) -> None:
    """What it showed before the ring names nobody, and neither does the last still."""
    await streaming(hass, hub, front_door, server)
    server.refusing = True
    await server.drop()
    await asyncio.sleep(2)
    await ring(hass, hub)
    assert told(hass).state == "unknown"
    assert hass.states.get("sensor.front_door_camera_fitness").state == "old_picture"


async def test_closed_where_nobody_may_be_recognised(
    hass: HomeAssistant,
    hub: Hub,
    front_door: FrontDoor,
    eileen: str,
    server: LiveStream,
    entry: MockConfigEntry,
) -> None:
    """A stream is open only while there is somebody to recognise, and leave to do so."""
    await streaming(hass, hub, front_door, server)
    (stream,) = hub.cameras._streams.values()
    switch = er.async_get(hass).async_get_entity_id(
        "switch", "familiar_faces", f"{next(iter(hub.watchers))}_recognition"
    )
    await hass.services.async_call("switch", "turn_off", {"entity_id": switch}, blocking=True)
    await hass.async_block_till_done()
    async with asyncio.timeout(30):
        while stream.running:
            await asyncio.sleep(0.1)
    assert stream.size == 0
    await hass.services.async_call("switch", "turn_on", {"entity_id": switch}, blocking=True)
    await hass.async_block_till_done()
    assert stream.warm
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert not stream.running
    assert hub.cameras._streams == {}
