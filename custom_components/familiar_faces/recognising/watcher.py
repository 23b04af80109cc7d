"""The watcher of a camera: takes looks and turns them into visits."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
import logging

from homeassistant.components.camera import async_get_image
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, Event, EventStateChangedData, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util

from ..capture.frames import Frame, Frames
from ..capture.triggers import async_fires, async_urgency
from ..const import CONF_CAMERA, CONF_MODE, CONF_TRIGGERS, DOMAIN, Mode
from ..engine.protocol import Faces
from ..host.engine_errors import EngineBusy, EngineError, EngineUnavailable, ImageRejected
from ..household.household import Household
from ..household.signals import SIGNAL_LOOK
from ..people.gallery import Gallery
from ..visits.fitness import CameraFitness
from ..visits.look import FRAME_EVERY, LOOK_FRAMES, LOOK_SECONDS, NEAR, Look
from ..visits.news import LookNews, Stage
from ..visits.open_visits import Change
from ..visits.turns import Urgency
from ..visits.visit import Decision, Sighting, Timing, Verdict
from .announcing import Announcer

_LOGGER = logging.getLogger(__name__)

FETCH_SECONDS = 5
"""How long a camera may take for a frame."""
ENGINE_SECONDS = 5.0
"""How long a look waits for an engine's answer, and for one that has gone away."""
POLL_EVERY = 1.0
"""Seconds between two frames of a camera that is looked at all the time, while nobody is there."""
POLLS_A_FAR_SEARCH = 10
"""Every so many of them there is a second frame, for the far search that a look begins with."""
ELSEWHERE = 1_000
"""Templates above which a comparison, then over half a millisecond, is made in a thread."""
MANY = 4
"""Individuals in a look above which theirs are, too: each takes up to a millisecond, and more on a small machine."""


class Watcher:
    """Looks at one camera when it is told to."""

    def __init__(
        self,
        household: Household,
        subentry: ConfigSubentry,
        announcer: Announcer,
        check_existence: Callable[[], None],
    ) -> None:
        """Watch the camera of a subentry, from `async_start` on.

        `check_existence`: called when the camera or one of its triggers was removed or added again.
        """
        self.household = household
        self._announcer = announcer
        self._check_existence = check_existence
        self.hass = household.hass
        self.camera_id = subentry.subentry_id
        self.camera: str = subentry.data[CONF_CAMERA]
        self.mode = Mode(subentry.data[CONF_MODE])
        self.triggers: list[str] = list(subentry.data.get(CONF_TRIGGERS, ()))
        self.time_to_name: float | None = None
        """Milliseconds from the trigger to the last name."""
        self.fitness = CameraFitness()
        self._asked: tuple[datetime, Urgency] | None = None
        self._urgency = Urgency.ALWAYS
        """Why the look that is being taken is taken."""
        self._fetched = False
        """Whether the look that is being taken has a frame yet."""
        self._polls = 0
        self._looking: asyncio.Task[None] | None = None
        self._unsubscribe: list[CALLBACK_TYPE] = []
        self._failing: str | None = None

    @property
    def recognition(self) -> bool:
        """Return whether the owner has recognition switched on, here and everywhere."""
        return self.household.recognition(self.camera_id)

    @callback
    def async_start(self) -> None:
        """Listen to the triggers, or look all the time."""
        self._unsubscribe.append(
            async_track_state_change_event(self.hass, [self.camera], self._async_check_existence)
        )
        if self.triggers:
            self._unsubscribe.append(
                async_track_state_change_event(self.hass, self.triggers, self._async_trigger_changed)
            )
        if self.mode is Mode.ALWAYS:
            task = self.household.entry.async_create_background_task(
                self.hass, self._async_look_always(), f"{DOMAIN} always {self.camera}"
            )
            self._unsubscribe.append(lambda: _cancel(task))

    async def async_stop(self) -> None:
        """Stop looking and forget what was being looked at."""
        while self._unsubscribe:
            self._unsubscribe.pop()()
        self._asked = None
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait((self._looking,))
        self.household.turns.forget(self.camera_id)

    @callback
    def async_look(self, at: datetime, urgency: Urgency = Urgency.RING) -> None:
        """Take a look because of something that happened `at`; during a look, take another after it."""
        if not self.household.can_recognise(self.camera_id):
            return
        self._asked = (at, urgency if self._asked is None else min(urgency, self._asked[1]))
        # Whoever rings while something moves is most likely in the look already.
        rang = urgency is Urgency.RING and self._urgency is not Urgency.RING
        self._urgency = min(self._urgency, urgency)
        if rang and self._looking is not None and not self._looking.done():
            self._async_tell(Stage.STARTED)
        self.household.turns.hurry(self.camera_id, urgency)
        if self._looking is None or self._looking.done():
            self._looking = self.household.entry.async_create_background_task(
                self.hass, self._async_look_while_asked(), f"{DOMAIN} look {self.camera}"
            )

    @callback
    def _async_trigger_changed(self, event: Event[EventStateChangedData]) -> None:
        self._async_check_existence(event)
        if async_fires(event.data["old_state"], event.data["new_state"], event.time_fired):
            self.async_look(event.time_fired, async_urgency(self.hass, event.data["entity_id"], self.mode))

    @callback
    def _async_check_existence(self, event: Event[EventStateChangedData]) -> None:
        if event.data["old_state"] is None or event.data["new_state"] is None:
            # Removed, or added again.
            self._check_existence()

    async def _async_look_while_asked(self) -> None:
        while self._asked is not None:
            (at, self._urgency), self._asked = self._asked, None
            await self._async_look_safely(at)
        self._urgency = Urgency.ALWAYS

    async def _async_look_always(self) -> None:
        while True:
            await asyncio.sleep(POLL_EVERY)
            if self._looking is None or self._looking.done():
                self._polls += 1
                self.async_look(dt_util.utcnow(), Urgency.ALWAYS)
                if self._looking is not None:
                    await asyncio.wait((self._looking,))

    async def _async_look_safely(self, at: datetime) -> None:
        """Take a look; say once that the camera or the engine fails, and once that it is back."""
        try:
            await self._async_look(at)
        except (EngineError, HomeAssistantError) as err:
            if self._failing != (failing := type(err).__name__):
                _LOGGER.warning("A look at %s failed: %s", self.camera, err)
            self._failing = failing
        except Exception:
            # One look that goes wrong must not end the watching.
            _LOGGER.exception("A look at %s failed", self.camera)
            self._failing = "unexpected"
        else:
            if self._failing is not None:
                _LOGGER.info("Looking at %s works again", self.camera)
            self._failing = None

    async def _async_fetch(self) -> bytes:
        image = await async_get_image(self.hass, self.camera, timeout=FETCH_SECONDS)
        if not self._fetched:
            self._fetched = True
            self._async_tell(Stage.FETCHED, frame=image.content)
        return image.content

    @callback
    def _async_tell(
        self, stage: Stage, *, frame: bytes | None = None, frames: int = 0, faces: int = 0
    ) -> None:
        """Say how far the look is."""
        news = LookNews(self.camera_id, stage, self._urgency, frame, frames, faces)
        self.household.async_send(SIGNAL_LOOK, news)

    async def _async_look(self, at: datetime) -> None:
        look = Look(at, strictness=self.household.strictness)
        clock = _Clock()
        self._announcer.async_expire()
        self._fetched = False
        self._async_tell(Stage.STARTED)
        failure: Exception | None = None
        try:
            await self._async_take(look, clock)
        except (EngineError, HomeAssistantError) as err:
            # What was seen until the camera or the engine failed was seen.
            failure = err
        try:
            while (gallery := self.household.gallery) is not None and self.recognition:
                here = gallery.at(self.camera_id)
                verdicts = await self._async_compare(look, gallery, look.finish, here, dt_util.utcnow())
                if gallery is self.household.gallery:
                    await self._async_settle(look, clock, gallery, verdicts)
                    break
            if failure is not None:
                raise failure
        finally:
            if look.qualities and not clock.silent:
                self.fitness.add_look(look.qualities)
                self.household.async_changed(self.camera_id)
            self._announcer.async_expire()
            self._async_tell(Stage.ENDED)
            # A failure knows this frame, and this frame the faces that were seen.
            del failure, look

    async def _async_take(self, look: Look, clock: _Clock) -> None:
        """Add frames to a look until everybody in it is decided or the frames have come to an end."""
        failure: EngineError | None = None
        tried: Frame | None = None
        asked = 0
        # While other cameras have their turn, frames are passed over for newer ones.
        spare = int(LOOK_SECONDS / FRAME_EVERY)
        async with Frames(
            self._async_fetch, most=LOOK_FRAMES, seconds=LOOK_SECONDS, every=FRAME_EVERY, spare=spare
        ) as frames:
            while asked < LOOK_FRAMES and await frames.ready():
                asked += 1
                try:
                    async with self.household.turns.turn(self.camera_id, self._urgency):
                        # Only now, so that it is the newest.
                        frame = frames.take()
                        faces = await self._async_faces(look, frame)
                except (EngineBusy, EngineUnavailable) as err:
                    failure = err
                    await self._async_wait_for_engine(err)
                    if frame is not tried:
                        frames.put_back(frame)
                        tried = frame
                    continue
                except ImageRejected as err:
                    # The next frame may be whole.
                    failure = err
                    continue
                clock.waited_ms = frames.waited * 1000
                clock.engine_ms += faces.ms.get("total", 0.0)
                await self._async_see(look, clock, faces, frame.at)
                if look.enough or self._nobody_there(look):
                    break
        try:
            if failure is not None and look.frames == 0:
                raise failure
        finally:
            # A failure knows the frame that it is about.
            del failure, tried

    async def _async_see(self, look: Look, clock: _Clock, faces: Faces, at: datetime) -> None:
        """Take note of a frame's faces, and hand on who is decided."""
        gallery = self.household.gallery
        if gallery is None or gallery.model != faces.model:
            # Another engine answers at the same address: faces of two models cannot be compared.
            await self.household.roster.async_set_model(faces.model)
            gallery = await self.household.roster.async_gallery(faces.model)
        here = gallery.at(self.camera_id)
        verdicts = await self._async_compare(look, gallery, look.add, faces, at, here, dt_util.utcnow())
        await self._async_settle(look, clock, gallery, verdicts)
        self._async_tell(Stage.COMPARED, frames=look.frames, faces=len(faces.faces))

    async def _async_compare[*Ts](
        self,
        look: Look,
        gallery: Gallery,
        compare: Callable[[*Ts], list[tuple[Sighting, Verdict]]],
        *args: *Ts,
    ) -> list[tuple[Sighting, Verdict]]:
        """Call one of a look's methods that compare with the gallery."""
        if gallery.templates > ELSEWHERE or len(look.sightings) > MANY:
            return await self.hass.async_add_executor_job(compare, *args)
        return compare(*args)

    async def _async_wait_for_engine(self, failure: EngineBusy | EngineUnavailable) -> None:
        """Wait a moment: one that died is back within seconds, and the visitor still there."""
        if isinstance(failure, EngineBusy):
            await asyncio.sleep(min(failure.retry_after, 1.0))
        else:
            await asyncio.sleep(FRAME_EVERY)
            await self.household.engine.wait_ready(ENGINE_SECONDS)

    def _nobody_there(self, look: Look) -> bool:
        """Return whether a camera that is watched all the time may be left alone again until the next poll."""
        if self._urgency is not Urgency.ALWAYS or look.sightings:
            return False
        return look.frames >= (2 if self._polls % POLLS_A_FAR_SEARCH == 0 else 1)

    async def _async_faces(self, look: Look, frame: Frame) -> Faces:
        # The far search takes its time, so it is left out while other cameras wait.
        wait = self.household.turns.waiting > 0 and not look.sightings
        return await self.household.client.faces(
            frame.image, min_face=NEAR if wait else look.min_face, portraits=True, timeout=ENGINE_SECONDS
        )

    def _is_silent(self, person_id: str | None) -> bool:
        """Return whether nothing is to be said of a person, not even in figures of this camera."""
        person = self.household.people.get(person_id or "")
        return person is not None and not person.choices.announced

    async def _async_settle(
        self, look: Look, clock: _Clock, gallery: Gallery, verdicts: list[tuple[Sighting, Verdict]]
    ) -> None:
        """Hand on the visits of the individuals who are decided."""
        for sighting, verdict in verdicts:
            if not self.recognition:
                return
            if verdict.decision is Decision.FAMILIAR and gallery is not self.household.gallery:
                # By photos that have changed since, by a correction perhaps: the look's end decides anew.
                continue
            outcome = self.household.open_visits.settle(self.camera_id, sighting, verdict)
            timing = Timing(
                ms=(dt_util.utcnow() - look.at).total_seconds() * 1000,
                camera_fetch_ms=clock.waited_ms,
                engine_ms=clock.engine_ms,
            )
            if self._is_silent(outcome.visit.person_id):
                clock.silent = True
            elif outcome.change is not Change.CONTINUED and outcome.visit.decision is Decision.FAMILIAR:
                self.time_to_name = timing.ms
            portrait = sighting.best_face.portrait if sighting.best_face is not None else None
            # A name may have been refused because its person was seen elsewhere in the same frame.
            resembled = verdict.resembled | ({verdict.person_id} if verdict.person_id is not None else set())
            await self._announcer.async_settle(outcome, timing, portrait, resembled)


@dataclass(slots=True)
class _Clock:
    """Where the time of a look has gone so far."""

    waited_ms: float = 0.0
    engine_ms: float = 0.0
    silent: bool = False
    """Whether somebody was seen of whom nothing is to be said, so that nothing is told of this look."""


@callback
def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
