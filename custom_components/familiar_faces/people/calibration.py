"""Calibration: what a similarity means, as a threshold to keep a promise with and as a probability.

The constants hold for one embedding space. `script/eval calibrate` fits them and writes `fitted.py`; those that
are shipped come from the LFW development people (view 1): a gallery of 40 people with three photos each, 208
other photos of them, and 1,713 photos of 1,208 people who are not in the gallery, each as is and made harder
(faces 45, 30 and 24 px wide, dark, grey, blurred, JPEG 70). `docs/accuracy.md` has the check of the fit.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import exp, log, sqrt
from statistics import NormalDist

from . import fitted
from .gallery import UNKNOWN, Candidate, Comparison


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

DOUBT = 4.0
"""How many others it takes until it is half known how alike a camera makes everybody.

By the highest of the strangers of Extended Yale B, each compared with 1 / 2 / 3 / 5 / 9 people enrolled at the same
camera, 60 draws each: they are spread 1.6 / 1.4 / 1.4 / 1.2 / 1.0 times as widely as strangers in photos."""

RELATIVES = 0.15
"""How much more alike relatives are than strangers, when a photo to enrol with is looked at."""

CLEARLY_NOBODY = 0.05
"""Which share of strangers' visits may be `unclear` rather than `stranger` because of a chance likeness."""


@dataclass(frozen=True, slots=True)
class Alike:
    """What has to be reckoned with while few people tell how alike a camera makes everybody.

    One camera, with its light and angle, makes two people more alike than press photos are: 0.30 on average in
    Extended Yale B, from below 0 to 0.4 in clips of a door. How much is seen by the likeness to the others who are
    enrolled (`Candidate.common`); until there are enough of them, this is added to what a name needs.
    """

    mean: float
    """How alike strangers are on average where nobody else tells."""
    sd: float
    """How much that differs from person to person."""


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
    alike: Alike
    """How alike strangers are to a person enrolled with photos of any kind."""
    alike_here: Alike
    """The same of a person enrolled with pictures of the camera that sees the stranger."""
    few_frames: tuple[float, ...]
    """Added to the threshold for a name when one frame is all there is, or two, and so on: one odd frame counts for
    most of them."""
    margin: float
    """How far the best person must be ahead of the next for a name."""
    offset: float
    slope: float
    """Log likelihood ratio of 'this person' against 'somebody else': `offset + slope * standing`."""
    ceiling: float
    """The highest probability that the development set is large enough to speak of."""

    def familiar_threshold(
        self, people: int, frames: int = 2, strictness: Strictness = Strictness.BALANCED
    ) -> float:
        """Return the standing from which a name may be said.

        `people`: how many are enrolled. `frames`: how many usable frames were compared together.
        """
        promised = self._exceeded(FALSE_NAMES[strictness], people)
        threshold = max(promised, self._probable(people))
        return threshold + (self.few_frames[max(frames, 1) - 1] if frames <= len(self.few_frames) else 0.0)

    def standing(self, candidate: Candidate) -> float:
        """Return how far a candidate stands out: the similarity as if strangers were alike by chance only.

        What is common to all is taken away, and what a camera may have in common besides, the more the fewer
        people tell it; and it is drawn together by as much as strangers are spread more widely while that is not
        known. So strangers are distributed as `stranger_mean` and `stranger_sd` say, however many are enrolled.
        """
        alike = self.alike_here if candidate.same_camera else self.alike
        told_by = candidate.others + UNKNOWN
        wider = sqrt(1.0 + (alike.sd / self.stranger_sd * DOUBT / (candidate.others + DOUBT)) ** 2)
        left = candidate.own - alike.mean * UNKNOWN / told_by
        return self.stranger_mean + (left - self.stranger_mean) / wider

    def photo_threshold(self, people: int) -> float:
        """Return the similarity from which a photo may be somebody else's, who is one of `people` enrolled."""
        return self._exceeded(FALSE_NAMES[Strictness.BALANCED], people) + RELATIVES

    def stranger_threshold(self, people: int) -> float:
        """Return the similarity of their own (`Candidate.own`) below which somebody clearly is none of `people`.

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
            exp(self.offset + self.slope * self.standing(candidate) - log(comparison.people))
            for candidate in comparison.candidates
        ]
        return min(ratios[0] / (1.0 + sum(ratios)), self.ceiling)

    def verification_probability(self, claimed: Candidate) -> float:
        """Return how probable it is that an individual is the one person whom they are claimed to be, 0 to 1.

        By Bayes' rule over this person and one stranger; before looking either is as likely.
        """
        ratio = self.offset + self.slope * self.standing(claimed)
        return min(1.0 / (1.0 + exp(-ratio)), self.ceiling)

    def _probable(self, people: int) -> float:
        """Return the standing from which one of the `people` is `PROBABLE`, all others out of question."""
        return (log(PROBABLE / (1.0 - PROBABLE)) + log(max(people, 1)) - self.offset) / self.slope

    def _exceeded(self, share: float, people: int) -> float:
        """Return the similarity that `share` of strangers exceed with any of the `people`."""
        return NormalDist(self.stranger_mean, self.stranger_sd).inv_cdf(1.0 - share / max(people, 1))


SFACE = Calibration(
    stranger_mean=fitted.STRANGER_MEAN,
    stranger_sd=fitted.STRANGER_SD,
    alike=Alike(mean=0.15, sd=0.11),
    alike_here=Alike(mean=0.20, sd=0.12),
    few_frames=(0.06, 0.04, 0.02),
    margin=0.08,
    offset=fitted.OFFSET,
    slope=fitted.SLOPE,
    ceiling=0.999,
)
"""For SFace (December 2021) with five-point alignment.

`alike` and `alike_here` are what the strangers of Extended Yale B need (see `DOUBT`); photos of other cameras are
reckoned to be a little less alike, as nobody says that they are none of this one. `few_frames` is what keeps strangers in
profile (CFP) from being named, `margin` is judgement: by the slope, two strangers half of it apart are 97 to 3, but
those who are confused are relatives. `ceiling` is as far as the strangers of the development set can be counted. The
rest is fitted.
"""
