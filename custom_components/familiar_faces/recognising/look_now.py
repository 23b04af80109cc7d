"""What a camera shows at this moment, for the person who sets it up: a picture and the faces in it. Nobody is compared."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util

from ..capture.camera_settings import CameraSettings, camera_settings, is_image
from ..capture.cameras import Cameras
from ..capture.event_pictures import async_last_picture
from ..capture.picture_source import Ask, Pictures, Seen, Wish
from ..const import DOMAIN, ENGINE_PATIENCE, SUBENTRY_CAMERA
from ..engine.protocol import Faces
from ..host.engine_errors import EngineBusy, EngineError, EngineUnavailable, ImageRejected
from ..household.household import Household
from ..household.leave import Leave
from ..visits.look import NEAR, far_face
from ..visits.turns import Urgency
from .identify import engine_failed, rejected

SECONDS: Final = 8.0
"""How long a fresh picture is waited for."""
AT_ONCE: Final = 10
"""How often somebody may look in a row."""
ONE_MORE_EVERY: Final = 5.0
"""Seconds after which they may look once more: it is no stream."""
LARGEST: Final = 12 * 1024 * 1024
"""Bytes of the largest picture that is sent to a browser."""
AGAIN: Final = 0.2
"""Seconds until a camera is asked again whose picture could not be looked at."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture of a camera and the faces in it. Nothing of it is kept."""

    picture: bytes = field(repr=False)
    """As the camera gave it, a JPEG or PNG."""
    turn: int
    """By how many degrees clockwise it has to be turned to be upright, as the faces are."""
    faces: Faces
    at: datetime


class LookNow:
    """Shows what a camera sees. Lives on the event loop.

    One picture names nobody, so faces are measured and compared with nobody's. It is one picture at a time, and goes
    to the engine when no visitor needs it.
    """

    def __init__(self, household: Household, cameras: Cameras) -> None:
        """Have shown nothing yet."""
        self._household = household
        self._cameras = cameras
        self._leave = Leave(AT_ONCE, ONE_MORE_EVERY)
        self._looking = asyncio.Lock()

    async def async_look(self, camera_id: str, user_id: str) -> Shown:
        """Return what a camera shows, by the id of its subentry; raises what a user is to read."""
        household = self._household
        subentry = household.entry.subentries.get(camera_id)
        if subentry is None or subentry.subentry_type != SUBENTRY_CAMERA:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="unknown_camera",
                translation_placeholders={"camera": camera_id},
            )
        if wait := self._leave.wait(user_id, household.hass.loop.time()):
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="identify_too_often",
                translation_placeholders={"seconds": str(wait)},
            )
        async with self._looking:
            try:
                picture, turn, faces, at = await self._async_see(camera_settings(subentry.data))
            except ImageRejected as err:
                raise rejected(err) from err
            except EngineError as err:
                raise engine_failed(err) from err
        if len(picture) > LARGEST:
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="picture_too_large")
        return Shown(picture, turn, faces, at)

    async def _async_see(self, settings: CameraSettings) -> tuple[bytes, int, Faces, datetime]:
        if is_image(settings.camera):
            picture = await async_last_picture(self._household.hass, settings.camera)
            return picture, settings.turn, await self._async_faces(picture, settings.turn), dt_util.utcnow()
        ask = Ask(dt_util.utcnow(), SECONDS, lambda: self._household.client, turn=settings.turn)
        async with self._cameras.async_source(settings).open(ask) as pictures:
            seen = await self._async_first(pictures)
        faces = seen.faces
        assert seen.picture is not None, "the first picture of a source is handed out"
        if not faces.faces:
            # Smaller ones too, and those in the shadow, in the very same picture.
            faces = await self._async_faces(seen.picture, seen.turn, faces)
        return seen.picture, seen.turn, faces, seen.at

    async def _async_first(self, pictures: Pictures) -> Seen:
        """Return what the first fresh picture shows that can be looked at; raise NoPicture or EngineError."""
        failure: EngineError = EngineUnavailable("The engine had no time")
        while await pictures.ready():
            try:
                async with self._turn():
                    return await pictures.see(Wish(NEAR))
            except (EngineBusy, EngineUnavailable, ImageRejected) as err:
                failure = err
                await asyncio.sleep(AGAIN)
        raise failure

    async def _async_faces(self, picture: bytes, turn: int, before: Faces | None = None) -> Faces:
        """Return the faces in a picture, the small ones too when there are no others."""
        client = self._household.client
        if before is None:
            async with self._turn():
                before = await client.faces(picture, min_face=NEAR, rotate=turn, timeout=ENGINE_PATIENCE)
        if before.faces:
            return before
        far, shadows = far_face(before.size), before.in_shadow is not None
        async with self._turn():
            return await client.faces(
                picture, min_face=far, rotate=turn, search_shadows=shadows, timeout=ENGINE_PATIENCE
            )

    @asynccontextmanager
    async def _turn(self) -> AsyncGenerator[None]:
        """Have the engine when no visitor needs it."""
        turns = self._household.turns
        try:
            async with turns.turn(DOMAIN, Urgency.ALWAYS):
                yield
        finally:
            turns.forget(DOMAIN)
