"""The waiting room of the engine: bounded, one image at a time, and whoever leaves loses the place."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
import time

PLACES = 32
"""Requests that may be inside, the one being worked on included."""
ROOM = 64 * 1024 * 1024
"""Bytes of images that may be inside."""


class BusyError(Exception):
    """The waiting room is full."""


class WorkQueue:
    """Runs one piece of work at a time in one thread. Belongs to one event loop."""

    def __init__(self, places: int = PLACES, room: int = ROOM) -> None:
        """Open a waiting room."""
        self._places = places
        self._room = room
        self._inside = 0
        self._bytes = 0
        self._turn = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="inference")
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

    async def run[T](self, work: Callable[[], T]) -> T:
        """Return what `work` gives, in turn. Cancelled while waiting, it is never begun."""
        async with self._turn:
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

    def close(self) -> None:
        """Let go of the thread without waiting for what it does."""
        self._thread.shutdown(wait=False, cancel_futures=True)
