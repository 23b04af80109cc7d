"""What many people and visits cost, and how it grows with them. Runs in Home Assistant's environment.

Two homes are measured one after the other; what is said of growth is the larger one's figures over the smaller one's.
"""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from statistics import median
import sys
import tempfile
import time
from typing import Any, NamedTuple
from unittest.mock import patch

from freezegun import freeze_time
from homeassistant.components.calendar.const import DATA_COMPONENT
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from benchmarks.holds import Holds
from benchmarks.house import House, open_house
from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.hub import Hub
from tests.common.large_home import LASTING, person_id_of
from tests.conftest import PreparedBefore

DOORS = 10
ASKED = 15
RINGS = 5
SOONER = 9
"""Of so many parts of the visits one falls due at a purge that is measured."""

type Figures = dict[str, float | Figures]


class Size(NamedTuple):
    """How much there is in a home."""

    people: int
    visits: int

    @property
    def name(self) -> str:
        """Return what its figures are called."""
        return f"{self.people}_people_{self.visits}_visits"


SIZES = (Size(100, 10_000), Size(1_000, 100_000))
QUICK = (Size(5, 50), Size(10, 100))


async def scale(place: PreparedBefore, *, quick: bool) -> Figures:
    """Return the figures of both homes, and the ratios."""
    small, large = QUICK if quick else SIZES
    figures = {size.name: await _home(size, place, quick=quick) for size in (small, large)}
    growth = {
        name: value / max(figures[small.name][name], 0.001)
        for name, value in figures[large.name].items()
        if not name.endswith("_hold_ms")
    }
    measured: Figures = {name: dict(home) for name, home in figures.items()}
    measured["growth"] = dict(growth)
    return {"scale": measured}


async def _home(size: Size, place: PreparedBefore, *, quick: bool) -> dict[str, float]:
    """Measure one home."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="ff-") as folder:
        opened = open_house(Path(folder), place, DOORS, small=True, people=size.people, visits=size.visits)
        async with opened as house:
            hass, hub = house.hass, house.hub
            registry = er.async_get(hass)
            calendar_id = registry.async_get_entity_id("calendar", DOMAIN, f"{hub.entry.entry_id}_visits")
            assert calendar_id is not None
            await hass.config_entries.async_unload(hub.entry.entry_id)
            # Half a minute later Home Assistant would start the integration again for that.
            with patch("homeassistant.config_entries.RELOAD_AFTER_UPDATE_DELAY", 86_400):
                registry.async_update_entity(calendar_id, disabled_by=None)
                await hass.async_block_till_done()
            await _held(figures, size, "start", hass, hass.config_entries.async_setup(hub.entry.entry_id))
            house.hub = hub = hub.entry.runtime_data
            await hub.engine.wait_ready(60)
            await hass.async_block_till_done(wait_background_tasks=True)
            figures |= await _last_visits(hass, hub, quick=quick)
            await _held(figures, size, "changed", hass, _changed(hub))
            await _rings(figures, size, house, quick=quick)
            calendar = hass.data[DATA_COMPONENT].get_entity(calendar_id)
            assert calendar is not None
            now = dt_util.utcnow()
            within = calendar.async_get_events(hass, now - LASTING, now)
            await _held(figures, size, "calendar", hass, within)
            await _held(figures, size, "purge_nothing", hass, hub.purging.async_purge())
            await _held(figures, size, "forget", hass, hub.forgetting.async_forget(person_id_of(1)))
            # The oldest have been kept for 29 of 30 days.
            later = timedelta(days=1) + LASTING / SOONER
            with freeze_time(dt_util.utcnow() + later, tick=True, real_asyncio=True):
                await _held(figures, size, "purge", hass, hub.purging.async_purge())
    return figures


async def _held(
    figures: dict[str, float], size: Size, name: str, hass: HomeAssistant, work: Coroutine[Any, Any, object]
) -> None:
    """Note how long something takes, and how long it holds the event loop at most at a time."""
    holds = Holds()
    begun = time.perf_counter()
    with holds.watched():
        # In a task of its own: what the bench itself does is not counted.
        await asyncio.create_task(work)
        figures[f"{name}_ms"] = (time.perf_counter() - begun) * 1000
        await hass.async_block_till_done(wait_background_tasks=True)
    _note(figures, size, name, holds)


def _note(figures: dict[str, float], size: Size, name: str, holds: Holds) -> None:
    figures[f"{name}_hold_ms"] = holds.any.cpu_ms
    figures["garbage_ms"] = max(figures.get("garbage_ms", 0.0), holds.garbage_ms)
    took = f" took {figures[f'{name}_ms']:.0f} ms and" if f"{name}_ms" in figures else ""
    sys.stderr.write(
        f"bench: {size.name}: {name}{took} held the loop for {holds.any.cpu_ms:.1f} ms of computing, "
        f"{holds.any.ms:.1f} by the clock: {holds.any.where}\n"
    )


async def _changed(hub: Hub) -> None:
    """Have every entity look again."""
    hub.async_changed()
    await asyncio.sleep(0)


async def _rings(figures: dict[str, float], size: Size, house: House, *, quick: bool) -> None:
    holds = Holds()
    with holds.watched():
        for _ in range(1 if quick else RINGS):
            if not await house.ring(1):
                raise SystemExit("the visitor was not recognised")
    _note(figures, size, "ring", holds)


async def _last_visits(hass: HomeAssistant, hub: Hub, *, quick: bool) -> dict[str, float]:
    """Return how long the action takes for ten visits, by what it is asked for."""
    camera = {"camera": ["camera.door_3"]}
    person = {"person": [hub.people[person_id_of(2)].name]}
    within = {"within": {"days": 20}}
    asked: dict[str, dict[str, Any]] = {
        "": {},
        "_of_person": person,
        "_at_camera": camera,
        "_of_person_at_camera": person | camera,
        "_of_person_at_camera_within": person | camera | within,
    }
    figures: dict[str, float] = {}
    for name, data in asked.items():
        took = []
        for _ in range(2 if quick else ASKED):
            begun = time.perf_counter()
            answer = await hass.services.async_call(
                DOMAIN, "last_visits", {"limit": 10, **data}, blocking=True, return_response=True
            )
            took.append((time.perf_counter() - begun) * 1000)
            if not quick and not (answer or {}).get("visits"):
                raise SystemExit(f"no visit was found for {data}")
        figures[f"last_visits{name}_ms"] = median(took)
    return figures
