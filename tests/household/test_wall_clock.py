"""When the clock is believed, on machines that sleep, start in the past, are set and are synchronised."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
import struct
from typing import Any
from unittest.mock import patch

import pytest

from custom_components.familiar_faces.household import wall_clock
from custom_components.familiar_faces.household.wall_clock import (
    Anchor,
    WallClock,
    read_anchor,
    read_boot,
    synchronised,
    write_anchor,
)

from ..common.people_on_record import DAY, at

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


class Machine:
    """A machine with its clock, and what runs on it."""

    def __init__(self) -> None:
        self.shows = BEGAN
        self.ran = 100.0
        self.synchronised: bool | None = None
        self.clock = WallClock()
        self.clock.start("a run", None, None)
        assert self.believes()

    @contextmanager
    def runs(self) -> Generator[None]:
        with (
            at(self.shows),
            patch.object(wall_clock, "running", lambda: self.ran),
            patch.object(wall_clock, "synchronised", lambda now: self.synchronised),
        ):
            yield

    def believes(self) -> bool:
        with self.runs():
            return self.clock.believed()

    def passes(self, time: timedelta) -> None:
        """Let time pass, which the clock shows too."""
        self.shows += time
        self.ran += time.total_seconds()

    def starts_again(self, boot: str = "a run") -> None:
        """Stop and start Home Assistant, or with another `boot` the whole machine."""
        with self.runs():
            noted = self.clock.note()
        self.clock = WallClock()
        if boot != "a run":
            self.ran = 30.0
        with self.runs():
            self.clock.start(boot, noted, None)


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_years_ahead_for_a_moment(machine: Machine) -> None:
    """Not one moment of it is believed, and afterwards it goes on by itself."""
    machine.shows += 20 * 365 * DAY
    for _ in range(10):
        assert not machine.believes()
        machine.passes(timedelta(seconds=10))
    with machine.runs():
        assert machine.clock.doubted_for == 100.0
        assert machine.clock.note() is None
        assert machine.clock.expected == BEGAN + timedelta(seconds=100)
    machine.shows -= 20 * 365 * DAY
    assert machine.believes()
    assert machine.clock.doubted_for == 0.0


@pytest.mark.parametrize("back", [2 * HOUR, DAY, 3 * 365 * DAY])
def test_set_back(machine: Machine, back: timedelta) -> None:
    machine.shows -= back
    assert not machine.believes()


def test_what_is_no_jump(machine: Machine) -> None:
    """A laptop sleeps for days, a clock is a little wrong, a month passes."""
    machine.passes(3 * DAY)
    assert machine.believes()
    machine.shows += 40 * MINUTE
    assert machine.believes()
    machine.passes(60 * DAY)
    assert machine.believes()


def test_small_steps_do_not_add_up(machine: Machine) -> None:
    """Nobody walks the clock through a month in half hours, with restarts in between neither."""
    machine.shows += 50 * MINUTE
    assert machine.believes()
    machine.starts_again()
    assert machine.believes()
    machine.shows += 50 * MINUTE
    assert not machine.believes()
    machine.starts_again()
    machine.clock.start("a run", Anchor(BEGAN, 100.0, "a run"), None)
    assert not machine.believes()


def test_a_machine_that_was_paused(machine: Machine) -> None:
    """Its clock is ahead of how long it ran; once it is synchronised that is right."""
    machine.shows += 3 * DAY
    assert not machine.believes()
    machine.synchronised = False
    assert not machine.believes()
    machine.synchronised = True
    assert machine.believes()
    machine.synchronised = None
    machine.passes(DAY)
    assert machine.believes()


def test_the_owner_says_so(machine: Machine) -> None:
    machine.shows += 90 * DAY
    assert not machine.believes()
    with machine.runs():
        machine.clock.confirm()
    assert machine.believes()
    machine.shows -= 90 * DAY
    assert not machine.believes()


def test_a_machine_that_starts_in_the_past(machine: Machine) -> None:
    """Without a battery it begins long ago. When it has reached a time server it goes on, and nobody is asked."""
    machine.passes(DAY)
    right = machine.shows
    machine.starts_again("another run")
    machine.shows = datetime(2025, 1, 1, tzinfo=UTC)
    assert not machine.believes()
    machine.passes(2 * MINUTE)
    assert not machine.believes()
    with machine.runs():
        assert machine.clock.expected == right
    machine.shows = right + 5 * MINUTE
    assert machine.believes()
    machine.passes(DAY)
    assert machine.believes()


def test_a_machine_that_starts_where_it_stopped(machine: Machine) -> None:
    """It believes that no time has passed, until a time server says how long it was off."""
    machine.starts_again("another run")
    assert machine.believes()
    machine.passes(5 * MINUTE)
    machine.shows += 10 * DAY
    assert machine.believes()
    machine.passes(2 * HOUR)
    assert machine.believes()
    machine.shows += 3 * DAY
    assert not machine.believes()


@pytest.mark.parametrize(("off", "believed"), [(13 * DAY, True), (15 * DAY, False), (20 * 365 * DAY, False)])
def test_a_machine_that_was_off(machine: Machine, off: timedelta, believed: bool) -> None:
    machine.starts_again("another run")
    machine.shows += off
    assert machine.believes() is believed
    machine.synchronised = True
    assert machine.believes()


def test_a_start_that_knows_only_what_is_kept(machine: Machine) -> None:
    """Nothing was kept in the future."""
    machine.clock = WallClock()
    machine.clock.start("a run", None, BEGAN + 2 * DAY)
    assert not machine.believes()
    machine.shows = BEGAN + 3 * DAY
    assert machine.believes()


def test_the_kernel_is_asked() -> None:
    """It answers, and never says that another time than its own is right."""
    now = datetime.now(UTC)
    assert synchronised(now) in (True, False, None)
    assert not synchronised(now + 20 * 365 * DAY)
    assert read_boot()


@pytest.mark.parametrize("said", [0, 5, -1])
def test_what_the_kernel_says(said: int) -> None:
    """A clock in order, one that follows no other, and a kernel that does not answer."""
    now = datetime.now(UTC)

    def adjtimex(buffer: Any) -> int:
        struct.pack_into("q", buffer, 72, int(now.timestamp()))
        return said

    with patch.object(wall_clock, "_adjtimex", lambda: adjtimex):
        assert synchronised(now) is {0: True, 5: False, -1: None}[said]
        assert synchronised(now + DAY) is (None if said < 0 else False)
    with patch.object(wall_clock, "_adjtimex", lambda: None):
        assert synchronised(now) is None


def test_written_down(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "clock.json"
    assert read_anchor(path) is None
    write_anchor(path, anchor := Anchor(BEGAN, 12.5, "a run"))
    assert read_anchor(path) == anchor
    for rubbish in (b"", b"{}", b"[]", b'{"at": 1, "running": 2, "boot": 3}', b"\xff"):
        path.write_bytes(rubbish)
        assert read_anchor(path) is None
