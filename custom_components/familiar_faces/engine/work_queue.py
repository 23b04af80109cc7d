"""The waiting room of the engine: bounded, one image at a time, and a caller that leaves loses its place."""

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
    """Runs one piece of work at a time in one thread. Belongs to one event loop."""

    def __init__(
        self, places: int = PLACES, room: int = ROOM, begin: Callable[[], None] | None = None
    ) -> None:
        """Open a waiting room; `begin` is called in its thread before any work."""
        self._places = places
        self._room = room
        self._inside = 0
        self._bytes = 0
        self._working = False
        self._waiting: tuple[deque[asyncio.Future[None]], ...] = (deque(), deque())
        """Who waits for a turn, the urgent first."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="inference", initializer=begin)
        self._since: float | None = None

    @property
    def running_for(self) -> float:
        """Return the seconds that the work at hand has taken so far."""
        return 0.0 if self._since is None else time.monotonic() - self._since

    @contextmanager
    def place(self, size: int) -> Iterator[None]:
        """Hold a place for an image of `size` bytes; raise BusyError when there is none.

        A single image always fits an empty room.
        """
        if self._inside >= self._places or (self._inside and self._bytes + size > self._room):
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
            self._since = time.monotonic()
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
                self._since = None

    @asynccontextmanager
    async def _turn(self, urgent: bool) -> AsyncGenerator[None]:
        """Wait for a turn, and hand it on."""
        if self._working:
            mine = asyncio.get_running_loop().create_future()
            self._waiting[0 if urgent else 1].append(mine)
            try:
                await mine
            except asyncio.CancelledError:
                if mine.done() and not mine.cancelled():
                    # It was handed over in the same moment.
                    self._hand_on()
                raise
        self._working = True
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
        self._working = False

    def close(self) -> None:
        """Let go of the thread without waiting for what it does."""
        self._thread.shutdown(wait=False, cancel_futures=True)
