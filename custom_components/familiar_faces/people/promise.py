"""The promises of the strictnesses, beside what was counted: how far the data bears them out."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, inf, lgamma, log, log1p

from .calibration import FALSE_NAMES, Strictness

CERTAINTY = 0.95
"""How certain a limit is."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What became of the visits of a measurement at one strictness."""

    strangers_named: int
    """How many visits of strangers got a name, which is a wrong one."""
    own_named: int
    """How many visits of enrolled people got their name."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """Visits of known people, and the names they were given."""

    people: int
    """How many were enrolled in the gallery that a visit was compared with."""
    strangers: int
    """How many visits of strangers there were. Each stands for itself: none is a copy of another one, and
    none is compared with more than one gallery."""
    own: int
    """How many visits of enrolled people there were."""
    counted: Mapping[Strictness, Counted]


@dataclass(frozen=True, slots=True)
class Promise:
    """What a strictness promises, and what is known of it."""

    strictness: Strictness
    one_in: int
    """The promise: about one visit of a stranger in so many gets a wrong name."""
    measured_strangers: int
    named: int
    """How many of the measured strangers got a wrong name."""
    limit: float
    """The share of strangers who get a wrong name is at most this, as far as the measurement tells."""
    measured_own: int
    own_named: int
    """How many of the measured visits of enrolled people got their name."""

    @property
    def limit_one_in(self) -> int:
        """Return the limit as one in so many."""
        return int(1.0 / self.limit)

    @property
    def own_missed(self) -> int:
        """Return how many visits of enrolled people did not get their name."""
        return self.measured_own - self.own_named

    @property
    def own_named_share(self) -> float:
        """Return the share of enrolled people's visits that got their name, 0 to 1."""
        return self.own_named / self.measured_own

    @property
    def borne_out(self) -> bool:
        """Return whether the measurement is large enough to keep the promise by counting alone."""
        return self.limit * self.one_in <= 1.0


def promises(measurement: Measurement) -> tuple[Promise, ...]:
    """Return the promise of every strictness, most relaxed first.

    Raises ValueError for a measurement without any visits of strangers or of enrolled people, or one in which
    more were named than there were; KeyError when a strictness is missing.
    """
    if measurement.own < 1:
        raise ValueError("nobody who is enrolled was measured")
    made = []
    for strictness in Strictness:
        counted = measurement.counted[strictness]
        if not 0 <= counted.own_named <= measurement.own:
            raise ValueError(f"{counted.own_named} of {measurement.own} visits cannot be named")
        made.append(
            Promise(
                strictness=strictness,
                one_in=round(1 / FALSE_NAMES[strictness]),
                measured_strangers=measurement.strangers,
                named=counted.strangers_named,
                limit=upper_limit(counted.strangers_named, measurement.strangers),
                measured_own=measurement.own,
                own_named=counted.own_named,
            )
        )
    return tuple(made)


def upper_limit(seen: int, trials: int, certainty: float = CERTAINTY) -> float:
    """Return the share that something has at most which happened `seen` times in `trials`, 0 to 1.

    The one-sided limit of Clopper and Pearson (Biometrika 26, 1934): with a larger share, so few would be
    seen in less than 1 - `certainty` of all measurements. With none seen that is the rule of three, about
    3 / `trials` at 95 %. Raises ValueError unless 0 <= `seen` <= `trials`, `trials` > 0, 0 < `certainty` < 1.
    """
    if not (0 <= seen <= trials and trials > 0 and 0.0 < certainty < 1.0):
        raise ValueError(f"{seen} of {trials} has no limit that is {certainty:.0%} certain")
    if seen == trials:
        return 1.0
    low, high = 0.0, 1.0
    while high - low > 1e-12:
        middle = (low + high) / 2
        if _at_most(seen, trials, middle) > 1.0 - certainty:
            low = middle
        else:
            high = middle
    return high


def _at_most(seen: int, trials: int, share: float) -> float:
    """Return how probable it is that something of that share happens at most `seen` times."""
    yes = log(share) if share > 0.0 else -inf
    no = log1p(-share) if share < 1.0 else -inf
    return sum(
        exp(
            lgamma(trials + 1)
            - lgamma(times + 1)
            - lgamma(trials - times + 1)
            + (times * yes if times else 0.0)
            + (trials - times) * no
        )
        for times in range(seen + 1)
    )
