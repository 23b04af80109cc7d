"""Fits a calibration to similarities. Pure numpy."""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from custom_components.familiar_faces.people.person import Embedding

TAIL = (0.99, 0.999, 0.9999)
"""Where the width of the strangers' distribution is taken: thresholds lie in its tail."""

LEAST_NOTHING = 1e-4
"""Which share of somebody's own faces is taken to tell nothing at least."""
ROUNDS = 200
"""How often the fit is improved at most, and what it may still change by at the end."""
SETTLED = 1e-3

type Floats = NDArray[np.float64]


def centre(faces: Sequence[tuple[str, Embedding]]) -> Embedding:
    """Return the mean of named people's embeddings, (d,), in which each person counts once."""
    of: dict[str, list[Embedding]] = {}
    for name, embedding in faces:
        of.setdefault(name, []).append(embedding)
    means = [np.mean(some, axis=0) for some in of.values()]
    middle: Embedding = np.mean(means, axis=0).astype(np.float32)
    return middle


def strangers(similarities: Floats) -> tuple[float, float]:
    """Return mean and standard deviation of a normal distribution that is as wide as the data's tail, or wider."""
    mean = float(similarities.mean())
    wide = [
        (float(np.quantile(similarities, share)) - mean) / NormalDist().inv_cdf(share)
        for share in TAIL
        if len(similarities) * (1 - share) >= 5
    ]
    return mean, max(wide, default=float(similarities.std()))


def likelihood(own: Floats, others: Floats) -> tuple[float, float]:
    """Return offset and slope of the log likelihood ratio of a similarity: their own person's or another's.

    Logistic regression, both sides weighing the same (Platt 1999; Brümmer and du Preez 2006 for its use as a likelihood
    ratio), but for a small share of somebody's own faces that tell nothing, as if they were another's: too dark, or
    wrongly labelled. That share is fitted along, by expectation and maximisation. Without it a single face decides: one
    of 1,640, in the dark and with a likeness of 0.05, takes the slope from 58 to 42, so that a likeness of 0.40, which
    1 stranger in 100,000 has, counts a seventh of what it should.
    """
    x = np.concatenate([own, others])
    rows = np.column_stack([np.ones_like(x), x])
    truth = np.concatenate([np.ones(len(own)), np.zeros(len(others))])
    of_others = np.full(len(others), 0.5 / len(others))
    tells = np.ones(len(own))
    best = np.zeros(2)
    for _ in range(ROUNDS):
        before = best
        best = _logistic(rows, truth, np.concatenate([tells * 0.5 / len(own), of_others]), before)
        if np.abs(best - before).max() < SETTLED:
            break
        ratio = np.exp(np.clip(best[0] + best[1] * own, -50, 50))
        nothing = max(1.0 - float(tells.mean()), LEAST_NOTHING)
        tells = (1 - nothing) * ratio / ((1 - nothing) * ratio + nothing)
    return float(best[0]), float(best[1])


def _logistic(rows: Floats, truth: Floats, weight: Floats, start: Floats) -> Floats:
    """Return the coefficients of a weighted logistic regression, (2,), by Newton's method.

    A small pull of the slope to nothing keeps it finite where the two sides do not overlap.
    """
    pull = np.diag([0.0, 1e-9])
    best = start.copy()
    for _ in range(100):
        guess = 1.0 / (1.0 + np.exp(-np.clip(rows @ best, -50, 50)))
        slope = rows.T @ (weight * (guess - truth)) + pull @ best
        curve = (rows * (weight * guess * (1 - guess))[:, None]).T @ rows + pull
        step = np.linalg.solve(curve, slope)
        best = best - step
        if np.abs(step).max() < 1e-9:
            break
    return best
