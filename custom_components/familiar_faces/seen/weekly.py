"""How well it works at a camera, in figures of each week, and what would help most. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ..vault.records import Counted
from ..visits.visit import UnclearReason

ENOUGH = 10
"""Visits below which a camera is given no advice: chance would be its reason."""
OFTEN = 0.2
"""Share of the visits from which a reason is worth a word."""
LATELY = 40
"""Visits that advice looks back at: the newest weeks that have so many, so that what was mended is soon forgotten."""
UNUSABLE = frozenset((UnclearReason.NO_USABLE_FACE, UnclearReason.POOR_FACE))
"""Reasons that mean that no face was seen well enough to compare it."""


@dataclass(frozen=True, slots=True)
class Week:
    """What came of the visits to a camera in a week, as numbers alone."""

    begins: datetime
    """Monday at midnight, UTC."""
    named: int
    confirmed: int
    """Names that somebody said were right."""
    corrected: int
    """Names that somebody said were wrong."""
    missed: int
    """Visits that somebody gave a name to because they had none."""
    strangers: int
    unclear: Mapping[str, int]
    """How many were unclear, by the reason, and by what was wrong with the faces where none was usable."""
    unusable: int
    """How many of the unclear ones showed no usable face."""
    took_ms: int | None
    """The time to a name that half of the names did not exceed; a bound of `TOOK_MS`, None without a name."""

    @property
    def visits(self) -> int:
        """Return how many visits there were."""
        return self.named + self.strangers + sum(self.unclear.values())


@dataclass(frozen=True, slots=True)
class Advice:
    """What keeps a camera most from naming people, lately."""

    key: str
    """What was wrong with the faces, or why visits were unclear; or `corrected` where names were wrong."""
    count: int
    """How many visits that is true of."""
    visits: int
    """How many visits there were."""
    usable: int
    """How many of them showed a usable face."""
    weeks: int
    """How many weeks that is about."""


def weeks_of(counted: Mapping[datetime, Mapping[str, int]]) -> list[Week]:
    """Return the weeks of a camera, the newest first."""
    return [_week(begins, counted[begins]) for begins in sorted(counted, reverse=True)]


def advice_of(weeks: list[Week]) -> Advice | None:
    """Return what would help a camera most; None where nothing stands out, or there are too few visits to say.

    `weeks`: the newest first.
    """
    lately = _lately(weeks)
    visits = sum(each.visits for each in lately)
    if visits < ENOUGH:
        return None
    shares: dict[str, tuple[int, float]] = {}
    for reason in {reason for week in lately for reason in week.unclear}:
        count = sum(week.unclear.get(reason, 0) for week in lately)
        shares[reason] = count, count / visits
    if corrected := sum(each.corrected for each in lately):
        # A wrong name weighs more than none: it is measured by the names.
        names = max(sum(each.named for each in lately), corrected)
        shares[Counted.CORRECTED] = corrected, corrected / names
    key = max(shares, key=lambda each: (shares[each][1], each), default=None)
    if key is None or shares[key][1] < OFTEN:
        return None
    unusable = sum(each.unusable for each in lately)
    return Advice(str(key), shares[key][0], visits, visits - unusable, len(lately))


def _lately(weeks: list[Week]) -> list[Week]:
    visits = 0
    for number, week in enumerate(weeks, 1):
        visits += week.visits
        if visits >= LATELY:
            return weeks[:number]
    return weeks


def _week(begins: datetime, counts: Mapping[str, int]) -> Week:
    unclear: dict[str, int] = {}
    times: dict[int, int] = {}
    unusable = 0
    for kind, number in counts.items():
        what, *rest = kind.split(":")
        if what == Counted.UNCLEAR:
            # What was wrong with the faces says more than that none was usable.
            reason = rest[-1] if rest else str(UnclearReason.NOT_SURE)
            unclear[reason] = unclear.get(reason, 0) + number
            unusable += number if rest and rest[0] in UNUSABLE else 0
        elif what == Counted.TOOK and rest and rest[0].isdecimal():
            times[int(rest[0])] = number
    return Week(
        begins,
        counts.get(Counted.NAMED, 0),
        counts.get(Counted.CONFIRMED, 0),
        counts.get(Counted.CORRECTED, 0),
        counts.get(Counted.MISSED, 0),
        counts.get(Counted.STRANGER, 0),
        unclear,
        unusable,
        _median(times),
    )


def _median(times: Mapping[int, int]) -> int | None:
    half, seen = (sum(times.values()) + 1) // 2, 0
    for bound in sorted(times):
        seen += times[bound]
        if seen >= half:
            return bound
    return None
