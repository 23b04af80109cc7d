"""Calibration: what a similarity means, as a threshold to keep a promise with and as a probability.

The constants hold for one embedding space. They come from the LFW development people (view 1): galleries of
40 people with three photos each, 208 other photos of them, and 1,932 photos of 1,208 people who are not in
the gallery, each as is and made harder (faces 45, 30 and 24 px wide, dark, grey, blurred, JPEG 70).
"""

from dataclasses import dataclass
from enum import StrEnum
from math import exp, log
from statistics import NormalDist

from .gallery import Comparison


class Strictness(StrEnum):
    """How sure the owner wants to be before a name is said."""

    RELAXED = "relaxed"
    BALANCED = "balanced"
    STRICT = "strict"


FALSE_NAMES = {Strictness.RELAXED: 1e-2, Strictness.BALANCED: 1e-3, Strictness.STRICT: 1e-4}
"""The promise: in which share of strangers' visits a wrong name may be said."""

CLEARLY_NOBODY = 0.05
"""Which share of strangers' visits may be `unclear` rather than `stranger` because of a chance likeness."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the similarities of one embedding space mean.

    The similarity of a stranger to one enrolled person is normally distributed, in the tail too: on the
    development set 1 % lie above 2.32 standard deviations (2.33 for a normal distribution), 0.1 % above 3.09
    (3.09), 0.01 % above 3.64 (3.72). So the highest of `n` people exceeds a threshold `t` with a probability
    of at most `n * P(similarity > t)`, and a promise gives the threshold.
    """

    stranger_mean: float
    """Mean similarity of a stranger to an enrolled person."""
    stranger_sd: float
    """Its standard deviation."""
    reserve: float
    """Added to the threshold for a name: strangers at a door are more like a household (relatives, one
    region, one camera) than the press photos of the development set are like each other."""
    single_frame: float
    """Added to it when one frame is all there is."""
    margin: float
    """How far the best person must be ahead of the next for a name."""
    offset: float
    slope: float
    """Log likelihood ratio of 'this person' against 'somebody else': `offset + slope * similarity`."""
    ceiling: float
    """The highest probability that the development set is large enough to speak of."""

    def familiar_threshold(
        self, people: int, frames: int = 2, strictness: Strictness = Strictness.BALANCED
    ) -> float:
        """Return the similarity from which a name may be said.

        `people`: how many are enrolled. `frames`: how many usable frames were compared together.
        """
        threshold = self._exceeded(FALSE_NAMES[strictness], people) + self.reserve
        return threshold if frames > 1 else threshold + self.single_frame

    def stranger_threshold(self, people: int) -> float:
        """Return the similarity below which an individual clearly is nobody of the `people` enrolled.

        What lies between this and `familiar_threshold` is unclear.
        """
        return self._exceeded(CLEARLY_NOBODY, people)

    def probability(self, comparison: Comparison) -> float:
        """Return how probable it is that the individual is the best candidate, 0 to 1.

        By Bayes' rule over everybody it may be: each enrolled person and a stranger. Before looking, a
        visitor is as likely to be enrolled as not, and any of the enrolled equally. So a runner-up who is
        close behind, and a larger gallery, both make it less.
        """
        if not comparison.candidates:
            return 0.0
        ratios = [
            exp(self.offset + self.slope * candidate.similarity - log(comparison.people))
            for candidate in comparison.candidates
        ]
        return min(ratios[0] / (1.0 + sum(ratios)), self.ceiling)

    def _exceeded(self, share: float, people: int) -> float:
        """Return the similarity that `share` of strangers exceed with any of the `people`."""
        return NormalDist(self.stranger_mean, self.stranger_sd).inv_cdf(1.0 - share / max(people, 1))


SFACE = Calibration(
    stranger_mean=0.111,
    stranger_sd=0.087,
    reserve=0.02,
    single_frame=0.04,
    margin=0.08,
    offset=-13.83,
    slope=41.85,
    ceiling=0.999,
)
"""For SFace (December 2021) with five-point alignment.

`stranger_*`: the faces as they are; harder conditions have the same spread and a lower mean. `offset` and
`slope`: logistic regression over all eight conditions, the person's own photos against everybody else, both
sides weighing the same. `margin`: two people this far apart are 97 to 3 by that slope. `reserve` and
`single_frame` are judgement, not measurement: press photos do not tell how alike a street is.
"""
