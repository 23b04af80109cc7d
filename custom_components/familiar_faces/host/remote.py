"""An engine on another machine: somebody else keeps it running, we look whether it answers."""

import asyncio
import logging
from typing import override

import aiohttp

from .client import EngineClient
from .engine import Engine, EngineStatus, backoff
from .engine_errors import EngineBusy, EngineError, EngineUnavailable

_LOGGER = logging.getLogger(__name__)

HEALTH_EVERY = 60.0
"""Seconds between two looks at an engine that is well."""
AGAIN = 5.0
"""Seconds until the second look, before an engine that missed one is said to be gone."""


class RemoteEngine(Engine):
    """An engine reached over the network."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        token: str | None = None,
        *,
        health_every: float = HEALTH_EVERY,
    ) -> None:
        """Look after the engine at `url`. The session stays the caller's."""
        super().__init__()
        self._client = EngineClient(session, url, token, wary=True)
        self._client.on_timeout = self._client.on_unavailable = self.report_timeout
        self._health_every = health_every
        self._look_now = asyncio.Event()

    @property
    @override
    def client(self) -> EngineClient:
        return self._client

    @override
    def report_timeout(self) -> None:
        """Look at once whether it is still there."""
        if self.status is EngineStatus.READY:
            self._look_now.set()

    @override
    async def _open(self) -> None:
        self._set_status(EngineStatus.STARTING)

    @override
    async def _close(self) -> None:
        """Nothing of it is ours."""

    @override
    async def _run(self) -> None:
        misses = 0
        while True:
            self._look_now.clear()
            try:
                await self._client.health()
            except EngineBusy:
                misses = 0
                self._well()
            except EngineError as err:
                misses += 1
                if isinstance(err, EngineUnavailable) and misses == 1 and self.status is EngineStatus.READY:
                    await asyncio.sleep(min(AGAIN, self._health_every))
                    continue
                if self.status is not EngineStatus.UNAVAILABLE:
                    _LOGGER.warning("The engine is not available: %s", err)
                self._set_status(EngineStatus.UNAVAILABLE, err)
            else:
                misses = 0
                self._well()
            wait = self._health_every if misses == 0 else min(self._health_every, backoff(misses))
            try:
                async with asyncio.timeout(wait):
                    await self._look_now.wait()
            except TimeoutError:
                pass

    def _well(self) -> None:
        if self.status is EngineStatus.UNAVAILABLE:
            _LOGGER.info("The engine is available again")
        self._set_status(EngineStatus.READY)
