"""What a person's templates say together: which of them are different photos, and their middle."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from .person import Embedding, Person, Template

NEARLY_SAME = 0.93
"""Cosine from which two photos add nothing to each other.

Different photos of one person in the LFW development set exceed it in 1 of 1,500 pairs, and that pair is one
picture twice; the median photo against itself at 30 px is at 0.89.
"""


ENOUGH_PHOTOS = 3
"""How many different photos are enough to be recognised well."""


def compared(templates: Sequence[Template]) -> list[Template]:
    """Return a person's templates that are compared with: those in use, of the newest one's model."""
    return [each for each in templates if each.usable and each.model == templates[-1].model]


def distinct(embeddings: Sequence[Embedding]) -> list[list[int]]:
    """Return the indices of (d,) unit-length embeddings, grouped: those of nearly the same photo together.

    Each joins the group whose first photo it resembles most, or begins one; so a chain of photos that each
    resemble the one before is no single group. Groups stand in the order of their first photo. Raises
    ValueError when the embeddings differ in length.
    """
    if not len(embeddings):
        return []
    similarity = _matrix(embeddings) @ _matrix(embeddings).T
    firsts: list[int] = []
    groups: list[list[int]] = []
    for index in range(len(embeddings)):
        likenesses = similarity[index, firsts]
        if firsts and likenesses.max() >= NEARLY_SAME:
            groups[int(likenesses.argmax())].append(index)
        else:
            firsts.append(index)
            groups.append([index])
    return groups


def count_distinct(person: Person) -> int:
    """Return how many different photos a person is recognised by."""
    return len(distinct([each.embedding for each in compared(person.templates)]))


def leaves_one(templates: Sequence[Template], chosen: Iterable[str]) -> bool:
    """Return whether a photo in use is left without the chosen ones; any photo, when none is in use."""
    needed = compared(templates) or templates
    return not {each.template_id for each in needed} <= set(chosen)


def centroid(embeddings: Sequence[Embedding]) -> Embedding:
    """Return the middle of one person's templates at unit length, (d,), each different photo weighing the same.

    Measured on the LFW development people (40 with three photos each, 208 probes, 500 strangers), with one of
    the three photos given ten times: share named rightly when 0.1 % of strangers are named 1.000, as with
    the three given once; 0.995 when every template weighs the same, the mean likeness of a probe 0.71
    instead of 0.76. Raises ValueError for no embeddings, or when they differ in length.
    """
    groups = distinct(embeddings)
    if not groups:
        raise ValueError("a centroid is of at least one template")
    return _unit(np.sum(middles(embeddings, groups), axis=0))


def middles(embeddings: Sequence[Embedding], groups: Sequence[Sequence[int]]) -> NDArray[np.float32]:
    """Return one unit-length row for every group of `distinct`, (n, d)."""
    rows = _matrix(embeddings)
    return np.array([_unit(rows[list(group)].mean(axis=0)) for group in groups], dtype=np.float32)


def _matrix(embeddings: Sequence[Embedding]) -> NDArray[np.float32]:
    rows: NDArray[np.float32] = np.array(embeddings, dtype=np.float32)
    return rows


def _unit(vector: NDArray[np.float32]) -> Embedding:
    length = float(np.linalg.norm(vector))
    # Opposite vectors cancel out: what is left resembles nobody, which is the right answer.
    unit: Embedding = (vector / length if length > 1e-6 else np.zeros_like(vector)).astype(np.float32)
    return unit
