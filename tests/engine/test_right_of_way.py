"""Who may use the models when."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
import threading
import time

import pytest

from custom_components.familiar_faces.engine.right_of_way import RightOfWay


class Counter:
    """How many were in at the same time at most."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self._lock = threading.Lock()

    def pass_through(self, way: AbstractContextManager[None], seconds: float = 0.02) -> None:
        """Be in for a moment."""
        with way:
            with self._lock:
                self.now += 1
                self.most = max(self.most, self.now)
            time.sleep(seconds)
            with self._lock:
                self.now -= 1


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_as_many_looks_at_a_time_as_there_are_workers(workers: int) -> None:
    way, looks = RightOfWay(workers), Counter()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: looks.pass_through(way.look()), range(24)))
    assert looks.most == workers


@pytest.mark.parametrize("workers", [1, 3])
def test_steps_go_one_at_a_time_and_on_while_looks_never_end(workers: int) -> None:
    way, steps, both = RightOfWay(workers), Counter(), Counter()
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            both.pass_through(way.look(), 0.005)

    def step() -> None:
        both.pass_through(way.step(), 0.005)
        steps.pass_through(way.step(), 0.005)

    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            pool.submit(look)
        done = [pool.submit(step) for _ in range(3)]
        for each in done:
            each.result(60)
        over.set()
    assert steps.most == 1
    assert both.most <= workers


def test_others_look_while_one_waits_for_what_is_computed_elsewhere() -> None:
    """With one worker. Who waited ends beside the next at once, and then there is one place again, and not two."""
    way = RightOfWay()
    computed, ended, left = threading.Event(), threading.Event(), threading.Event()

    def waits() -> None:
        with way.look():
            with way.aside():
                assert computed.wait(10)
            ended.set()
            assert left.wait(10)

    def computes() -> None:
        with way.look():
            computed.set()
            assert ended.wait(10), "who waited has to wait for the next look, too"

    with ThreadPoolExecutor(3) as pool:
        both = [pool.submit(waits), pool.submit(computes)]
        both[1].result(20)
        third = pool.submit(lambda: Counter().pass_through(way.look()))
        time.sleep(0.1)
        assert not third.done(), "the one that waited is still there"
        left.set()
        for each in (both[0], third):
            each.result(20)
    looks = Counter()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: looks.pass_through(way.look(), 0.01), range(8)))
    assert looks.most == 1
