"""The measures that need Home Assistant. Runs in the development environment, a process a measure.

A real Home Assistant core, real cameras of chosen frames, a real engine; a familiar visitor rings.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
import gc
import json
import logging
import os
from pathlib import Path
from statistics import median, quantiles
import sys
import tempfile
import time

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "script"), str(ROOT)]

# First: it has Home Assistant's clock follow freezegun's.
from pytest_homeassistant_custom_component import patch_time  # noqa: F401, I001
from benchmarks.alerts import alerts
from benchmarks.holds import Holds
from benchmarks.house import House, Told, cpu_seconds, open_house, resident_mb
from benchmarks.identify import identify
from benchmarks.panel import panel
from benchmarks.scale import scale
from freezegun import freeze_time
from homeassistant.util import dt as dt_util

from tests.conftest import PreparedBefore

WARM_UP = 3
RINGS = 60
LOOP_DOORS = 8
LOOP_ROUNDS = 20
CAMERAS = {1: 30, 2: 20, 4: 12, 8: 8, 16: 5}
"""Numbers of cameras, and how often all of them ring at once."""
MANY = {1: 12, 4: 6, 16: 3, 50: 2}
SIZES = {"720p": (1280, 720), "1080p": (1920, 1080), "4K": (3840, 2160)}
LOOKS = 1_000
LOOKS_BEFORE = 200
"""After the first two hundred the memory stood still: pools and caches are full."""
LOOK_DOORS = 4
IDLE_SECONDS = 10

type Figures = dict[str, float | Figures]


async def ring(house: House, *, quick: bool) -> Figures:
    """Ring at one door again and again: from the trigger to the event that listeners get."""
    told: list[Told] = []
    for round_ in range(WARM_UP + (2 if quick else RINGS)):
        heard = await house.ring()
        if not heard:
            raise SystemExit("the visitor was not recognised")
        if round_ >= WARM_UP:
            told += heard
    beyond = [each.ms - each.camera_fetch_ms for each in told]
    overhead = [each.ms - each.camera_fetch_ms - each.engine_ms for each in told]
    before, since = cpu_seconds() + cpu_seconds(house.engine_pid), time.monotonic()
    await asyncio.sleep(1 if quick else IDLE_SECONDS)
    after = cpu_seconds() + cpu_seconds(house.engine_pid)
    return {
        "ring_to_event_ms": median(each.ms for each in told),
        "ring_to_name_ms": median(beyond),
        "ring_to_name_ms_p95": _p95(beyond),
        "ha_overhead_ms": median(overhead),
        "ha_overhead_ms_p95": _p95(overhead),
        "idle_cpu_percent": (after - before) / (time.monotonic() - since) * 100,
    }


async def loop(house: House, *, quick: bool) -> Figures:
    """Ring at eight doors at once: how long the event loop is held, and what the engine leaves to others."""
    await house.ring()
    holds = Holds()
    pid = house.engine_pid
    before, since = cpu_seconds(pid), time.monotonic()
    with holds.watched():
        for _ in range(2 if quick else LOOP_ROUNDS):
            await house.ring()
    cores = (cpu_seconds(pid) - before) / (time.monotonic() - since)
    sys.stderr.write(f"bench: longest hold: {holds.ours.where}, of any kind: {holds.any.where}\n")
    return {
        "loop_hold_ms_max": holds.ours.ms,
        "loop_hold_cpu_ms_max": holds.ours.cpu_ms,
        "loop_hold_any_ms_max": holds.any.ms,
        "loop_hold_any_cpu_ms_max": holds.any.cpu_ms,
        "engine_cores": cores,
        "engine_nice": os.getpriority(os.PRIO_PROCESS, pid),
    }


async def cameras(house: House, *, quick: bool, numbers: Mapping[int, int] = CAMERAS) -> Figures:
    """Ring at more and more doors at once: latency from the ring to the event, and names a second."""
    figures: Figures = {}
    await house.ring(1)
    for doors, rounds in numbers.items():
        told: list[Told] = []
        busy, asked = 0.0, 0
        for _ in range(1 if quick else rounds):
            heard = await house.ring(doors)
            told += heard
            asked += doors
            busy += max((each.ms for each in heard), default=0.0) / 1000
        if not told:
            # Where so many ring at once that no look has its pictures in time.
            figures[str(doors)] = {"p50": 0.0, "p95": 0.0, "names_per_second": 0.0, "named": 0.0}
            continue
        latencies = [each.ms for each in told]
        figures[str(doors)] = {
            "p50": median(latencies),
            "p95": _p95(latencies),
            "names_per_second": len(told) / busy,
            "named": len(told) / asked,
        }
    return {"cameras": figures}


async def many_cameras(house: House, *, quick: bool) -> Figures:
    """Ring at up to fifty doors at once, with pictures of each size."""
    figures: Figures = {}
    for name, size in SIZES.items():
        await house.show(size)
        await house.ring(1)
        figures[name] = (await cameras(house, quick=quick, numbers=MANY))["cameras"]
    return {"cameras": figures}


async def memory(house: House, *, quick: bool) -> Figures:
    """Take a thousand looks, a minute of Home Assistant's time apart, and weigh both processes before and after."""
    pid = house.engine_pid
    weights: list[tuple[float, float]] = []
    with freeze_time(dt_util.utcnow(), tick=True, real_asyncio=True) as clock:
        for looks in (LOOKS_BEFORE, LOOKS):
            for _ in range(2 if quick else looks // LOOK_DOORS):
                clock.tick(timedelta(minutes=1))
                if not await house.ring_again(LOOK_DOORS):
                    raise SystemExit("the visitors were not recognised")
            gc.collect()
            weights.append((resident_mb(), resident_mb(pid)))
    (home_before, engine_before), (home_after, engine_after) = weights
    return {
        "ha_mb": home_after,
        "ha_growth_mb": home_after - home_before,
        "engine_mb": engine_after,
        "engine_growth_mb": engine_after - engine_before,
    }


def _p95(values: list[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


type Measure = Callable[..., Awaitable[Figures]]

MEASURES: dict[str, tuple[Measure, int, bool]] = {
    "ring": (ring, 1, False),
    "alerts": (alerts, 1, False),
    "loop": (loop, LOOP_DOORS, False),
    "cameras": (cameras, max(CAMERAS), False),
    "many_cameras": (many_cameras, max(MANY), False),
    "memory": (memory, LOOK_DOORS, True),
}
"""By name: the measure, how many doors its house has, and whether their frames are small."""


async def measure(name: str, place: PreparedBefore, *, quick: bool) -> Figures:
    """Return what a measure gives."""
    if name == "identify":
        return identify(quick=quick)
    if name == "scale":
        return await scale(place, quick=quick)
    if name == "panel":
        return await panel(place, quick=quick)
    run, doors, small = MEASURES[name]
    with tempfile.TemporaryDirectory(prefix="ff-") as folder:
        async with open_house(Path(folder), place, doors, small=small) as house:
            return await run(house, quick=quick)


def main() -> None:
    """Print the figures of one measure as one JSON object."""
    name, python, weights, effort = sys.argv[1:]
    logging.disable(logging.WARNING)
    place = PreparedBefore(Path(python), Path(weights))
    print(json.dumps(asyncio.run(measure(name, place, quick=effort == "quick"))))


if __name__ == "__main__":
    main()
