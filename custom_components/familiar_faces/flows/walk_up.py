"""The walk-up steps of a person's flow: look at a camera, and be told what to do until enough faces are taken."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
import logging
from typing import Any

from homeassistant.config_entries import SOURCE_RECONFIGURE, SubentryFlowResult
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..capture.camera_settings import CameraSettings, camera_settings
from ..capture.picture_source import Ask, NoPicture, Pictures, Wish
from ..const import CONF_CAMERA, DOMAIN, ENGINE_PATIENCE, StreamOpen
from ..engine.protocol import Faces
from ..enrolment.reference_photos import async_take_photo
from ..host.engine_errors import EngineBusy, EngineError, EngineIncompatible, EngineUnavailable, ImageRejected
from ..people.guidance import Advice, Guide, Hint, Pose
from ..people.person import Person
from ..vault.errors import ConsentMissing, UnknownPerson, VaultError
from ..visits.look import NEAR, far_face
from ..visits.turns import Urgency
from ..wording.words import async_say
from .person_steps import log_failure
from .photo_steps import PhotoSteps

_LOGGER = logging.getLogger(__name__)

WALK_UP_SECONDS = 90
"""How long a camera is looked at, at most."""
FRAME_EVERY = 0.3
"""Seconds between two frames: nobody moves their head quicker than they can read."""
READABLE = 1.2
"""Seconds for which each hint is shown at least."""
HEARD = 0.5
"""Seconds that a step takes at least: the frontend listens for the end of one only once it shows it."""
ENGINE_SECONDS = 5.0
"""How long the engine may take for one."""
STREAM_SECONDS = 12.0
"""How long the first frame of a stream may take: some cameras send a key frame every ten seconds."""
PATIENCE = 10.0
"""Seconds after which a camera or an engine that gives nothing but errors is given up."""


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
class _Said:
    """What is shown while the camera is looked at."""

    hint: Hint = Hint.COME
    other: str = ""
    settled: int = 0


@dataclass(slots=True, eq=False)
class _WalkUp:
    """One walk-up, from the choice of the camera to its end. Holds no picture."""

    camera_id: str
    until: float
    """When it ends, by the clock of the event loop."""
    working: float
    """When a frame could last be looked at."""
    guide: Guide = field(default_factory=Guide)
    shown: _Said = field(default_factory=_Said)
    advised: _Said = field(default_factory=_Said)
    """What the last two frames say."""
    last: _Said = field(default_factory=_Said)
    """What the last frame says."""
    size: tuple[int, int] = (0, 0)
    by_stills: bool = False
    """Whether the camera's stream gave nothing, so that its stills are looked at."""
    ended: Ended | None = None
    round: asyncio.Task[None] | None = None

    def advise(self, advice: Advice, other: str) -> None:
        """Take note of what a frame says; one odd frame changes nothing."""
        said = _Said(advice.hint, other, self.guide.settled)
        if said == self.last or said.settled != self.advised.settled:
            self.advised = said
        self.last = said


class WalkUpSteps(PhotoSteps):
    """Takes photos with one of the cameras, and says all the while what would help."""

    _walk: _WalkUp | None = None

    async def async_step_walk_up(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask which camera to look at. It is not looked at before, and never without a consent."""
        try:
            cameras = self._watched(await self._async_stored())
        except VaultError:
            # The menu reads it again, and says so.
            return await self.async_step_photos()
        if not cameras:
            self._verdict = await async_say(self.hass, "photo_verdict", "no_camera")
            return await self.async_step_photos()
        if user_input is not None and user_input[CONF_CAMERA] in cameras:
            now = self.hass.loop.time()
            self._walk = _WalkUp(user_input[CONF_CAMERA], now + WALK_UP_SECONDS, now)
            return await self.async_step_look()
        options = [SelectOptionDict(value=key, label=title) for key, title in cameras.items()]
        choice = SelectSelector(SelectSelectorConfig(options=options, mode=SelectSelectorMode.LIST))
        return self.async_show_form(
            step_id="walk_up",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema({vol.Required(CONF_CAMERA): choice}), {CONF_CAMERA: next(iter(cameras))}
            ),
            description_placeholders={"name": self._name, "seconds": str(WALK_UP_SECONDS)},
        )

    def _watched(self, person: Person) -> dict[str, str]:
        """Return the cameras that can take photos of a person: not those that show events only."""
        of = self._get_entry().subentries
        return {
            camera_id: name
            for camera_id, name in self._cameras(person).items()
            if not self._hub.cameras.async_shows_events_only(of[camera_id].data[CONF_CAMERA])
        }

    async def async_step_look(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Say what to do now, until there is something else to say or the walk-up has ended."""
        walk = self._walk
        assert walk is not None, "a camera was chosen"
        if walk.round is not None and walk.round.done():
            self._end_of_round(walk)
            walk.round = None
        if walk.ended is not None:
            self._walk = None
            self._verdict = await async_say(
                self.hass,
                "walk_up",
                walk.ended,
                name=self._name,
                taken=len(walk.guide.taken),
                wanted=len(Pose),
            )
            return self.async_show_progress_done(next_step_id="photos")
        if walk.round is None:
            walk.shown = walk.advised
            # Ends with the dialog: Home Assistant cancels what a step shows the progress of.
            walk.round = self._hub.entry.async_create_background_task(
                self.hass, self._async_round(walk), f"{DOMAIN} walk-up"
            )
        return self.async_show_progress(
            step_id="look",
            progress_action=walk.shown.hint,
            description_placeholders={
                "name": self._name,
                "other": walk.shown.other,
                "settled": str(walk.shown.settled),
                "wanted": str(len(Pose)),
            },
            progress_task=walk.round,
        )

    @staticmethod
    def _end_of_round(walk: _WalkUp) -> None:
        """Take note of how a round ended that did not end by itself."""
        assert walk.round is not None
        if walk.round.cancelled():
            walk.ended = Ended.STOPPED
        elif (err := walk.round.exception()) is not None:
            # Whatever it was, the dialog must not stand still.
            _LOGGER.error("A walk-up failed", exc_info=err)
            walk.ended = Ended.STOPPED

    async def _async_round(self, walk: _WalkUp) -> None:
        """Look at frames until there is something else to say, or the walk-up has ended."""
        loop = self.hass.loop
        began = loop.time()
        try:
            async with asyncio.timeout_at(walk.until) as limit, AsyncExitStack() as stack:
                stream = await self._async_stream(walk, stack)
                while walk.ended is None and (walk.advised == walk.shown or loop.time() < began + READABLE):
                    at = loop.time()
                    await self._async_look(walk, None if walk.by_stills else stream)
                    if walk.guide.settled:
                        self.async_update_progress(walk.guide.settled / len(Pose))
                    await asyncio.sleep(max(0.0, at + FRAME_EVERY - loop.time()))
        except TimeoutError:
            if not limit.expired():
                raise
            walk.ended = Ended.TIME_OVER
        except _Failed as err:
            walk.ended = err.ended
        except ConsentMissing, UnknownPerson:
            walk.ended = Ended.CONSENT_MISSING
        except VaultError as err:
            log_failure(err)
            walk.ended = Ended.VAULT_FAILED
        except EngineIncompatible as err:
            log_failure(err)
            walk.ended = Ended.ENGINE_STRANGE
        except EngineError as err:
            _LOGGER.warning("The engine failed while somebody was before the camera: %s", err)
            walk.ended = Ended.ENGINE_UNAVAILABLE
        finally:
            self._hub.turns.forget(self._turn)
        await asyncio.sleep(began + HEARD - loop.time())

    async def _async_stream(self, walk: _WalkUp, stack: AsyncExitStack) -> Pictures | None:
        """Return the frames of the camera's stream, which shows each; None where there are stills alone."""
        settings = self._settings(walk)
        if walk.by_stills or settings.stream is StreamOpen.NEVER:
            return None
        source = self._hub.cameras.async_stream_of(settings.camera, every_picture=True)
        if source is None:
            return None
        seconds = max(0.0, walk.until - self.hass.loop.time())
        ask = Ask(
            dt_util.utcnow(), seconds, lambda: self._hub.client, turn=settings.turn, patience=STREAM_SECONDS
        )
        return await stack.enter_async_context(source.open(ask))

    def _settings(self, walk: _WalkUp) -> CameraSettings:
        return camera_settings(self._get_entry().subentries[walk.camera_id].data)

    async def _async_look(self, walk: _WalkUp, stream: Pictures | None) -> None:
        """Look at one frame, and take the face in it when it is wanted. The frame is not kept."""
        await self._async_agreed(walk)
        if stream is None:
            frame = await self._async_frame(walk)
        else:
            # The engine has it already.
            frame = b"" if await self._async_ready(walk, stream) else None
        if frame is None:
            return
        # They may have said no while the camera took its time.
        person = await self._async_agreed(walk)
        if (shown := await self._async_faces(walk, frame, stream)) is None:
            return
        frame, seen = shown
        walk.working, walk.size = self.hass.loop.time(), seen.size
        hub, now = self._hub, dt_util.utcnow()
        gallery = await hub.roster.async_gallery(seen.model)
        try:
            advice = await self.hass.async_add_executor_job(
                lambda: walk.guide.see(
                    seen.faces,
                    sha256(frame).hexdigest(),
                    person.templates,
                    gallery,
                    now,
                    person_id=self._person_id,
                    camera_id=walk.camera_id,
                )
            )
        except ValueError as err:
            raise EngineIncompatible(f"The engine's answer cannot be used: {err}") from err
        if advice.take is not None:
            # Closing the dialog in this very moment must not leave a photo that nobody knows of.
            taking = self._async_take(walk, advice.take, frame, seen)
            task = hub.entry.async_create_task(self.hass, taking, f"{DOMAIN} walk-up photo")
            if (failure := await asyncio.shield(task)) is not None:
                raise failure
            advice = Advice(walk.guide.next_hint)
        walk.advise(*self._named(advice))
        if walk.guide.done:
            walk.ended = Ended.DONE if walk.guide.taken else Ended.NOTHING_NEW

    async def _async_take(
        self, walk: _WalkUp, pose: Pose, frame: bytes, seen: Faces
    ) -> EngineIncompatible | VaultError | None:
        """Make a face one of the person's; the vault asks for the consent again.

        Return what went wrong: once the dialog is closed, nobody is there to catch it.
        """
        try:
            judged = await async_take_photo(self._hub, self._person_id, frame, seen, camera_id=walk.camera_id)
            # Not taken when somebody else was enrolled, or a photo removed, in this very moment.
            if judged.template_id is not None:
                walk.guide.took(pose, judged.template_id)
                if self.source == SOURCE_RECONFIGURE:
                    # At once: the dialog may be closed as it is.
                    await self._hub.async_refresh_people()
        except (EngineIncompatible, VaultError) as err:
            return err
        return None

    def _named(self, advice: Advice) -> tuple[Advice, str]:
        """Return advice, and the person it names: never one who chose silence."""
        if advice.other is None:
            return advice, ""
        other = self._hub.people.get(advice.other.person_id)
        if other is None or not other.choices.announced:
            return Advice(Hint.SOMEBODY_ELSE), ""
        return advice, other.name

    async def _async_agreed(self, walk: _WalkUp) -> Person:
        """Return the person, as long as they agree to this camera; raise _Failed, or VaultError, otherwise."""
        person = await self._async_stored()
        if not person.may_be_recognised(dt_util.utcnow(), walk.camera_id):
            raise _Failed(Ended.CONSENT_MISSING)
        if walk.camera_id not in self._watched(person):
            raise _Failed(Ended.CAMERA_GONE)
        return person

    async def _async_frame(self, walk: _WalkUp) -> bytes | None:
        """Return a frame that was not looked at yet; raise _Failed for a camera that keeps giving none."""
        camera: str = self._get_entry().subentries[walk.camera_id].data[CONF_CAMERA]
        try:
            fetched = await self._hub.cameras.async_fetch(camera)
        except Exception as err:  # noqa: BLE001 - whatever a camera raises, it may do better in a moment
            self._give_up_late(walk, err)
            return None
        # A camera that stands still gives no new faces, which the time limit ends.
        return fetched.image if fetched.fresh else None

    async def _async_ready(self, walk: _WalkUp, stream: Pictures) -> bool:
        """Wait for a frame of the stream; where none comes, the camera's stills are looked at."""
        try:
            if await stream.ready():
                return True
        except NoPicture as err:
            _LOGGER.debug("The stream gave nothing for a walk-up: %s", err)
        walk.by_stills = True
        return False

    async def _async_faces(
        self, walk: _WalkUp, frame: bytes, stream: Pictures | None
    ) -> tuple[bytes, Faces] | None:
        """Return a frame, the newest of the stream if there is one, and its faces; None when it could not be looked at.

        Raises EngineError or _Failed.
        """
        hub = self._hub
        if not await hub.engine.wait_ready(ENGINE_PATIENCE):
            raise EngineUnavailable(hub.engine.last_error or "The engine is not ready")
        try:
            async with hub.turns.turn(self._turn, Urgency.RING):
                # Small ones too: a person further away is asked to come closer.
                wish = Wish(far_face(walk.size) if walk.size[0] else NEAR, portraits=True, mirrored=True)
                if stream is not None:
                    shown = await stream.see(wish)
                    return shown.picture or b"", shown.faces
                turn = self._settings(walk).turn
                ask = Ask(dt_util.utcnow(), 0.0, lambda: hub.client, ENGINE_SECONDS, turn)
                return frame, await ask.faces(frame, wish)
        except EngineBusy as err:
            await asyncio.sleep(min(err.retry_after, 1.0))
        except EngineUnavailable:
            # One that died is back within seconds.
            if self._patience_is_over(walk):
                raise
        except ImageRejected as err:
            # The next frame may be whole.
            self._give_up_late(walk, err)
        return None

    def _give_up_late(self, walk: _WalkUp, err: Exception) -> None:
        if self._patience_is_over(walk):
            _LOGGER.warning("The camera gave no picture for a walk-up: %s", err)
            raise _Failed(Ended.CAMERA_FAILED) from err

    def _patience_is_over(self, walk: _WalkUp) -> bool:
        return self.hass.loop.time() - walk.working >= PATIENCE

    @property
    def _turn(self) -> str:
        """Return who waits for a turn at the engine: not the camera, which may be looked at besides."""
        return f"walk-up {self.flow_id}"
