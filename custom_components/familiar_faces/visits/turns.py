"""Whose turn it is at the engine: rings before motion, what is begun before what is not, and no queue without bound."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import IntEnum
from itertools import count

AT_ONCE = 2
"""How many frames are with the engine: one is worked on, one lies ready so that the engine never idles.

A third would gain nothing and be older by a frame when its time comes.
"""


class Urgency(IntEnum):
    """Why a look is taken; the lowest is served first."""

    RING = 0
    """Somebody stands at the door and waits."""
    MOTION = 1
    ALWAYS = 2
    """Nothing happened: the camera is looked at all the time."""


@dataclass(slots=True, eq=False)
class _Waiting:
    urgency: Urgency
    begun: bool
    """Whether it has been served for what it waits for, and needs little more."""
    granted: asyncio.Future[None]


class Turns:
    """Lets looks go to the engine, a few at once. Belongs to one event loop.

    Rings go before motion, and motion before looking all the time. Among equals goes first who has been seen at and
    needs a few more frames for a decision: when everybody is served in turn at many doors, all of them have a frame and
    nobody has a name when they leave. Then goes the camera that was served longest ago. A camera waits at most once, so no more wait than there are cameras, and what waits
    is the look and not a frame: it takes the newest frame when its turn comes.

    Rings do not starve the others for good: a look is bounded in frames and time, so a ring takes the
    engine for a second or two, and each further one needs another press.
    """

    def __init__(self, at_once: int = AT_ONCE) -> None:
        """Let `at_once` looks go at the same time."""
        self._at_once = at_once
        self._free = at_once
        """How many more may go; below zero while there are more than the engine wants by now."""
        self._waiting: dict[str, _Waiting] = {}
        self._served: dict[str, int] = {}
        self._numbers = count()

    @property
    def waiting(self) -> int:
        """Return how many cameras wait for their turn."""
        return len(self._waiting)

    @asynccontextmanager
    async def turn(self, camera_id: str, urgency: Urgency, *, begun: bool = False) -> AsyncGenerator[None]:
        """Wait for this camera's turn, and hold it; raise ValueError when the camera waits already.

        `begun`: whether somebody was seen in this look already, and a few more frames may decide who it is.
        """
        if camera_id in self._waiting:
            raise ValueError("a camera waits for one turn at a time")
        if self._free > 0:
            self._free -= 1
            self._served[camera_id] = next(self._numbers)
        else:
            await self._wait(camera_id, urgency, begun=begun)
        try:
            yield
        finally:
            self._pass_on()

    def hurry(self, camera_id: str, urgency: Urgency) -> None:
        """Move a camera up that waits already: somebody rang while it looked because of motion."""
        if (waiting := self._waiting.get(camera_id)) is not None:
            waiting.urgency = min(waiting.urgency, urgency)

    def allow(self, at_once: int) -> None:
        """Let so many looks go at the same time from now on: as many as the engine wants."""
        self._free += at_once - self._at_once
        self._at_once = at_once
        for _ in range(min(self._free, self.waiting)):
            self._free -= 1
            self._pass_on()

    def forget(self, camera_id: str) -> None:
        """Forget when a camera was served that is no longer watched."""
        self._served.pop(camera_id, None)

    async def _wait(self, camera_id: str, urgency: Urgency, *, begun: bool) -> None:
        waiting = _Waiting(urgency, begun, asyncio.get_running_loop().create_future())
        self._waiting[camera_id] = waiting
        try:
            await waiting.granted
        except asyncio.CancelledError:
            if self._waiting.get(camera_id) is waiting:
                del self._waiting[camera_id]
            else:
                # The turn came in the very moment in which the look was given up.
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Give a turn that is over to the next camera."""
        # Cancelled ones are still listed until their task runs.
        ready = {key: each for key, each in self._waiting.items() if not each.granted.done()}
        if not ready or self._free < 0:
            self._free += 1
            return
        camera_id = min(
            ready, key=lambda key: (ready[key].urgency, not ready[key].begun, self._served.get(key, -1))
        )
        self._served[camera_id] = next(self._numbers)
        self._waiting.pop(camera_id).granted.set_result(None)
