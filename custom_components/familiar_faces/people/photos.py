"""Reference photos: whether a photo is fit to become a template, said at once and in one word."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import numpy as np

from .calibration import SFACE, Calibration
from .gallery import Gallery
from .likeness import NOT_SAME
from .person import Embedding, Template
from .templates import NEARLY_SAME

MIN_WIDTH = 80
"""How wide a face must be to enrol with, pixels: twice what recognising asks for, as it is kept for long."""

MOST_TURNED = 60.0
"""How far a head may be turned to enrol with, degrees: less than to be recognised, as about half of the face is out of
sight from there on and every later picture is compared with it."""

MIN_SHARPNESS = 15.0
"""How sharp a face must be to enrol with, at ordinary light; three times what recognising asks for.

Of the LFW development set's 120 photos to enrol the least sharp is at 22, 99 % above 49; the same at 45 px and
out of focus by 1.5 pixels are at 9 in the median, and a portrait blurred until nobody would know it is at 8."""

BACKGROUND = 0.5
"""Faces narrower than this share of the widest one stand in the background and are ignored."""


class PhotoReason(StrEnum):
    """What is to be said about a photo."""

    GOOD = "good"
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    TOO_SMALL = "too_small"
    TOO_BLURRED = "too_blurred"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    TURNED_AWAY = "turned_away"
    TURNED = "turned"
    SAME_PHOTO = "same_photo"
    NEARLY_SAME_PHOTO = "nearly_same_photo"
    SET_ASIDE = "set_aside"
    LOOKS_LIKE_OTHER = "looks_like_other"
    NOT_SAME_PERSON = "not_same_person"


class JudgedQuality(Protocol):
    """What is asked of a face's quality; see `engine.protocol.Quality`."""

    @property
    def usable(self) -> bool:
        """Whether the face can be compared."""

    @property
    def reason(self) -> str | None:
        """Why not, in the words of `PhotoReason`."""

    @property
    def yaw(self) -> float:
        """How far the head is turned, degrees, positive to the viewer's right: the person's own left."""

    @property
    def ordinary_sharpness(self) -> float:
        """Variance of the Laplacian of the aligned face's grey levels, as in ordinary light."""


class JudgedFace(Protocol):
    """What is asked of a face; see `engine.protocol.Face`."""

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, width and height, pixels."""

    @property
    def quality(self) -> JudgedQuality:
        """Whether it is good enough."""

    @property
    def embedding(self) -> Embedding:
        """Unit length, (d,)."""


@dataclass(frozen=True, slots=True)
class PhotoVerdict:
    """What was found about a photo."""

    reason: PhotoReason
    subject: int | None = None
    """Which of the faces the photo is of; None when there is none, or no telling which."""
    other_name: str | None = None
    """Who the face looks like, for `looks_like_other`."""
    warnings: tuple[PhotoReason, ...] = ()
    """What to say besides: `nearly_same_photo` or `looks_like_other` of a photo that is accepted, `set_aside`
    of one that is the `same_photo`."""

    @property
    def accepted(self) -> bool:
        """Return whether the photo may become a template."""
        return self.reason is PhotoReason.GOOD

    @property
    def may_insist(self) -> bool:
        """Return whether the owner may still take the photo: twins exist, and so do beards."""
        return self.reason in (PhotoReason.LOOKS_LIKE_OTHER, PhotoReason.NOT_SAME_PERSON)


def judge_photo(
    faces: Sequence[JudgedFace],
    digest: str,
    person_templates: Sequence[Template],
    gallery: Gallery,
    now: datetime,
    *,
    person_id: str | None = None,
    calibration: Calibration = SFACE,
) -> PhotoVerdict:
    """Return whether a photo is fit to enrol with, and if not the one reason that helps most.

    `faces`: all faces of the photo. `digest`: SHA-256 of the photo as it was given. `person_templates`: all
    that the person already has, possibly not in the gallery yet. The same photo is looked for among them all;
    the face is compared with those in use of the gallery's model, so that it does not fit for resembling a
    photo that was set aside. `person_id`: the person, when already in the gallery. Nothing is kept. Raises
    ValueError for embeddings of another length than the templates'.
    """
    same = next((each for each in person_templates if each.photo_digest == digest), None)
    if same is not None:
        return _same_photo(same)
    if not faces:
        return PhotoVerdict(PhotoReason.NO_FACE)
    subject = _subject(faces)
    if subject is None:
        return PhotoVerdict(PhotoReason.SEVERAL_FACES)
    face = faces[subject]
    if face.box[2] < MIN_WIDTH:
        return PhotoVerdict(PhotoReason.TOO_SMALL, subject)
    if not face.quality.usable:
        return PhotoVerdict(PhotoReason(face.quality.reason or PhotoReason.NO_FACE), subject)
    if abs(face.quality.yaw) > MOST_TURNED:
        return PhotoVerdict(PhotoReason.TURNED_AWAY, subject)
    if face.quality.ordinary_sharpness < MIN_SHARPNESS:
        return PhotoVerdict(PhotoReason.TOO_BLURRED, subject)
    in_use = [each for each in person_templates if each.usable and each.model == gallery.model]
    return _resemblance(
        face.embedding, subject, in_use, gallery, now, person_id=person_id, calibration=calibration
    )


def _same_photo(template: Template) -> PhotoVerdict:
    """Return what is said of a photo that the person already has, and whether it is not compared with."""
    warnings: list[PhotoReason] = []
    if not template.usable:
        warnings.append(PhotoReason.SET_ASIDE)
    return PhotoVerdict(PhotoReason.SAME_PHOTO, warnings=tuple(warnings))


def _subject(faces: Sequence[JudgedFace]) -> int | None:
    """Return which face the photo is of: the widest, when all others stand in the background."""
    widths = [face.box[2] for face in faces]
    widest = int(np.argmax(widths))
    others = widths[:widest] + widths[widest + 1 :]
    return widest if all(width < BACKGROUND * widths[widest] for width in others) else None


def _resemblance(
    embedding: Embedding,
    subject: int,
    in_use: Sequence[Template],
    gallery: Gallery,
    now: datetime,
    *,
    person_id: str | None,
    calibration: Calibration,
) -> PhotoVerdict:
    """Return whether a good face fits the person's other photos, and nobody else's."""
    warnings: list[PhotoReason] = []
    own = max((gallery.likeness(each.embedding, embedding) for each in in_use), default=None)
    other = gallery.closest(embedding, now, exclude=person_id)
    other_name = None
    if other is not None and other.similarity >= calibration.photo_threshold(len(gallery)):
        other_name = other.name
        if own is None or own < other.similarity + calibration.margin:
            return PhotoVerdict(PhotoReason.LOOKS_LIKE_OTHER, subject, other_name)
        warnings.append(PhotoReason.LOOKS_LIKE_OTHER)
    if own is not None and own < NOT_SAME:
        return PhotoVerdict(PhotoReason.NOT_SAME_PERSON, subject)
    if any(float(np.dot(each.embedding, embedding)) >= NEARLY_SAME for each in in_use):
        warnings.append(PhotoReason.NEARLY_SAME_PHOTO)
    return PhotoVerdict(PhotoReason.GOOD, subject, other_name, tuple(warnings))
