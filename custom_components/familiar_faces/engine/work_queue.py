"""The waiting room of the engine: bounded, one image a worker at a time, and a caller that leaves loses its place."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
import time

PLACES = 32
"""Requests that may be inside, the one being worked on included."""
ROOM = 24 * 1024 * 1024
"""Bytes of images that may be inside."""


class BusyError(Exception):
    """The waiting room is full."""


class WorkQueue:
    """Runs as many pieces of work at a time as it has workers, each in a thread. Belongs to one event loop.

    Where the newest wins, a picture that comes when it is full takes the place of the one that has waited longest: what a camera sees now
    says more than what it saw, and the sender of that one asks again with what is new then.
    """

    def __init__(
        self,
        places: int = PLACES,
        room: int = ROOM,
        begin: Callable[[], None] | None = None,
        workers: int = 1,
        *,
        newest_wins: bool = False,
    ) -> None:
        """Open a waiting room; `begin` is called in each of its threads before any work."""
        self._newest_wins = newest_wins
        self.workers = workers
        self._places = places
        self._room = room
        self._inside = 0
        self._bytes = 0
        self._free = workers
        """How many workers have nothing to do."""
        self._waiting: tuple[deque[asyncio.Future[None]], ...] = (deque(), deque())
        """Who waits for a turn, the urgent first."""
        self._thread = ThreadPoolExecutor(workers, thread_name_prefix="inference", initializer=begin)
        self._since: dict[object, float] = {}
        """When each piece of work began that goes on."""

    @property
    def running_for(self) -> float:
        """Return the seconds that the longest of the work at hand has taken so far."""
        return time.monotonic() - min(self._since.values()) if self._since else 0.0

    @property
    def inside(self) -> int:
        """Return how many places are taken."""
        return self._inside

    @contextmanager
    def place(self, size: int) -> Iterator[None]:
        """Hold a place for an image of `size` bytes; raise BusyError when there is none.

        A single image always fits an empty room. Anyone who has to go for a newer one gets a BusyError from `run`.
        """
        if self._inside >= self._places and not (self._newest_wins and self._send_away()):
            raise BusyError
        if self._inside and self._bytes + size > self._room:
            raise BusyError
        self._inside += 1
        self._bytes += size
        try:
            yield
        finally:
            self._inside -= 1
            self._bytes -= size

    async def run[T](self, work: Callable[[], T], *, urgent: bool = False) -> T:
        """Return what `work` gives, in turn, `urgent` work first. Cancelled while waiting, it is never begun."""
        async with self._turn(urgent):
            mine = object()
            self._since[mine] = time.monotonic()
            # Work that has begun cannot be stopped; the next may only begin when it is over.
            running = asyncio.get_running_loop().run_in_executor(self._thread, work)
            try:
                return await asyncio.shield(running)
            finally:
                while not running.done():
                    try:
                        await asyncio.wait([running])
                    except asyncio.CancelledError:
                        continue
                if not running.cancelled():
                    running.exception()
                del self._since[mine]

    @asynccontextmanager
    async def _turn(self, urgent: bool) -> AsyncGenerator[None]:
        """Wait for a turn, and hand it on."""
        if not self._free:
            mine = asyncio.get_running_loop().create_future()
            self._waiting[0 if urgent else 1].append(mine)
            try:
                await mine
            except asyncio.CancelledError:
                if mine.done() and not mine.cancelled() and mine.exception() is None:
                    # It was handed over in the same moment.
                    self._hand_on()
                raise
        else:
            self._free -= 1
        try:
            yield
        finally:
            self._hand_on()

    def _hand_on(self) -> None:
        for line in self._waiting:
            while line:
                if not (next_one := line.popleft()).done():
                    next_one.set_result(None)
                    return
        self._free += 1

    def _send_away(self) -> bool:
        """Have the one go that has waited longest of those that are not urgent; return whether there is one."""
        line = self._waiting[1]
        while line:
            if not (oldest := line.popleft()).done():
                oldest.set_exception(BusyError())
                return True
        return False

    def close(self) -> None:
        """Let go of the thread without waiting for what it does."""
        self._thread.shutdown(wait=False, cancel_futures=True)
