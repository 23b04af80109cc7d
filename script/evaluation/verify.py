"""Verification: are two pictures of one person? The LFW pair protocol."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from custom_components.familiar_faces.people.gallery import Gallery

from .engine import Engines, Picture, Seen, Sight
from .enrolment import NOW, make_person, template
from .errors import InputError
from .folders import Pair
from .rates import MISSED, best_threshold, rounded, share_above, threshold_at

FOLDS = 10
"""Into how many parts a file without folds is split."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Pairs, what was seen in their pictures, and how alike they are."""

    pairs: list[Pair]
    references: dict[Path, Seen]
    probes: dict[Path, Seen]
    scores: list[float]
    """Of each pair; minus infinity where a face was not found."""

    @property
    def not_detected(self) -> int:
        """Return in how many pictures no face was found."""
        return sum(each.face is None for each in (*self.references.values(), *self.probes.values()))


def check(pairs: Sequence[Pair], threshold: float | None) -> None:
    """Raise InputError when `figures` cannot be had from these pairs."""
    if len({pair.same for pair in pairs}) < 2:
        raise InputError("the pairs are all of one kind: some must be of one person and some of two")
    if threshold is None and len({pair.fold for pair in with_folds(pairs)}) < 2:
        raise InputError(
            "there are too few pairs to choose a threshold on some of them: give one (--threshold)"
        )


def observe(engines: Engines, pairs: Sequence[Pair], sight: Sight) -> Scored:
    """Return how alike the pictures of each pair are.

    The first of a pair is looked at as a reference photo is and the second as a camera's picture, in its
    condition; they are compared as the gallery compares.
    """
    references = _see(engines, [pair.first for pair in pairs], Sight(mirrored=True), "references")
    probes = _see(engines, [pair.second for pair in pairs], sight, "probes")
    scores = [_score(references[pair.first], probes[pair.second]) for pair in pairs]
    return Scored(list(pairs), references, probes, scores)


def figures(
    pairs: Sequence[Pair], scores: Sequence[float], not_detected: int, threshold: float | None = None
) -> dict[str, Any]:
    """Return accuracy and true accept rates; `scores` are of the pairs.

    The accuracy is the mean of the folds', each tested at the threshold that is best for all others, or all
    pairs' at `threshold`. A pair with a face that was not found is called different.
    """
    same = [pair.same for pair in pairs]
    impostors = [score for score, mate in zip(scores, same, strict=True) if not mate]
    mates = [score for score, mate in zip(scores, same, strict=True) if mate]
    if threshold is None:
        accuracies, thresholds = _cross_validated(pairs, scores)
    else:
        accuracies, thresholds = [_accuracy(scores, same, threshold)], [threshold]
    result = {
        "accuracy": rounded(float(np.mean(accuracies))),
        "tar_far_1pct": rounded(share_above(mates, threshold_at(impostors, 0.01))),
        "tar_far_0_1pct": rounded(share_above(mates, threshold_at(impostors, 0.001))),
        "pairs": len(pairs),
        "not_detected": not_detected,
        "threshold": rounded(float(np.mean(thresholds))),
    }
    if len(accuracies) > 1:
        result |= {"folds": len(accuracies), "accuracy_sd": rounded(float(np.std(accuracies, ddof=1)))}
    return result


def with_folds(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs with their folds: as the file has them, or neighbours together, as many of each kind."""
    if pairs and pairs[0].fold is not None:
        return list(pairs)
    counts = {kind: sum(pair.same is kind for pair in pairs) for kind in (True, False)}
    folds = min(FOLDS, *counts.values())
    taken = {True: 0, False: 0}
    split = []
    for pair in pairs:
        split.append(replace(pair, fold=taken[pair.same] * folds // counts[pair.same]))
        taken[pair.same] += 1
    return split


def _cross_validated(pairs: Sequence[Pair], scores: Sequence[float]) -> tuple[list[float], list[float]]:
    rows = sorted(
        ((pair.fold or 0, pair.same, score) for pair, score in zip(with_folds(pairs), scores, strict=True)),
        key=lambda row: row[0],
    )
    accuracies, thresholds = [], []
    for fold, group in groupby(rows, key=lambda row: row[0]):
        others = [row for row in rows if row[0] != fold]
        threshold = best_threshold([score for *_, score in others], [same for _, same, _ in others])
        tested = list(group)
        accuracies.append(_accuracy([row[2] for row in tested], [row[1] for row in tested], threshold))
        thresholds.append(threshold)
    return accuracies, thresholds


def _accuracy(scores: Sequence[float], same: Sequence[bool], threshold: float) -> float:
    return float(np.mean((np.asarray(scores) >= threshold) == np.asarray(same)))


def _see(engines: Engines, paths: Sequence[Path], sight: Sight, what: str) -> dict[Path, Seen]:
    """Return what was seen in each picture, each looked at once however many pairs it is in."""
    pictures = [Picture(path, path.parent.name) for path in dict.fromkeys(paths)]
    return {seen.picture.path: seen for seen in engines.see(pictures, sight, what)}


def _score(reference: Seen, probe: Seen) -> float:
    if reference.face is None or reference.faces is None or probe.face is None:
        return MISSED
    person = make_person("reference", [template(reference, "")])
    best = Gallery([person], reference.faces.model).compare(probe.face.embedding[None], [1.0], NOW).best
    return MISSED if best is None else best.similarity
