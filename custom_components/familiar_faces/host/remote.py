"""Engines on other machines: somebody else keeps them running, we look whether they answer."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
import logging
from typing import override

import aiohttp

from .client import EngineClient
from .engine import Engine, EngineStatus, backoff
from .engine_errors import AnotherModel, EngineBusy, EngineError, EngineUnavailable
from .replicas import Replica, Replicas

_LOGGER = logging.getLogger(__name__)

HEALTH_EVERY = 60.0
"""Seconds between two looks at an engine that is well."""
AGAIN = 5.0
"""Seconds until the second look, before an engine that missed one is said to be gone."""


class RemoteEngine(Engine):
    """One or more engines reached over the network. It is ready while one of them is."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        urls: str | Sequence[str],
        token: str | None = None,
        *,
        verified: bool = False,
        fingerprint: aiohttp.Fingerprint | None = None,
        health_every: float = HEALTH_EVERY,
    ) -> None:
        """Look after the engines at `urls`, which have one token. The session stays the caller's.

        `verified` and `fingerprint` are as `EngineClient` has them.
        """
        super().__init__()
        self._health_every = health_every
        self._looks: dict[Replica, asyncio.Event] = {}
        for url in (urls,) if isinstance(urls, str) else dict.fromkeys(urls):
            client = EngineClient(session, url, token, wary=True, verified=verified, fingerprint=fingerprint)
            replica = Replica(url, client)
            client.on_timeout = client.on_unavailable = partial(self._trouble, replica)
            self._looks[replica] = asyncio.Event()
        self._client = Replicas(list(self._looks), self._trouble)
        self._model: object = None
        """The model of those that are used: what others make cannot be compared with it."""

    @property
    @override
    def client(self) -> Replicas:
        return self._client

    @property
    @override
    def parts_away(self) -> Mapping[str, EngineError]:
        if len(self._looks) == 1:
            return {}
        return {each.name: each.problem for each in self._looks if each.problem is not None}

    @property
    @override
    def fell_back(self) -> Mapping[str, str]:
        healths = {each.name: each.health for each in self._looks if each.problem is None}
        return {name: health.fell_back for name, health in healths.items() if health and health.fell_back}

    @override
    def report_timeout(self) -> None:
        """Look at once whether they are still there."""
        if self.status is EngineStatus.READY:
            for look in self._looks.values():
                look.set()

    def _trouble(self, replica: Replica) -> None:
        """Pass one over for a while, and look at once whether it is still there."""
        replica.failed()
        if self.status is EngineStatus.READY:
            self._looks[replica].set()

    @override
    async def _open(self) -> None:
        for replica in self._looks:
            replica.problem = replica.health = None
            replica.succeeded()
        self._set_status(EngineStatus.STARTING)

    @override
    async def _close(self) -> None:
        """Nothing of it is ours."""

    @override
    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for replica in self._looks:
                group.create_task(self._look_at(replica), name=f"familiar_faces engine at {replica.name}")

    async def _look_at(self, replica: Replica) -> None:
        """Look again and again whether one is well."""
        misses = 0
        look = self._looks[replica]
        while True:
            look.clear()
            was_well = replica.health is not None and replica.problem is None
            fell_back = self.fell_back
            try:
                replica.health = await replica.client.health()
                self._compare(replica)
            except EngineBusy:
                misses = 0
                self._judge(replica, None)
            except EngineError as err:
                misses += 1
                if isinstance(err, EngineUnavailable) and misses == 1 and was_well:
                    await asyncio.sleep(min(AGAIN, self._health_every))
                    continue
                self._judge(replica, err)
            else:
                misses = 0
                self._judge(replica, None)
                if self.fell_back != fell_back:
                    self._tell()
            wait = self._health_every if misses == 0 else min(self._health_every, backoff(misses))
            try:
                async with asyncio.timeout(wait):
                    await look.wait()
            except TimeoutError:
                pass

    def _compare(self, replica: Replica) -> None:
        """Raise AnotherModel when one has another model than those that are used."""
        models = [each.health.model.get("name") for each in self._looks if each.health is not None]
        assert replica.health is not None
        model = replica.health.model.get("name")
        if self._model not in models:
            # None of them has it now: they were updated.
            self._model = model
        if model != self._model:
            raise AnotherModel(f"The engine has the model {model}, and others have {self._model}")

    def _judge(self, replica: Replica, problem: EngineError | None) -> None:
        """Take note of how one is doing, and say how they all are."""
        before, replica.problem = replica.problem, problem
        if problem is not None and before is None:
            _LOGGER.warning("The engine at %s is not available: %s", replica.name, problem)
        elif problem is None and before is not None:
            _LOGGER.info("The engine at %s is available again", replica.name)
            # What it could not do before says nothing of now.
            replica.succeeded()
        if problem is None:
            was_ready = self.status is EngineStatus.READY
            self._set_status(EngineStatus.READY)
            if was_ready and before is not None:
                self._tell()
            return
        away = [each.problem for each in self._looks if each.problem is not None]
        if len(away) == len(self._looks):
            self._set_status(EngineStatus.UNAVAILABLE, away[0])
        elif type(before) is not type(problem) and self.status is EngineStatus.READY:
            self._tell()
