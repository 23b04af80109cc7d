"""Fits a calibration to similarities. Pure numpy."""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from custom_components.familiar_faces.people.person import Embedding

TAIL = (0.99, 0.999, 0.9999)
"""Where the width of the strangers' distribution is taken: thresholds lie in its tail."""

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

    Logistic regression by Newton's method, both sides weighing the same (Platt 1999; Brümmer and du Preez 2006
    for its use as a likelihood ratio). A small pull of the slope to nothing keeps it finite where the two do
    not overlap.
    """
    x = np.concatenate([own, others])
    truth = np.concatenate([np.ones(len(own)), np.zeros(len(others))])
    weight = np.concatenate([np.full(len(own), 0.5 / len(own)), np.full(len(others), 0.5 / len(others))])
    rows = np.column_stack([np.ones_like(x), x])
    pull = np.diag([0.0, 1e-9])
    best = np.zeros(2)
    for _ in range(100):
        guess = 1.0 / (1.0 + np.exp(-np.clip(rows @ best, -50, 50)))
        slope = rows.T @ (weight * (guess - truth)) + pull @ best
        curve = (rows * (weight * guess * (1 - guess))[:, None]).T @ rows + pull
        step = np.linalg.solve(curve, slope)
        best -= step
        if np.abs(step).max() < 1e-9:
            break
    return float(best[0]), float(best[1])
