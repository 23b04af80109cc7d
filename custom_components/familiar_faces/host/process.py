"""The engine on this machine: a child process that is kept running."""

import asyncio
from collections.abc import Callable, Sequence
import logging
from pathlib import Path
from typing import Protocol, override

import aiohttp

from .client import EngineClient
from .engine import Engine, EngineStatus, backoff
from .engine_errors import EngineBroken, EngineBusy, EngineError, EngineUnavailable, EnvironmentFailed
from .installing import disk_failure
from .serving import Server, keep_socket_folder, open_session, remove_socket_folder

_LOGGER = logging.getLogger(__name__)

HEALTH_EVERY = 30.0
"""Seconds between two looks at an engine that is well."""
AGAIN = 5.0
"""Seconds until the second look, after which an engine that missed both is taken to hang."""
LONG_HEALTHY = 300.0
"""Seconds after which earlier failures are forgotten."""
PREPARE_AGAIN = 60.0
PREPARE_AGAIN_MAX = 3600.0
PREPARE_AGAIN_COSTLY = 86400.0
"""Seconds between two tries at an environment, first and at most: while something outside of it is missing, and
while it was damaged or does not work, when each try may download a lot to a disk that is failing."""
OUTSIDE = ("no_memory", "no_space", "no_permission", "no_python", "no_uv", "not_started", "offline")
"""Reasons that lie outside of the environment: a try costs little, or nothing was built."""
SOON = 0.1
"""Seconds until an engine that was well is started again, the first time."""
LONG_WHOLE = 86400.0
"""Seconds of health after which earlier repairs of the environment are forgotten."""
HOPELESS = ("unsupported_platform",)
"""Reasons that trying again does not change."""
LINES_A_MINUTE = 60
"""Lines of the engine's that are logged at most."""

type Progress = Callable[[float, str], None]


class EnginePlace(Protocol):
    """Where an engine's interpreter and weights are: `environment.Environment`."""

    @property
    def interpreter(self) -> Sequence[str | Path]:
        """Return how the Python with the engine's packages is started."""

    @property
    def weights(self) -> Path:
        """Return the folder with the checked weights."""

    def ready(self) -> bool:
        """Return whether both are there, and as they were made. Looks at each file, reads none but a few."""

    def distrust(self) -> None:
        """Take it that something in them is damaged: `prepare` then looks closer."""

    async def prepare(self, progress: Progress) -> None:
        """Get both, or put them right; raise EnvironmentFailed."""


class EngineProcess(Engine):
    """An engine run as a child at low priority, and run again when it dies or hangs."""

    def __init__(
        self, place: EnginePlace, runtime: Path, *, workers: int = 0, health_every: float = HEALTH_EVERY
    ) -> None:
        """Run the engine of `place`, with its socket in the folder `runtime` when that is possible.

        `workers`: how many pictures it looks at together; it chooses by itself when that is 0.
        """
        super().__init__()
        self.progress: tuple[float, str] | None = None
        """How far its preparation is, 0 to 1, and with what; None while nothing is prepared."""
        self._place = place
        self._runtime = runtime
        self._workers = workers
        self._health_every = health_every
        self._folder: Path | None = None
        self._session: aiohttp.ClientSession | None = None
        self._client: EngineClient | None = None
        self._look_now = asyncio.Event()
        self._log = _LogLimit()
        self._repairs = 0
        self._next_repair = 0.0
        """When, on the loop's clock, the place may be prepared again."""

    @property
    @override
    def client(self) -> EngineClient:
        if self._client is None:
            raise EngineUnavailable("The engine has not been started")
        return self._client

    @override
    def report_timeout(self) -> None:
        """Look at once whether it hangs, and if it does end it and start it again."""
        if self.status is EngineStatus.READY:
            self._look_now.set()

    @override
    async def _open(self) -> None:
        try:
            await self._find_folder()
        except OSError as err:
            # It is tried again at each start of the engine.
            _LOGGER.warning("No folder can be made for the engine's socket: %s", err)
            self._use_folder(self._runtime)
        self._set_status(EngineStatus.STARTING)

    @override
    async def _close(self) -> None:
        session, folder = self._session, self._folder
        self._client = self._session = self._folder = None
        if session is not None:
            await session.close()
        if folder is not None:
            await asyncio.to_thread(remove_socket_folder, folder)

    async def _find_folder(self) -> None:
        """Have a folder for the socket, whatever became of the one there was; raise OSError."""
        folder = await asyncio.to_thread(keep_socket_folder, self._folder, self._runtime)
        if folder == self._folder:
            return
        before = self._session
        self._use_folder(folder)
        if before is not None:
            await before.close()

    def _use_folder(self, folder: Path) -> None:
        self._folder = folder
        self._session = open_session(folder)
        self._client = EngineClient(self._session, "http://engine")
        self._client.on_timeout = self.report_timeout
        self._client.on_unavailable = self._look_now.set

    @override
    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        failures = not_prepared = 0
        while True:
            try:
                await self._prepare()
                not_prepared = 0
                healthy = await self._serve()
            except EnvironmentFailed as err:
                if self.status is not EngineStatus.UNAVAILABLE or not_prepared == 0:
                    _LOGGER.error("The engine cannot be prepared: %s", err.detail)
                self._set_status(EngineStatus.UNAVAILABLE, err)
                if err.reason_key in HOPELESS:
                    await asyncio.Event().wait()
                most = PREPARE_AGAIN_MAX if err.reason_key in OUTSIDE else PREPARE_AGAIN_COSTLY
                await asyncio.sleep(_pause(not_prepared, most))
                not_prepared += 1
                continue
            except EngineError as err:
                if self.status is not EngineStatus.UNAVAILABLE:
                    _LOGGER.error("The engine does not start: %s", err)
                self._set_status(EngineStatus.UNAVAILABLE, err)
                if isinstance(err, EngineBroken) and loop.time() >= self._next_repair:
                    self._place.distrust()
            else:
                if healthy >= LONG_HEALTHY:
                    failures = 0
                if healthy >= LONG_WHOLE:
                    self._repairs = 0
                if not failures:
                    # It worked, and may have met one picture too many: a visitor who rings now is not to wait.
                    failures = 1
                    await asyncio.sleep(SOON)
                    continue
            await asyncio.sleep(backoff(failures))
            failures += 1

    async def _prepare(self) -> None:
        """Prepare the engine's place unless it is ready."""
        if await asyncio.to_thread(self._place.ready):
            return
        loop = asyncio.get_running_loop()
        if (wait := self._next_repair - loop.time()) > 0:
            # It was just made: what damages it so soon has to be found, not outrun.
            again = EnvironmentFailed("disk_failing", "The engine's environment was damaged again")
            _LOGGER.error("%s, and is made again in %.0f s", again.detail, wait)
            self._set_status(EngineStatus.UNAVAILABLE, again)
            await asyncio.sleep(wait)
        self._set_status(EngineStatus.PREPARING)

        def progress(fraction: float, step: str) -> None:
            self.progress = (fraction, step)

        try:
            await self._place.prepare(progress)
        finally:
            self.progress = None
        self._next_repair = loop.time() + _pause(self._repairs, PREPARE_AGAIN_COSTLY)
        self._repairs += 1
        self._set_status(EngineStatus.STARTING)

    async def _serve(self) -> float:
        """Run the engine until it dies or hangs; return for how many seconds it was ready."""
        loop = asyncio.get_running_loop()
        try:
            await self._find_folder()
        except OSError as err:
            raise disk_failure(err, self._runtime) from err
        assert self._folder is not None
        server = await Server.start(
            self._place.interpreter,
            self._place.weights,
            self._folder,
            self.client,
            workers=self._workers,
            on_line=self._log,
        )
        since = loop.time()
        try:
            self.client.silent = 0
            self._look_now.clear()
            self._set_status(EngineStatus.READY)
            _LOGGER.debug("The engine is ready, process %s", server.child.pid)
            why = await self._watch(server)
            _LOGGER.warning("The engine %s and is started again", why)
            self._set_status(EngineStatus.RESTARTING, EngineUnavailable(f"The engine {why}"))
            # It is dead or deaf: asking it to end would only take longer.
            await server.kill()
        finally:
            await server.stop()
        return loop.time() - since

    async def _watch(self, server: Server) -> str:
        """Return what is wrong with the engine, once something is."""
        ended = asyncio.create_task(server.child.wait())
        misses = 0
        try:
            while True:
                wait = self._health_every if misses == 0 else min(AGAIN, self._health_every)
                look = asyncio.create_task(self._look_now.wait())
                try:
                    await asyncio.wait((ended, look), timeout=wait, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    look.cancel()
                    await asyncio.wait((look,))
                if ended.done():
                    return server.child.describe_end()
                if self.client.silent >= 2:
                    # It says that it is well, and one image may be slow, but not two in a row.
                    return "does not answer requests"
                self._look_now.clear()
                try:
                    await self.client.health(timeout=min(5.0, self._health_every))
                    misses = 0
                except EngineBusy:
                    misses = 0
                except EngineError:
                    misses += 1
                    if misses == 2 or self.client.silent:
                        return "does not answer"
        finally:
            ended.cancel()
            await asyncio.wait((ended,))


def _pause(before: int, most: float) -> float:
    """Return the seconds to wait after a try at the environment and so many before it."""
    return min(most, PREPARE_AGAIN * 2.0 ** min(before, 20))


class _LogLimit:
    """Logs what the engine says, up to a number of lines a minute."""

    def __init__(self) -> None:
        self._minute = 0.0
        self._lines = 0

    def __call__(self, line: str) -> None:
        """Log a line, unless there were too many."""
        now = asyncio.get_running_loop().time()
        if now - self._minute >= 60:
            self._minute, self._lines = now, 0
        self._lines += 1
        if self._lines <= LINES_A_MINUTE:
            _LOGGER.debug("Engine: %s", line)
        elif self._lines == LINES_A_MINUTE + 1:
            _LOGGER.debug("Engine: (more, left out)")
