"""How slow the machine is."""

import asyncio
from itertools import chain, repeat

from camera_lab import pace
from camera_lab.pace import Pace
import pytest

from custom_components.familiar_faces.host import child


async def test_a_machine_that_has_other_things_to_do_is_slower(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "EVERY", 0.0)
    ratios = chain([1.2] * 5, repeat(6.0))
    monkeypatch.setattr(pace, "_work", lambda: next(ratios))
    loop = asyncio.get_running_loop()
    noting, began = Pace(), loop.time()
    assert noting.slowness(began, began + 1) == 1.0
    noting.start()
    await asyncio.sleep(0.3)
    await noting.stop()
    assert 1.0 < noting.slowness(began, loop.time()) <= 4.0
    assert noting.slowness(began + 0.2, loop.time()) == pytest.approx(4.0)


def test_work_takes_at_least_the_time_of_a_processor() -> None:
    assert pace._work() >= 0.9


def test_it_works_at_the_engines_priority() -> None:
    assert pace.NICE == child.NICE
