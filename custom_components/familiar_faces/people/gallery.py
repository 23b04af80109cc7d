"""The gallery: all active templates, and how one individual's faces are compared with them."""

from collections.abc import Iterable, Iterator
import copy
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .centre import around, centre_of
from .choices import ANYWHERE
from .person import Embedding, Person, Template
from .templates import centroid

CANDIDATES = 10
"""How many people a comparison names at most: those behind them can no longer change a decision."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person that a face resembles."""

    person_id: str
    name: str
    similarity: float
    """Cosine with the centroid of the person's templates, around the middle of the space, -1 to 1."""
    template_id: str
    """The template that resembles the face most: where to look when the match was wrong."""
    guard: float = -1.0
    """The similarity that a name needs at least, because the face is like one that was named wrongly before."""


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


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """A person of the gallery."""

    person: Person
    templates: list[Template]
    """Those in use, then those set aside, which still tell what was named wrongly before."""
    in_use: int
    views: NDArray[np.float32]
    """The templates around the middle of the space, (n, d)."""

    def candidate(self, vector: Embedding, similarity: float) -> Candidate:
        """Return the person as a candidate for a face (d,) around the middle of the space."""
        likeness = self.views @ vector
        nearest = int(likeness[: self.in_use].argmax())
        # Any template that is as near or nearer may be the one that was corrected last.
        guards = [
            template.guard
            for template, near in zip(self.templates, likeness, strict=True)
            if template.guard is not None and near >= likeness[nearest]
        ]
        return Candidate(
            self.person.person_id,
            self.person.name,
            similarity,
            self.templates[nearest].template_id,
            max(guards, default=-1.0),
        )


class Gallery:
    """The templates of one embedding space, ready to compare with.

    Built once from a snapshot of the people; build another when a person, a consent or a template changes.
    Consent is looked at again in every comparison, so one that expires counts from that very moment. What
    `at` returns compares only with those who agreed to be recognised at that camera.

    Left out: templates set aside (`usable` is False) or of another model, and people without a consent.
    Raises ValueError when the templates of one model differ in length.
    """

    def __init__(self, people: Iterable[Person], model: str, centre: Embedding | None = None) -> None:
        """Make one row of every person's templates.

        `centre`: the middle of the space, (d,), when another than the known one of `model` is to be tried.
        """
        self.model = model
        self._camera_id = ANYWHERE
        self._at: dict[str, Gallery] = {}
        self._centre = centre_of(model) if centre is None else centre
        self._known: list[_Known] = []
        centroids: list[Embedding] = []
        for person in people:
            in_use = [each for each in person.templates if each.usable and each.model == model]
            if not in_use or person.consent is None:
                continue
            set_aside = [each for each in person.templates if not each.usable and each.model == model]
            templates = [*in_use, *set_aside]
            if len({each.embedding.shape for each in templates}) > 1 or (
                centroids and centroids[0].shape != in_use[0].embedding.shape
            ):
                raise ValueError(f"the templates of {model} differ in length")
            views = around(np.array([each.embedding for each in templates], np.float32), self._centre)
            self._known.append(_Known(person, templates, len(in_use), views))
            centroids.append(centroid([each.embedding for each in in_use]))
        self._centroids = around(np.array(centroids, dtype=np.float32), self._centre)
        self.templates = sum(each.in_use for each in self._known)
        """How many templates are in the gallery."""

    def at(self, camera_id: str) -> Gallery:
        """Return this gallery for the pictures of one camera; for the same camera always the same one."""
        if camera_id == self._camera_id:
            return self
        if (there := self._at.get(camera_id)) is None:
            there = copy.copy(self)
            # Of its own: in a circle, templates of somebody who was forgotten would stay in memory for long.
            there.__dict__ |= {"_camera_id": camera_id, "_at": {}}
            # Only one of two threads that come here together may win.
            there = self._at.setdefault(camera_id, there)
        return there

    def _may(self, person: Person, now: datetime) -> bool:
        return person.may_be_recognised(now, self._camera_id)

    def __len__(self) -> int:
        """Return how many people are in the gallery."""
        return len(self._known)

    def compare(self, embeddings: ArrayLike, weights: ArrayLike, now: datetime) -> Comparison:
        """Return the people that the faces of ONE individual resemble.

        `embeddings`: (n, d) unit-length rows, one a frame, n at least 1. `weights`: (n,) not negative, how
        much each frame counts. The frames are fused to one vector, their weighted mean, and compared with
        the centroid of each person's templates, both as seen from the middle of the space (see `centre`).

        Measured on the LFW development people (40 with three photos each, 208 probes, 1,208 strangers), one
        frame, before the middle was taken away: share named rightly when 0.1 % of strangers are named,
        centroid / half and half / nearest template: 45 px 1.000 / 0.995 / 0.990, 30 px 0.976 / 0.976 / 0.957,
        24 px 0.952 / 0.942 / 0.918, dark 0.952 / 0.942 / 0.918, blurred 0.923 / 0.918 / 0.861. A quarter of
        nearest: as the centroid.

        Raises ValueError for an empty or misshapen `embeddings`, values that are not finite, negative
        weights, or a length that is not the templates'.
        """
        fused = fuse(embeddings, weights)
        best = tuple(islice(self._candidates(fused, now, exclude=None), CANDIDATES))
        return Comparison(best, frames=len(np.asarray(embeddings)), people=len(self._known))

    def closest(self, embedding: Embedding, now: datetime, *, exclude: str | None = None) -> Candidate | None:
        """Return who resembles one face most, leaving out the person with the id `exclude`.

        `embedding`: (d,). None when nobody else may be recognised. Raises ValueError as `compare` does.
        """
        fused = fuse(np.asarray(embedding)[None], [1.0])
        return next(self._candidates(fused, now, exclude), None)

    def compare_with(
        self, person_id: str, embeddings: ArrayLike, weights: ArrayLike, now: datetime
    ) -> Candidate | None:
        """Return how the faces of ONE individual resemble one person, None when that may not be compared.

        `embeddings`, `weights` and errors: as for `compare`.
        """
        vector = self._seen(fuse(embeddings, weights))
        for known, middle in zip(self._known, self._centroids, strict=True):
            if known.person.person_id == person_id and self._may(known.person, now):
                return known.candidate(vector, float(middle @ vector))
        return None

    def _candidates(self, vector: Embedding, now: datetime, exclude: str | None) -> Iterator[Candidate]:
        """Yield those who may be recognised at `now`, best first.

        Consent is asked of the few people at the top only: that keeps it cheap for thousands.
        """
        if not self._known:
            return
        vector = self._seen(vector)
        similarity = self._centroids @ vector
        for index in _best_first(similarity):
            known = self._known[index]
            if known.person.person_id != exclude and self._may(known.person, now):
                yield known.candidate(vector, float(similarity[index]))

    def similarities(self, embedding: Embedding, now: datetime) -> list[tuple[str, float]]:
        """Return the ids of everybody who may be recognised, and how much one face (d,) resembles them.

        In the order of the gallery. Raises ValueError as `compare` does.
        """
        if not self._known:
            return []
        similarity = self._centroids @ self._seen(fuse(np.asarray(embedding)[None], [1.0]))
        return [
            (known.person.person_id, float(value))
            for known, value in zip(self._known, similarity, strict=True)
            if self._may(known.person, now)
        ]

    def likeness(self, one: Embedding, other: Embedding) -> float:
        """Return how alike two embeddings of the gallery's model are, as `Candidate.similarity` counts it."""
        return float(np.dot(around(one, self._centre), around(other, self._centre)))

    def _seen(self, vector: Embedding) -> Embedding:
        """Return a vector from the middle of the space; raise ValueError when it has another length."""
        if self._known and vector.shape[0] != self._centroids.shape[1]:
            raise ValueError(
                f"an embedding of {vector.shape[0]} values cannot be compared with {self.model}'s"
                f" {self._centroids.shape[1]}"
            )
        return around(vector, self._centre)


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
