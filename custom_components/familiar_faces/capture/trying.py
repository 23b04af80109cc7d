"""Tries each way to get a camera's pictures, for the dialog in which it is set up."""

import asyncio
from dataclasses import dataclass, field, replace
from enum import StrEnum

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from ..const import PictureSource
from ..engine.protocol import Faces
from ..host.engine_errors import EngineError, ImageRejected
from ..visits.look import NEAR, far_face
from .camera_settings import CameraSettings, is_image
from .cameras import Cameras
from .event_media import event_media_of
from .event_pictures import async_last_picture
from .picture_source import Ask, AskEngine, NoPicture, Source, Trouble, Wish
from .stream_address import is_webrtc_only
from .suggesting import async_other_cameras, async_suggest_event_pictures

STILL_SECONDS = 3.0
"""How long a still is fetched again that may be an old one."""
STILL_EVERY = 0.2
STREAM_SECONDS = 12.0
"""How long a stream may take to show its first picture: some cameras send a key frame every ten seconds."""
ENOUGH = 0.8
"""Share of another source's face width from which the stream is preferred: it shows every frame."""
SLOW_STILL = 3.0
"""Seconds after which a still is too late: a name needs two, and visitors stand at a door for some seconds."""
OTHERS = 2
"""How many other cameras of the same device are tried."""
WIDER = 1.25
"""How many times wider faces have to be at another camera to be worth a word."""


class Finding(StrEnum):
    """What is wrong with a way to get pictures."""

    CAMERA_FAILED = "camera_failed"
    OLD_PICTURE = "old_picture"
    WEBRTC_ONLY = "webrtc_only"
    EVENT_MEDIA = "event_media"
    STREAM_FAILED = "stream_failed"
    NO_EVENT_YET = "no_event_yet"
    NOT_AN_IMAGE = "not_an_image"
    ENGINE_FAILED = "engine_failed"


NO_NEW_PICTURE = frozenset({Finding.CAMERA_FAILED, Finding.OLD_PICTURE, Finding.NOT_AN_IMAGE})
"""What a placeholder leads to."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one way to get pictures."""

    source: PictureSource
    faces: Faces | None = None
    """What the engine saw; None without a picture that it could look at."""
    seconds: float | None = None
    """How long the first picture took."""
    finding: Finding | None = None
    """What is wrong with this way."""
    entity_id: str | None = None
    """The image entity of an event picture, or another camera of the same device."""
    turned: int = 0
    """By how many degrees clockwise the picture has to be turned to be upright."""
    picture: bytes | None = field(default=None, repr=False)
    """The picture that the faces are in, as the camera gave it, where there is one."""
    turn: int = 0
    """By how many degrees clockwise it lies otherwise than the faces do."""

    @property
    def other(self) -> bool:
        """Return whether it is another camera's stream: it can be chosen instead, and is not used with this one."""
        return self.source is PictureSource.STREAM and self.entity_id is not None

    @property
    def width(self) -> float:
        """Return how wide the widest face is, pixels; 0 without any."""
        return max((face.box[2] for face in self.faces.faces), default=0.0) if self.faces is not None else 0.0


async def async_try(
    hass: HomeAssistant, cameras: Cameras, engine: AskEngine, settings: CameraSettings
) -> list[Tried]:
    """Return what came of each way to get pictures of a camera that there is, stills first. Nothing is kept.

    The streams of other cameras of the same device are tried as well: a sub stream may show faces too small.
    """
    if is_image(settings.camera):
        return [await _async_try_event(hass, engine, settings.camera)]
    still = await _async_try_still(cameras, engine, settings)
    if still.finding in NO_NEW_PICTURE and is_webrtc_only(hass, settings.camera):
        clips = event_media_of(hass, settings.camera) is not None
        still = Tried(PictureSource.STILL, finding=Finding.EVENT_MEDIA if clips else Finding.WEBRTC_ONLY)
    others = async_other_cameras(hass, settings.camera)[:OTHERS]
    streams = await asyncio.gather(
        _async_try_camera(cameras, engine, settings.camera, settings.turn),
        *(_async_try_other(cameras, engine, each, settings.turn) for each in others),
    )
    tried = [still, *(each for each in streams if each is not None)]
    suggested = async_suggest_event_pictures(hass, settings.camera)
    image = settings.event_picture or next(iter(suggested), None)
    if image is not None:
        tried.append(await _async_try_event(hass, engine, image))
    return tried


def best_of(tried: list[Tried]) -> Tried | None:
    """Return the way to get pictures that is most likely to show who is there; None when none gave a picture.

    A stream shows every frame, so it is preferred as long as its faces are not much smaller; where each still takes
    seconds, also when nobody was there at its moment. An event picture is one a visit, so it comes last.
    """
    works = [each for each in tried if each.faces is not None and not each.other]
    if not works:
        return None
    fresh = [each for each in works if each.finding is None] or works
    live = [each for each in fresh if each.source is not PictureSource.EVENT] or fresh
    widest = max(each.width for each in live)
    near = [each for each in live if each.width >= ENOUGH * widest]
    if any(_is_slow_still(each) for each in live):
        near += [each for each in live if each.source is PictureSource.STREAM and each.width == 0]
    order = (PictureSource.STREAM, PictureSource.STILL, PictureSource.EVENT)
    return min(near, key=lambda each: order.index(each.source))


def shown_of(tried: list[Tried], best: Tried | None) -> Tried | None:
    """Return what has a picture to show of a camera: the best way, else another one; None without any."""
    own = [each for each in tried if each.picture is not None and not each.other]
    return next((each for each in own if each is best), next(iter(own), None))


def _is_slow_still(tried: Tried) -> bool:
    return tried.source is PictureSource.STILL and tried.seconds is not None and tried.seconds > SLOW_STILL


def wider_than(tried: list[Tried], best: Tried | None) -> Tried | None:
    """Return another camera of the same device whose faces are clearly wider; None when there is none."""
    others = [each for each in tried if each.other and each.faces is not None]
    widest = max(others, key=lambda each: each.width, default=None)
    own = 0.0 if best is None else best.width
    return widest if widest is not None and widest.width > WIDER * own else None


async def _async_try_camera(cameras: Cameras, engine: AskEngine, camera: str, turn: int) -> Tried | None:
    """Return what came of a camera's stream; None when it has none."""
    stream = cameras.async_stream_of(camera)
    return None if stream is None else await _async_try_stream(stream, engine, turn)


async def _async_try_other(cameras: Cameras, engine: AskEngine, camera: str, turn: int) -> Tried | None:
    """Return the same of another camera, whose stream is closed at once if nobody else looks at it."""
    used = cameras.async_has_stream(camera)
    try:
        tried = await _async_try_camera(cameras, engine, camera, turn)
    finally:
        if not used:
            await cameras.async_leave(camera)
    return None if tried is None else replace(tried, entity_id=camera)


async def _async_try_still(cameras: Cameras, engine: AskEngine, settings: CameraSettings) -> Tried:
    loop = asyncio.get_running_loop()
    began = loop.time()
    image, finding, failed = None, None, Finding.CAMERA_FAILED
    while True:
        try:
            fetched = await cameras.async_fetch(settings.camera)
        except HomeAssistantError as err:
            if isinstance(err, NoPicture) and err.trouble is Trouble.OLD_PICTURE:
                failed = Finding.OLD_PICTURE
            if image is None and loop.time() - began > STILL_SECONDS:
                break
        else:
            image, finding = fetched.image, None if fetched.fresh else Finding.OLD_PICTURE
            if fetched.fresh:
                break
        if loop.time() - began > STILL_SECONDS:
            break
        await asyncio.sleep(STILL_EVERY)
    seconds = loop.time() - began
    if image is None:
        return Tried(PictureSource.STILL, finding=failed)
    return await _async_look(
        engine, PictureSource.STILL, image, turn=settings.turn, seconds=seconds, finding=finding
    )


async def _async_try_event(hass: HomeAssistant, engine: AskEngine, image: str) -> Tried:
    try:
        picture = await async_last_picture(hass, image)
    except HomeAssistantError:
        return Tried(PictureSource.EVENT, finding=Finding.NO_EVENT_YET, entity_id=image)
    return await _async_look(engine, PictureSource.EVENT, picture, entity_id=image)


async def _async_try_stream(stream: Source, engine: AskEngine, turn: int) -> Tried:
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        async with stream.open(Ask(dt_util.utcnow(), STREAM_SECONDS, engine, turn=turn)) as pictures:
            if not await pictures.ready():
                return Tried(PictureSource.STREAM, finding=Finding.STREAM_FAILED)
            seconds = loop.time() - began
            seen = await pictures.see(Wish(NEAR))
            if not seen.faces.faces and await pictures.ready():
                seen = await pictures.see(Wish(far_face(seen.faces.size)))
    except NoPicture:
        return Tried(PictureSource.STREAM, finding=Finding.STREAM_FAILED)
    except ImageRejected:
        return Tried(PictureSource.STREAM, finding=Finding.STREAM_FAILED)
    except EngineError:
        return Tried(PictureSource.STREAM, finding=Finding.ENGINE_FAILED)
    return Tried(
        PictureSource.STREAM,
        seen.faces,
        seconds,
        turned=seen.faces.turned,
        picture=seen.picture,
        turn=seen.turn,
    )


async def _async_look(
    engine: AskEngine,
    source: PictureSource,
    image: bytes,
    *,
    turn: int = 0,
    seconds: float | None = None,
    finding: Finding | None = None,
    entity_id: str | None = None,
) -> Tried:
    try:
        faces = await engine().faces(image, rotate=turn)
        if not faces.faces and (far := far_face(faces.size)) < NEAR:
            faces = await engine().faces(image, min_face=far, rotate=turn)
        turned = faces.turned
        if not faces.faces:
            turned = (await engine().faces(image, rotate=turn, search_turned=True)).turned
    except ImageRejected:
        return Tried(source, finding=Finding.NOT_AN_IMAGE, entity_id=entity_id)
    except EngineError:
        return Tried(source, finding=Finding.ENGINE_FAILED, entity_id=entity_id)
    return Tried(source, faces, seconds, finding, entity_id, turned, image, turn)
