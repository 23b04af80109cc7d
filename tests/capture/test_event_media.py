"""Clips of events, as an integration whose camera shows nothing live keeps them: served by a real Home Assistant."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
import io
from pathlib import Path
from typing import override
from unittest.mock import patch

from aiohttp import web
import av
from homeassistant.components.camera import CameraCapabilities
from homeassistant.components.camera.const import StreamType
from homeassistant.components.media_source import MediaSource, MediaSourceItem, PlayMedia
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.http import HomeAssistantView
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from PIL import Image
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockModule,
    mock_integration,
    mock_platform,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.familiar_faces.capture import event_media
from custom_components.familiar_faces.capture.camera_settings import CameraSettings
from custom_components.familiar_faces.capture.cameras import Cameras
from custom_components.familiar_faces.capture.event_media import EventMedia, event_media_of
from custom_components.familiar_faces.capture.known_pictures import KnownPictures
from custom_components.familiar_faces.capture.picture_source import (
    Ask,
    NoPicture,
    Seen,
    Source,
    Trouble,
    Wish,
)
from custom_components.familiar_faces.capture.trying import Finding, async_try
from custom_components.familiar_faces.const import Mode
from custom_components.familiar_faces.host.client import EngineClient
from custom_components.familiar_faces.host.serving import open_session

from ..common import films
from ..common.pictures import jpeg, porch
from ..conftest import FrontDoor

SIZE = (640, 368)
SECONDS = 4
CAMERA, CHIME = "camera.nest_door", "event.nest_door_chime"


def clip(scene: films.Scene | None = None, codec: str = "libx264") -> bytes:
    """Return a clip as an MP4."""
    film = films.film(scene or films.visited(size=SIZE), size=SIZE, seconds=SECONDS, codec=codec)
    file = io.BytesIO()
    with av.open(io.BytesIO(film.data), format="mpegts") as source, av.open(file, "w", format="mp4") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    return file.getvalue()


class Clips(MediaSource):
    """The media source of the integration, and what serves its clips to anyone who is logged in."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Have none yet."""
        super().__init__("nest")
        self.clips: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.device_id = ""
        media = self

        class View(HomeAssistantView):
            url = "/api/nest/event_media/{device_id}/{token}"
            name = "api:nest:event_media"

            async def get(self, request: web.Request, device_id: str, token: str) -> web.Response:
                assert device_id == media.device_id
                media.asked.append(token)
                if token not in media.clips:
                    raise web.HTTPNotFound
                return web.Response(body=media.clips[token], content_type="video/mp4")

        hass.http.register_view(View)

    @override
    async def async_resolve_media(self, item: MediaSourceItem) -> PlayMedia:
        return PlayMedia(f"/api/nest/event_media/{item.identifier}", "video/mp4")

    def ring(self, hass: HomeAssistant, token: str, at: datetime) -> None:
        """Have the camera's chime tell of an event."""
        hass.states.async_set(CHIME, at.isoformat(), {"event_type": "ring", "nest_event_id": token})


@pytest.fixture
async def clips(hass: HomeAssistant, local_streams: None, hass_client: ClientSessionGenerator) -> Clips:
    """Return what an integration keeps of the events of a device with a camera and a chime."""
    assert await async_setup_component(hass, "http", {})
    clips = Clips(hass)

    class Platform:
        @staticmethod
        async def async_get_media_source(hass: HomeAssistant) -> MediaSource:
            return clips

    mock_integration(hass, MockModule("nest"))
    mock_platform(hass, "nest.media_source", Platform())  # type: ignore[arg-type]
    assert await async_setup_component(hass, "nest", {})
    assert await async_setup_component(hass, "media_source", {})
    await hass.async_block_till_done()
    hass.config.internal_url = str((await hass_client()).make_url("")).rstrip("/")
    owner = MockConfigEntry(domain="nest")
    owner.add_to_hass(hass)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=owner.entry_id, identifiers={("nest", "door")}
    )
    clips.device_id = device.id
    registry = er.async_get(hass)
    for domain, unique_id, entity_id in (("camera", "door", CAMERA), ("event", "door-chime", CHIME)):
        made = registry.async_get_or_create(domain, "nest", unique_id, device_id=device.id)
        registry.async_update_entity(made.entity_id, new_entity_id=entity_id)
    return clips


@pytest.fixture
async def client(local_streams: None, shared_engine: Path) -> AsyncGenerator[EngineClient]:
    """Return how to ask a real engine."""
    async with open_session(shared_engine) as session:
        yield EngineClient(session, "http://engine")


def source(hass: HomeAssistant, known: KnownPictures | None = None) -> EventMedia:
    """Return the clips of the camera."""
    place = event_media_of(hass, CAMERA)
    assert place is not None
    return EventMedia(hass, place, known or KnownPictures())


async def see_all(source: Source, client: EngineClient, at: datetime, seconds: float = 1.0) -> list[Seen]:
    """Return all that a look sees."""
    seen = []
    async with source.open(Ask(at, seconds, lambda: client)) as pictures:
        while await pictures.ready():
            seen.append(await pictures.see(Wish(min_face=30)))
    return seen


async def test_the_clip_of_an_event(hass: HomeAssistant, clips: Clips, client: EngineClient) -> None:
    """It comes after the event, and is looked at from beginning to end, quicker than it was filmed."""
    now = dt_util.utcnow()
    clips.ring(hass, "rang", now)
    hass.loop.call_later(1.5, clips.clips.__setitem__, "rang", clip())
    began = hass.loop.time()
    with patch.object(event_media, "AGAIN", 0.3):
        seen = await see_all(source(hass), client, now)
    assert hass.loop.time() - began > 1.5
    assert len(clips.asked) > 2
    assert SECONDS / event_media.STEP - 2 <= len(seen) <= SECONDS / event_media.STEP + 2
    assert all(len(each.faces.faces) == 1 for each in seen)
    times = [(each.at - now).total_seconds() for each in seen]
    assert times == sorted(set(times))
    assert 0 <= times[0] < 1
    assert SECONDS - 1 < times[-1] <= SECONDS
    assert seen[0].picture is not None
    with Image.open(io.BytesIO(seen[0].picture)) as picture:
        assert picture.size == SIZE


async def test_the_clip_of_an_earlier_event(
    hass: HomeAssistant, clips: Clips, client: EngineClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not even asked for; and an old clip under a new name is no evidence."""
    now, known = dt_util.utcnow(), KnownPictures()
    clips.clips |= dict.fromkeys(("before", "rang", "ahead"), clip())
    clips.ring(hass, "before", now - timedelta(seconds=30))
    with pytest.raises(NoPicture) as raised:
        await see_all(source(hass, known), client, now, 0.2)
    clips.ring(hass, "ahead", now + timedelta(hours=1))
    with pytest.raises(NoPicture):
        await see_all(source(hass, known), client, now, 0.2)
    assert (raised.value.trouble, clips.asked) == (Trouble.NO_PICTURE, [])
    clips.ring(hass, "rang", now)
    assert await see_all(source(hass, known), client, now)
    clips.ring(hass, "ahead", dt_util.utcnow())
    monkeypatch.setattr(event_media, "CLIP_SECONDS", 0.2)
    with pytest.raises(NoPicture) as raised:
        await see_all(source(hass, known), client, dt_util.utcnow(), 0.2)
    assert raised.value.trouble is Trouble.OLD_PICTURE


@pytest.mark.parametrize(
    "what", [b"<html>please log in</html>", b"", None], ids=["a page", "nothing", "too large"]
)
async def test_what_is_no_clip(
    hass: HomeAssistant,
    clips: Clips,
    client: EngineClient,
    monkeypatch: pytest.MonkeyPatch,
    what: bytes | None,
) -> None:
    """The look ends without a picture."""
    monkeypatch.setattr(event_media, "CLIP_SECONDS", 0.5)
    monkeypatch.setattr(event_media, "MAX_CLIP", 50_000)
    now = dt_util.utcnow()
    clips.ring(hass, "rang", now)
    clips.clips["rang"] = clip() if what is None else what
    with pytest.raises(NoPicture) as raised:
        await see_all(source(hass), client, now, 0.2)
    assert raised.value.trouble is Trouble.NO_PICTURE
    assert clips.asked


async def test_an_event_while_it_is_looked(hass: HomeAssistant, clips: Clips, client: EngineClient) -> None:
    """The camera tells of the event a moment after something else has started the look."""
    now = dt_util.utcnow()
    clips.clips["rang"] = clip()
    looking = asyncio.create_task(see_all(source(hass), client, now, 5.0))
    await asyncio.sleep(0.2)
    clips.ring(hass, "rang", dt_util.utcnow())
    assert len(await looking) > 5


async def test_only_where_pictures_go_to_browsers(
    hass: HomeAssistant,
    front_door: FrontDoor,
    clips: Clips,
    client: EngineClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A camera with stills or a stream is a camera as any other."""
    front_door.frames, front_door.stuck = [jpeg(porch())], True
    monkeypatch.setattr(event_media, "TOKENS", {"test": "nest_event_id"})
    er.async_get(hass).async_update_entity(front_door.entity_id, device_id=clips.device_id)
    cameras, settings = Cameras(hass), CameraSettings(front_door.entity_id, Mode.ON_RING)
    assert not isinstance(cameras.async_sources(settings), EventMedia)
    assert not cameras.async_shows_events_only(front_door.entity_id)
    with patch.object(FrontDoor, "camera_capabilities", CameraCapabilities({StreamType.WEB_RTC})):
        assert isinstance(cameras.async_sources(settings), EventMedia)
        assert cameras.async_shows_events_only(front_door.entity_id)
        (tried,) = await async_try(hass, cameras, lambda: client, settings)
        assert (tried.finding, tried.faces) == (Finding.EVENT_MEDIA, None)
        er.async_get(hass).async_update_entity(front_door.entity_id, device_id=None)
        (tried,) = await async_try(hass, cameras, lambda: client, settings)
        assert tried.finding is Finding.WEBRTC_ONLY
