"""One real engine for the tests of a process: starting one takes longer than most tests."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
import subprocess
import tempfile
import time
from typing import override

import aiohttp

from custom_components.familiar_faces.host.client import EngineClient
from custom_components.familiar_faces.host.engine import Engine, EngineStatus
from custom_components.familiar_faces.host.errors import EngineUnavailable
from custom_components.familiar_faces.host.server import SOCKET, open_session

from .engine_process import engine_command, engine_weights

START_SECONDS = 60


class SharedEngine(Engine):
    """Reaches an engine that runs already and goes on running, as if it had been started."""

    def __init__(self, folder: Path) -> None:
        """Reach the engine whose socket is in a folder."""
        super().__init__()
        self._folder = folder
        self._session: aiohttp.ClientSession | None = None
        self._client: EngineClient | None = None

    @property
    @override
    def client(self) -> EngineClient:
        if self._client is None:
            raise EngineUnavailable("The engine has not been started")
        return self._client

    @override
    def report_timeout(self) -> None:
        """Go on: it is looked after by nobody."""

    @override
    async def _open(self) -> None:
        self._session = open_session(self._folder)
        self._client = EngineClient(self._session, "http://engine")
        self._set_status(EngineStatus.STARTING)

    @override
    async def _close(self) -> None:
        session, self._session, self._client = self._session, None, None
        if session is not None:
            await session.close()

    @override
    async def _run(self) -> None:
        self._set_status(EngineStatus.READY)
        await asyncio.Event().wait()


@contextmanager
def running() -> Generator[Path]:
    """Yield the folder with the socket of a running engine."""
    # Not where the tests have their folders: the path of a socket is at most 107 bytes long.
    with tempfile.TemporaryDirectory(prefix="ff-", dir="/tmp") as name:
        folder = Path(name)
        arguments = ("serve", "--socket", str(folder / SOCKET), "--weights", str(engine_weights()))
        process = subprocess.Popen(
            [*engine_command(*arguments), "--exit-with-parent"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            end = time.monotonic() + START_SECONDS
            while not (folder / SOCKET).exists():
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError("the engine that the tests share did not start")
                time.sleep(0.05)
            yield folder
        finally:
            process.kill()
            process.wait()
