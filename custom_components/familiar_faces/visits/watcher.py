"""The watcher of a camera: takes looks and turns them into visits. The one place where visits meet Home Assistant."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
import logging
from typing import TYPE_CHECKING

from homeassistant.components.camera import async_get_image
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, Event, EventStateChangedData, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util

from ..const import CONF_CAMERA, CONF_MODE, CONF_TRIGGERS, DOMAIN, Mode
from ..engine.protocol import Faces, Quality
from ..host.errors import EngineBusy, EngineError, EngineUnavailable, ImageRejected
from .decision import decide
from .frames import Frame, Frames
from .open_visits import Change
from .tracker import Tracker
from .triggers import async_fires
from .visit import Decision, Sighting, Verdict

if TYPE_CHECKING:
    from ..hub import Hub

_LOGGER = logging.getLogger(__name__)

LOOK_FRAMES = 16
"""How many frames a look fetches at most."""
LOOK_SECONDS = 8.0
"""How long a look takes at most."""
FRAME_EVERY = 0.1
"""Seconds between two fetches at least: closer frames show nothing new."""
FETCH_SECONDS = 5
"""How long a camera may take for a frame."""
ENGINE_SECONDS = 5.0
"""How long a look waits for an engine's answer, and for one that has gone away."""
ENOUGH_FRAMES = 3
"""After so many frames a look ends as soon as everybody in it is decided."""
POLL_EVERY = 1.0
"""Seconds between two frames of a camera that is looked at all the time, while nobody is there."""
FITNESS_FACES = 30
"""How many of the last faces a camera's fitness is judged by."""
ELSEWHERE = 1_000
"""Templates above which a comparison, then over half a millisecond, is made in a thread."""


class Fitness(StrEnum):
    """Whether a camera shows faces well enough."""

    GOOD = "good"
    TOO_SMALL = "too_small"
    TOO_BLURRED = "too_blurred"
    TOO_DARK = "too_dark"


@dataclass(frozen=True, slots=True)
class Timing:
    """How long it took from the trigger to the decision."""

    ms: float
    """Milliseconds in all."""
    camera_fetch_ms: float
    """Of these, milliseconds spent waiting for the camera."""
    engine_ms: float
    """Of these, milliseconds that the engine worked."""


class Watcher:
    """Looks at one camera when it is told to."""

    def __init__(self, hub: Hub, subentry: ConfigSubentry) -> None:
        """Watch the camera of a subentry, from `async_start` on."""
        self.hub = hub
        self.hass = hub.hass
        self.camera_id = subentry.subentry_id
        self.camera: str = subentry.data[CONF_CAMERA]
        self.mode = Mode(subentry.data[CONF_MODE])
        self.triggers: list[str] = list(subentry.data.get(CONF_TRIGGERS, ()))
        self.time_to_name: float | None = None
        """Milliseconds from the trigger to the last name."""
        self._qualities: deque[Quality] = deque(maxlen=FITNESS_FACES)
        self._rung_at: datetime | None = None
        self._looking: asyncio.Task[None] | None = None
        self._unsubscribe: list[CALLBACK_TYPE] = []
        self._failing: str | None = None

    @property
    def recognition(self) -> bool:
        """Return whether the owner has recognition switched on, here and everywhere."""
        return self.hub.recognition(self.camera_id)

    @property
    def fitness(self) -> Fitness | None:
        """Return what stands most in the way of recognising faces here; None before any was seen."""
        if not self._qualities:
            return None
        reasons = Counter(each.reason for each in self._qualities if not each.usable)
        if reasons.total() * 2 <= len(self._qualities):
            return Fitness.GOOD
        for reason, _ in reasons.most_common():
            if reason in tuple(Fitness):
                return Fitness(reason)
        return Fitness.GOOD

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
            task = self.hub.entry.async_create_background_task(
                self.hass, self._async_look_always(), f"{DOMAIN} always {self.camera}"
            )
            self._unsubscribe.append(lambda: _cancel(task))

    async def async_stop(self) -> None:
        """Stop looking and forget what was being looked at."""
        while self._unsubscribe:
            self._unsubscribe.pop()()
        self._rung_at = None
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait((self._looking,))

    @callback
    def async_look(self, at: datetime) -> None:
        """Take a look because of something that happened `at`; during a look, take another after it."""
        if not self.hub.can_recognise(self.camera_id):
            return
        self._rung_at = at
        if self._looking is None or self._looking.done():
            self._looking = self.hub.entry.async_create_background_task(
                self.hass, self._async_look_while_asked(), f"{DOMAIN} look {self.camera}"
            )

    @callback
    def _async_trigger_changed(self, event: Event[EventStateChangedData]) -> None:
        self._async_check_existence(event)
        if async_fires(event.data["old_state"], event.data["new_state"], event.time_fired):
            self.async_look(event.time_fired)

    @callback
    def _async_check_existence(self, event: Event[EventStateChangedData]) -> None:
        if event.data["old_state"] is None or event.data["new_state"] is None:
            # Removed, or added again.
            self.hub.async_check_cameras()

    async def _async_look_while_asked(self) -> None:
        while (at := self._rung_at) is not None:
            self._rung_at = None
            await self._async_look_safely(at)

    async def _async_look_always(self) -> None:
        while True:
            await asyncio.sleep(POLL_EVERY)
            if self._looking is None or self._looking.done():
                self.async_look(dt_util.utcnow())
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
        return image.content

    async def _async_look(self, at: datetime) -> None:
        look = _Look(at)
        self.hub.async_expire_visits()
        failure: Exception | None = None
        try:
            await self._async_take(look)
        except (EngineError, HomeAssistantError) as err:
            # What was seen until the camera or the engine failed was seen.
            failure = err
        try:
            # Those who were decided early too: they were seen longer since, and perhaps better.
            for sighting in look.tracker.sightings:
                await self._async_decide(look, sighting, final=True)
            if failure is not None:
                raise failure
        finally:
            self.hub.async_expire_visits()
            # A failure knows this frame, and this frame the faces that were seen.
            del failure, look

    async def _async_take(self, look: _Look) -> None:
        """Add frames to a look until everybody in it is decided or the frames have come to an end."""
        looked = 0
        failure: EngineError | None = None
        async with Frames(
            self._async_fetch, most=LOOK_FRAMES, seconds=LOOK_SECONDS, every=FRAME_EVERY
        ) as frames:
            while (frame := await frames.next()) is not None:
                try:
                    faces = await self._async_faces(frame)
                except EngineUnavailable as err:
                    # One that died is back within seconds: the visitor is still there, and so is the look.
                    failure = err
                    await asyncio.sleep(FRAME_EVERY)
                    await self.hub.engine.wait_ready(ENGINE_SECONDS)
                    continue
                except (EngineBusy, ImageRejected) as err:
                    # The next frame may be whole, or come at a better time.
                    failure = err
                    continue
                looked += 1
                look.waited_ms = frames.waited * 1000
                look.engine_ms += faces.ms.get("total", 0.0)
                await self._async_see(look, faces, frame.at)
                if look.tracker.sightings:
                    if looked >= ENOUGH_FRAMES and not look.undecided():
                        break
                elif self.mode is Mode.ALWAYS:
                    # A camera watched all the time gives one frame until somebody is there.
                    break
        try:
            if failure is not None and looked == 0:
                raise failure
        finally:
            del failure

    async def _async_see(self, look: _Look, faces: Faces, at: datetime) -> None:
        """Take note of a frame's faces."""
        gallery = self.hub.gallery
        if gallery is None or gallery.model != faces.model:
            # Another engine answers at the same address: faces of two models cannot be compared.
            await self.hub.roster.async_set_model(faces.model)
            look.tracker = Tracker()
        for sighting in look.tracker.add(faces, at):
            if sighting.sighting_id not in look.decided:
                await self._async_decide(look, sighting, final=False)
        self._qualities.extend(face.quality for face in faces.faces)

    async def _async_faces(self, frame: Frame) -> Faces:
        """Return the faces of a frame; a busy engine is asked once more."""
        try:
            return await self.hub.client.faces(frame.image, portraits=True, timeout=ENGINE_SECONDS)
        except EngineBusy as err:
            await asyncio.sleep(min(err.retry_after, 1.0))
            return await self.hub.client.faces(frame.image, portraits=True, timeout=ENGINE_SECONDS)

    async def _async_decide(self, look: _Look, sighting: Sighting, *, final: bool) -> None:
        """Decide about an individual when that can be done, and hand the visit on."""
        gallery = self.hub.gallery
        if gallery is None or not self.recognition:
            return
        now = dt_util.utcnow()
        verdict: Verdict | None
        if gallery.templates > ELSEWHERE:
            verdict = await self.hass.async_add_executor_job(decide, sighting, gallery, now, final)
        else:
            verdict = decide(sighting, gallery, now, final)
        if verdict is None:
            return
        look.decided.add(sighting.sighting_id)
        outcome = self.hub.open_visits.settle(self.camera_id, sighting, verdict)
        timing = Timing(
            ms=(now - look.at).total_seconds() * 1000,
            camera_fetch_ms=look.waited_ms,
            engine_ms=look.engine_ms,
        )
        if outcome.change is not Change.CONTINUED and outcome.visit.decision is Decision.FAMILIAR:
            self.time_to_name = timing.ms
        portrait = sighting.best_face.portrait if sighting.best_face is not None else None
        await self.hub.async_settle(outcome, timing, portrait)


class _Look:
    """A look while it is being taken."""

    def __init__(self, at: datetime) -> None:
        """Begin a look because of something that happened `at`."""
        self.at = at
        self.tracker = Tracker()
        self.decided: set[str] = set()
        self.waited_ms = 0.0
        self.engine_ms = 0.0

    def undecided(self) -> list[Sighting]:
        """Return the individuals about whom nothing was decided yet."""
        return [each for each in self.tracker.sightings if each.sighting_id not in self.decided]


@callback
def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
