"""Verification, one to one: whether an individual is the claimed person."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from .calibration import SFACE, Calibration, Strictness
from .clarity import are_poor
from .gallery import Gallery


class Answer(StrEnum):
    """What a verification says."""

    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"


class WhyUnclear(StrEnum):
    """Why a verification says neither yes nor no."""

    NO_FACE = "no_face"
    """There is no face at all."""
    NO_USABLE_FACE = "no_usable_face"
    """The faces are too poor to be compared."""
    NOT_SURE = "not_sure"
    """The face resembles the person, but not enough for a yes."""


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether an individual is the claimed person."""

    answer: Answer
    similarity: float | None = None
    """Cosine with the centroid of the claimed person's templates; None without a usable face."""
    probability: float | None = None
    """That it is the claimed person, 0 to 1, if before looking that was as likely as not."""
    reason: WhyUnclear | None = None
    """Only for `unclear`."""

    def __post_init__(self) -> None:
        """Refuse a verification that says two things."""
        if (self.reason is not None) != (self.answer is Answer.UNCLEAR):
            raise ValueError("an unclear verification has a reason, another has none")
        if (self.similarity is None) != (self.probability is None):
            raise ValueError("a similarity and its probability come together")


def verify(
    embeddings: NDArray[np.float32],
    weights: NDArray[np.float32],
    gallery: Gallery,
    person_id: str,
    now: datetime,
    *,
    strictness: Strictness = Strictness.BALANCED,
    calibration: Calibration = SFACE,
    lengths: NDArray[np.float32] | None = None,
) -> Verification:
    """Return whether ONE individual is the claimed person.

    `embeddings`, `weights`, `lengths`: their usable faces, as for `Gallery.compare`; without a row the answer is
    `unclear`, and without one that was seen well there is no `no`. The thresholds are those of a gallery of one person: `yes` from the one for a name on, `no` below the
    one for a stranger. Others matter by what the face has in common with all, and where one of them is resembled
    clearly more: then it is no `yes`. Raises LookupError when this person cannot or may not be compared with,
    ValueError as `Gallery.compare` does.
    """
    if len(embeddings) == 0:
        return unverified(WhyUnclear.NO_USABLE_FACE)
    candidate = gallery.compare_with(person_id, embeddings, weights, now, lengths)
    if candidate is None:
        raise LookupError(f"{person_id} cannot be compared with")
    similarity = candidate.similarity
    probability = calibration.verification_probability(candidate)
    enough = calibration.names(candidate, 1, len(embeddings), strictness)
    best = gallery.compare(embeddings, weights, now, lengths).best
    other = best is not None and best.person_id != person_id
    ahead = best is not None and other and best.similarity - similarity >= calibration.margin
    if enough and not ahead:
        return Verification(Answer.YES, similarity, probability)
    seen_well = not are_poor(lengths, len(embeddings)).all()
    if seen_well and candidate.own < calibration.stranger_threshold(1):
        return Verification(Answer.NO, similarity, probability)
    return Verification(Answer.UNCLEAR, similarity, probability, WhyUnclear.NOT_SURE)


def unverified(reason: WhyUnclear) -> Verification:
    """Return the answer about an individual without anything to compare."""
    return Verification(Answer.UNCLEAR, reason=reason)


def best(verifications: list[Verification]) -> Verification:
    """Return what a picture says of the claimed person: the surest of its faces, `unclear` without any.

    One yes makes a yes, and no face may be unclear for a no.
    """
    order = (Answer.NO, Answer.UNCLEAR, Answer.YES)
    return max(
        verifications,
        key=lambda each: (order.index(each.answer), each.probability or 0.0),
        default=unverified(WhyUnclear.NO_FACE),
    )
