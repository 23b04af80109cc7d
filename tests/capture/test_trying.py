"""Which way to get pictures is proposed."""

from contextlib import AsyncExitStack
from pathlib import Path

from homeassistant.components.camera.const import CameraEntityFeature
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import numpy as np
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.capture.camera_settings import CameraSettings
from custom_components.familiar_faces.capture.cameras import Cameras
from custom_components.familiar_faces.capture.stream_address import CLOCKWISE
from custom_components.familiar_faces.capture.suggesting import async_other_cameras
from custom_components.familiar_faces.capture.trying import Finding, Tried, async_try, best_of, wider_than
from custom_components.familiar_faces.const import Mode, PictureSource
from custom_components.familiar_faces.engine.protocol import Face, Faces, Quality
from custom_components.familiar_faces.host.client import EngineClient
from custom_components.familiar_faces.host.serving import open_session
from tests.capture.conftest import FPS
from tests.common import films
from tests.common.live_streams import LiveStream, live
from tests.conftest import FrontDoor, put_up

from ..common.waiting import until

STILL, STREAM, EVENT = PictureSource.STILL, PictureSource.STREAM, PictureSource.EVENT


def face(width: float) -> Face:
    """Return a face so wide, pixels."""
    quality = Quality(True, None, 80.0, 0.0, 120.0, round(width))
    return Face((0, 0, width, width), ((0.0, 0.0),) * 5, 0.9, quality, np.ones(1, np.float32))


def tried(
    source: PictureSource,
    width: float | None,
    *,
    finding: Finding | None = None,
    other: str | None = None,
    seconds: float = 0.5,
) -> Tried:
    """Return what came of a way: a face so wide, none where it is 0, and no picture where it is None."""
    if width is None:
        return Tried(source, finding=finding or Finding.CAMERA_FAILED, entity_id=other)
    faces: tuple[Face, ...] = (face(width),) if width else ()
    return Tried(source, Faces("sface", (1920, 1080), faces, {}), seconds, finding, other)


@pytest.mark.parametrize(
    ("ways", "best"),
    [
        ([tried(STILL, 100), tried(STREAM, 100)], STREAM),
        # A sub stream: faces are too small in it.
        ([tried(STILL, 100), tried(STREAM, 40)], STILL),
        ([tried(STILL, None), tried(STREAM, 40)], STREAM),
        ([tried(STILL, 100), tried(STREAM, None, finding=Finding.STREAM_FAILED)], STILL),
        # Wide faces of an old picture are worth nothing.
        ([tried(STILL, 200, finding=Finding.OLD_PICTURE), tried(STREAM, 60)], STREAM),
        # Who was seen in a still that takes so long had left when the stream was tried.
        ([tried(STILL, 100, seconds=7.0), tried(STREAM, 0, seconds=2.0)], STREAM),
        ([tried(STILL, 100), tried(STREAM, 0)], STILL),
        ([tried(STILL, 100, seconds=7.0), tried(STREAM, 30)], STILL),
        # An event picture comes about once a visit.
        ([tried(STILL, 50), tried(EVENT, 300)], STILL),
        ([tried(STILL, None), tried(EVENT, 300)], EVENT),
        ([tried(STILL, 200, finding=Finding.OLD_PICTURE), tried(EVENT, 50)], EVENT),
        # Nobody stood there.
        ([tried(STILL, 0), tried(STREAM, 0)], STREAM),
        ([tried(STILL, None), tried(STREAM, None)], None),
        # What another camera shows cannot be had with this one.
        ([tried(STILL, None), tried(STREAM, 300, other="camera.main")], None),
    ],
)
def test_the_best_way(ways: list[Tried], best: PictureSource | None) -> None:
    found = best_of(ways)
    assert (found.source if found is not None else None) == best


def test_another_camera_is_named_where_its_faces_are_wider() -> None:
    sub, main = tried(STREAM, 40), tried(STREAM, 120, other="camera.main")
    assert wider_than([sub, main], sub) == main
    assert wider_than([main], None) == main
    assert wider_than([tried(STREAM, 110), main], tried(STREAM, 110)) is None
    assert wider_than([sub, tried(STREAM, None, other="camera.main")], sub) is None
    assert wider_than([tried(STREAM, 0), tried(STREAM, 0, other="camera.main")], tried(STREAM, 0)) is None


def test_each_orientation_that_turns_is_known() -> None:
    assert set(CLOCKWISE.values()) == {90, 180, 270}


class StreamCamera(FrontDoor):
    """A camera with a stream, and no stills of its own."""

    _attr_supported_features = CameraEntityFeature.STREAM

    def __init__(self, name: str, address: str) -> None:
        super().__init__(name)
        self.address = address


async def test_each_way_is_tried_and_nothing_stays_open(
    local_streams: None, hass: HomeAssistant, shared_engine: Path
) -> None:
    """A device with a sub stream and a main stream: the one that was chosen is measured, and the wider one is named."""
    served: list[LiveStream] = []
    async with AsyncExitStack() as stack:
        for size in ((480, 272), (960, 544)):
            film = films.film(films.visited(size=size), size=size, seconds=4, bit_rate=800_000)
            served.append(await stack.enter_async_context(live(film.pieces, FPS)))
        sub, main = (
            StreamCamera(name, each.address) for name, each in zip(("sub", "main"), served, strict=True)
        )
        await put_up(hass, [sub, main])
        owner = MockConfigEntry()
        owner.add_to_hass(hass)
        device = dr.async_get(hass).async_get_or_create(
            config_entry_id=owner.entry_id, identifiers={("test", "door")}
        )
        for each in (sub, main):
            er.async_get(hass).async_update_entity(each.entity_id, device_id=device.id)
        assert async_other_cameras(hass, sub.entity_id) == [main.entity_id]
        cameras = Cameras(hass)
        session = await stack.enter_async_context(open_session(shared_engine))
        client = EngineClient(session, "http://engine")
        found = await async_try(hass, cameras, lambda: client, CameraSettings(sub.entity_id, Mode.ON_RING))
        still, stream, other = found
        assert (still.source, still.finding) == (STILL, Finding.CAMERA_FAILED)
        assert (stream.source, stream.entity_id, other.entity_id) == (STREAM, None, main.entity_id)
        assert 0 < stream.width < other.width
        assert stream.seconds is not None
        best = best_of(found)
        assert best == stream
        assert wider_than(found, best) == other
        # Each was connected to once, and the other one is left alone.
        assert [each.connections for each in served] == [1, 1]
        assert not cameras.async_has_stream(main.entity_id)
        await until(lambda: not served[1]._writers)
        await cameras.async_stop()
        await until(lambda: not served[0]._writers)
