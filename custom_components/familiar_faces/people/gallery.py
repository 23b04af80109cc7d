"""The gallery: all active templates, and how one individual's faces are compared with them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .person import Embedding, Person, Template

CANDIDATES = 10
"""How many people a comparison names at most: those behind them can no longer change a decision."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person whom a face resembles."""

    person_id: str
    name: str
    similarity: float
    """Cosine with the centroid of the person's templates, -1 to 1."""
    template_id: str
    """The template that resembles the face most: where to look when the match was wrong."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the gallery says about one individual."""

    candidates: tuple[Candidate, ...]
    """Best first, at most `CANDIDATES`; empty when nobody may be recognised."""
    frames: int
    """How many embeddings were compared together."""
    people: int
    """How many people are in the gallery; more people make a chance likeness likelier."""

    @property
    def best(self) -> Candidate | None:
        """Return the person who is resembled most."""
        return self.candidates[0] if self.candidates else None

    @property
    def margin(self) -> float:
        """Return how far the best person is ahead of the next; infinite without a next."""
        if len(self.candidates) < 2:
            return float("inf")
        return self.candidates[0].similarity - self.candidates[1].similarity


class Gallery:
    """The templates of one embedding space, ready to compare with.

    Built once from a snapshot of the people; build another when a person, a consent or a template changes.
    Consent is looked at again in every comparison, so one that expires counts from that very moment.

    Left out: templates set aside (`usable` is False) or of another model, and people without a consent.
    Raises ValueError when the templates of one model differ in length.
    """

    def __init__(self, people: Iterable[Person], model: str) -> None:
        """Make one row of every person's templates."""
        self.model = model
        self._people: list[Person] = []
        self._templates: list[list[Template]] = []
        centroids: list[Embedding] = []
        for person in people:
            usable = [each for each in person.templates if each.usable and each.model == model]
            if not usable or person.consent is None:
                continue
            self._people.append(person)
            self._templates.append(usable)
            if len({each.embedding.shape for each in (*self._templates[0], *usable)}) > 1:
                raise ValueError(f"the templates of {model} differ in length")
            centroids.append(_unit(np.mean([each.embedding for each in usable], axis=0)))
        self._centroids = np.array(centroids, dtype=np.float32)
        self.templates = sum(len(each) for each in self._templates)
        """How many templates are in the gallery."""

    def __len__(self) -> int:
        """Return how many people are in the gallery."""
        return len(self._people)

    def compare(self, embeddings: ArrayLike, weights: ArrayLike, now: datetime) -> Comparison:
        """Return whom the faces of ONE individual resemble.

        `embeddings`: (n, d) unit-length rows, one a frame, n at least 1. `weights`: (n,) not negative, how
        much each frame counts. The frames are fused to one vector, their weighted mean at unit length, and
        compared with the centroid of each person's templates, at unit length too.

        Measured on the LFW development people (40 with three photos each, 208 probes, 1,932 strangers), one
        frame: share named rightly when 0.1 % of strangers are named, centroid / half and half / nearest
        template: 45 px 1.000 / 0.995 / 0.990, 30 px 0.976 / 0.976 / 0.957, 24 px 0.952 / 0.942 / 0.918,
        dark 0.952 / 0.942 / 0.918, blurred 0.923 / 0.918 / 0.861. A quarter of nearest: as the centroid.

        Raises ValueError for an empty or misshapen `embeddings`, values that are not finite, negative
        weights, or a length that is not the templates'.
        """
        fused = fuse(embeddings, weights)
        best = tuple(islice(self._candidates(fused, now, exclude=None), CANDIDATES))
        return Comparison(best, frames=len(np.asarray(embeddings)), people=len(self._people))

    def closest(self, embedding: Embedding, now: datetime, *, exclude: str | None = None) -> Candidate | None:
        """Return who resembles one face most, leaving out the person with the id `exclude`.

        `embedding`: (d,). None when nobody else may be recognised. Raises ValueError as `compare` does.
        """
        fused = fuse(np.asarray(embedding)[None], [1.0])
        return next(self._candidates(fused, now, exclude), None)

    def _candidates(self, vector: Embedding, now: datetime, exclude: str | None) -> Iterator[Candidate]:
        """Yield those who may be recognised at `now`, best first.

        Consent is asked of the few people at the top only: that keeps it cheap for thousands.
        """
        if not self._people:
            return
        if vector.shape[0] != self._centroids.shape[1]:
            raise ValueError(
                f"an embedding of {vector.shape[0]} values cannot be compared with {self.model}'s"
                f" {self._centroids.shape[1]}"
            )
        similarity = self._centroids @ vector
        for index in _best_first(similarity):
            person = self._people[index]
            if person.person_id == exclude or not person.may_be_recognised(now):
                continue
            usable = self._templates[index]
            nearest = max(usable, key=lambda each: float(np.dot(each.embedding, vector)))
            yield Candidate(person.person_id, person.name, float(similarity[index]), nearest.template_id)


def fuse(embeddings: ArrayLike, weights: ArrayLike) -> Embedding:
    """Return the weighted mean of (n, d) embeddings at unit length, (d,); see `Gallery.compare`."""
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
    return _unit(share @ rows)


def _best_first(similarity: NDArray[np.float32]) -> Iterator[int]:
    """Yield the indices of the highest values first; sorts them all only when the first few do not do."""
    order = np.argpartition(-similarity, min(4 * CANDIDATES, len(similarity)) - 1)
    for part in (order[: 4 * CANDIDATES], order[4 * CANDIDATES :]):
        yield from part[np.argsort(-similarity[part])].tolist()


def _unit(vector: NDArray[np.float32]) -> Embedding:
    length = float(np.linalg.norm(vector))
    # Opposite vectors cancel out: what is left resembles nobody, which is the right answer.
    unit: Embedding = (vector / length if length > 1e-6 else np.zeros_like(vector)).astype(np.float32)
    return unit
