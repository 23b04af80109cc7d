"""Several engines that are asked as one: a working one with the least to do, then once more another."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from itertools import count
from statistics import median
from typing import Unpack

from ..engine.protocol import AT_ONCE, Faces, Health
from .client import EngineClient
from .engine import backoff
from .engine_errors import EngineBusy, EngineError, EngineTimedOut, EngineUnavailable, ImageRejected
from .engine_questions import Asked
from .stream_session import StreamSession

FIRST_SHARE = 0.5
"""How much of the time for an answer the first engine has while there is another."""
SLOW = 2.0
"""Seconds of silence after which an engine is passed over for a while: a whole look takes less."""


class Replica:
    """One of several engines, and whether to ask it: a circuit breaker.

    After a failure nobody asks it for a second, and for twice as long after each further one. Then one request tries
    it, which an answer to `health` has to come before: it is open again when that went well.
    """

    def __init__(self, name: str, client: EngineClient) -> None:
        """Know the engine that `client` asks as `name`."""
        self.name = name
        self.client = client
        self.problem: EngineError | None = None
        """Why it is not used, as its health says; None while it is, or nobody knows yet."""
        self.health: Health | None = None
        """What it said of itself last."""
        self.asked = 0
        """How many requests it has at this moment."""
        self.turn = 0
        """When it was asked last, in numbers that grow."""
        self._failures = 0
        self._closed_until = 0.0

    @property
    def open(self) -> bool:
        """Return whether it may be asked."""
        if self.problem is not None:
            return False
        if not self._failures:
            return True
        return self.asked == 0 and asyncio.get_running_loop().time() >= self._closed_until

    @property
    def load(self) -> float:
        """Return how much it has to do, for its size."""
        return self.asked / (AT_ONCE if self.health is None else self.health.at_once)

    def failed(self) -> None:
        """Pass it over for a while."""
        now = asyncio.get_running_loop().time()
        # Requests that were under way together fail together.
        if now >= self._closed_until:
            self._closed_until = now + backoff(self._failures)
            self._failures += 1

    def succeeded(self) -> None:
        """Forget what went wrong before."""
        self._failures = 0
        self._closed_until = 0.0


class Replicas:
    """The engines of a home. A picture is sent to one, and to one other when that one gives no answer."""

    def __init__(self, replicas: Sequence[Replica], on_failed: Callable[[Replica], None]) -> None:
        """Ask these, at least one; `on_failed` is called with one that gave no answer."""
        self._replicas = replicas
        self._on_failed = on_failed
        self._turns = count(1)

    @property
    def latency_ms(self) -> float | None:
        """Return the median of their times."""
        known = [ms for replica in self._replicas if (ms := replica.client.latency_ms) is not None]
        return median(known) if known else None

    async def health(self, timeout: float = 5) -> Health:
        """Return what the first that is well says about itself, with the pictures that all want at once.

        Raises what the last one raised when there is none.
        """
        failure: EngineError | None = None
        for replica in sorted(self._replicas, key=lambda each: each.problem is not None):
            try:
                health = await replica.client.health(timeout)
            except EngineError as err:
                failure = failure or err
                continue
            all_of_it = replace(health, at_once=max(self.at_once, health.at_once))
            # What one of several takes is not what all take.
            return all_of_it if len(self._replicas) == 1 else replace(all_of_it, up_seconds=None, memory=None)
        assert failure is not None
        raise failure

    @property
    def at_once(self) -> int:
        """Return how many pictures those that are well want at once."""
        return sum(each.health.at_once for each in self._replicas if each.health and each.problem is None)

    async def faces(self, image: bytes, *, timeout: float = 10, **asked: Unpack[Asked]) -> Faces:
        """Return the faces in a picture."""
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout
        failure: EngineError | None = None
        for replica, share in self._in_turn():
            # An only one has all of it: silence for so long says something.
            seconds = timeout * share if failure is None else max(0.1, until - loop.time())
            try:
                faces = await self._count(replica, replica.client.faces(image, timeout=seconds, **asked))
            except ImageRejected:
                replica.succeeded()
                raise
            except EngineBusy as err:
                failure = failure or err
            except EngineTimedOut as err:
                failure = err
                # What was sent in waits behind all looks.
                if seconds >= SLOW and not asked.get("upload"):
                    self._on_failed(replica)
            except EngineError as err:
                failure = err
                self._on_failed(replica)
            else:
                replica.succeeded()
                return faces
        raise failure or EngineUnavailable("No engine can be asked")

    @asynccontextmanager
    async def stream(self, timeout: float = 5) -> AsyncGenerator[StreamSession]:
        """Open a stream at one of them. When that one goes, open another."""
        async with AsyncExitStack() as stack:
            yield await self._open(stack, timeout)

    async def _open(self, stack: AsyncExitStack, timeout: float) -> StreamSession:
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout
        failure: EngineError | None = None
        for replica, share in self._in_turn():
            seconds = timeout * share if failure is None else max(0.1, until - loop.time())
            replica.asked += 1
            try:
                session = await stack.enter_async_context(replica.client.stream(seconds))
            except EngineError as err:
                replica.asked -= 1
                failure = failure or err
                if not isinstance(err, EngineBusy):
                    self._on_failed(replica)
            except BaseException:
                replica.asked -= 1
                raise
            else:
                stack.callback(_leave, replica)
                replica.succeeded()
                return session
        raise failure or EngineUnavailable("No engine can be asked")

    def _in_turn(self) -> Generator[tuple[Replica, float]]:
        """Yield the engines to ask, two at most, and which share of the time that is left it has."""
        first = self._best(self._replicas)
        others = [each for each in self._replicas if each is not first]
        first.turn = next(self._turns)
        yield first, FIRST_SHARE if any(each.open for each in others) else 1.0
        if open_ones := [each for each in others if each.open]:
            second = self._best(open_ones)
            second.turn = next(self._turns)
            yield second, 1.0

    def _best(self, some: Sequence[Replica]) -> Replica:
        return min(some, key=lambda each: (not each.open, each.load, each.turn))

    async def _count[T](self, replica: Replica, asking: Awaitable[T]) -> T:
        replica.asked += 1
        try:
            return await asking
        finally:
            replica.asked -= 1


def _leave(replica: Replica) -> None:
    replica.asked -= 1
