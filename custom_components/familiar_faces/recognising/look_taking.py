"""Takes a look: asks for fresh pictures, has the engine look at them in turn, and adds what it saw."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ..capture.picture_source import Ask, Seen, Source, Wish
from ..host.engine_errors import EngineBusy, EngineError, EngineUnavailable, ImageRejected
from ..household.household import Household
from ..visits.look import EMPTY_EVERY, LOOK_FRAMES, LOOK_SECONDS, NEAR, Look
from ..visits.turns import Urgency

ENGINE_SECONDS = 5.0
"""How long a look waits for an engine's answer, and for one that has gone away."""
FEW_FRAMES = 4
"""Frames of a look in which somebody was seen within which the next one goes first: most names need two or three."""
AWAY = 0.1
"""Seconds until an engine that has gone away is asked again."""


@dataclass(slots=True)
class Clock:
    """Where the time of a look has gone so far."""

    waited_ms: float = 0.0
    engine_ms: float = 0.0
    silent: bool = False
    """Whether a person who chose silence was seen, so that this look is not announced."""


class LookTaking:
    """Takes the looks of one camera."""

    def __init__(self, household: Household, camera_id: str, source: Source) -> None:
        """Take the pictures of a source; `camera_id` stands for the camera where turns are given."""
        self._household = household
        self._camera_id = camera_id
        self._source = source
        self._judges = False
        """Whether the engine said with its last answer that it can judge faces: an older one refuses to be asked."""

    async def async_take(
        self,
        look: Look,
        clock: Clock,
        seconds: float,
        *,
        turn: int = 0,
        thrifty: bool = False,
        urgency: Callable[[], Urgency],
        on_picture: Callable[[bytes | None], None],
        on_seen: Callable[[Seen], Awaitable[None]],
        leave: Callable[[], bool],
    ) -> None:
        """Add pictures to a look until everybody in it is decided, or the time or the pictures have come to an end.

        `turn`, `thrifty`: see `Ask`. `urgency`: how urgent the look is at the moment. `on_picture`: called with the
        first picture (JPEG), where the source has one. `on_seen`: awaited with what each picture shows. `leave`:
        whether the look may end although nobody was decided.

        Raises NoPicture when there was no fresh one, and EngineError when none could be looked at.
        """
        failure: EngineError | None = None
        told = False
        most = round(LOOK_FRAMES * max(1.0, seconds / LOOK_SECONDS))
        ask = Ask(look.at, seconds, lambda: self._household.client, ENGINE_SECONDS, turn, thrifty=thrifty)
        async with self._source.open(ask) as pictures:
            while look.frames < most and await pictures.ready():
                if not told and (newest := pictures.newest) is not None:
                    told = True
                    on_picture(newest)
                try:
                    begun = bool(look.sightings) and look.frames <= FEW_FRAMES
                    async with self._household.turns.turn(self._camera_id, urgency(), begun=begun):
                        # Only now, so that it is the newest.
                        seen = await pictures.see(self._wish(look))
                except (EngineBusy, EngineUnavailable) as err:
                    failure = err
                    await self._async_wait_for_engine(err)
                    continue
                except ImageRejected as err:
                    # The next picture may be whole, and another engine may be older.
                    self._judges = False
                    failure = err
                    continue
                self._judges = seen.faces.judges
                if not told:
                    # Of a stream there is a picture only once the engine has decoded it.
                    told = True
                    on_picture(seen.picture)
                clock.waited_ms = pictures.waited * 1000
                clock.engine_ms += seen.faces.ms.get("total", 0.0)
                await on_seen(seen)
                if look.enough or leave():
                    break
                if look.patient:
                    await asyncio.sleep(EMPTY_EVERY)
        try:
            if failure is not None and look.frames == 0:
                raise failure
        finally:
            # A failure knows the picture that it is about.
            del failure

    def _wish(self, look: Look) -> Wish:
        # The far search takes its time, so it is left out while other cameras wait.
        wait = self._household.turns.waiting > 0 and not look.sightings
        return Wish(
            min_face=NEAR if wait else look.min_face,
            search_shadows=look.search_shadows and not wait,
            judge=look.judge and self._judges,
            portraits=True,
        )

    async def _async_wait_for_engine(self, failure: EngineBusy | EngineUnavailable) -> None:
        """Wait a moment: one that died is back within seconds, and the visitor still there."""
        if isinstance(failure, EngineBusy):
            await asyncio.sleep(min(failure.retry_after, 1.0))
        else:
            await asyncio.sleep(AWAY)
            await self._household.engine.wait_ready(ENGINE_SECONDS)
