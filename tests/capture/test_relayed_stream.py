"""A camera that takes one connection alone, and Home Assistant holds it: its own stream is read instead."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
import time

from camera_lab import films
from camera_lab.door import Door, Fault
from camera_lab.faces import cast
from camera_lab.rtsp import RtspServer
from homeassistant.components.camera import Camera
from homeassistant.components.camera.helper import get_camera_from_entity_id
from homeassistant.components.stream import HLS_PROVIDER, Stream
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.capture.camera_stream import CameraStream
from custom_components.familiar_faces.capture.packets import Piece
from custom_components.familiar_faces.capture.picture_source import Ask, NoPicture, Seen, Wish
from custom_components.familiar_faces.capture.relayed_stream import is_running
from custom_components.familiar_faces.capture.stream_address import async_find_origins
from custom_components.familiar_faces.capture.stream_origin import StreamEnd
from custom_components.familiar_faces.capture.stream_pictures import BEFORE, StreamPictures
from custom_components.familiar_faces.host.client import EngineClient
from custom_components.familiar_faces.host.serving import open_session

from ..common.waiting import until

FORM = films.Format(films.H264, 960, 540, 2)
ONE_PART = 1.2
"""Seconds that Home Assistant gathers pictures until it hands them on, and what it needs for that."""


@pytest.fixture(scope="session")
def film_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("relayed")


@pytest.fixture
async def camera(local_streams: None, hass: HomeAssistant, film_folder: Path) -> AsyncGenerator[_Camera]:
    """Return a door, with Home Assistant's own generic camera, which takes one connection."""
    people = await cast(film_folder, None)
    door = Door({"Eileen": await films.make(film_folder, FORM, people.known[0].appearances[0])})
    door.single = True
    server = RtspServer(door)
    await server.start()
    door.start()
    await asyncio.sleep(0)
    assert await async_setup_component(hass, "stream", {})
    entry = MockConfigEntry(
        domain="generic",
        version=2,
        title="Door",
        options={
            "stream_source": server.url,
            "content_type": "image/jpeg",
            "advanced": {"framerate": 5, "verify_ssl": False, "rtsp_transport": "tcp"},
        },
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    (entity_id,) = hass.states.async_entity_ids("camera")
    entity = get_camera_from_entity_id(hass, entity_id)
    found = _Camera(hass, door, server, entity)
    try:
        yield found
    finally:
        await found.leave()
        await hass.config_entries.async_unload(entry.entry_id)
        await server.stop()
        await door.stop()


class _Camera:
    def __init__(self, hass: HomeAssistant, door: Door, server: RtspServer, entity: Camera) -> None:
        self.hass, self.door, self.server, self.entity = hass, door, server, entity

    async def watch(self) -> Stream:
        """Have somebody watch it in Home Assistant; return once there are pictures."""
        stream = await self.entity.async_create_stream()
        assert stream is not None
        output = stream.add_provider(HLS_PROVIDER)
        await stream.start()
        await until(lambda: output.last_segment is not None and len(output.last_segment.parts) > 1)
        return stream

    async def leave(self) -> None:
        """Have nobody watch it from now on, as Home Assistant notices after a while."""
        if (stream := self.entity.stream) is not None:
            for output in stream.outputs().values():
                await stream.remove_provider(output)

    @asynccontextmanager
    async def kept(self, *, warm: bool) -> AsyncGenerator[CameraStream]:
        stream = CameraStream(
            "door", partial(async_find_origins, self.hass, self.entity.entity_id), warm=warm
        )
        stream.async_start()
        try:
            yield stream
        finally:
            await stream.async_stop()


@pytest.fixture
async def client(local_streams: None, shared_engine: Path) -> AsyncGenerator[EngineClient]:
    async with open_session(shared_engine) as session:
        yield EngineClient(session, "http://engine")


async def test_the_camera_itself_is_read_while_nobody_holds_it(camera: _Camera) -> None:
    async with camera.kept(warm=True) as stream:
        await until(lambda: stream.running)
        assert camera.server.opened == 1
    # Home Assistant's own stream was not begun for it.
    assert camera.entity.stream is None


@pytest.mark.parametrize("warm", [True, False])
async def test_home_assistants_stream_is_read_where_the_camera_refuses(
    camera: _Camera, client: EngineClient, warm: bool
) -> None:
    await camera.watch()
    async with camera.kept(warm=warm) as stream:
        if warm:
            await until(lambda: stream.running)
            await asyncio.sleep(4)
        await camera.door.visit("Eileen")
        # A visit is seen in a part once it is complete.
        await asyncio.sleep(BEFORE + ONE_PART)
        rang = datetime.now(UTC)
        seen: list[Seen] = []
        ask = Ask(rang, 30.0, lambda: client)
        async with StreamPictures(stream, "camera.door").open(ask) as found:
            while not seen or seen[-1].at <= rang:
                assert await found.ready()
                seen.append(await found.see(Wish(40)))
        assert camera.server.opened == 1
        assert all(len(each.faces.faces) == 1 for each in seen)
        # None twice, and none from before.
        assert len({each.at for each in seen}) == len(seen)
        assert seen[0].at > rang - timedelta(seconds=BEFORE + 0.5)


async def test_pieces_have_the_times_at_which_they_came(camera: _Camera) -> None:
    await camera.watch()
    pieces: list[Piece] = []
    async with camera.kept(warm=False) as stream, stream.subscribe(0) as subscription:
        began = time.monotonic()
        while time.monotonic() < began + 5:
            pieces += await subscription.take()
        assert pieces[0].key
        assert [each.number for each in pieces] == list(range(1, len(pieces) + 1))
        times = [each.time for each in pieces]
        assert times == sorted(times)
        # Fifteen a second, and each when it was shown, although they come a second's worth at a time.
        assert (times[-1] - times[0]) * FORM.fps == pytest.approx(len(pieces) - 1, abs=2)
        late = time.monotonic() - subscription.timeline.made(times[-1])
        assert 0 <= late < 2 * ONE_PART
        # What was before the look in Home Assistant's memory is told from what is of now.
        assert began - subscription.timeline.made(times[0]) < 7


async def test_a_stream_that_stands_still_gives_nothing(camera: _Camera, client: EngineClient) -> None:
    """Home Assistant keeps its last parts for as long as it takes."""
    await camera.watch()
    await camera.door.visit("Eileen")
    await asyncio.sleep(ONE_PART)
    camera.door.break_down(Fault.FREEZES)
    await asyncio.sleep(BEFORE + ONE_PART)
    async with camera.kept(warm=False) as stream:
        ask = Ask(datetime.now(UTC), 4.0, lambda: client)
        async with StreamPictures(stream, "camera.door").open(ask) as found:
            with pytest.raises(NoPicture):
                await found.ready()


async def test_the_camera_is_read_again_once_home_assistant_lets_it_go(camera: _Camera) -> None:
    await camera.watch()
    async with camera.kept(warm=True) as stream:
        await until(lambda: stream.running)
        assert camera.server.opened == 1
        await camera.leave()
        await until(lambda: camera.server.opened == 2 and stream.running)
        assert not is_running(camera.entity.stream)


async def test_where_nobody_has_it_a_look_is_told_at_once(camera: _Camera) -> None:
    """Home Assistant's stream is not begun where it does not run: it would be refused as well."""
    await camera.watch()
    await camera.leave()
    camera.door.break_down(Fault.REFUSES)
    async with camera.kept(warm=False) as stream, stream.subscribe(0) as subscription:
        began = time.monotonic()
        await until(lambda: subscription.failures > 1)
        assert time.monotonic() - began < 5
        assert stream.end is StreamEnd.REFUSED
        assert not is_running(camera.entity.stream)


@pytest.mark.parametrize(
    ("orientation", "turn"), [(1, 0), (2, 0), (3, 180), (4, 180), (5, 90), (6, 270), (7, 270), (8, 90)]
)
async def test_the_orientation_of_a_camera_is_kept(camera: _Camera, orientation: int, turn: int) -> None:
    er.async_get(camera.hass).async_update_entity_options(
        camera.entity.entity_id, "camera", {"orientation": orientation}
    )
    (origin,) = await async_find_origins(camera.hass, camera.entity.entity_id)
    assert origin.turn == turn
