"""Several frames of one individual as one embedding."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .person import Embedding


def fuse(embeddings: ArrayLike, weights: ArrayLike) -> Embedding:
    """Return the weighted mean of (n, d) embeddings at unit length, (d,); see `gallery.Gallery.compare`."""
    rows, share = frames(embeddings, weights)
    return unit(share @ rows)


def frames(embeddings: ArrayLike, weights: ArrayLike) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return checked rows and their weights, of which one at least is not 0; raise ValueError."""
    rows: NDArray[np.float32] = np.asarray(embeddings, dtype=np.float32)
    share: NDArray[np.float32] = np.asarray(weights, dtype=np.float32)
    if rows.ndim != 2 or rows.size == 0:
        raise ValueError("embeddings are a matrix with a row for every frame")
    if share.shape != (rows.shape[0],):
        raise ValueError("every embedding needs one weight")
    if not (np.isfinite(rows).all() and np.isfinite(share).all()) or (share < 0).any():
        raise ValueError("embeddings and weights are finite, and weights are not negative")
    if not share.any():
        share = np.ones_like(share)
    return rows, share


def unit(vector: NDArray[np.float32]) -> Embedding:
    """Return a vector (d,) at unit length."""
    length = float(np.linalg.norm(vector))
    # Opposite vectors cancel out: what is left resembles nobody, which is the right answer.
    of_one: Embedding = (vector / length if length > 1e-6 else np.zeros_like(vector)).astype(np.float32)
    return of_one
