"""The field's rates, from scores. A score is a cosine, minus infinity where no face was found."""

from collections.abc import Sequence
import math

import numpy as np

MISSED = -math.inf


def threshold_at(impostors: Sequence[float], share: float) -> float:
    """Return the score that at most `share` of all impostors exceed.

    Those who were not detected are impostors too: they lower the share of those who pass. With fewer
    impostors than `1 / share` it is the highest of their scores.
    """
    if not impostors:
        raise ValueError("a false positive rate needs impostors")
    # 0.29 * 100 is 28.999999999999996.
    allowed = math.floor(share * len(impostors) + 1e-9)
    return sorted(impostors, reverse=True)[min(allowed, len(impostors) - 1)]


def share_above(scores: Sequence[float], threshold: float) -> float:
    """Return which share of all scores exceeds a threshold."""
    return float(np.mean(np.asarray(scores) > threshold)) if len(scores) else 0.0


def best_threshold(scores: Sequence[float], same: Sequence[bool]) -> float:
    """Return the threshold that tells most pairs rightly; the middle one of the best."""
    order = np.argsort(scores)
    ranked = np.maximum(np.asarray(scores, dtype=float), -1.0)[order]
    truth = np.asarray(same)[order]
    # Between the scores before and after each place: what lies below is called different.
    right = np.concatenate([[0], np.cumsum(~truth)]) + np.concatenate([np.cumsum(truth[::-1])[::-1], [0]])
    below = np.concatenate([[-1.0], ranked])
    above = np.concatenate([ranked, [1.0]])
    apart = below < above
    places = np.flatnonzero(apart & (right == right[apart].max()))
    place = places[len(places) // 2]
    return float((below[place] + above[place]) / 2)


def rounded(value: float) -> float:
    """Return a rate as it is printed."""
    return round(value, 4)
