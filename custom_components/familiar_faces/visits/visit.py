"""The words of a visit: what was seen of one individual, and what was decided."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from math import sqrt
from typing import Self
from uuid import uuid4

import numpy as np

from ..engine.protocol import Embedding, Face
from ..people.clarity import are_poor
from ..people.fusing import fuse
from .movement import Movement

EVIDENCE = 16
"""How many usable faces of an individual are kept in one look; better ones replace the worst."""

SHARP = 60.0
"""Sharpness from which a face counts in full; the median of good faces of 45 px is 73, of 30 px 42."""

FAINT = 0.3
"""How much the faintest usable face counts."""

PROFILE = 60.0
"""Degrees from which about half of a face is out of sight."""

HALF_SEEN = 0.5
"""How much such a face counts beside one that is seen as sharply."""


class Decision(StrEnum):
    """What a visit was decided to be."""

    FAMILIAR = "familiar"
    STRANGER = "stranger"
    UNCLEAR = "unclear"


class UnclearReason(StrEnum):
    """Why a visit could not be decided."""

    NO_USABLE_FACE = "no_usable_face"
    """Only faces too poor to be compared were seen."""
    FEW_FRAMES = "few_frames"
    """The individual was seen too briefly to be sure."""
    NOT_SURE = "not_sure"
    """The individual resembles a person, but not enough for a name."""
    POOR_FACE = "poor_face"
    """The face resembles nobody, but was not seen well enough to say that it is a stranger's."""
    MAY_BE_A_PICTURE = "may_be_a_picture"
    """The face did not move, or looks like a print or a screen: it may be a poster, a painting or a screen."""
    TOO_ALIKE = "too_alike"
    """Two people of the gallery are resembled about equally."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided about one individual, before it becomes part of a visit."""

    decision: Decision
    person_id: str | None = None
    name: str | None = None
    confidence: float | None = None
    """Probability that it is this person, 0 to 1; only for `familiar`."""
    reason: UnclearReason | None = None
    """Only for `unclear`."""
    template_id: str | None = None
    """The template that was resembled most; only for `familiar`."""
    quality: str | None = None
    """What was wrong with most faces, see `Quality.reason`; only where there was no usable face."""
    similarity: float | None = None
    """Cosine of the frames together with the person's centroid; only for `familiar`."""
    sure: bool = False
    """Whether the name would be said in a balanced household, too; only for `familiar`."""
    resembled: frozenset[str] = frozenset()
    """Ids of the people who are resembled more than strangers resemble anybody; only for `unclear`."""

    def __post_init__(self) -> None:
        """Refuse a verdict that says two things."""
        familiar = self.decision is Decision.FAMILIAR
        named = (self.person_id, self.name, self.confidence)
        if any((value is not None) != familiar for value in named):
            raise ValueError("a familiar visit has a person, a name and a confidence, another has none")
        if (self.reason is not None) != (self.decision is Decision.UNCLEAR):
            raise ValueError("an unclear visit has a reason, another has none")


def evidence_weight(face: Face) -> float:
    """Return how much a face counts among the faces of its individual, 0.15 to 1.

    By sharpness, which small, blurred and dark faces all lack. Measured by fusing a sharp frame with a poor
    one, on the LFW development people: the similarity that all but 1 % of right matches exceed rises from
    0.443 to 0.493 (45 px with a blurred one) and from 0.441 to 0.463 (with one of 24 px). Weighing by width
    adds to the latter only, and harms where all frames are small.

    Of a face in profile half of it is out of sight. Counted in full, strangers in profile (CFP, homes of five) were named
    in 3 of 1,320 visits instead of 2; people enrolled are named as often either way.
    """
    sharp = min(max(sqrt(max(face.quality.sharpness, 0.0) / SHARP), FAINT), 1.0)
    return sharp * HALF_SEEN if abs(face.quality.yaw) > PROFILE else sharp


@dataclass(slots=True, eq=False, weakref_slot=True)
class Sighting:
    """One individual in one look, as far as it has been seen. Lives in memory only."""

    last_face: Face = field(repr=False)
    """The newest face, usable or not: where the individual was last."""
    sighting_id: str = field(default_factory=lambda: uuid4().hex)
    seen_at: list[datetime] = field(default_factory=list)
    """The moments of the frames that showed the individual, oldest first; poor faces count too."""
    faces: list[Face] = field(default_factory=list, repr=False)
    """The usable faces, at most `EVIDENCE`, without their pictures."""
    best_face: Face | None = field(default=None, repr=False)
    """The usable face that counts most, with its pictures."""
    poor: Counter[str] = field(default_factory=Counter)
    """How many faces were unusable, by `Quality.reason`."""
    movement: Movement = field(default_factory=Movement)
    """How the face moved in the picture."""

    @classmethod
    def begin(cls, face: Face, at: datetime) -> Self:
        """Return the sighting of an individual who appeared `at` with this face."""
        sighting = cls(face)
        sighting.add(face, at)
        return sighting

    @property
    def quality(self) -> str | None:
        """Return what was wrong with most of the unusable faces, None without any."""
        return next((reason for reason, _ in self.poor.most_common(1)), None)

    @property
    def frames(self) -> int:
        """Return how many frames showed the individual."""
        return len(self.seen_at)

    @property
    def embeddings(self) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        """Return the usable faces' embeddings, (n, d)."""
        return np.array([face.embedding for face in self.faces], dtype=np.float32)

    @property
    def weights(self) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        """Return how much each usable face counts, (n,)."""
        return np.array([evidence_weight(face) for face in self.faces], dtype=np.float32)

    @property
    def lengths(self) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        """Return how long each embedding was before, (n,); nan where the engine does not say."""
        known = [np.nan if face.length is None else face.length for face in self.faces]
        return np.array(known, dtype=np.float32)

    @property
    def clear(self) -> int:
        """Return how many of the usable faces were seen well; see `people.clarity.CLEAR`."""
        return int((~are_poor(self.lengths, len(self.faces))).sum())

    @property
    def embedding(self) -> Embedding | None:
        """Return the usable faces as one embedding, (d,); None without any."""
        return fuse(self.embeddings, self.weights) if self.faces else None

    def add(self, face: Face, at: datetime) -> None:
        """Note another frame's face of this individual."""
        self.seen_at.append(at)
        self.movement.add(face, at)
        self.last_face = replace(face, crop=None, portrait=None)
        if not face.quality.usable:
            if face.quality.reason is not None:
                self.poor[face.quality.reason] += 1
            return
        if self.best_face is None or evidence_weight(face) > evidence_weight(self.best_face):
            self.best_face = face
        self.faces.append(self.last_face)
        if len(self.faces) > EVIDENCE:
            self.faces.remove(min(self.faces, key=evidence_weight))


@dataclass(frozen=True, slots=True)
class Visit:
    """What was seen of one individual at one camera, in one look or several close together."""

    visit_id: str
    camera_id: str
    decision: Decision
    started_at: datetime
    last_seen_at: datetime
    frames: int
    """How many frames showed the individual, in all looks together."""
    person_id: str | None = None
    name: str | None = None
    confidence: float | None = None
    reason: UnclearReason | None = None
    template_id: str | None = None
    similarity: float | None = None
    quality: str | None = None
    """What was wrong with most faces, where there was no usable one."""
    portrait: bytes | None = field(default=None, repr=False)
    """The best picture, a JPEG; never of somebody who is not familiar."""

    def __post_init__(self) -> None:
        """Refuse to hold a picture of somebody who did not agree to it."""
        if self.portrait is not None and self.decision is not Decision.FAMILIAR:
            raise ValueError("only a familiar visit has a portrait")

    def decided(self, verdict: Verdict) -> Visit:
        """Return this visit with another decision."""
        return replace(
            self,
            decision=verdict.decision,
            person_id=verdict.person_id,
            name=verdict.name,
            confidence=verdict.confidence,
            reason=verdict.reason,
            template_id=verdict.template_id,
            similarity=verdict.similarity,
            quality=verdict.quality,
        )

    def renamed(self, person_id: str, name: str, confidence: float) -> Visit:
        """Return this visit as another person's; the picture was taken for somebody else's."""
        return replace(
            self,
            decision=Decision.FAMILIAR,
            person_id=person_id,
            name=name,
            confidence=confidence,
            reason=None,
            template_id=None,
            portrait=None,
        )


@dataclass(frozen=True, slots=True)
class Timing:
    """How long it took from the trigger to the decision."""

    ms: float
    """Milliseconds in all."""
    camera_fetch_ms: float
    """Of these, milliseconds spent waiting for the camera."""
    engine_ms: float
    """Of these, milliseconds that the engine worked."""
