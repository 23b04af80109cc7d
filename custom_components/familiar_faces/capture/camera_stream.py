"""Keeps the stream of one camera: open all the time, or from a look on; and hands it out to looks."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
import logging
import threading
import time

from .packets import Outlet, PacketRing, Piece, Timeline
from .stream_origin import Origin, Receiver, StreamEnd

_LOGGER = logging.getLogger(__name__)

LINGER = 20.0
"""Seconds that a stream stays open after a look: somebody who rings once may ring again."""
AGAIN_FIRST = 0.5
AGAIN_MAX = 60.0
"""Seconds between two tries to open a stream that nobody waits for."""
AGAIN_WANTED = 1.0
"""The same, at most, while a look waits for it."""
WANTED_EVERY = 1.0
"""Seconds after which it is looked whether an open stream is still wanted."""
ADDRESS_SECONDS = 10.0
"""How long an integration may take to say where the stream is."""
UNFIT_SECONDS = 60.0
"""How long a camera without a stream is believed to have none."""
REFUSED_SECONDS = 300.0
"""How long an origin that refused is tried after the others: a camera that takes one connection alone refuses again."""
BACK_SECONDS = 1800.0
"""How long something else than the best origin is used, until that is tried again."""
STOP_SECONDS = 3.0
"""How long the end of a reader is waited for. With a camera that has frozen it ends later, by itself."""


type FindOrigins = Callable[[], Awaitable[Sequence[Origin]]]
"""Returns where the stream can be had now, the best first; nothing where there is none or it may not be read."""


class Subscription:
    """A look's share of a stream."""

    def __init__(self, outlet: Outlet, timeline: Timeline) -> None:
        """Begin with what the outlet holds."""
        self.outlet = outlet
        self.timeline = timeline
        self.failures = 0
        """How many times the stream could not be opened, or was lost, since the look began."""
        self.news = asyncio.Event()

    async def take(self) -> list[Piece]:
        """Return the pieces that came since the last time, waiting for news; it may be that there are none."""
        if not self.outlet:
            self.news.clear()
            await self.news.wait()
        return self.outlet.take()


class CameraStream:
    """The stream of one camera. Belongs to one event loop, and reads in a thread of its own."""

    def __init__(self, name: str, find: FindOrigins, *, warm: bool) -> None:
        """Keep the stream that `find` leads to; `warm`: open it with `async_start` and keep it open."""
        self.name = name
        self.warm = warm
        self._find = find
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        """Guards the ring, which the reader's thread fills, and who gets its pieces."""
        self._ring = PacketRing()
        self._timeline = Timeline()
        self._subscriptions: set[Subscription] = set()
        self._task: asyncio.Task[None] | None = None
        self._wanted = asyncio.Event()
        self._linger_until = 0.0
        self._number = 0
        self._refused: dict[str, float] = {}
        """When an origin last refused, by its name."""
        self.turn = 0
        """By how many degrees clockwise its pictures have to be turned, as Home Assistant has it for this camera."""
        self.running = False
        """Whether the stream is open and gives frames."""
        self.end: StreamEnd | None = None
        """Why it is not open, None before the first try and while it is."""
        self._ended_at = 0.0

    @property
    def size(self) -> int:
        """Return how many bytes of the stream are kept."""
        return self._ring.size

    @property
    def unfit(self) -> bool:
        """Return whether there was no stream that can be read, a moment ago: a camera that slept may wake up."""
        return self.end is StreamEnd.UNFIT and time.monotonic() - self._ended_at < UNFIT_SECONDS

    def async_start(self) -> None:
        """Open the stream if it is to be warm."""
        if self.warm:
            self._run()

    async def async_stop(self) -> None:
        """Close the stream and forget what is kept of it."""
        self.warm = False
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait((task,))
        with self._lock:
            self._ring.clear()

    @asynccontextmanager
    async def subscribe(self, since: float) -> AsyncGenerator[Subscription]:
        """Yield a share of the stream, from the last key frame before a moment on, opening it where it is closed.

        `since`: in seconds of the clock that is never set. Where nothing is kept of then, it begins with the oldest
        key frame that is, or the next.
        """
        with self._lock:
            subscription = Subscription(Outlet(self._ring.since(since)), self._timeline)
            self._subscriptions.add(subscription)
        self._wanted.set()
        self._run()
        try:
            yield subscription
        finally:
            with self._lock:
                self._subscriptions.discard(subscription)
            self._linger_until = time.monotonic() + LINGER

    def restart(self, subscription: Subscription, since: float) -> None:
        """Have a share begin again, as `subscribe` does."""
        with self._lock:
            subscription.outlet = Outlet(self._ring.since(since))

    def _run(self) -> None:
        if self._task is None or self._task.done():
            self._loop = asyncio.get_running_loop()
            self._task = self._loop.create_task(self._async_keep(), name=f"familiar_faces stream {self.name}")

    async def _async_keep(self) -> None:
        """Read the stream as long as it is wanted, again and again."""
        failures = 0
        while self._is_wanted:
            try:
                before = self._number
                end = await self._async_read()
            finally:
                self.running = False
                with self._lock:
                    # What comes after a pause does not go on from here.
                    self._ring.clear()
                    for subscription in self._subscriptions:
                        subscription.outlet.gap()
            if end is StreamEnd.STOPPED:
                continue
            if end is not self.end:
                _LOGGER.debug("The stream of %s ended: %s", self.name, end)
            self.end, self._ended_at = end, time.monotonic()
            failures = 0 if self._number > before else failures + 1
            for subscription in tuple(self._subscriptions):
                subscription.failures += 1
                subscription.news.set()
            await self._async_pause(failures)

    @property
    def _is_wanted(self) -> bool:
        return self.warm or bool(self._subscriptions) or time.monotonic() < self._linger_until

    async def _async_pause(self, failures: int) -> None:
        """Wait before the next try; shorter when a look waits, or one begins."""
        pause = min(AGAIN_MAX, AGAIN_FIRST * 2.0 ** min(failures, 10))
        if self._subscriptions:
            await asyncio.sleep(min(pause, AGAIN_WANTED))
            return
        self._wanted.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._wanted.wait()

    async def _async_read(self) -> StreamEnd:
        """Read until the stream ends or is not wanted; return why. What refuses is followed by the next best."""
        try:
            async with asyncio.timeout(ADDRESS_SECONDS):
                found = await self._find()
        except TimeoutError:
            return StreamEnd.REFUSED
        end = StreamEnd.UNFIT
        lately = time.monotonic() - REFUSED_SECONDS
        for origin in sorted(found, key=lambda each: self._refused.get(each.name, lately) > lately):
            before = self._number
            came = await self._async_read_from(origin, until_better=origin is not found[0])
            if self._number > before:
                self._refused.pop(origin.name, None)
                return came
            if came is StreamEnd.STOPPED:
                return came
            _LOGGER.debug("The stream of %s cannot be had from %s: %s", self.name, origin.name, came)
            if came is not StreamEnd.UNFIT:
                self._refused[origin.name] = time.monotonic()
                end = StreamEnd.REFUSED
        return end

    async def _async_read_from(self, origin: Origin, *, until_better: bool) -> StreamEnd:
        """Read from one origin until it ends or is not wanted; return why.

        `until_better`: stop after a while to try a better one, when no look is at it.
        """
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[StreamEnd] = loop.create_future()

        def end(why: StreamEnd) -> None:
            # The loop is closed when Home Assistant ends before the thread.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(_settle, ended, why)

        self.turn = origin.turn
        self._timeline.restart()
        reader = origin.reader(Receiver(self._timeline, self._piece, end, self._number))
        better_at = loop.time() + BACK_SECONDS if until_better else None
        reader.start()
        try:
            while True:
                await asyncio.wait((ended,), timeout=WANTED_EVERY)
                if ended.done():
                    return ended.result()
                if not self._is_wanted:
                    return StreamEnd.STOPPED
                if better_at is not None and loop.time() > better_at and not self._subscriptions:
                    self._refused.clear()
                    return StreamEnd.STOPPED
        finally:
            reader.stop()
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await asyncio.shield(ended)
            except TimeoutError:
                _LOGGER.debug("The stream of %s is still being closed", self.name)
            self._number = max(self._number, reader.number)

    def _piece(self, piece: Piece) -> None:
        """Take in a piece, in the reader's thread. Nobody can hold it up."""
        with self._lock:
            self._ring.add(piece)
            self._number = piece.number
            self.running, self.end = True, None
            subscriptions = tuple(self._subscriptions)
        if subscriptions and self._loop is not None:
            # A stream that nobody looks at does not wake the loop.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(_deliver, subscriptions, piece)


def _settle(future: asyncio.Future[StreamEnd], why: StreamEnd) -> None:
    if not future.done():
        future.set_result(why)


def _deliver(subscriptions: tuple[Subscription, ...], piece: Piece) -> None:
    for subscription in subscriptions:
        subscription.outlet.add(piece)
        subscription.news.set()
