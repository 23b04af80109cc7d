"""Walk-up enrolment: what to tell somebody before a camera next, and which of their faces to take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np

from .calibration import SFACE, Calibration
from .gallery import Candidate, Gallery
from .person import Embedding, Template
from .photos import JudgedFace, PhotoReason, PhotoVerdict, judge_photo
from .templates import NEARLY_SAME

FRONT_MOST = 12.0
"""Degrees up to which a face looks straight at the camera."""
TURNED_LEAST = 15.0
"""Degrees from which a head is turned a little: somebody's faces are then no longer nearly the same."""
TURNED_MOST = 40.0
"""Degrees up to which a turned head is taken: visitors look at the camera or past it, not away from it."""
SAME_SITTING = 0.5
"""Cosine to one of the faces taken before from which a face is of the same individual.

One in 100,000 pairs of different people of the LFW development set lies above 0.49. Photos of one person
turned to opposite sides, of other days and years, are at 0.67 in the median and above 0.5 in 95 of 100 (106
pairs of the same set); within one minute and one light faces are more alike.
"""
STEADY = 3
"""How many frames one after the other have to show the same individual in the same pose before one is taken:
nobody is taken who only passes by."""


class Pose(StrEnum):
    """The faces that are wanted, in this order: different ones, of which each adds to the others."""

    FRONT = "front"
    LEFT = "left"
    """Turned to the person's own left."""
    RIGHT = "right"


class Hint(StrEnum):
    """What to tell the person."""

    COME = "come"
    ONE_PERSON = "one_person"
    SOMEBODY_ELSE = "somebody_else"
    KNOWN = "known"
    CLOSER = "closer"
    MORE_LIGHT = "more_light"
    LESS_LIGHT = "less_light"
    HOLD_STILL = "hold_still"
    LOOK_HERE = "look_here"
    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    FURTHER = "further"
    TURN_BACK = "turn_back"


TO_POSE = {Pose.FRONT: Hint.LOOK_HERE, Pose.LEFT: Hint.TURN_LEFT, Pose.RIGHT: Hint.TURN_RIGHT}
REASONS: Mapping[PhotoReason, Hint] = {
    PhotoReason.NO_FACE: Hint.COME,
    PhotoReason.TOO_SMALL: Hint.CLOSER,
    PhotoReason.TOO_DARK: Hint.MORE_LIGHT,
    PhotoReason.TOO_BRIGHT: Hint.LESS_LIGHT,
    PhotoReason.TOO_BLURRED: Hint.HOLD_STILL,
    PhotoReason.TURNED_AWAY: Hint.TURN_BACK,
    PhotoReason.TURNED: Hint.LOOK_HERE,
    PhotoReason.SAME_PHOTO: Hint.HOLD_STILL,
    PhotoReason.NOT_SAME_PERSON: Hint.SOMEBODY_ELSE,
}
"""What helps against a verdict on a frame."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What follows from a frame."""

    hint: Hint
    other: Candidate | None = None
    """Who stands there, for `known`."""
    take: Pose | None = None
    """As what the frame's face is to be taken; None when it is not."""


class Guide:
    """Looks at the frames of one walk-up, one after the other, and keeps nothing of those it does not want.

    Wanted is one face in each `Pose`, all of one individual and none nearly the same as another. A pose that
    an earlier photo of the person shows already, nearly the same, is left out.
    """

    def __init__(self) -> None:
        """Start with nothing taken."""
        self.taken: dict[Pose, str] = {}
        """Ids of the templates that were made in this walk-up."""
        self._here_already: set[Pose] = set()
        self._last: tuple[Pose, Embedding] | None = None
        self._steady = 0

    @property
    def settled(self) -> int:
        """Return how many poses are done."""
        return len(self.taken.keys() | self._here_already)

    @property
    def done(self) -> bool:
        """Return whether no more faces are wanted."""
        return self.settled == len(Pose)

    @property
    def next_hint(self) -> Hint:
        """Return how to come to the next face that is wanted."""
        wanted = self._wanted()
        return TO_POSE[wanted[0]] if wanted else Hint.HOLD_STILL

    def took(self, pose: Pose, template_id: str) -> None:
        """Note that a face was taken, and as which template."""
        self.taken[pose] = template_id
        self._forget_last()

    def see(
        self,
        faces: Sequence[JudgedFace],
        digest: str,
        templates: Sequence[Template],
        gallery: Gallery,
        now: datetime,
        *,
        person_id: str,
        camera_id: str,
        calibration: Calibration = SFACE,
    ) -> Advice:
        """Return what to tell the person who is before the camera, and whether to take the face.

        `faces`: all faces of the frame. `digest`: SHA-256 of the frame. `templates`: all that the person has
        by now. Somebody who is here already is named only when they agreed to be recognised at this camera.
        Raises ValueError as `judge_photo` does.
        """
        verdict = judge_photo(
            faces, digest, templates, gallery, now, person_id=person_id, calibration=calibration
        )
        if verdict.accepted and verdict.subject is not None and not _company(faces, verdict.subject):
            return self._pose(faces[verdict.subject], templates, gallery.model)
        self._forget_last()
        if verdict.accepted or verdict.reason in (PhotoReason.SEVERAL_FACES, PhotoReason.LOOKS_LIKE_OTHER):
            others = _others(faces, verdict)
            here = gallery.at(camera_id)
            for face in others:
                known = here.closest(face.embedding, now, exclude=person_id) if face.quality.usable else None
                if known is not None and known.similarity >= calibration.photo_threshold(len(gallery)):
                    return Advice(Hint.KNOWN, other=known)
            alone = verdict.reason is PhotoReason.LOOKS_LIKE_OTHER
            return Advice(Hint.SOMEBODY_ELSE if alone else Hint.ONE_PERSON)
        return Advice(REASONS[verdict.reason])

    def _pose(self, face: JudgedFace, templates: Sequence[Template], model: str) -> Advice:
        """Return what follows from a good face that is alone in its frame."""
        in_use = [each for each in templates if each.usable and each.model == model]
        sitting = [each.embedding for each in in_use if each.template_id in self.taken.values()]
        if sitting and _likeness(face.embedding, sitting) < SAME_SITTING:
            self._forget_last()
            return Advice(Hint.SOMEBODY_ELSE)
        wanted, pose = self._wanted(), pose_of(face.quality.yaw)
        if pose not in wanted or (Pose.FRONT in wanted and pose is not Pose.FRONT):
            self._forget_last()
            away = abs(face.quality.yaw) > TURNED_MOST
            return Advice(Hint.TURN_BACK if away else self.next_hint)
        if sitting and _likeness(face.embedding, sitting) >= NEARLY_SAME:
            self._forget_last()
            return Advice(Hint.FURTHER)
        if not self._is_steady(pose, face.embedding):
            return Advice(Hint.HOLD_STILL)
        if in_use and _likeness(face.embedding, [each.embedding for each in in_use]) >= NEARLY_SAME:
            self._here_already.add(pose)
            self._forget_last()
            return Advice(self.next_hint)
        return Advice(Hint.HOLD_STILL, take=pose)

    def _wanted(self) -> list[Pose]:
        return [pose for pose in Pose if pose not in self.taken and pose not in self._here_already]

    def _is_steady(self, pose: Pose, embedding: Embedding) -> bool:
        """Take note of a face that is wanted; return whether the same one was seen for long enough."""
        last, self._last = self._last, (pose, embedding)
        same = last is not None and last[0] is pose and _likeness(embedding, [last[1]]) >= SAME_SITTING
        self._steady = self._steady + 1 if same else 1
        return self._steady >= STEADY

    def _forget_last(self) -> None:
        self._last, self._steady = None, 0


def pose_of(yaw: float) -> Pose | None:
    """Return the pose of a head turned by so many degrees, positive to the viewer's right; None in between."""
    if abs(yaw) <= FRONT_MOST:
        return Pose.FRONT
    if TURNED_LEAST <= abs(yaw) <= TURNED_MOST:
        return Pose.LEFT if yaw > 0 else Pose.RIGHT
    return None


def _company(faces: Sequence[JudgedFace], subject: int) -> bool:
    """Return whether somebody else would be in the subject's portrait, which is twice the face's box."""
    left, top, width, height = faces[subject].box
    return any(
        x < left + 1.5 * width
        and x + across > left - 0.5 * width
        and y < top + 1.5 * height
        and y + down > top - 0.5 * height
        for number, (x, y, across, down) in enumerate(face.box for face in faces)
        if number != subject
    )


def _others(faces: Sequence[JudgedFace], verdict: PhotoVerdict) -> list[JudgedFace]:
    """Return the faces that are not the person's, as far as that can be told."""
    if verdict.accepted:
        return [face for number, face in enumerate(faces) if number != verdict.subject]
    return list(faces) if verdict.subject is None else [faces[verdict.subject]]


def _likeness(embedding: Embedding, others: Sequence[Embedding]) -> float:
    """Return the largest cosine to one of the others, of which there is at least one."""
    return max(float(np.dot(embedding, other)) for other in others)
