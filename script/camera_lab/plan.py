"""The order of what happens: known people, a stranger after them with each fault, nobody; and all at once."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from functools import partial

from .door import Fault
from .films import H264, Format
from .kinds import KINDS, STREAM_FAULTS, WARM, Kind
from .lab import Lab, Station, stranger_of
from .outcome import NOBODY, Figures, Record

STAGGER = 3.0
"""Seconds between the rings of two doors: two cores are to measure one at a time."""
FORGOTTEN_SECONDS = 32
"""From a visit's end until the next ring at a door is another visit, and Home Assistant's stream has stopped."""
QUIET_SECONDS = 120
"""From the last dialog until Home Assistant reads no stream by itself: what it takes is compared then."""
STOPS_SECONDS = 21
"""From the end of a visit that was watched until Home Assistant stops the stream, as nobody is watching it by then."""
SETTLE_SECONDS = 12
"""After a fault, until all have connected again."""
ROUNDS = 3
"""Of known people alone, besides the one before each fault."""
AGAIN = 2
"""How many times somebody comes again because the machine had no time to look."""
MOST_FAULTS = len(STREAM_FAULTS)
TOGETHER = 32
SMALLER = (1280, 720)
IDLE_SECONDS = 20
WARM_CAMERAS = 8
ALL_SEEN_SECONDS = 16
"""Until somebody stands at each of many doors."""

type Work = Callable[[Station], Coroutine[None, None, None]]


class Plan:
    """What is done with a lab's cameras."""

    def __init__(self, lab: Lab, *, check: bool, together: bool = False) -> None:
        """Do all of it, or with `check` a part, or only what is measured and done `together`."""
        self.cpu: Figures = {}
        self.together: list[Record] = []
        self._lab, self._check, self._only_together = lab, check, together
        self._turn: dict[str, int] = {}

    async def add_cameras(self) -> None:
        """Add all cameras, those that are kept warm first: what they take is measured alone."""
        warm = [
            each for each in self._lab.stations if each.kind.state == WARM and each.kind.form == _MEASURED
        ]
        if self._check:
            # What they cost takes a while to measure.
            await self._lab.add(self._lab.stations)
            return
        await self._lab.add(warm)
        # What the dialogs brought with them, and Home Assistant's own streams that they had it open, is no cost of
        # streams that are kept open: those are what comes and goes with recognition.
        await self._lab.switch_recognition(on=False)
        await asyncio.sleep(QUIET_SECONDS)
        before = await self._lab.idle(IDLE_SECONDS)
        await self._lab.switch_recognition(on=True)
        await asyncio.sleep(SETTLE_SECONDS)
        after = await self._lab.idle(IDLE_SECONDS)
        self.cpu = {
            "idle_percent": _less(before["percent"]),
            "idle_loop_p99_ms": _less(before["loop_p99_ms"]),
            "warm_cameras": len(warm),
        }
        if warm:
            self.cpu |= {
                "warm_camera_percent": _more(after["percent"], before["percent"], len(warm)),
                "warm_camera_mb": _more(after["mb"], before["mb"], len(warm)),
                "loop_p99_ms_more": _more(after["loop_p99_ms"], before["loop_p99_ms"], 1),
            }
        await self._lab.add(each for each in self._lab.stations if each not in warm)

    async def go(self) -> None:
        """Let them come."""
        rounds: list[Work] = []
        if self._check:
            rounds = [partial(self._fault, 0)]
        elif not self._only_together:
            rounds = [
                *[self._known] * ROUNDS,
                *(partial(self._fault, number) for number in range(MOST_FAULTS)),
            ]
        for work in rounds:
            await self._at_every_door(work)
        for _ in range(AGAIN):
            if any(_was_excused(each) for each in self._lab.stations):
                await self._at_every_door(self._known, _was_excused)
        if not self._check:
            await self._all_at_once()
        await self._lab.judge_kept()

    async def _at_every_door(self, work: Work, where: Callable[[Station], bool] = lambda _: True) -> None:
        doors = [each for each in self._lab.stations if not _is_spare(each) and where(each)]

        async def one(number: int, station: Station) -> None:
            await asyncio.sleep(number * STAGGER)
            await work(station)

        async with asyncio.TaskGroup() as group:
            for number, station in enumerate(doors):
                group.create_task(one(number, station))

    def _next(self, station: Station) -> str:
        """Return whose turn it is to come, and how."""
        films = self._lab.visits_of(station)
        turn = self._turn[station.kind.name] = self._turn.get(station.kind.name, -1) + 1
        return films[turn % len(films)]

    async def _known(self, station: Station) -> None:
        await self._lab.visit(station, self._next(station))
        # The next round begins later here, too, but not by more than the doors are apart.
        await asyncio.sleep(FORGOTTEN_SECONDS)

    async def _fault(self, number: int, station: Station) -> None:
        """Somebody known comes and leaves; then a stranger rings at a camera that fails, and then nobody is there."""
        faults = station.kind.faults
        # Stills have fewer: then nothing is wrong.
        fault = station.kind.check if self._check else (*faults, Fault.IDLES)[min(number, len(faults))]
        assert fault is not None
        who = self._next(station)
        await self._lab.visit(station, who, watched=station.kind.rtsp, then=fault)
        if fault is Fault.IDLES and station.kind.rtsp:
            # They come back without ringing: then the last picture that Home Assistant has shows them.
            await station.door.visit(who, by=asyncio.get_running_loop().time() + STOPS_SECONDS)
            await asyncio.sleep(FORGOTTEN_SECONDS / 2)
        else:
            await asyncio.sleep(FORGOTTEN_SECONDS)
        await self._lab.visit(station, stranger_of(station), fault)
        await self._lab.visit(station, NOBODY, fault)
        station.door.break_down(None)
        await asyncio.sleep(SETTLE_SECONDS if self._check else FORGOTTEN_SECONDS)

    async def _all_at_once(self) -> None:
        by = asyncio.get_running_loop().time() + ALL_SEEN_SECONDS
        ringing = self._lab.stations[:TOGETHER]
        async with asyncio.TaskGroup() as group:
            for station in ringing:
                group.create_task(self._lab.visit(station, self._next(station), by=by))
        self.together = [each.records[-1] for each in ringing]


_MEASURED = Format(H264, 1920, 1080, 2)


def chosen(names: Sequence[str], *, check: bool) -> list[Kind]:
    """Return the kinds asked for; without names those of a check, or all and some more to ring all at once."""
    if names:
        return [each for each in KINDS if any(name in each.name for name in names)]
    if check:
        return [smaller(each) for each in KINDS if each.check is not None]
    like = next(each for each in KINDS if each.state == WARM and each.form == _MEASURED)
    warm = [replace(like, name=f"spare_{number}") for number in range(1, WARM_CAMERAS)]
    stills = [
        replace(KINDS[0], name=f"spare_{number}") for number in range(WARM_CAMERAS, TOGETHER - len(KINDS) + 1)
    ]
    return [*KINDS, *warm, *stills]


def smaller(kind: Kind) -> Kind:
    """Return a kind whose films are quickly made: what is checked is the same."""
    if not kind.rtsp or kind.form.height <= SMALLER[1]:
        return kind
    width, height = SMALLER
    return replace(
        kind, name=kind.name.replace("_1080_", "_720_"), form=replace(kind.form, width=width, height=height)
    )


def is_spare(kind: Kind) -> bool:
    """Return whether a camera is there to ring with all others alone."""
    return kind.name.startswith("spare_")


def _is_spare(station: Station) -> bool:
    return is_spare(station.kind)


def _was_excused(station: Station) -> bool:
    """Return whether nobody who came was looked at in time, because the machine had other things to do."""
    known = [each for each in station.records if each.is_known]
    return bool(known) and all(each.excused for each in known)


def _less(value: float | None) -> float:
    return round(value or 0.0, 2)


def _more(after: float | None, before: float | None, cameras: int) -> float:
    return round(((after or 0.0) - (before or 0.0)) / cameras, 2)
