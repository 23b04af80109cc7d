"""The gallery: all active templates, and how one individual's faces are compared with them."""

from collections.abc import Iterable, Iterator, Mapping
import copy
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .centre import around, centre_of
from .choices import ANYWHERE
from .clarity import are_poor
from .fusing import frames, unit
from .middles import Middles, Seen
from .person import Embedding, Person, Template
from .templates import centroid

CANDIDATES = 10
"""How many people a comparison names at most: those behind them can no longer change a decision."""

COHORT = 64
"""How many people tell at most what a face has in common with everybody; more would say the same."""

TAKEN = 0.8
"""Which share of what a face has in common with the others is taken away.

Measured at one camera (Extended Yale B, ten enrolled), 0.7 / 0.8 / 0.85: single pictures named rightly with the lamp at
50 to 77 degrees 0.68 / 0.63 / 0.59, visits of strangers named in a relaxed household 2 / 0 / 0 of 80. Drawing it
together by how widely the others are spread as well named strangers in other sets."""

UNKNOWN = 2.0
"""How many people who resemble nobody count beside them, so that a few do not say too much; see `Candidate.common`."""


BY_CHANCE = 0.04
"""How much a face may have in common with the others on average without any of it being the camera's."""

BY_CAMERA = 0.1
"""From how much on all of it is the camera's; in between, a part.

Without the two, faces in profile (CFP) were named less often than with nothing taken away. With a limit alone, three
times as many strangers were named at one camera."""


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
    common: float = 0.0
    """How much the face resembles the others of the gallery on average, 0 to 1: what one camera's pictures have in
    common, and therefore says nothing about who it is. Never below 0, and drawn to it while the others are few."""
    others: int = 0
    """Of how many others that is known."""
    same_camera: bool = False
    """Whether the person was enrolled with pictures of the very camera that sees the face."""

    @property
    def own(self) -> float:
        """Return the similarity that is left without what is common to all."""
        return self.similarity - self.common


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

    def taken_at(self, camera_id: str) -> bool:
        """Return whether one of the photos in use is a picture of this camera."""
        return any(each.camera_id == camera_id for each in self.templates[: self.in_use])

    def candidate(
        self, vector: Embedding, similarity: float, common: _Common, index: int, camera_id: str
    ) -> Candidate:
        """Return the person, the `index`th of the gallery, as a candidate for a face (d,) around the middle."""
        likeness = self.views @ vector
        nearest = int(likeness[: self.in_use].argmax())
        # Any template that is as near or nearer may be the one that was corrected last.
        guards = [
            template.guard
            for template, near in zip(self.templates, likeness, strict=True)
            if template.guard is not None and near >= likeness[nearest]
        ]
        same_camera = self.taken_at(camera_id)
        in_common, others = common.without(index, same_camera=same_camera)
        return Candidate(
            self.person.person_id,
            self.person.name,
            similarity,
            self.templates[nearest].template_id,
            guard=max(guards, default=-1.0),
            common=in_common,
            others=others,
            same_camera=same_camera,
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Face:
    """One individual, as seen from the middle of the space and of this camera."""

    similarity: NDArray[np.float32]
    """To each person of the gallery, (n,)."""
    vector: Embedding
    """(d,)"""
    beside: Mapping[int, Embedding]
    """The same for the comparison with those who told what the camera does: without what they told."""

    def seen_beside(self, index: int) -> Embedding:
        """Return the vector that is compared with a person, by the place in the gallery."""
        return self.beside.get(index, self.vector)


@dataclass(frozen=True, slots=True)
class _Common:
    """How much a face resembles some people of the gallery, by their places in it."""

    similarity: dict[int, float]
    taken_here: frozenset[int]
    """Those who were enrolled with pictures of the camera that sees the face."""

    def without(self, index: int, *, same_camera: bool) -> tuple[float, int]:
        """Return what the face has in common with everybody but one person, and of how many that is known.

        Photos of other cameras do not tell how alike those of this one are.
        """
        values = [
            value
            for place, value in self.similarity.items()
            if place != index and (not same_camera or place in self.taken_here)
        ]
        average = sum(values) / (len(values) + UNKNOWN)
        by_camera = min(max((average - BY_CHANCE) / (BY_CAMERA - BY_CHANCE), 0.0), 1.0)
        return TAKEN * average * by_camera, len(values)


class Gallery:
    """The templates of one embedding space, ready to compare with.

    Built once from a snapshot of the people; build another when a person, a consent or a template changes.
    Consent is looked at again in every comparison, so one that expires counts from that very moment. What
    `at` returns compares only with those who agreed to be recognised at that camera.

    Left out: templates set aside (`usable` is False) or of another model, and people without a consent.
    Raises ValueError when the templates of one model differ in length.
    """

    def __init__(
        self,
        people: Iterable[Person],
        model: str,
        centre: Embedding | None = None,
        *,
        middles: Middles | None = None,
    ) -> None:
        """Make one row of every person's templates.

        `centre`: the middle of the space, (d,), when another than the known one of `model` is to be tried.
        `middles`: those of the cameras, which may go on learning.
        """
        self.model = model
        self._middles = Middles() if middles is None else middles
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
        self._places = {each.person.person_id: index for index, each in enumerate(self._known)}
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

    def compare(
        self, embeddings: ArrayLike, weights: ArrayLike, now: datetime, lengths: ArrayLike | None = None
    ) -> Comparison:
        """Return the people that the faces of ONE individual resemble.

        `embeddings`: (n, d) unit-length rows, one a frame, n at least 1. `weights`: (n,) not negative, how
        much each frame counts. `lengths`: (n,) how long each was before (`Face.length`), nan where that is not
        known. The frames are fused to one vector, their weighted mean, and compared with
        the centroid of each person's templates, both as seen from the middle of the space (see `centre`), the
        frames from the camera's own (see `middles`).

        Measured on the LFW development people (40 with three photos each, 208 probes, 1,208 strangers), one
        frame, before the middle was taken away: share named rightly when 0.1 % of strangers are named,
        centroid / half and half / nearest template: 45 px 1.000 / 0.995 / 0.990, 30 px 0.976 / 0.976 / 0.957,
        24 px 0.952 / 0.942 / 0.918, dark 0.952 / 0.942 / 0.918, blurred 0.923 / 0.918 / 0.861. A quarter of
        nearest: as the centroid.

        Raises ValueError for an empty or misshapen `embeddings`, values that are not finite, negative
        weights, or a length that is not the templates'.
        """
        face = self._seen(embeddings, weights, lengths, now)
        best = tuple(islice(self._candidates(face, now, exclude=None), CANDIDATES))
        return Comparison(best, frames=len(np.asarray(embeddings)), people=len(self._known))

    def closest(self, embedding: Embedding, now: datetime, *, exclude: str | None = None) -> Candidate | None:
        """Return who resembles one face most, leaving out the person with the id `exclude`.

        `embedding`: (d,). None when nobody else may be recognised. Raises ValueError as `compare` does.
        """
        face = self._seen(np.asarray(embedding)[None], [1.0], None, now)
        return next(self._candidates(face, now, exclude), None)

    def compare_with(
        self,
        person_id: str,
        embeddings: ArrayLike,
        weights: ArrayLike,
        now: datetime,
        lengths: ArrayLike | None = None,
    ) -> Candidate | None:
        """Return how the faces of ONE individual resemble one person, None when that may not be compared.

        `embeddings`, `weights`, `lengths` and errors: as for `compare`.
        """
        face = self._seen(embeddings, weights, lengths, now)
        index = self._places.get(person_id)
        if index is None or not self._may(self._known[index].person, now):
            return None
        return self._candidate(index, face, self._common(face, now))

    def _candidate(self, index: int, face: _Face, common: _Common) -> Candidate:
        return self._known[index].candidate(
            face.seen_beside(index), float(face.similarity[index]), common, index, self._camera_id
        )

    def _common(self, face: _Face, now: datetime, exclude: str | None = None) -> _Common:
        """Return how much a face resembles people who may be recognised here, as many as are needed."""
        may = (
            index
            for index, known in enumerate(self._known)
            if known.person.person_id != exclude and self._may(known.person, now)
        )
        some = list(islice(may, COHORT))
        here = frozenset(index for index in some if self._known[index].taken_at(self._camera_id))
        return _Common({index: float(face.similarity[index]) for index in some}, here)

    def _candidates(self, face: _Face, now: datetime, exclude: str | None) -> Iterator[Candidate]:
        """Yield those who may be recognised at `now`, best first.

        Consent is asked of the few people at the top only: that keeps it cheap for thousands.
        """
        if not self._known:
            return
        common = self._common(face, now, exclude)
        for index in _best_first(face.similarity):
            person = self._known[index].person
            if person.person_id != exclude and self._may(person, now):
                yield self._candidate(index, face, common)

    def everybody(self, embedding: Embedding, now: datetime) -> list[Candidate]:
        """Return everybody who may be recognised as a candidate for one face (d,), in the order of the gallery.

        Raises ValueError as `compare` does.
        """
        if not self._known:
            return []
        face = self._seen(np.asarray(embedding)[None], [1.0], None, now)
        common = self._common(face, now)
        return [
            self._candidate(index, face, common)
            for index, known in enumerate(self._known)
            if self._may(known.person, now)
        ]

    def likeness(self, one: Embedding, other: Embedding) -> float:
        """Return how alike two embeddings of the gallery's model are, as `Candidate.similarity` counts it."""
        return float(np.dot(around(one, self._centre), around(other, self._centre)))

    def shifts(
        self, person_id: str, embeddings: ArrayLike, weights: ArrayLike, lengths: ArrayLike | None
    ) -> Seen:
        """Return what moves a person's faces away from the middle of the space, without what is their own.

        That is what a camera does to them: the mean of those seen well and of those seen poorly, (d,) each, less
        what lies in the direction of the person's centroid. Raises LookupError for somebody who is not in the
        gallery, ValueError as `compare` does.
        """
        index = self._places.get(person_id)
        if index is None:
            raise LookupError(f"{person_id} is not in the gallery")
        rows, share = frames(embeddings, weights)
        self._check(rows)
        poor = are_poor(lengths, len(rows))
        own = self._centroids[index]

        def mean(which: NDArray[np.bool_]) -> Embedding | None:
            if not share[which].any():
                return None
            away = np.average(rows[which], axis=0, weights=share[which])
            if self._centre is not None and self._centre.shape == away.shape:
                away = away - self._centre
            shift: Embedding = (away - float(away @ own) * own).astype(np.float32)
            return shift

        return Seen(mean(~poor), mean(poor))

    def _seen(
        self, embeddings: ArrayLike, weights: ArrayLike, lengths: ArrayLike | None, now: datetime
    ) -> _Face:
        """Return frames as one face, as seen from the middle of the space and of this camera.

        Raises ValueError when it has another length than the templates.
        """
        rows, share = frames(embeddings, weights)
        self._check(rows)
        mean = np.average(rows, axis=0, weights=share)
        length = float(np.linalg.norm(mean))
        fused = unit(mean)
        poor = float(np.average(are_poor(lengths, len(rows)), weights=share))
        camera = self._middles.at(
            self.model, self._camera_id, lambda person_id: self._may_tell(person_id, now)
        )

        def seen(without: str | None) -> Embedding:
            moved = camera.moves(poor, without)
            if moved is None or length <= 1e-6:
                return around(fused, self._centre)
            # The fused vector is longer than the mean of the frames, and so is what the camera did to it.
            return around((fused - moved / length).astype(np.float32), self._centre)

        vector = seen(None)
        beside = {self._places[person_id]: seen(person_id) for person_id in camera.told_by}
        similarity = self._centroids @ vector if self._known else np.zeros(0, np.float32)
        for index, other in beside.items():
            similarity[index] = self._centroids[index] @ other
        return _Face(similarity, vector, beside)

    def _may_tell(self, person_id: str, now: datetime) -> bool:
        index = self._places.get(person_id)
        return index is not None and self._may(self._known[index].person, now)

    def _check(self, rows: NDArray[np.float32]) -> None:
        if self._known and rows.shape[1] != self._centroids.shape[1]:
            raise ValueError(
                f"an embedding of {rows.shape[1]} values cannot be compared with {self.model}'s"
                f" {self._centroids.shape[1]}"
            )


def _best_first(similarity: NDArray[np.float32]) -> Iterator[int]:
    """Yield the indices of the highest values first; sorts them all only when the first few do not do."""
    order = np.argpartition(-similarity, min(4 * CANDIDATES, len(similarity)) - 1)
    for part in (order[: 4 * CANDIDATES], order[4 * CANDIDATES :]):
        yield from part[np.argsort(-similarity[part])].tolist()
