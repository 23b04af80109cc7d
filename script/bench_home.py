"""The measures of script/bench that need a Home Assistant. Runs in the development environment.

A real Home Assistant core with a camera, a doorbell and a real engine; the visitor rings again and again.
"""

import asyncio
from asyncio import events
from collections.abc import Callable
from datetime import timedelta
import json
import logging
import os
from pathlib import Path
from statistics import median, quantiles
import sys
import tempfile
import time
from unittest.mock import patch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

# First: it has Home Assistant's clock follow freezegun's.
from pytest_homeassistant_custom_component import patch_time  # noqa: F401, I001
from freezegun import freeze_time
from homeassistant import loader
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_test_home_assistant,
    setup_test_component_platform,
)

from custom_components.familiar_faces.const import CONF_WHERE, DOMAIN, Where
from custom_components.familiar_faces.hub import Hub
from tests.conftest import CAMERA, DOORBELL, FrontDoor, PreparedBefore
from tests.pictures import astronaut, enrolment_photos, frame
from tests.steps import enrol

RINGS = 25
WARM_UP = 3
IDLE_SECONDS = 10
OURS = str(ROOT / "custom_components" / DOMAIN)


class Holds:
    """How long each turn of ours held the event loop, as milliseconds."""

    def __init__(self) -> None:
        """Start with none."""
        self.longest = 0.0
        self.where = ""

    def watch(self) -> Callable[[], None]:
        """Time every turn from now on; return how to stop."""
        run = events.Handle._run

        def timed(handle: events.Handle) -> None:
            begun = time.perf_counter()
            run(handle)
            held = (time.perf_counter() - begun) * 1000
            if held > self.longest and (name := _ours(handle)) is not None:
                self.longest, self.where = held, name

        events.Handle._run = timed

        def stop() -> None:
            events.Handle._run = run

        return stop


def _ours(handle: events.Handle) -> str | None:
    """Return the name of what a turn ran, None when it is not this integration's."""
    callback = getattr(handle, "_callback", None)
    task = getattr(callback, "__self__", None)
    if isinstance(task, asyncio.Task):
        code = getattr(task.get_coro(), "cr_code", None)
    else:
        code = getattr(callback, "__code__", None)
    if code is None or not code.co_filename.startswith(OURS):
        return None
    return str(code.co_qualname)


async def measure(folder: Path, place: PreparedBefore) -> dict[str, float]:
    """Ring again and again, and return the figures."""
    async with async_test_home_assistant(config_dir=str(folder)) as hass:
        hass.data.pop(loader.DATA_CUSTOM_COMPONENTS, None)
        camera = FrontDoor()
        setup_test_component_platform(hass, "camera", [camera])
        await async_setup_component(hass, "homeassistant", {})
        await async_setup_component(hass, "camera", {"camera": {"platform": "test"}})
        await async_setup_component(hass, "input_button", {"input_button": {"doorbell": {}}})
        entry = MockConfigEntry(
            domain=DOMAIN,
            title="Familiar Faces",
            data={CONF_WHERE: Where.THIS_MACHINE},
            subentries_data=[
                {
                    "data": {
                        "camera": CAMERA,
                        "mode": "on_ring",
                        "public_space": False,
                        "triggers": [DOORBELL],
                    },
                    "subentry_type": "camera",
                    "title": "Front door",
                    "unique_id": "front_door",
                }
            ],
        )
        entry.add_to_hass(hass)
        target = "custom_components.familiar_faces.engine_choice.Environment"
        with patch(target, return_value=place):
            if not await hass.config_entries.async_setup(entry.entry_id):
                raise SystemExit("bench: the integration did not set up")
        hub: Hub = entry.runtime_data
        if not await hub.engine.wait_ready(30):
            raise SystemExit(f"bench: the engine is not ready: {hub.engine.last_error}")
        await hass.async_block_till_done(wait_background_tasks=True)
        await enrol(hass, entry, enrolment_photos())
        camera.frames = [frame(astronaut(), seed=seed) for seed in range(32)]

        holds = Holds()
        stop = holds.watch()
        beyond, overhead = [], []
        for ring in range(WARM_UP + RINGS):
            # Each ring is another visit: the one before is over.
            later = dt_util.utcnow() + timedelta(minutes=ring)
            with freeze_time(later, tick=True, real_asyncio=True):
                attributes = await _ring(hass, hub)
            if ring >= WARM_UP:
                beyond.append(attributes["ms"] - attributes["camera_fetch_ms"])
                overhead.append(beyond[-1] - attributes["engine_ms"])
        stop()

        before, since = _cpu_seconds(), time.monotonic()
        await asyncio.sleep(IDLE_SECONDS)
        idle = (_cpu_seconds() - before) / (time.monotonic() - since)
        await hass.config_entries.async_unload(entry.entry_id)
        await hass.async_stop(force=True)
        if holds.where:
            logging.getLogger(__name__).info("the longest hold was %s", holds.where)
        return {
            "ring_to_name_ms": median(beyond),
            "ring_to_name_ms_p95": quantiles(beyond, n=20)[-1],
            "ha_overhead_ms_p95": quantiles(overhead, n=20)[-1],
            "loop_hold_ms_max": holds.longest,
            "idle_cpu_percent": idle * 100,
        }


async def _ring(hass: HomeAssistant, hub: Hub) -> dict[str, float]:
    before = getattr(hass.states.get("event.front_door_visitor"), "state", None)
    await hass.services.async_call("input_button", "press", {"entity_id": DOORBELL}, blocking=True)
    (watcher,) = hub.watchers.values()
    for _ in range(200):
        await asyncio.sleep(0.01)
        if watcher._looking is not None and watcher._looking.done():
            break
    state = hass.states.get("event.front_door_visitor")
    if state is None or state.attributes.get("event_type") != "familiar":
        raise SystemExit(f"bench: the visitor was not recognised: {state}")
    if state.state == before:
        raise SystemExit("bench: a visit was not told")
    return dict(state.attributes)


def _cpu_seconds() -> float:
    """Return the processor seconds of this process and its children that still run."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text("ascii").rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(path.parent.name) == os.getpid() or int(fields[1]) == os.getpid():
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Print the figures as one JSON object."""
    python, weights = map(Path, sys.argv[1:3])
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="ff-") as name:
        folder = Path(name)
        (folder / "custom_components").symlink_to(ROOT / "custom_components")
        (folder / ".storage").mkdir()
        figures = asyncio.run(measure(folder, PreparedBefore(python, weights)))
    print(json.dumps({key: round(value, 2) for key, value in figures.items()}))


if __name__ == "__main__":
    main()
