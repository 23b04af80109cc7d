"""Whether the time of day can be believed, before something is erased or somebody is recognised by it.

A clock may be set to any day. What shows it is how long the machine has been running, sleep included: both have to
agree. Over a restart of the machine they cannot be compared; there the time must not lie before the last one that
was written down, nor weeks behind it. A time that does not fit is believed once the system's clock says that it is
synchronised, once it fits again, or once the owner says that it is right.
"""

from collections.abc import Callable
import ctypes
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
import json
from pathlib import Path
import struct
import time
from uuid import uuid4

from homeassistant.util import dt as dt_util

from ..vault.files import telling_unwritable, write_whole

TOLERANCE = timedelta(hours=1)
"""How far the clock may be set, all in all: what is kept for days is not erased early by that."""
LONGEST_OFF = timedelta(days=14)
"""How long a machine may have been off before its time is asked about."""
SETTLING = 3600.0
"""Seconds after a start in which a machine without a battery may still learn how long it was off."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_TIMEX_BYTES = 1024
"""More than `struct timex` takes on any machine."""
_TIMEX_TIME = 72
"""Where its seconds stand where a long has 64 bits (linux/timex.h)."""
_UNSYNCHRONISED = 5
"""TIME_ERROR of adjtimex(2)."""
_SAME = 5.0
"""Seconds by which our time and the kernel's may differ and still be the same clock."""


def running() -> float:
    """Return for how many seconds the machine has been running, those included that it slept."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def read_boot() -> str:
    """Return what tells this run of the machine from others; a new one where that is not known. Blocks."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return uuid4().hex


def synchronised(now: datetime) -> bool | None:
    """Return whether the kernel says that its clock follows another one, and that it shows `now`; None if unknown.

    Setting a clock by hand takes that back until a time server was asked again.
    """
    if (adjtimex := _adjtimex()) is None:
        return None
    # Of zeros: nothing is changed.
    buffer = ctypes.create_string_buffer(_TIMEX_BYTES)
    state = adjtimex(buffer)
    if state < 0:
        return None
    (seconds,) = struct.unpack_from("q", buffer, _TIMEX_TIME)
    # A program may be shown another time than the kernel's.
    return state != _UNSYNCHRONISED and abs(now.timestamp() - seconds) < _SAME


@cache
def _adjtimex() -> Callable[..., int] | None:
    if struct.calcsize("l") != 8:
        return None
    try:
        found: Callable[..., int] = ctypes.CDLL(None).adjtimex
    except AttributeError, OSError:
        return None
    return found


@dataclass(frozen=True, slots=True)
class Anchor:
    """A time that was believed."""

    at: datetime
    running: float
    """Seconds that the machine had been running then."""
    boot: str
    """In which run of the machine."""


def read_anchor(path: Path) -> Anchor | None:
    """Return the time in a file, None when there is none to be read. Blocks."""
    try:
        data = json.loads(path.read_bytes())
        at = datetime.fromisoformat(data["at"]).astimezone(UTC)
        return Anchor(at, float(data["running"]), str(data["boot"]))
    except OSError, ValueError, KeyError, TypeError:
        return None


def write_anchor(path: Path, anchor: Anchor) -> None:
    """Write a time down so that it is there whole; raise VaultUnwritable. Blocks."""
    with telling_unwritable():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    data = {"at": anchor.at.isoformat(), "running": anchor.running, "boot": anchor.boot}
    write_whole(path, json.dumps(data).encode())


class WallClock:
    """Judges the clock whenever it is asked. Lives on the event loop, but any thread may ask."""

    def __init__(self) -> None:
        """Believe the first time that is seen."""
        self._boot = ""
        self._anchor: Anchor | None = None
        self._before: Anchor | None = None
        """The last one of an earlier run of the machine."""
        self._settled_at = 0.0
        self._newest: datetime | None = None
        """When something was last written down: the time is not earlier, as far as nothing better is known."""
        self._doubted_since: float | None = None

    def start(self, boot: str, anchor: Anchor | None, newest: datetime | None) -> None:
        """Go on from the time that was written down last, and from when something was last kept."""
        self._boot, self._anchor = boot, anchor
        self._newest = newest if anchor is None else None
        if anchor is not None and not self._of_this_run(anchor, ran := running()):
            # The machine was off, nobody knows for how long.
            self._anchor, self._before, self._settled_at = None, anchor, ran + SETTLING

    def believed(self) -> bool:
        """Return whether the time can be believed now."""
        now, ran = dt_util.utcnow(), running()
        if self._anchor is not None and self._goes_on(self._anchor, now, ran):
            self._doubted_since = None
            return True
        if self._may_begin(now, ran) or synchronised(now):
            self._believe(now, ran)
            return True
        if self._doubted_since is None:
            self._doubted_since = ran
        return False

    @property
    def doubted_for(self) -> float:
        """Return for how many seconds it has not been believed; 0 while it is."""
        return 0.0 if self._doubted_since is None else running() - self._doubted_since

    @property
    def expected(self) -> datetime | None:
        """Return what time it is when the clock is wrong, or at least was when it was last right; None if unknown."""
        if self._anchor is not None:
            return self._now_by(self._anchor, running())
        return self._newest if self._before is None else self._before.at

    def confirm(self) -> None:
        """Believe the time as it is now: the owner said so."""
        self._before = None
        self._believe(dt_util.utcnow(), running())

    def note(self) -> Anchor | None:
        """Return what to write down for the next start, None while there is nothing to be sure of.

        By how long the machine has been running, and not by the clock: small steps do not add up.
        """
        if not self.believed():
            return None
        now, ran = dt_util.utcnow(), running()
        if self._anchor is None or synchronised(now):
            self._believe(now, ran)
            return self._anchor
        return Anchor(self._now_by(self._anchor, ran), ran, self._boot)

    def _believe(self, now: datetime, ran: float) -> None:
        self._anchor, self._newest, self._doubted_since = Anchor(now, ran, self._boot), None, None

    def _of_this_run(self, anchor: Anchor, ran: float) -> bool:
        return anchor.boot == self._boot and ran >= anchor.running

    def _goes_on(self, anchor: Anchor, now: datetime, ran: float) -> bool:
        """Return whether the clock went on as the machine did."""
        return abs(now - self._now_by(anchor, ran)) <= TOLERANCE

    def _may_begin(self, now: datetime, ran: float) -> bool:
        """Return whether a time may be the one after a restart, of which nothing better is known."""
        if self._before is not None and (self._anchor is None or ran <= self._settled_at):
            before = self._before.at
            return before - TOLERANCE <= now <= before + LONGEST_OFF + timedelta(seconds=ran)
        return self._anchor is None and (self._newest is None or now >= self._newest - TOLERANCE)

    @staticmethod
    def _now_by(anchor: Anchor, ran: float) -> datetime:
        return anchor.at + timedelta(seconds=ran - anchor.running)
