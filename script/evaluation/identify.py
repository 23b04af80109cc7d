"""Identification: who of the people enrolled is it, if anybody? One picture at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from custom_components.familiar_faces.people.calibration import Strictness
from custom_components.familiar_faces.people.gallery import Gallery
from custom_components.familiar_faces.visits.decision import decide
from custom_components.familiar_faces.visits.visit import Decision, Sighting, UnclearReason

from .engine import Engines, Seen, Sight
from .enrolment import NOW
from .folders import People
from .rates import MISSED, rounded, share_above, threshold_at


@dataclass(frozen=True, slots=True)
class Observed:
    """What was seen of a set in one condition."""

    probes: list[Seen]
    """Labelled with who it is."""
    unknown: list[Seen]


def observe(engines: Engines, people: People, sight: Sight) -> Observed:
    """Return what the engine sees in every probe and unknown picture, in the order of the set."""
    return Observed(
        engines.see(people.probes, sight, "probes"), engines.see(people.unknown, sight, "unknown")
    )


def figures(observed: Observed, gallery: Gallery) -> dict[str, Any]:
    """Return the rates of a set; see `rates` and `decisions`."""
    answers = {
        kind: [_answer(seen, gallery) for seen in some]
        for kind, some in (("probes", observed.probes), ("unknown", observed.unknown))
    }
    labels = [str(seen.label) for seen in observed.probes]
    return {
        **open_set(labels, answers["probes"], answers["unknown"]),
        "decisions": {
            strictness.value: decisions(observed, gallery, strictness) for strictness in Strictness
        },
    }


def open_set(
    labels: Sequence[str],
    probes: Sequence[tuple[str | None, float]],
    unknown: Sequence[tuple[str | None, float]],
) -> dict[str, Any]:
    """Return rank 1 and TPIR at FPIR, as shares of all probes, from who is resembled most and how much.

    Every detected face takes part, however poor; a face that was not found (nobody, minus infinity) is
    missed. See ISO/IEC 19795-1 and NIST IR 8271 for the terms.
    """
    impostors = [score for _, score in unknown]
    mates = [score if name == label else MISSED for label, (name, score) in zip(labels, probes, strict=True)]
    return {
        "probes": len(probes),
        "unknown": len(unknown),
        "rank1": rounded(share_above(mates, MISSED)),
        "tpir_fpir_1pct": rounded(share_above(mates, threshold_at(impostors, 0.01))),
        "tpir_fpir_0_1pct": rounded(share_above(mates, threshold_at(impostors, 0.001))),
        "not_detected": rounded(float(np.mean([score == MISSED for _, score in probes]))),
        "unknown_not_detected": rounded(float(np.mean([score == MISSED for _, score in unknown]))),
    }


def decisions(observed: Observed, gallery: Gallery, strictness: Strictness) -> dict[str, float]:
    """Return how the product decides about one picture, as the action `identify` does about an image.

    `right`, `wrong`, `unclear`, `stranger` and `unusable` are shares of all probes and add up to 1.
    `unusable`: no face was found, or it was too poor to be compared. `strangers_named` is the share of all
    unknown pictures that are given any name.
    """
    told = [outcome(seen, gallery, strictness) for seen in observed.probes]
    names = [outcome(seen, gallery, strictness) in ("right", "wrong") for seen in observed.unknown]
    kinds = ("right", "wrong", "unclear", "unusable", "stranger")
    shares = {kind: rounded(told.count(kind) / len(told)) for kind in kinds}
    return {**shares, "strangers_named": rounded(float(np.mean(names)))}


def outcome(seen: Seen, gallery: Gallery, strictness: Strictness) -> str:
    """Return what is said of one picture, and whether that is right."""
    if seen.face is None:
        return "unusable"
    verdict = decide(
        Sighting.begin(seen.face, NOW), gallery, NOW, True, strictness=strictness, one_picture=True
    )
    if verdict is None:
        raise RuntimeError("a final decision was not taken")
    if verdict.decision is Decision.FAMILIAR:
        return "right" if verdict.person_id == seen.label else "wrong"
    return "unusable" if verdict.reason is UnclearReason.NO_USABLE_FACE else verdict.decision.value


def _answer(seen: Seen, gallery: Gallery) -> tuple[str | None, float]:
    if seen.face is None:
        return None, MISSED
    best = gallery.compare(seen.face.embedding[None], [1.0], NOW).best
    return (None, MISSED) if best is None else (best.person_id, best.similarity)
