"""The decision: who an individual is, a stranger, unclear, or not to be said yet."""

from datetime import datetime

from ..people.calibration import SFACE, Calibration, Strictness
from ..people.gallery import Comparison, Gallery
from .judging import judged_too_few, looks_like_a_picture
from .visit import Decision, Sighting, UnclearReason, Verdict

AGREEING = 2
"""How many usable frames a name needs while the look goes on."""

IN_PROFILE = 35.0
"""Degrees from which a face is turned so far that a single picture of it needs more likeness for a name.

Of 414 single pictures of strangers in profile (CFP), one resembles one of sixty people by 0.48, of as many from the
front none by more than 0.39."""

STRANGER_FRAMES = 3
"""How many frames with a face that was seen well `stranger` needs while the look goes on: a hasty one cannot be taken back."""

STRANGER_FRAMES_FINAL = 2
"""How many of them it needs at the end of the look."""


def decide(
    sighting: Sighting,
    gallery: Gallery,
    now: datetime,
    final: bool,
    *,
    strictness: Strictness = Strictness.BALANCED,
    calibration: Calibration = SFACE,
    one_picture: bool = False,
) -> Verdict | None:
    """Return what the individual was decided to be, None while more frames should be seen.

    `final` says that no more frames will come: then the answer is never None. The caller leaves frames
    that are identical to an earlier one out, so that every usable face is evidence of its own.

    `one_picture` says that the camera makes one picture a visit: only then is one enough for a name, at the
    stricter threshold of a single one.

    A wrong name is worse than no name, so what is not clear is `unclear`, with a reason. Faces too poor to
    be compared, or not seen well, never make anybody a stranger: a household member in the dark, or in cap and
    sunglasses, resembles nobody either. A face that has not moved may be a picture: it is waited with until it moves
    or the look ends. So is one that looks like a picture, where the owner has faces judged (`Face.real`). Where one frame
    is all that there is, nothing can be said of movement.
    """
    frames = len(sighting.faces)
    if frames == 0:
        return _unclear(UnclearReason.NO_USABLE_FACE) if final else None
    if not (final or sighting.movement.seen):
        return None
    lengths = sighting.lengths
    together = gallery.compare(sighting.embeddings, sighting.weights, now, lengths)
    each = [
        gallery.compare(face.embedding[None], [1.0], now, lengths[[index]])
        for index, face in enumerate(sighting.faces)
    ]
    if not final and (judged_too_few(sighting.faces) or looks_like_a_picture(sighting.faces)):
        # Closer, or in other light, it may be seen that it is none.
        return None
    if sighting.movement.missing or looks_like_a_picture(sighting.faces):
        return _unclear(UnclearReason.MAY_BE_A_PICTURE, _resembled(together, each, calibration))
    if frames >= AGREEING or final:
        alone_in_profile = frames == 1 and abs(sighting.faces[0].quality.yaw) > IN_PROFILE
        evidence = 0 if alone_in_profile else frames
        if (frames >= AGREEING or one_picture) and _is_familiar(
            together, each, evidence, strictness, calibration
        ):
            # A relaxed household takes more risk with names than with what the camera learns.
            sure = strictness is not Strictness.RELAXED or _is_familiar(
                together, each, evidence, Strictness.BALANCED, calibration
            )
            return _familiar(together, calibration, sure=sure)
        needed = STRANGER_FRAMES_FINAL if final else STRANGER_FRAMES
        nobody = _is_nobody(together, each, calibration)
        if sighting.clear >= needed and nobody:
            return Verdict(Decision.STRANGER)
    if not final:
        return None
    reason = _why(together, strictness, calibration)
    if reason is UnclearReason.NOT_SURE and nobody:
        reason = UnclearReason.POOR_FACE
    return _unclear(reason, _resembled(together, each, calibration))


def _is_familiar(
    together: Comparison,
    each: list[Comparison],
    evidence: int,
    strictness: Strictness,
    calibration: Calibration,
) -> bool:
    """Return whether the frames together name one person and at least two of them agree.

    `evidence`: how many frames they count for. A single frame at the end of a look has a stricter threshold, see
    `Calibration.familiar_threshold`.
    """
    best = together.best
    if best is None or together.margin < calibration.margin:
        return False
    if not calibration.names(best, together.people, evidence, strictness):
        return False
    limit = calibration.stranger_threshold(together.people)
    tops = [one.best for one in each if one.best is not None and one.best.own >= limit]
    agreeing = [top for top in tops if top.person_id == best.person_id]
    return len(agreeing) >= min(AGREEING, together.frames) and 2 * len(agreeing) > together.frames


def _is_nobody(together: Comparison, each: list[Comparison], calibration: Calibration) -> bool:
    """Return whether every frame, and all together, clearly resemble nobody."""
    limit = calibration.stranger_threshold(together.people)
    return all(one.best is None or one.best.own < limit for one in (together, *each))


def _why(together: Comparison, strictness: Strictness, calibration: Calibration) -> UnclearReason:
    """Return why an individual with usable faces could be neither named nor called a stranger."""
    best = together.best
    if best is not None:
        alike = together.margin < calibration.margin
        if alike and calibration.names(best, together.people, AGREEING, strictness):
            return UnclearReason.TOO_ALIKE
    if together.frames < AGREEING:
        return UnclearReason.FEW_FRAMES
    return UnclearReason.NOT_SURE


def _familiar(comparison: Comparison, calibration: Calibration, *, sure: bool) -> Verdict:
    best = comparison.candidates[0]
    return Verdict(
        Decision.FAMILIAR,
        person_id=best.person_id,
        name=best.name,
        confidence=calibration.probability(comparison),
        template_id=best.template_id,
        similarity=best.similarity,
        sure=sure,
    )


def _resembled(together: Comparison, each: list[Comparison], calibration: Calibration) -> frozenset[str]:
    """Return the people that the frames may show: some did not agree to pictures."""
    limit = calibration.stranger_threshold(together.people)
    candidates = [candidate for one in (together, *each) for candidate in one.candidates]
    return frozenset(candidate.person_id for candidate in candidates if candidate.similarity >= limit)


def _unclear(reason: UnclearReason, resembled: frozenset[str] = frozenset()) -> Verdict:
    return Verdict(Decision.UNCLEAR, reason=reason, resembled=resembled)
