"""The frames of a look: fetched one at a time, the newest wins, bounded in number and time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from types import TracebackType
from typing import Self

AFTER_FAILURE = 0.5
"""Seconds until a failed fetch is tried again."""

type Fetch = Callable[[], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Frame:
    """An image as the camera gave it."""

    image: bytes = field(repr=False)
    at: datetime
    """When it arrived."""


class Frames:
    """Fetches frames while the last one is still being looked at, and keeps but the newest.

    Frames identical to an earlier one of the look are left out: a camera that repeats a still picture
    gives no new evidence. A fetch that fails is tried again: a camera that was asleep needs a moment. Only
    when none has succeeded does `ready` raise what the last one raised.
    """

    def __init__(self, fetch: Fetch, *, most: int, seconds: float, every: float, spare: int = 0) -> None:
        """Fetch at most `most` frames within `seconds`, at least `every` seconds apart.

        Up to `spare` frames more may come instead of those that were passed over for a newer one, so that
        a look which has to wait for the engine does not run out of frames meanwhile.
        """
        self.waited = 0.0
        """Seconds that `ready` spent waiting for the camera."""
        self._fetch = fetch
        self._left = most
        self._spare = spare
        self._seconds = seconds
        self._every = every
        self._seen: set[bytes] = set()
        self._newest: Frame | None = None
        self._failure: Exception | None = None
        self._last = datetime.min.replace(tzinfo=UTC)
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to fetch."""
        self._task = asyncio.create_task(self._run(), name="familiar_faces frames")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop fetching."""
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait((self._task,))
        self._newest = self._failure = None

    async def next(self) -> Frame | None:
        """Return the newest frame not yet returned, waiting for one; None when there will be no more."""
        return self.take() if await self.ready() else None

    async def ready(self) -> bool:
        """Wait until there is a frame to take; return whether there is, False when there will be no more."""
        assert self._task is not None
        loop = asyncio.get_running_loop()
        since = loop.time()
        if self._newest is None and not self._task.done():
            self._news.clear()
            news = asyncio.create_task(self._news.wait())
            try:
                await asyncio.wait((news, self._task), return_when=asyncio.FIRST_COMPLETED)
            finally:
                news.cancel()
        self.waited += loop.time() - since
        if self._newest is not None:
            return True
        if not self._task.cancelled():
            self._task.result()
        if self._failure is not None and not self._seen:
            raise self._failure
        return False

    def take(self) -> Frame:
        """Return the newest frame; `ready` has said that there is one, and there may be a newer one since."""
        frame, self._newest = self._newest, None
        if frame is None:
            raise ValueError("there is no frame to take")
        return frame

    def put_back(self, frame: Frame) -> None:
        """Offer a frame again that could not be looked at, unless a newer one has come."""
        if self._newest is None:
            self._newest = frame

    async def _run(self) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        end = loop.time() + self._seconds
        # The last one, too, is exchanged for newer ones while it waits.
        while self._left > 0 or (self._newest is not None and self._spare > 0):
            self._left -= 1
            began = loop.time()
            try:
                image = await self._fetch()
            except Exception as err:
                if task is not None and task.cancelling():
                    # Home Assistant's way to a camera's picture takes being cancelled for one that did not come.
                    raise asyncio.CancelledError from err
                self._failure = err
                pause = AFTER_FAILURE
            else:
                pause = began + self._every - loop.time()
                digest = blake2b(image, digest_size=16).digest()
                if digest not in self._seen:
                    self._seen.add(digest)
                    if self._newest is not None and self._spare > 0:
                        self._spare -= 1
                        self._left += 1
                    self._newest = Frame(image, self._later())
                    self._news.set()
            if loop.time() + max(pause, 0) >= end:
                return
            if pause > 0:
                await asyncio.sleep(pause)

    def _later(self) -> datetime:
        """Return the time, but always later than the frame before: clocks are set back now and then."""
        self._last = max(datetime.now(UTC), self._last + timedelta(milliseconds=1))
        return self._last
