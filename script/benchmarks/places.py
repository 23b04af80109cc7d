"""The measures of `script/bench --engines`: the same engine in every place where it runs. In the engine's environment.

Things that are compared take turns, a slice of time each, so that a busy machine changes their ratio little.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from importlib import import_module
import json
import os
from pathlib import Path
from statistics import median
import subprocess
import sys
import tempfile
import time
from types import ModuleType
from typing import Any

import aiohttp

from .context import ROOT, Bench, Engine
from .figures import Figures, ratio
from .frames import Frame

ROUNDS = 40
SLICE = 3.0
SLICES = 8
"""A rate is the median of so many slices of so many seconds."""
ASKING = 6
"""Pictures that are asked about at once: more than two workers have inside."""
TOKEN = "a token of the bench, long enough"
LOAD_SECONDS = 12.0
KILL_AFTER = 3.0
BACK_AFTER = 2.0
"""Seconds until an engine that was killed is started again, as its service does."""
INTEGRATION = ROOT / "custom_components" / "familiar_faces"


def http_overhead(bench: Bench) -> Figures:
    """Compare an answer over HTTP, as Home Assistant asks, with calling the pipeline in this process."""
    return asyncio.run(_http_overhead(bench))


async def _http_overhead(bench: Bench) -> Figures:
    frame = _frame(bench, "1080p_1").jpeg
    clients = _integration("host.client")
    pipeline = bench.module("pipeline").Pipeline(bench.weights)
    wish = bench.module("pipeline").Wish()
    took: dict[str, list[float]] = {"unix": [], "tcp": []}
    with bench.engine("--workers", "1") as unix, bench.engine("--workers", "1", token=TOKEN) as tcp:
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(unix.path), force_close=True)) as one,
            aiohttp.ClientSession() as other,
        ):
            asked = {
                "unix": clients.EngineClient(one, "http://engine"),
                "tcp": clients.EngineClient(other, tcp.url, TOKEN),
            }
            for round_ in range(bench.rounds(ROUNDS) + 3):
                begun = time.perf_counter()
                await asyncio.to_thread(pipeline.see, frame, wish)
                here = time.perf_counter() - begun
                for name, client in asked.items():
                    begun = time.perf_counter()
                    await client.faces(frame)
                    if round_ >= 3:
                        took[name].append((time.perf_counter() - begun - here) * 1000)
    overhead: Figures = {name: median(values) for name, values in took.items()}
    return {"http_overhead_ms": overhead}


def workers(bench: Bench) -> Figures:
    """Compare two workers with one, on as many processors as there are."""
    frame = _frame(bench, "1080p_1").jpeg
    with bench.engine("--workers", "1") as one, bench.engine("--workers", "2") as two:
        rates = _rates(bench, frame, one, two)
        memory: Figures = {"workers_1": one.peak_mb(), "workers_2": two.peak_mb()}
    return {
        "workers_2_vs_1": ratio(rates[1], rates[0]),
        "pictures_per_second": {"workers_1": median(rates[0]), "workers_2": median(rates[1])},
        "memory_mb": memory,
    }


def musl(bench: Bench) -> Figures:
    """Compare the runtime with a C library of its own with an ordinary environment."""
    frame = _frame(bench, "1080p_1").jpeg
    with (
        private_runtime() as interpreter,
        bench.engine("--workers", "1") as glibc,
        bench.engine("--workers", "1", interpreter=interpreter) as own,
    ):
        rates = _rates(bench, frame, glibc, own, asking=1)
        memory: Figures = {"glibc": glibc.peak_mb(), "musl": own.peak_mb()}
        ready = own.ready_seconds
    return {
        "musl_vs_glibc": {"pictures": ratio(rates[1], rates[0]), "ready_s": ready},
        "memory_mb": memory,
    }


def ray(bench: Bench) -> Figures:
    """Compare two replicas of Ray Serve with one; the rest of the figures are of `script/ray --check`."""
    command = [ROOT / "script" / "ray", "--check", "--throughput"]
    done = subprocess.run([*map(str, command)], stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise SystemExit("bench: script/ray --check failed")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def replica_kill(bench: Bench) -> Figures:
    """End one of two engines with -9 under load: what is lost, and how long until it works again."""
    return asyncio.run(_replica_kill(bench))


async def _replica_kill(bench: Bench) -> Figures:
    frame = _frame(bench, "720p_1").jpeg
    errors = _integration("host.engine_errors")
    lost = 0
    longest = 0.0
    with bench.engine(token=TOKEN) as stays:
        first = bench.engine(token=TOKEN)
        victim = first.__enter__()
        async with _several((stays.url, victim.url)) as engine:
            over = asyncio.Event()
            killed = 0.0

            async def ask() -> None:
                nonlocal lost, longest
                while not over.is_set():
                    begun = time.perf_counter()
                    try:
                        await engine.client.faces(frame)
                    except errors.EngineBusy:
                        await asyncio.sleep(0.05)
                    except errors.EngineError:
                        lost += 1
                    if killed:
                        longest = max(longest, time.perf_counter() - begun)

            asking = [asyncio.create_task(ask()) for _ in range(4)]
            await asyncio.sleep(KILL_AFTER)
            port = victim.url.rpartition(":")[2]
            victim.process.kill()
            killed = time.perf_counter()
            victim.process.wait()
            first.__exit__(None, None, None)
            await asyncio.sleep(BACK_AFTER)
            with bench.engine(token=TOKEN, port=int(port)) as again:
                started = time.perf_counter()
                while not await asyncio.to_thread(_answered, again):
                    if time.perf_counter() - started > 70:
                        raise SystemExit("bench: an engine that is back is not used again")
                    await asyncio.sleep(0.1)
                back = time.perf_counter() - killed
                over.set()
                await asyncio.gather(*asking)
    return {
        "replica_kill": {"lost": lost, "recovery_s": longest, "used_again_s": back - BACK_AFTER},
    }


def _answered(engine: Engine) -> float:
    """Return how many pictures an engine has answered since it started, by its own figures."""
    for line in engine.get("/metrics").decode().splitlines():
        if line.startswith('familiar_faces_pictures_total{kind="camera",outcome="answered"}'):
            return float(line.rpartition(" ")[2])
    raise SystemExit("bench: the engine does not say how many pictures it answered")


@asynccontextmanager
async def _several(urls: tuple[str, ...]) -> AsyncIterator[Any]:
    """Look after several engines as Home Assistant does."""
    remote = _integration("host.remote")
    async with aiohttp.ClientSession() as session:
        engine = remote.RemoteEngine(session, urls, TOKEN, health_every=5.0)
        await engine.start()
        try:
            if not await engine.wait_ready(30):
                raise SystemExit(f"bench: {engine.last_error}")
            yield engine
        finally:
            await engine.stop()


@contextmanager
def private_runtime() -> Iterator[tuple[str, ...]]:
    """Make the environment that Home Assistant OS gets, and yield what starts its Python."""
    environments = _integration("host.environment")
    machine = _integration("host.machine")
    here = machine.this_machine()
    other = machine.Machine(here.system, here.processor, "musl", here.abi)
    uv = os.environ.get("FF_UV", "uv")
    with tempfile.TemporaryDirectory(prefix="ff-") as folder:
        environment = environments.Environment(Path(folder), Path(sys.executable), (uv,), machine=other)
        asyncio.run(environment.prepare(lambda _fraction, _step: None))
        yield tuple(map(str, environment.interpreter))


def _rates(bench: Bench, frame: bytes, *engines: Engine, asking: int = ASKING) -> list[list[float]]:
    """Return the pictures a second of each engine, in slices that take turns."""
    seconds = 0.5 if bench.quick else SLICE
    rates: list[list[float]] = [[] for _ in engines]
    with ThreadPoolExecutor(asking) as pool:
        for engine in engines:
            list(pool.map(lambda _, engine=engine: engine.post(frame), range(asking)))
        for round_ in range(bench.rounds(SLICES)):
            for place in range(len(engines)):
                number = (round_ + place) % len(engines)
                begun = time.perf_counter()
                ask = partial(_ask_until, engines[number], frame, begun + seconds)
                answered = sum(pool.map(lambda _, ask=ask: ask(), range(asking)))
                rates[number].append(answered / (time.perf_counter() - begun))
    return rates


def _ask_until(engine: Engine, frame: bytes, end: float) -> int:
    answered = 0
    while time.perf_counter() < end:
        engine.post(frame)
        answered += 1
    return answered


def _frame(bench: Bench, kind: str) -> Frame:
    return next(frame for frame in bench.timed_frames if frame.kind == kind)


def _integration(name: str) -> Any:
    """Return a module of the integration that needs nothing of Home Assistant: its own start is left out."""
    if "familiar_faces" not in sys.modules:
        package = sys.modules["familiar_faces"] = ModuleType("familiar_faces")
        package.__path__ = [str(INTEGRATION)]
    return import_module(f"familiar_faces.{name}")


MEASURES: dict[str, Callable[[Bench], Figures]] = {
    "http_overhead_ms": http_overhead,
    "musl_vs_glibc": musl,
    "workers_2_vs_1": workers,
    "ray_2_vs_1": ray,
    "cameras": partial(Bench.home, measure="many_cameras"),
    "replica_kill": replica_kill,
}
