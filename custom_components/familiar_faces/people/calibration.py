"""Calibration: what a similarity means, as a threshold to keep a promise with and as a probability.

The constants hold for one embedding space. `script/eval calibrate` fits them and writes `fitted.py`; those that
are shipped come from the LFW development people (view 1): a gallery of 40 people with three photos each, 208
other photos of them, and 1,713 photos of 1,208 people who are not in the gallery, each as is and made harder
(faces 45, 30 and 24 px wide, dark, grey, blurred, JPEG 70). `docs/accuracy.md` has the check of the fit.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import exp, log
from statistics import NormalDist

from . import fitted
from .gallery import Comparison


class Strictness(StrEnum):
    """How sure the owner wants to be before a name is said."""

    RELAXED = "relaxed"
    BALANCED = "balanced"
    STRICT = "strict"


FALSE_NAMES = {Strictness.RELAXED: 1e-2, Strictness.BALANCED: 1e-3, Strictness.STRICT: 1e-4}
"""The promise: in which share of strangers' visits a wrong name may be said."""

PROBABLE = 0.9
"""How probable a name has to be at least. With few people enrolled, a promise could be kept by names that are
hardly ever right: so few strangers resemble one of them by chance, and hardly anybody so little themselves."""

CLEARLY_NOBODY = 0.05
"""Which share of strangers' visits may be `unclear` rather than `stranger` because of a chance likeness."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the similarities of one embedding space mean.

    The similarity of a stranger to one enrolled person is close to normally distributed, in every condition
    alike, with a tail a little heavier: on the development set 1 % lie above 2.38 of its standard deviations
    (2.33 for a normal distribution), 0.1 % above 3.17 (3.09), 0.01 % above 3.85 (3.72). The distribution here
    is as wide as that tail. So the highest of `n` people exceeds a threshold `t` with a probability of at
    most `n * P(similarity > t)`, and a promise gives the threshold.
    """

    stranger_mean: float
    """Mean similarity of a stranger to an enrolled person."""
    stranger_sd: float
    """The standard deviation of the normal distribution that is as wide as its tail."""
    reserve: float
    """Added to the threshold for a name: strangers at a door are more like a household (relatives, one
    region) than the press photos of the development set are like each other, and one camera with its light and
    angle makes two people more alike. Of three people filmed by one camera and enrolled from its frames, the
    pairs are at 0.05, 0.15 and 0.32 on average and at 0.42 at most, where strangers are at 0.00 on average;
    with a reserve of 0.02 a third of their visits got another's name, with 0.12 one in twelve when they were
    made 24 or 30 pixels wide or blurred, with this one, at 30 pixels."""
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
        promised = self._exceeded(FALSE_NAMES[strictness], people) + self.reserve
        threshold = max(promised, self._probable(people))
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

    def verification_probability(self, similarity: float) -> float:
        """Return how probable it is that an individual is the claimed person, 0 to 1.

        By Bayes' rule over this person and one stranger; before looking either is as likely.
        """
        ratio = self.offset + self.slope * similarity
        return min(1.0 / (1.0 + exp(-ratio)), self.ceiling)

    def _probable(self, people: int) -> float:
        """Return the similarity from which one of the `people` is `PROBABLE`, all others out of question."""
        return (log(PROBABLE / (1.0 - PROBABLE)) + log(max(people, 1)) - self.offset) / self.slope

    def _exceeded(self, share: float, people: int) -> float:
        """Return the similarity that `share` of strangers exceed with any of the `people`."""
        return NormalDist(self.stranger_mean, self.stranger_sd).inv_cdf(1.0 - share / max(people, 1))


SFACE = Calibration(
    stranger_mean=fitted.STRANGER_MEAN,
    stranger_sd=fitted.STRANGER_SD,
    reserve=0.15,
    single_frame=0.02,
    margin=0.08,
    offset=fitted.OFFSET,
    slope=fitted.SLOPE,
    ceiling=0.999,
)
"""For SFace (December 2021) with five-point alignment.

`reserve`, `single_frame` and `margin` are judgement, not measurement: press photos do not tell how alike a street
is. By the slope, two strangers half that margin apart are 97 to 3; but those who are confused are relatives.
`ceiling` is as far as the strangers of the development set can be counted. The rest is fitted.
"""
