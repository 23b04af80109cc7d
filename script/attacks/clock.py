"""A person or a program sets the clock: the home's time is moved while it runs, and between two starts."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
import mmap
from pathlib import Path
import struct

from demo import home
from demo.house import NAME

from .attack import Room
from .grounds import SILENT, VISITOR, Grounds, Home
from .outcome import Promise, Trial

ROOM = Room(Promise.CLOCK, "docs/retention.md#a-clock-that-is-wrong")
DAY = 86400.0
TWENTY_YEARS = 20 * 365.25 * DAY
WRONG_SECONDS, CHECK_SECONDS = 100.0, 10.0
"""For how long the clock is wrong."""

MOVED = """\
import datetime as _datetime, mmap as _mmap, struct as _struct, time as _time
with open({path!r}, "r+b") as _file:
    _map = _mmap.mmap(_file.fileno(), 16)
_real_time, _real_ns, _real_get, _real = _time.time, _time.time_ns, _time.clock_gettime, _datetime.datetime
def _ahead():
    return _struct.unpack_from("d", _map)[0]
def _passed():
    return _struct.unpack_from("d", _map, 8)[0]
_time.time = lambda: _real_time() + _ahead()
_time.time_ns = lambda: _real_ns() + int(_ahead() * 1e9)
_time.clock_gettime = lambda clock: _real_get(clock) + (_passed() if clock == _time.CLOCK_BOOTTIME else 0.0)
def _now(tz=None):
    return _real.now(tz) + _datetime.timedelta(seconds=_ahead())
class _Moved(_real):
    now = staticmethod(_now)
import homeassistant.util.dt as _dt
import jwt.api_jwt as _jwt
_dt.utcnow = lambda: _now(_datetime.UTC)
_dt.now = lambda time_zone=None: _now(time_zone or _dt.get_default_time_zone())
_jwt.datetime = _Moved
"""
"""Run in Home Assistant before anything else: its clock is ahead, and time has passed, by the seconds in a file.

Moved is what Home Assistant and its integrations call the time, and for how long the machine has been running, sleep
included. What the kernel says of its own clock is not.
"""


class Clock:
    """A clock that is ahead, or behind, of a machine that time passed for, or not."""

    def __init__(self, path: Path) -> None:
        """Keep in a file by how much."""
        path.write_bytes(bytes(16))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 16)
        self.prelude = MOVED.format(path=str(path))

    def set(self, ahead: float, *, passed: float = 0.0) -> None:
        """Set it ahead by seconds; so many have really passed."""
        self._map[:] = struct.pack("dd", ahead, passed)

    def close(self) -> None:
        """Let go of the file."""
        self._map.close()


@contextmanager
def _clock(folder: Path) -> Generator[Clock]:
    clock = Clock(folder.with_name("clock"))
    try:
        yield clock
    finally:
        clock.close()


async def _all_there(trial: Trial, grounds: Grounds, at: Home, when: str) -> None:
    there = await at.people()
    for name in (NAME, VISITOR, SILENT):
        trial.holds(name in there, f"{name} is gone {when}")
    for name, own in grounds.links.items():
        trial.holds(await at.guest(own).is_let_in(), f"the link of {name} is closed {when}")


@ROOM.attack()
async def clock_far_ahead(grounds: Grounds, trial: Trial) -> None:
    """Start a home whose clock is 20 years ahead for a while, and set it right again."""
    async with grounds.copied() as folder:
        with _clock(folder) as clock:
            clock.set(TWENTY_YEARS)
            async with grounds.start(folder, prelude=clock.prelude) as at:
                ring = await grounds.ring(at, NAME, 8)
                trial.holds(
                    ring is None or not ring.person, "somebody is named by a clock that cannot be right"
                )
                await asyncio.sleep(CHECK_SECONDS if grounds.check else WRONG_SECONDS)
                await _all_there(trial, grounds, at, "while the clock is 20 years ahead")
            clock.set(0.0)
            async with grounds.start(folder, prelude=clock.prelude) as at:
                await _all_there(trial, grounds, at, "after the clock was 20 years ahead")
                ring = await grounds.ring(at, NAME)
                trial.holds(
                    ring and ring.person == NAME, f"{NAME} is not recognised after the clock was put right"
                )


@ROOM.attack(check=False)
async def clock_jumps_meanwhile(grounds: Grounds, trial: Trial) -> None:
    """Set the clock of a running home 20 years ahead, have it erase what is due, and set it back."""
    async with grounds.copied() as folder:
        with _clock(folder) as clock:
            async with grounds.start(folder, prelude=clock.prelude) as at:
                clock.set(TWENTY_YEARS)
                # Anyone who was logged in is so no longer: that was for half an hour.
                await at.owner.log_in(home.USER, home.PASSWORD)
                await at.act("purge")
                await asyncio.sleep(WRONG_SECONDS)
                ring = await grounds.ring(at, NAME, 8)
                trial.holds(
                    ring is None or not ring.person, "somebody is named by a clock that cannot be right"
                )
                clock.set(0.0)
                await at.owner.log_in(home.USER, home.PASSWORD)
                await _all_there(trial, grounds, at, "after the clock of a running home jumped")


@ROOM.attack()
async def clock_set_back(grounds: Grounds, trial: Trial) -> None:
    """Let a consent run out, and set the clock back to before."""
    async with grounds.copied() as folder:
        with _clock(folder) as clock:
            async with grounds.start(folder, prelude=clock.prelude, doors=False) as at:
                guest = at.guest(grounds.links[VISITOR])
                until = (home.today() + timedelta(days=1)).isoformat()
                answer = await guest.fill(f"{guest.own}/choices", VISITOR, until=until)
                if not trial.holds(
                    answer.status == 303, f"a consent until tomorrow is answered {answer.status}"
                ):
                    return
            clock.set(2.2 * DAY, passed=2.2 * DAY)
            async with grounds.start(folder, prelude=clock.prelude) as at:
                ring = await grounds.ring(at, NAME)
                trial.holds(
                    ring and ring.person == NAME, "nobody is named although two days have passed in truth"
                )
                ring = await grounds.ring(at, VISITOR, 8)
                trial.holds(
                    ring is None or ring.person != VISITOR, f"{VISITOR} was named after the consent ran out"
                )
            clock.set(0.0)
            async with grounds.start(folder, prelude=clock.prelude) as at:
                ring = await grounds.ring(at, VISITOR, 8)
                trial.holds(
                    ring is None or ring.person != VISITOR,
                    f"{VISITOR} is named again since the clock was set back",
                )
