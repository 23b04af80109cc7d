"""The watcher of a camera: takes looks and turns them into visits."""

import asyncio
from collections.abc import Callable
from datetime import datetime
import logging

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, Event, EventStateChangedData, HassJob, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_call_later, async_track_state_change_event
from homeassistant.util import dt as dt_util

from ..capture.camera_settings import camera_settings
from ..capture.cameras import Cameras
from ..capture.picture_source import NoPicture, Seen, Trouble
from ..capture.triggers import Triggers
from ..const import DOMAIN, Mode
from ..host.engine_errors import EngineError, ImageRejected
from ..household.household import Household
from ..household.issues import async_check_pictures, async_check_posters
from ..household.signals import SIGNAL_CHANGED, SIGNAL_LOOK
from ..people.gallery import Gallery
from ..visits.fitness import CameraFitness, Fitness
from ..visits.look import Look
from ..visits.news import LookNews, Stage
from ..visits.open_visits import Change
from ..visits.posters import Suspected, without
from ..visits.turns import Urgency
from ..visits.visit import Decision, Sighting, Timing, Verdict
from .announcing import Announcer
from .camera_middle import learn
from .look_taking import Clock, LookTaking

_LOGGER = logging.getLogger(__name__)

POLL_EVERY = 1.0
"""Seconds between two frames of a camera that is looked at all the time, while nobody is there."""
POLLS_A_FAR_SEARCH = 10
"""Every so many of them there is a second frame, for the far search that a look begins with."""
ELSEWHERE = 1_000
"""Templates above which a comparison, then over half a millisecond, is made in a thread."""
AGAIN = (2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""Seconds after which a look is taken again, and again, while a trigger stays on and nobody was decided."""
AGAIN_UNTIL = 900.0
"""Seconds after which that comes to an end."""
MANY = 4
"""Individuals in a look above which theirs are, too: each takes up to a millisecond, and more on a small machine."""


class Watcher:
    """Looks at one camera when it is told to."""

    def __init__(
        self,
        household: Household,
        subentry: ConfigSubentry,
        announcer: Announcer,
        cameras: Cameras,
        check_existence: Callable[[], None],
    ) -> None:
        """Watch the camera of a subentry, from `async_start` on.

        `check_existence`: called when the camera or one of its triggers was removed or added again.
        """
        self.household = household
        self._announcer = announcer
        self._check_existence = check_existence
        self._cameras = cameras
        self.hass = household.hass
        self.camera_id = subentry.subentry_id
        self.title = subentry.title
        self.settings = camera_settings(subentry.data)
        self.camera = self.settings.camera
        self.mode = self.settings.mode
        self.triggers = list(self.settings.triggers)
        self._triggers = Triggers(
            household.hass, self.mode, self.triggers, self.settings.roles, self.settings.event_types
        )
        self._taking = LookTaking(household, self.camera_id, cameras.async_source(self.settings))
        self.time_to_name: float | None = None
        """Milliseconds from the trigger to the last name."""
        self.fitness = CameraFitness()
        self.suspected = Suspected()
        self._asked: tuple[datetime, Urgency] | None = None
        self._urgency = Urgency.ALWAYS
        """Why the look that is being taken is taken."""
        self._again = 0
        """How many looks were taken again because a trigger stays on."""
        self._on_since = 0.0
        """When it came on, by the loop's clock."""
        self._stopped = False
        self._next: CALLBACK_TYPE | None = None
        """Takes back the look that is to be taken again."""
        self._polls = 0
        self._somebody = False
        """Whether the last check of a camera in mode "always" saw a visitor without a decision."""
        self._looking: asyncio.Task[None] | None = None
        self._unsubscribe: list[CALLBACK_TYPE] = []
        self._failing: str | None = None

    @property
    def recognition(self) -> bool:
        """Return whether the owner has recognition switched on, here and everywhere."""
        return self.household.recognition(self.camera_id)

    @property
    def fitness_state(self) -> Fitness | None:
        """Return how the camera does; what keeps it from naming anybody comes first."""
        now = dt_util.utcnow()
        if not any(each.may_be_recognised(now, self.camera_id) for each in self.household.people.values()):
            return Fitness.NOBODY_AGREED
        return self.fitness.state

    @property
    def _by_event(self) -> bool:
        """Return whether pictures are those of events: of what happened, and not of what is."""
        return self.settings.by_event or self._cameras.async_shows_events_only(self.camera)

    @callback
    def async_start(self) -> None:
        """Listen to the triggers, or look all the time."""
        self._async_keep_stream()
        self._unsubscribe.append(
            self.household.async_connect(SIGNAL_CHANGED, self._async_keep_stream, of=self.camera_id)
        )
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
        self._stopped = True
        while self._unsubscribe:
            self._unsubscribe.pop()()
        self._asked = None
        self._async_leave_it()
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait((self._looking,))
        self.household.turns.forget(self.camera_id)
        await self._cameras.async_leave(self.camera)

    @callback
    def _async_keep_stream(self) -> None:
        """Have the camera's stream open only as long as there is somebody to recognise, and leave to do so."""
        self._cameras.async_keep(self.settings, wanted=self.household.can_recognise(self.camera_id))

    @callback
    def async_look(self, at: datetime, urgency: Urgency = Urgency.RING) -> None:
        """Take a look because of something that happened `at`; during a look, take another after it."""
        if self._stopped or not self.household.can_recognise(self.camera_id):
            return
        self._asked = (at, urgency if self._asked is None else min(urgency, self._asked[1]))
        # Anyone who rings while something moves is most likely in the look already.
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
        entity_id = event.data["entity_id"]
        if self._triggers.async_fires(
            entity_id, event.data["old_state"], event.data["new_state"], event.time_fired
        ):
            self._async_leave_it()
            self._again, self._on_since = 0, self.hass.loop.time()
            self.async_look(event.time_fired, self._triggers.async_urgency(entity_id))

    @callback
    def _async_leave_it(self) -> None:
        """Take no look again."""
        if self._next is not None:
            self._next()
            self._next = None

    @callback
    def _async_look_again_later(self) -> None:
        """Look again after a while, if a trigger is on: somebody may be on the way, or come near only now."""
        self._async_leave_it()
        if self._stopped or self._triggers.on is None or self.hass.loop.time() - self._on_since > AGAIN_UNTIL:
            return
        pause = AGAIN[min(self._again, len(AGAIN) - 1)]
        self._again += 1
        self._next = async_call_later(
            self.hass, pause, HassJob(self._async_look_again, cancel_on_shutdown=True)
        )

    @callback
    def _async_look_again(self, _now: datetime) -> None:
        self._next = None
        if self._triggers.on is not None:
            self.async_look(dt_util.utcnow(), Urgency.MOTION)

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

    @callback
    def _async_tell(
        self, stage: Stage, *, frame: bytes | None = None, frames: int = 0, faces: int = 0
    ) -> None:
        """Say how far the look is."""
        news = LookNews(self.camera_id, stage, self._urgency, frame, frames, faces)
        self.household.async_send(SIGNAL_LOOK, news)

    async def _async_look(self, at: datetime) -> None:
        self._announcer.async_expire()
        self._async_tell(Stage.STARTED)
        if self.settings.wait > 0 and self._urgency is not Urgency.ALWAYS:
            await asyncio.sleep(self.settings.wait)
            if not self._by_event:
                # An event's picture may have been made meanwhile.
                at = max(at, dt_util.utcnow())
        look = Look(
            at,
            strictness=self.household.strictness,
            one_picture=self.settings.one_picture,
            judge=self.settings.judge,
        )
        clock = Clock()
        failure: Exception | None = None
        try:
            await self._async_take(look, clock)
        except Exception as err:  # noqa: BLE001 - it is raised below, when what was seen until then is told
            failure = err
        try:
            while (gallery := self.household.gallery) is not None and self.recognition:
                here = gallery.at(self.camera_id)
                verdicts = await self._async_compare(look, gallery, look.finish, here, dt_util.utcnow())
                if gallery is self.household.gallery:
                    await self._async_settle(look, clock, gallery, verdicts)
                    learn(self.household, self.camera_id, here, verdicts)
                    break
            if failure is not None:
                raise failure
        finally:
            self._async_judge(look, clock, failure)
            self._announcer.async_expire()
            self._async_tell(Stage.ENDED)
            if not look.somebody_decided:
                self._async_look_again_later()
            # A failure knows this frame, and this frame the faces that were seen.
            del failure, look

    @callback
    def _async_judge(self, look: Look, clock: Clock, failure: Exception | None) -> None:
        """Take note of how the camera did at a look, and say what keeps it from naming anybody."""
        self._somebody = failure is not None or (bool(look.sightings) and not look.somebody_decided)
        before = self.fitness_state
        trouble = _trouble(failure)
        # An event's picture comes once, and not at every look.
        once = self._by_event and (self._again > 0 or self._urgency is Urgency.ALWAYS)
        if look.frames > 0 or (trouble is not None and not once):
            self.fitness.note_pictures(trouble)
        if look.qualities and not clock.silent:
            self.fitness.add_look(look.qualities)
        if (look.qualities and not clock.silent) or self.fitness_state is not before:
            self.household.async_changed(self.camera_id)
        self._async_suspect(look)
        async_check_pictures(
            self.hass, self.camera_id, self.title, self.fitness.state, failures=self.fitness.failures
        )

    @callback
    def _async_suspect(self, look: Look) -> None:
        """Take note of the faces that did not move; offer to ignore those that are there at every look."""
        if not (posters := look.posters):
            return
        before = self.suspected.likely
        self.suspected.note(posters, look.size)
        if self.suspected.likely != before:
            async_check_posters(self.hass, self.camera_id, self.title, found=True)
            self.household.async_changed(self.camera_id)

    async def _async_take(self, look: Look, clock: Clock) -> None:
        """Add pictures to a look until everybody in it is decided or the pictures end."""

        @callback
        def picture(frame: bytes | None) -> None:
            self._async_tell(Stage.FETCHED, frame=frame)

        async def see(seen: Seen) -> None:
            await self._async_see(look, clock, seen)

        await self._taking.async_take(
            look,
            clock,
            self.settings.seconds,
            turn=self.settings.turn,
            thrifty=self._urgency is Urgency.ALWAYS and not self._somebody,
            urgency=lambda: self._urgency,
            on_picture=picture,
            on_seen=see,
            leave=lambda: self._nobody_there(look),
        )

    async def _async_see(self, look: Look, clock: Clock, seen: Seen) -> None:
        """Take note of a picture's faces, and hand on who is decided."""
        faces = without(seen.faces, self.settings.posters)
        gallery = self.household.gallery
        if gallery is None or gallery.model != faces.model:
            # Another engine answers at the same address: faces of two models cannot be compared.
            await self.household.roster.async_set_model(faces.model)
            gallery = await self.household.roster.async_gallery(faces.model)
        here = gallery.at(self.camera_id)
        verdicts = await self._async_compare(look, gallery, look.add, faces, seen.at, here, dt_util.utcnow())
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

    def _nobody_there(self, look: Look) -> bool:
        """Return whether a camera that is watched all the time may be left alone again until the next poll."""
        if self._urgency is not Urgency.ALWAYS or look.sightings:
            return False
        return look.frames >= (2 if self._polls % POLLS_A_FAR_SEARCH == 0 else 1)

    def _is_silent(self, person_id: str | None) -> bool:
        """Return whether nothing is to be said of a person, not even in figures of this camera."""
        person = self.household.people.get(person_id or "")
        return person is not None and not person.choices.announced

    async def _async_settle(
        self, look: Look, clock: Clock, gallery: Gallery, verdicts: list[tuple[Sighting, Verdict]]
    ) -> None:
        """Hand on the visits of the individuals who are decided."""
        for sighting, verdict in verdicts:
            if not self.recognition:
                return
            if verdict.decision is Decision.FAMILIAR and gallery is not self.household.gallery:
                # By photos that have changed since, by a correction perhaps: the look's end decides again.
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


def _trouble(failure: Exception | None) -> Trouble | None:
    """Return what a failed look says of the camera; None where that is nothing."""
    if isinstance(failure, ImageRejected):
        # Error pages, or pictures that are cut off: none can be read.
        return Trouble.NO_PICTURE
    return failure.trouble if isinstance(failure, NoPicture) else None


@callback
def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
