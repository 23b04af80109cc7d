"""What the rest of the integration sees of an engine, wherever it runs."""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Callable, Mapping
from enum import StrEnum
import logging
from typing import final

from .asking import Asking
from .engine_errors import EngineBroken, EngineError, EnvironmentFailed

_LOGGER = logging.getLogger(__name__)

BACKOFF_FIRST = 1.0
BACKOFF_MAX = 60.0

type Listener = Callable[[EngineStatus], None]


class EngineStatus(StrEnum):
    """How an engine is doing."""

    PREPARING = "preparing"
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    UNAVAILABLE = "unavailable"
    STOPPED = "stopped"


class Engine(ABC):
    """An engine that is looked after from `start` to `stop`. Lives on one event loop."""

    def __init__(self) -> None:
        """Look after nothing yet."""
        self.problem: EngineError | EnvironmentFailed | None = None
        """Why it is not ready; None while it is. EngineRefused means that the token is wrong."""
        self._status = EngineStatus.STOPPED
        self._listeners: list[Listener] = []
        self._ready = asyncio.Event()
        self._settled = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    @abstractmethod
    def client(self) -> Asking:
        """Return how to ask it. Asking is allowed at any time; raises EngineUnavailable before `start`."""

    @property
    def status(self) -> EngineStatus:
        """Return how it is doing."""
        return self._status

    @property
    def last_error(self) -> str | None:
        """Return why it is not ready, in a sentence; None while it is."""
        return None if self.problem is None else str(self.problem)

    @property
    def parts_away(self) -> Mapping[str, EngineError]:
        """Return which of several engines are not used, by their address, and why; empty for one alone."""
        return {}

    @property
    def fell_back(self) -> Mapping[str, str]:
        """Return which engines were asked to use a graphics card and do not, by their address, and why."""
        return {}

    @property
    def latency_ms(self) -> float | None:
        """Return the median of its recent times for an image in milliseconds; None before the first."""
        return None if self._task is None else self.client.latency_ms

    def add_listener(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` on the loop when the status or the kind of problem is new; return how to end that."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    @abstractmethod
    def report_timeout(self) -> None:
        """Say that it did not answer in time. Requests made with `client` report themselves."""

    async def wait_settled(self, timeout: float) -> EngineStatus:
        """Return its status once it is ready or has failed to be, at the latest after `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._settled.wait()
        except TimeoutError:
            pass
        return self._status

    async def wait_ready(self, timeout: float) -> bool:
        """Return whether it is ready, waiting for that up to `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._ready.wait()
        except TimeoutError:
            return False
        return True

    @final
    async def start(self) -> None:
        """Begin to look after it; it becomes ready later, see `wait_ready`."""
        if self._task is None:
            await self._open()
            self._task = asyncio.create_task(self._look_after(), name="familiar_faces engine")

    @final
    async def stop(self) -> None:
        """Stop looking after it, and leave nothing behind."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        try:
            await asyncio.wait((task,))
        finally:
            await self._close()
            self._set_status(EngineStatus.STOPPED)

    @abstractmethod
    async def _open(self) -> None:
        """Get what is needed to look after it."""

    @abstractmethod
    async def _close(self) -> None:
        """Give back what `_open` got."""

    @abstractmethod
    async def _run(self) -> None:
        """Look after it until cancelled."""

    async def _look_after(self) -> None:
        while True:
            try:
                await self._run()
            except Exception as err:  # recognition must not end with one mistake of ours
                _LOGGER.exception("Looking after the engine failed")
                self._set_status(EngineStatus.UNAVAILABLE, EngineError(f"Unexpected: {err!r}"))
            await asyncio.sleep(BACKOFF_MAX)

    def _set_status(
        self, status: EngineStatus, problem: EngineError | EnvironmentFailed | None = None
    ) -> None:
        """Take on a status, and tell the listeners when it or its reason is new."""
        changed = status is not self._status
        self._status = status
        if status is EngineStatus.READY or problem is not None:
            changed = changed or _kind(problem) != _kind(self.problem)
            self.problem = problem
        if status is EngineStatus.READY:
            self._ready.set()
            self._settled.set()
        else:
            self._ready.clear()
            if status is EngineStatus.UNAVAILABLE:
                self._settled.set()
            else:
                self._settled.clear()
        if changed:
            self._tell()

    def _tell(self) -> None:
        """Tell the listeners that something is new."""
        status = self._status
        for listener in tuple(self._listeners):
            try:
                listener(status)
            except Exception:
                _LOGGER.exception("A listener of the engine's status failed")


def _kind(problem: Exception | None) -> tuple[object, ...]:
    """Return what makes a problem another one."""
    if isinstance(problem, EnvironmentFailed):
        return (EnvironmentFailed, problem.reason_key, problem.what)
    if isinstance(problem, EngineBroken):
        return (EngineBroken, problem.failed, problem.what)
    return (type(problem),)


def backoff(failures: int) -> float:
    """Return the seconds to wait after so many failures in a row."""
    return min(BACKOFF_MAX, BACKOFF_FIRST * 2.0 ** min(failures, 10))
