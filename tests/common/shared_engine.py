"""One real engine for the tests of a process: starting one takes longer than most tests."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import override

import aiohttp

from custom_components.familiar_faces.host.client import EngineClient
from custom_components.familiar_faces.host.engine import Engine, EngineStatus
from custom_components.familiar_faces.host.engine_errors import EngineUnavailable
from custom_components.familiar_faces.host.serving import SOCKET, open_session

from .engine_process import EngineProcess


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
    engine = EngineProcess().start()
    try:
        assert engine.socket is not None
        assert engine.socket.name == SOCKET
        yield engine.socket.parent
    finally:
        engine.kill()
