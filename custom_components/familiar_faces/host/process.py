"""The engine on this machine: a child process that is kept running."""

import asyncio
from collections.abc import Callable
import logging
from pathlib import Path
from typing import Protocol, override

import aiohttp

from .client import EngineClient
from .engine import Engine, EngineStatus, backoff
from .engine_errors import EngineBusy, EngineError, EngineUnavailable, EnvironmentFailed
from .serving import Server, make_socket_folder, open_session, remove_socket_folder

_LOGGER = logging.getLogger(__name__)

HEALTH_EVERY = 30.0
"""Seconds between two looks at an engine that is well."""
AGAIN = 5.0
"""Seconds until the second look, after which an engine that missed both is taken to hang."""
LONG_HEALTHY = 300.0
"""Seconds after which earlier failures are forgotten."""
PREPARE_AGAIN = 60.0
PREPARE_AGAIN_MAX = 3600.0
"""Seconds between two tries at a failed environment: each may download a lot."""
HOPELESS = ("musl", "unsupported_platform")
"""Reasons that trying again does not change."""
LINES_A_MINUTE = 60
"""Lines of the engine's that are logged at most."""

type Progress = Callable[[float, str], None]


class EnginePlace(Protocol):
    """Where an engine's interpreter and weights are: `environment.Environment`."""

    @property
    def python(self) -> Path:
        """Return the interpreter with the engine's packages."""

    @property
    def weights(self) -> Path:
        """Return the folder with the checked weights."""

    def ready(self) -> bool:
        """Return whether both are there. May read a few small files."""

    async def prepare(self, progress: Progress) -> None:
        """Get both; raise EnvironmentFailed."""


class EngineProcess(Engine):
    """An engine run as a child at low priority, and run again when it dies or hangs."""

    def __init__(self, place: EnginePlace, runtime: Path, *, health_every: float = HEALTH_EVERY) -> None:
        """Run the engine of `place`, with its socket in the folder `runtime` when that is possible."""
        super().__init__()
        self.progress: tuple[float, str] | None = None
        """How far its preparation is, 0 to 1, and with what; None while nothing is prepared."""
        self._place = place
        self._runtime = runtime
        self._health_every = health_every
        self._folder: Path | None = None
        self._session: aiohttp.ClientSession | None = None
        self._client: EngineClient | None = None
        self._look_now = asyncio.Event()
        self._log = _LogLimit()

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
        self._folder = await asyncio.to_thread(make_socket_folder, self._runtime)
        self._session = open_session(self._folder)
        self._client = EngineClient(self._session, "http://engine")
        self._client.on_timeout = self.report_timeout
        self._client.on_unavailable = self._look_now.set
        self._set_status(EngineStatus.STARTING)

    @override
    async def _close(self) -> None:
        session, folder = self._session, self._folder
        self._client = self._session = self._folder = None
        if session is not None:
            await session.close()
        if folder is not None:
            await asyncio.to_thread(remove_socket_folder, folder)

    @override
    async def _run(self) -> None:
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
                await asyncio.sleep(min(PREPARE_AGAIN_MAX, PREPARE_AGAIN * 2.0 ** min(not_prepared, 10)))
                not_prepared += 1
                continue
            except EngineError as err:
                if self.status is not EngineStatus.UNAVAILABLE:
                    _LOGGER.error("The engine does not start: %s", err)
                self._set_status(EngineStatus.UNAVAILABLE, err)
            else:
                if healthy >= LONG_HEALTHY:
                    failures = 0
            await asyncio.sleep(backoff(failures))
            failures += 1

    async def _prepare(self) -> None:
        """Prepare the engine's place when it is not."""
        if await asyncio.to_thread(self._place.ready):
            return
        self._set_status(EngineStatus.PREPARING)

        def progress(fraction: float, step: str) -> None:
            self.progress = (fraction, step)

        try:
            await self._place.prepare(progress)
        finally:
            self.progress = None
        self._set_status(EngineStatus.STARTING)

    async def _serve(self) -> float:
        """Run the engine until it dies or hangs; return for how many seconds it was ready."""
        assert self._folder is not None
        loop = asyncio.get_running_loop()
        server = await Server.start(
            self._place.python, self._place.weights, self._folder, self.client, on_line=self._log
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
