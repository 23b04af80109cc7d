"""What became of a ring, and whether all of it is as it is to be."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median, quantiles

from demo.house import Ring

from .door import Fault
from .films import VISIT_SECONDS
from .kinds import Kind

NOBODY, STRANGER = "nobody", "stranger"
GONE_AFTER = timedelta(seconds=VISIT_SECONDS + 3)
"""After a ring nobody is at the door by then, with what a stream is late."""
NAMED_AT_LEAST = 0.95
ONE_VISIT = 2.0
"""How much longer than the median a name may take at a single visit: who comes just after a key frame waits longest."""
TOO_SLOW = 3.0
"""A machine so many times slower may be too late for a visitor of eight seconds; what is tried alone slows it less."""
CPU_PERCENT, MEGABYTES, LOOP_MS = 1.0, 20.0, 1.0
"""What a warm camera may cost in Home Assistant, and how late the loop may be for eight of them (p99)."""

_NEVER = ("wrong", "stale")

type Figures = dict[str, float | int | None]


class Verdict(StrEnum):
    """What became of it."""

    RIGHT = "right"
    UNCLEAR = "unclear"
    MISSED = "missed"
    WRONG = "wrong"
    STALE = "stale"
    QUIET = "quiet"
    """Nothing was claimed where nothing could be seen."""


@dataclass(slots=True)
class Record:
    """One ring at a camera, and what Home Assistant told of it."""

    who: str
    """A name, STRANGER or NOBODY: who was really there."""
    before: str | None
    """Who was there before, of those who agreed."""
    fault: Fault | None
    rung: datetime
    told: list[Ring] = field(default_factory=list)
    prolonged: bool = False
    """Whether the visit is kept with a time at which nobody was there, or was never told."""
    slowness: float = 1.0
    """How many times slower the machine was meanwhile than it is without anything else to do."""

    @property
    def healthy(self) -> bool:
        """Return whether the camera could see somebody."""
        return self.who != NOBODY and self.fault in (None, Fault.IDLES)

    @property
    def named_ms(self) -> int | None:
        """Return how long the right name took."""
        return next((each.ms for each in self.told if each.person == self.who), None)

    @property
    def is_known(self) -> bool:
        """Return whether somebody who agreed could be seen."""
        return self.healthy and self.who != STRANGER

    @property
    def excused(self) -> bool:
        """Return whether nothing follows from it that somebody was not named: the machine had other things to do."""
        return (
            self.is_known and self.slowness > TOO_SLOW and self.verdict() in (Verdict.UNCLEAR, Verdict.MISSED)
        )

    def judge_kept(self, visit_id: str, last_seen: datetime) -> None:
        """Compare with what Home Assistant keeps of it."""
        known = visit_id in {each.visit_id for each in self.told}
        self.prolonged |= not known or last_seen - self.rung > GONE_AFTER

    def verdict(self) -> Verdict:
        """Return what became of it."""
        decisions = {each.decision for each in self.told}
        wrong = {each.person for each in self.told if each.person is not None} - {self.who}
        if wrong:
            return Verdict.STALE if self.before in wrong else Verdict.WRONG
        if self.prolonged or (self.who == NOBODY and decisions & {"familiar", "stranger"}):
            # Somebody who left is shown as if they were there.
            return Verdict.STALE
        if not self.healthy:
            return Verdict.QUIET
        if self.who in {each.person for each in self.told} or (
            self.who == STRANGER and "stranger" in decisions
        ):
            return Verdict.RIGHT
        return Verdict.UNCLEAR if "unclear" in decisions else Verdict.MISSED


def figures(records: Sequence[Record]) -> Figures:
    """Return the figures of one kind of camera."""
    verdicts = Counter(each.verdict() for each in records)
    healthy = [each for each in records if each.healthy]
    named = sorted(each.named_ms for each in healthy if each.named_ms is not None)
    known = [each for each in healthy if each.is_known]
    judged = [each for each in known if not each.excused]
    fair = [each.named_ms / each.slowness for each in healthy if each.named_ms is not None]
    frames = [max(told.frames for told in each.told) for each in healthy if each.told]
    return {
        "visits": len(healthy),
        "right": verdicts[Verdict.RIGHT],
        "unclear": verdicts[Verdict.UNCLEAR],
        "missed": verdicts[Verdict.MISSED],
        "wrong": verdicts[Verdict.WRONG],
        "stale": verdicts[Verdict.STALE],
        "name_ms_p50": round(median(named)) if named else None,
        "name_ms_p95": round(_p95(named)) if named else None,
        "distinct_frames": round(median(frames)) if frames else None,
        "known": len(judged),
        "known_named": sum(each.verdict() is Verdict.RIGHT for each in judged),
        "excused": len(known) - len(judged),
        "fair_ms_p50": round(median(fair)) if fair else None,
        "without_a_fresh_picture": len(records) - len(healthy),
    }


def _p95(values: Sequence[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


def missed_goals(
    kinds: Sequence[Kind], told: Mapping[str, Figures], cpu: Figures, *, few: bool = False
) -> list[str]:
    """Return in words which goals are missed; `few`: of so few visits that there is no median."""
    missed = []
    for kind in kinds:
        found = told[kind.name]
        missed += [f"{kind.name}: {found[what]} {what} names" for what in _NEVER if found[what]]
        known, named = found["known"] or 0, found["known_named"] or 0
        if not known and found["excused"]:
            missed.append(f"{kind.name}: this machine had too much else to do to tell")
        elif not known:
            missed.append(f"{kind.name}: nobody known came")
        elif kind.rtsp and named / known < NAMED_AT_LEAST:
            missed.append(f"{kind.name}: {named} of {known} known visitors named")
        took = found["fair_ms_p50"]
        most = kind.goal_ms * (ONE_VISIT if few else 1.0)
        if took is not None and took > most:
            missed.append(
                f"{kind.name}: names took {found['name_ms_p50']} ms, {took} without what else this machine did; "
                f"at most {most:.0f} are wanted"
            )
    if together := told.get("together"):
        missed += [f"all at once: {together[what]} {what} names" for what in _NEVER if together[what]]
        if together["known_named"] != together["known"]:
            missed.append(f"all at once: {together['known_named']} of {together['known']} named")
    for what, most in (
        ("warm_camera_percent", CPU_PERCENT),
        ("warm_camera_mb", MEGABYTES),
        ("loop_p99_ms_more", LOOP_MS),
    ):
        if (cost := cpu.get(what)) is not None and cost > most:
            missed.append(f"{what} is {cost}, at most {most} is wanted")
    return missed
