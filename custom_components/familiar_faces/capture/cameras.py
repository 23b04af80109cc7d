"""The cameras of a household: what is known of each one's pictures, their streams, and where pictures come from."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import partial

from homeassistant.components.camera.const import CameraEntityFeature
from homeassistant.const import ATTR_SUPPORTED_FEATURES, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant, callback

from ..const import PictureSource, StreamOpen
from .camera_settings import CameraSettings, is_image
from .camera_stream import CameraStream
from .event_media import EventMedia, MediaPlace, event_media_of
from .event_pictures import EventPictures
from .known_pictures import Freshness, KnownPictures, async_digest
from .one_after_another import OneAfterAnother
from .picture_source import Ask, NoPicture, Pictures, Source, Trouble
from .still_pictures import StillPictures, async_fetch_still
from .stream_address import async_find_origins, is_webrtc_only
from .stream_pictures import StreamPictures


@dataclass(frozen=True, slots=True)
class Fetched:
    """A still, and whether it is known to show the present."""

    image: bytes = field(repr=False)
    fresh: bool


class Cameras:
    """Knows the pictures of all cameras across looks, and keeps their streams. Lives on the event loop."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Know nothing yet."""
        self._hass = hass
        self._known: dict[str, KnownPictures] = {}
        self._streams: dict[str, CameraStream] = {}
        self._stopped = False

    async def async_stop(self) -> None:
        """Close all streams for good."""
        self._stopped = True
        while self._streams:
            _, stream = self._streams.popitem()
            await stream.async_stop()

    @callback
    def async_source(self, settings: CameraSettings) -> Source:
        """Return where the pictures of a camera come from, as it is set up."""
        return _Camera(self, settings)

    @callback
    def async_sources(self, settings: CameraSettings, *, thrifty: bool = False) -> Source:
        """Return where pictures come from at this moment: a camera may have a stream once it has woken up.

        `thrifty`: only stills.
        """
        camera = settings.camera
        if is_image(camera):
            return EventPictures(self._hass, camera, self._of(camera))
        if (place := self._clips_of(camera)) is not None:
            return EventMedia(self._hass, place, self._of(camera))
        sources: list[Source] = [StillPictures(self._hass, camera, self._of(camera))]
        without = thrifty or settings.stream is StreamOpen.NEVER
        stream = None if without else self.async_stream_of(camera)
        if settings.source is PictureSource.STILL:
            if stream is not None:
                sources.append(stream)
            return OneAfterAnother(sources, until_face=True)
        if stream is not None:
            sources.insert(0, stream)
        image = settings.event_picture
        if settings.source is PictureSource.EVENT and image is not None and not thrifty:
            sources.insert(0, EventPictures(self._hass, image, self._of(image)))
        return OneAfterAnother(sources)

    @callback
    def async_stream_of(self, camera: str, *, every_picture: bool = False) -> Source | None:
        """Return the frames of a camera's stream; None when it has no stream that can be read.

        `every_picture`: with each frame as a JPEG, see `StreamPictures`.
        """
        if not self.async_may_stream(camera) or (stream := self._stream(camera)).unfit:
            return None
        return StreamPictures(stream, camera, every_picture=every_picture)

    @callback
    def async_shows_events_only(self, camera: str) -> bool:
        """Return whether a camera shows what happened, and never what is."""
        return is_image(camera) or self._clips_of(camera) is not None

    @callback
    def async_has_stream(self, camera: str) -> bool:
        """Return whether the stream of a camera was asked for before."""
        return camera in self._streams

    @callback
    def async_may_stream(self, camera: str) -> bool:
        """Return whether a camera says that it has a stream; one that is away says nothing."""
        state = self._hass.states.get(camera)
        if state is None or state.state == STATE_UNAVAILABLE:
            return False
        return CameraEntityFeature.STREAM in CameraEntityFeature(
            state.attributes.get(ATTR_SUPPORTED_FEATURES, 0)
        )

    @callback
    def async_is_open(self, camera: str) -> bool:
        """Return whether the stream of a camera is open and gives frames."""
        stream = self._streams.get(camera)
        return stream is not None and stream.running

    @callback
    def async_keep(self, settings: CameraSettings, *, wanted: bool) -> None:
        """Keep a camera's stream open, if it is to be, as long as it is wanted at all."""
        camera = settings.camera
        if is_image(camera):
            return
        warm = wanted and settings.stream is StreamOpen.WARM and settings.source is not PictureSource.STILL
        if not self._stopped and (warm or camera in self._streams):
            stream = self._stream(camera)
            stream.warm = warm
            stream.async_start()

    async def async_leave(self, camera: str) -> None:
        """Close the stream of a camera that is no longer watched. Its pictures stay known: they become no newer."""
        if (stream := self._streams.pop(camera, None)) is not None:
            await stream.async_stop()

    async def async_fetch(self, camera: str) -> Fetched:
        """Return the still that a camera gives now; raise HomeAssistantError when it gives none."""
        began = self._hass.loop.time()
        image = await async_fetch_still(self._hass, camera)
        freshness = self._of(camera).judge(await async_digest(image), began, self._hass.loop.time())
        return Fetched(image, freshness is Freshness.FRESH)

    def _clips_of(self, camera: str) -> MediaPlace | None:
        """Return where the clips of a camera's events are, where it has nothing else for Home Assistant."""
        place = event_media_of(self._hass, camera)
        return place if place is not None and is_webrtc_only(self._hass, camera) else None

    def _of(self, camera: str) -> KnownPictures:
        return self._known.setdefault(camera, KnownPictures())

    def _stream(self, camera: str) -> CameraStream:
        if self._stopped:
            raise NoPicture(Trouble.NO_PICTURE, camera)
        if (stream := self._streams.get(camera)) is None:
            find = partial(async_find_origins, self._hass, camera)
            stream = self._streams[camera] = CameraStream(camera, find, warm=False)
        return stream


class _Camera:
    """A camera as it is set up."""

    def __init__(self, cameras: Cameras, settings: CameraSettings) -> None:
        self._cameras = cameras
        self._settings = settings

    def open(self, ask: Ask) -> AbstractAsyncContextManager[Pictures]:
        return self._cameras.async_sources(self._settings, thrifty=ask.thrifty).open(ask)
