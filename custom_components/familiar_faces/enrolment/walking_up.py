"""Walk-up enrolment: looks at a camera until enough faces of somebody are taken, and says what would help."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
import logging
from typing import Final

from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from ..capture.camera_settings import CameraSettings, camera_settings
from ..capture.cameras import Cameras
from ..capture.picture_source import Ask, NoPicture, Pictures, Wish
from ..const import CONF_CAMERA, DOMAIN, ENGINE_PATIENCE, StreamOpen
from ..engine.protocol import Faces
from ..host.engine_errors import EngineBusy, EngineError, EngineIncompatible, EngineUnavailable, ImageRejected
from ..household.household import Household
from ..household.subentries import camera_names
from ..people.guidance import Advice, Guide, Hint, Pose
from ..people.person import Person
from ..vault.errors import ConsentMissing, UnknownPerson, VaultError
from ..visits.look import NEAR, far_face
from ..visits.turns import Urgency
from .reference_photos import async_take_photo

_LOGGER = logging.getLogger(__name__)

WALK_UP_SECONDS = 90
"""How long a camera is looked at, at most."""
FRAME_EVERY = 0.3
"""Seconds between two frames: nobody moves their head quicker than they can read."""
ENGINE_SECONDS = 5.0
"""How long the engine may take for one."""
STREAM_SECONDS = 12.0
"""How long the first frame of a stream may take: some cameras send a key frame every ten seconds."""
PATIENCE = 10.0
"""Seconds after which a camera or an engine that gives nothing but errors is given up."""
WANTED: Final = len(Pose)
"""How many different faces are taken."""


class Ended(StrEnum):
    """How a walk-up ended."""

    DONE = "done"
    NOTHING_NEW = "nothing_new"
    TIME_OVER = "time_over"
    CAMERA_FAILED = "camera_failed"
    CAMERA_GONE = "camera_gone"
    CONSENT_MISSING = "consent_missing"
    ENGINE_STRANGE = "engine_strange"
    ENGINE_UNAVAILABLE = "engine_unavailable"
    VAULT_FAILED = "vault_failed"
    STOPPED = "stopped"


class _Failed(Exception):
    """The walk-up cannot go on."""

    def __init__(self, ended: Ended) -> None:
        super().__init__(ended)
        self.ended = ended


@dataclass(frozen=True, slots=True)
class Instruction:
    """What somebody before the camera is told."""

    hint: Hint = Hint.COME
    other: str = ""
    """Who stands there, for `known`."""
    settled: int = 0
    """How many of the faces that are wanted are there."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that was looked at. It is shown and not kept."""

    picture: bytes = field(repr=False)
    """As the camera gave it, a JPEG or PNG; empty where a stream has none."""
    turn: int
    """By how many degrees clockwise it has to be turned to be upright, as the faces are."""
    faces: Faces


@callback
def cameras_for(household: Household, cameras: Cameras, person: Person) -> dict[str, str]:
    """Return the cameras that can take photos of a person, by their ids: not those that show events only."""
    now, of = dt_util.utcnow(), household.entry.subentries
    return {
        camera_id: name
        for camera_id, name in camera_names(household.entry).items()
        if person.may_be_recognised(now, camera_id)
        and household.recognition(camera_id)
        and not cameras.async_shows_events_only(of[camera_id].data[CONF_CAMERA])
    }


class WalkUp:
    """One walk-up of a person, from the choice of the camera to its end. Holds no picture."""

    def __init__(
        self,
        household: Household,
        cameras: Cameras,
        person_id: str,
        camera_id: str,
        *,
        turn: str,
        enrolled: bool = True,
        on_frame: Callable[[Frame], None] | None = None,
    ) -> None:
        """Begin now, with nothing taken.

        `turn`: who waits for the engine: not the camera, which may be looked at besides. `enrolled`: whether photos
        count at once. `on_frame` is called with each frame that was looked at.
        """
        self.camera_id = camera_id
        self.person_id = person_id
        self.guide = Guide()
        self.advised = Instruction()
        """What the last two frames say."""
        self.ended: Ended | None = None
        self._last = Instruction()
        """What the last frame says."""
        self._household = household
        self._cameras = cameras
        self._turn = turn
        self._enrolled = enrolled
        self._on_frame = on_frame
        self._working = household.hass.loop.time()
        """When a frame could last be looked at."""
        self._until = self._working + WALK_UP_SECONDS
        self._size = (0, 0)
        self._by_stills = False
        """Whether the camera's stream gave nothing, so that its stills are looked at."""

    async def async_follow(self, goes_on: Callable[[], bool]) -> None:
        """Look at frames as long as that is so, asked after each, or until the walk-up has ended."""
        household, loop = self._household, self._household.hass.loop
        try:
            async with asyncio.timeout_at(self._until) as limit, AsyncExitStack() as stack:
                stream = await self._async_stream(stack)
                while self.ended is None:
                    at = loop.time()
                    await self._async_look(None if self._by_stills else stream)
                    if not goes_on():
                        break
                    await asyncio.sleep(max(0.0, at + FRAME_EVERY - loop.time()))
        except TimeoutError:
            if not limit.expired():
                raise
            self.ended = Ended.TIME_OVER
        except _Failed as err:
            self.ended = err.ended
        except ConsentMissing, UnknownPerson:
            self.ended = Ended.CONSENT_MISSING
        except VaultError as err:
            _log_failure(err)
            self.ended = Ended.VAULT_FAILED
        except EngineIncompatible as err:
            _log_failure(err)
            self.ended = Ended.ENGINE_STRANGE
        except EngineError as err:
            _LOGGER.warning("The engine failed while somebody was before the camera: %s", err)
            self.ended = Ended.ENGINE_UNAVAILABLE
        finally:
            household.turns.forget(self._turn)

    def _advise(self, advice: Advice, other: str) -> None:
        """Take note of what a frame says; one odd frame changes nothing."""
        said = Instruction(advice.hint, other, self.guide.settled)
        if said == self._last or said.settled != self.advised.settled:
            self.advised = said
        self._last = said

    async def _async_stream(self, stack: AsyncExitStack) -> Pictures | None:
        """Return the frames of the camera's stream, which shows each; None where there are stills alone."""
        household, settings = self._household, self._settings()
        if self._by_stills or settings.stream is StreamOpen.NEVER:
            return None
        source = self._cameras.async_stream_of(settings.camera, every_picture=True)
        if source is None:
            return None
        seconds = max(0.0, self._until - household.hass.loop.time())
        ask = Ask(
            dt_util.utcnow(), seconds, lambda: household.client, turn=settings.turn, patience=STREAM_SECONDS
        )
        return await stack.enter_async_context(source.open(ask))

    def _settings(self) -> CameraSettings:
        return camera_settings(self._household.entry.subentries[self.camera_id].data)

    async def _async_look(self, stream: Pictures | None) -> None:
        """Look at one frame, and take the face in it when it is wanted. The frame is not kept."""
        await self._async_agreed()
        if stream is None:
            picture = await self._async_still()
        else:
            # The engine has it already.
            picture = b"" if await self._async_ready(stream) else None
        if picture is None:
            return
        # They may have said no while the camera took its time.
        person = await self._async_agreed()
        if (frame := await self._async_faces(picture, stream)) is None:
            return
        seen = frame.faces
        household, now = self._household, dt_util.utcnow()
        self._working, self._size = household.hass.loop.time(), seen.size
        gallery = await household.roster.async_gallery(seen.model)
        try:
            advice = await household.hass.async_add_executor_job(
                lambda: self.guide.see(
                    seen.faces,
                    sha256(frame.picture).hexdigest(),
                    person.templates,
                    gallery,
                    now,
                    person_id=self.person_id,
                    camera_id=self.camera_id,
                )
            )
        except ValueError as err:
            raise EngineIncompatible(f"The engine's answer cannot be used: {err}") from err
        if advice.take is not None:
            # Who ends it in this very moment must not leave a photo that nobody knows of.
            taking = self._async_take(advice.take, frame)
            task = household.entry.async_create_task(household.hass, taking, f"{DOMAIN} walk-up photo")
            if (failure := await asyncio.shield(task)) is not None:
                raise failure
            advice = Advice(self.guide.next_hint)
        self._advise(*self._named(advice))
        if self.guide.done:
            self.ended = Ended.DONE if self.guide.taken else Ended.NOTHING_NEW
        if self._on_frame is not None:
            self._on_frame(frame)

    async def _async_take(self, pose: Pose, frame: Frame) -> EngineIncompatible | VaultError | None:
        """Make a face one of the person's; the vault asks for the consent again.

        Return what went wrong: once it is ended, nobody is there to catch it.
        """
        try:
            judged = await async_take_photo(
                self._household, self.person_id, frame.picture, frame.faces, camera_id=self.camera_id
            )
            # Not taken when somebody else was enrolled, or a photo removed, in this very moment.
            if judged.template_id is not None:
                self.guide.took(pose, judged.template_id)
                if self._enrolled:
                    # At once: it may be ended as it is.
                    await self._household.async_refresh_people()
        except (EngineIncompatible, VaultError) as err:
            return err
        return None

    def _named(self, advice: Advice) -> tuple[Advice, str]:
        """Return advice, and the person it names: never one who chose silence."""
        if advice.other is None:
            return advice, ""
        other = self._household.people.get(advice.other.person_id)
        if other is None or not other.choices.announced:
            return Advice(Hint.SOMEBODY_ELSE), ""
        return advice, other.name

    async def _async_agreed(self) -> Person:
        """Return the person, as long as they agree to this camera; raise _Failed, or VaultError, otherwise."""
        household = self._household
        person = await household.hass.async_add_executor_job(household.vault.person, self.person_id)
        if not person.may_be_recognised(dt_util.utcnow(), self.camera_id):
            raise _Failed(Ended.CONSENT_MISSING)
        if self.camera_id not in cameras_for(household, self._cameras, person):
            raise _Failed(Ended.CAMERA_GONE)
        return person

    async def _async_still(self) -> bytes | None:
        """Return a frame that was not looked at yet; raise _Failed for a camera that keeps giving none."""
        try:
            fetched = await self._cameras.async_fetch(self._settings().camera)
        except Exception as err:  # noqa: BLE001 - whatever a camera raises, it may do better in a moment
            self._give_up_late(err)
            return None
        # A camera that stands still gives no new faces, which the time limit ends.
        return fetched.image if fetched.fresh else None

    async def _async_ready(self, stream: Pictures) -> bool:
        """Wait for a frame of the stream; where none comes, the camera's stills are looked at."""
        try:
            if await stream.ready():
                return True
        except NoPicture as err:
            _LOGGER.debug("The stream gave nothing for a walk-up: %s", err)
        self._by_stills = True
        return False

    async def _async_faces(self, picture: bytes, stream: Pictures | None) -> Frame | None:
        """Return a frame, the newest of the stream if there is one, and its faces; None when it could not be looked at.

        Raises EngineError or _Failed.
        """
        household = self._household
        if not await household.engine.wait_ready(ENGINE_PATIENCE):
            raise EngineUnavailable(household.engine.last_error or "The engine is not ready")
        try:
            async with household.turns.turn(self._turn, Urgency.RING):
                # Small ones too: a person further away is asked to come closer.
                wish = Wish(far_face(self._size) if self._size[0] else NEAR, portraits=True, mirrored=True)
                if stream is not None:
                    shown = await stream.see(wish)
                    return Frame(shown.picture or b"", shown.turn, shown.faces)
                turn = self._settings().turn
                ask = Ask(dt_util.utcnow(), 0.0, lambda: household.client, ENGINE_SECONDS, turn)
                return Frame(picture, turn, await ask.faces(picture, wish))
        except EngineBusy as err:
            await asyncio.sleep(min(err.retry_after, 1.0))
        except EngineUnavailable:
            # One that died is back within seconds.
            if self._patience_is_over():
                raise
        except ImageRejected as err:
            # The next frame may be whole.
            self._give_up_late(err)
        return None

    def _give_up_late(self, err: Exception) -> None:
        if self._patience_is_over():
            _LOGGER.warning("The camera gave no picture for a walk-up: %s", err)
            raise _Failed(Ended.CAMERA_FAILED) from err

    def _patience_is_over(self) -> bool:
        return self._household.hass.loop.time() - self._working >= PATIENCE


def _log_failure(err: EngineError | VaultError) -> None:
    """Write down why it ended; no such message holds a name."""
    _LOGGER.error("No photos could be taken with a camera: %s", err)
