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
from .gallery import Candidate, Comparison


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
"""How many others it takes until half of the reserve is needed no more.

With 2, strangers at one camera were named oftener, and one of 1,872 visits of strangers in profile; see
`Calibration.reserve`."""

RELAXED_DOUBT = 1.2
"""Which share of the reserve a relaxed household needs. With all of it and no more, two of twelve visits of strangers at
one camera (clips, homes of two) were named."""

RELATIVES = 0.15
"""How much more alike relatives are than strangers, when a photo to enrol with is looked at."""

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
    """Added to what a name needs while nobody else tells how alike a camera makes everybody.

    One camera, with its light and angle, makes two people more alike than press photos are: 0.30 on average in Extended
    Yale B, from below 0 to 0.4 in clips of a door. How much is seen by the likeness to the others who are enrolled
    (`Candidate.common`), so the more of them there are, the less is added blindly.

    Homes of 1 / 2 / 5 / 10 people, drawn at random (`script/eval visits DIR --home N`), and named rightly with all of it
    for everybody / as it is: cap and sunglasses 0.10 / 0.05 / 0.06 / 0.09 and 0.10 / 0.05 / 0.30 / 0.63. Visits of
    strangers named at one camera (Extended Yale B, lamp at 25 to 50 and over 77 degrees, of 1,040), homes of 1 / 2 / 5:
    71 / 78 / 116 and 71 / 44 / 19. It costs 12 of 447 visits with the lamp at more than 77 degrees their name."""
    single_frame: float
    """Added to the reserve when one frame is all there is."""
    few_frames: tuple[float, ...]
    """What is added at least when one frame in profile is all there is, or one, two, and so on: one odd frame counts for
    most of them."""
    margin: float
    """How far the best person must be ahead of the next for a name."""
    offset: float
    slope: float
    """Log likelihood ratio of 'this person' against 'somebody else': `offset + slope * Candidate.own`."""
    ceiling: float
    """The highest probability that the development set is large enough to speak of."""

    def familiar_threshold(
        self,
        people: int,
        frames: int = 2,
        strictness: Strictness = Strictness.BALANCED,
        *,
        others: int | None = None,
    ) -> float:
        """Return the similarity of their own (`Candidate.own`) from which a name may be said.

        `people`: how many are enrolled. `frames`: how many usable frames were compared together, 0 for a single one in
        profile. `others`: of how many others it is known what a face has in common with them (`Candidate.others`); None
        for all but one.
        """
        told_by = max(people - 1, 0) if others is None else others
        needed = self._needed(people, frames, strictness, told_by)
        if strictness is not Strictness.RELAXED:
            return needed
        return min(needed, self._needed(people, frames, Strictness.BALANCED, told_by))

    def _needed(self, people: int, frames: int, strictness: Strictness, told_by: int) -> float:
        # Who is relaxed takes the risk of a chance likeness, and not of what a camera has not been seen to do: with less,
        # eight of 5,616 strangers in profile (CFP, homes of five) were named instead of one.
        unknown = RELAXED_DOUBT if strictness is Strictness.RELAXED else DOUBT / (told_by + DOUBT)
        few = self.few_frames[frames] if frames < len(self.few_frames) else 0.0
        reserved = self.reserve * unknown + (self.single_frame if frames <= 1 else 0.0)
        promised = self._exceeded(FALSE_NAMES[strictness], people) + max(reserved, few)
        return max(promised, self._probable(people))

    def names(
        self, candidate: Candidate, people: int, frames: int, strictness: Strictness = Strictness.BALANCED
    ) -> bool:
        """Return whether a candidate may be named, as far as likeness tells; see `familiar_threshold`."""
        needed = self.familiar_threshold(people, frames, strictness, others=candidate.others)
        return candidate.own >= needed and candidate.similarity >= candidate.guard

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
            exp(self.offset + self.slope * candidate.own - log(comparison.people))
            for candidate in comparison.candidates
        ]
        return min(ratios[0] / (1.0 + sum(ratios)), self.ceiling)

    def verification_probability(self, claimed: Candidate) -> float:
        """Return how probable it is that an individual is the one person that they are claimed to be, 0 to 1.

        By Bayes' rule over this person and one stranger; before looking either is as likely.
        """
        ratio = self.offset + self.slope * claimed.own
        return min(1.0 / (1.0 + exp(-ratio)), self.ceiling)

    def _probable(self, people: int) -> float:
        """Return the similarity of their own from which one of the `people` is `PROBABLE`, all others out of question."""
        return (log(PROBABLE / (1.0 - PROBABLE)) + log(max(people, 1)) - self.offset) / self.slope

    def _exceeded(self, share: float, people: int) -> float:
        """Return the similarity that `share` of strangers exceed with any of the `people`."""
        return NormalDist(self.stranger_mean, self.stranger_sd).inv_cdf(1.0 - share / max(people, 1))


SFACE = Calibration(
    stranger_mean=fitted.STRANGER_MEAN,
    stranger_sd=fitted.STRANGER_SD,
    reserve=0.15,
    single_frame=0.02,
    few_frames=(0.17, 0.07, 0.06, 0.03),
    margin=0.08,
    offset=fitted.OFFSET,
    slope=fitted.SLOPE,
    ceiling=0.999,
)
"""For SFace (December 2021) with five-point alignment.

`reserve` keeps a home of few people as safe as one in which nothing is known of the camera. `few_frames` keeps strangers in
profile (CFP) from being named, in whatever home. `margin` is judgement: by the slope, two strangers half of it apart
are 97 to 3, but those who are confused are relatives. `ceiling` is as far as the strangers of the development set can
be counted. The rest is fitted.
"""
