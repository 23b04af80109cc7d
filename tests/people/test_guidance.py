"""Walk-up enrolment: what is said to somebody before a camera, and which faces are taken."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from custom_components.familiar_faces.people.choices import Choices
from custom_components.familiar_faces.people.gallery import Gallery
from custom_components.familiar_faces.people.guidance import (
    REASONS,
    STEADY,
    Advice,
    Guide,
    Hint,
    Pose,
    pose_of,
)
from custom_components.familiar_faces.people.person import Embedding, Person, Template
from custom_components.familiar_faces.people.photos import PhotoReason
from custom_components.familiar_faces.people.templates import ENOUGH_PHOTOS
from tests.common.vectors import NOW, Like, axis, make_person

HERE = "front_door"
YAW = {Pose.FRONT: 0.0, Pose.LEFT: 25.0, Pose.RIGHT: -25.0}


@dataclass(frozen=True)
class FakeQuality:
    """The quality of a face as the engine says it."""

    usable: bool = True
    reason: str | None = None
    ordinary_sharpness: float = 200.0
    yaw: float = 0.0


@dataclass(frozen=True)
class FakeFace:
    """A face as the engine says it."""

    embedding: Embedding
    box: tuple[float, float, float, float] = (500.0, 200.0, 160.0, 200.0)
    quality: FakeQuality = field(default_factory=FakeQuality)


def face(embedding: Embedding, pose: Pose = Pose.FRONT, **changes: Any) -> FakeFace:
    """Return a good face in a pose."""
    return FakeFace(embedding, quality=replace(FakeQuality(yaw=YAW[pose]), **changes))


class Sitting:
    """Somebody before a camera, whose faces are taken when the guide says so."""

    def __init__(self, *templates: Embedding, people: Sequence[Person] = ()) -> None:
        """Start with the photos that they have already."""
        self.guide = Guide()
        self.templates = [
            Template(f"old-{number}", each, "sface", f"old-{number}", NOW)
            for number, each in enumerate(templates)
        ]
        self.gallery = Gallery(people, "sface")
        self.frames = 0

    def see(self, *faces: FakeFace, times: int = 1) -> Advice:
        """Show a frame so many times, and return what is said at last."""
        for _ in range(times):
            self.frames += 1
            advice = self.guide.see(
                faces,
                f"frame-{self.frames}",
                self.templates,
                self.gallery,
                NOW,
                person_id="eileen",
                camera_id=HERE,
            )
            if advice.take is not None:
                template = Template(f"new-{self.frames}", faces[0].embedding, "sface", "digest", NOW)
                self.templates.append(template)
                self.guide.took(advice.take, template.template_id)
        return advice

    @property
    def taken(self) -> list[Pose]:
        """Return what was taken, in order."""
        return list(self.guide.taken)


@pytest.fixture
def poses(like: Like) -> dict[Pose, FakeFace]:
    """Return one person's faces, as different as those of a head that is turned."""
    middle = axis(0)
    return {pose: face(like(middle, 0.9), pose) for pose in Pose}


def test_three_different_faces_are_taken(poses: dict[Pose, FakeFace]) -> None:
    """Straight, left, right: each is asked for, taken once it is steady, and not taken twice."""
    sitting = Sitting()
    assert sitting.see().hint is Hint.COME
    assert sitting.see(poses[Pose.FRONT]) == Advice(Hint.HOLD_STILL)
    sitting.see(poses[Pose.FRONT], times=STEADY - 1)
    assert sitting.taken == [Pose.FRONT]
    assert sitting.see(poses[Pose.FRONT]).hint is Hint.TURN_LEFT
    sitting.see(poses[Pose.LEFT], times=STEADY)
    assert sitting.taken == [Pose.FRONT, Pose.LEFT]
    assert sitting.see(poses[Pose.LEFT]).hint is Hint.TURN_RIGHT
    assert not sitting.guide.done
    sitting.see(poses[Pose.RIGHT], times=STEADY)
    assert sitting.taken == [Pose.FRONT, Pose.LEFT, Pose.RIGHT]
    assert sitting.guide.done
    assert len(Pose) == ENOUGH_PHOTOS == sitting.guide.settled


def test_either_side_may_come_first_but_the_front_does(poses: dict[Pose, FakeFace]) -> None:
    """Who turns to the other side is not told off; but who is meant is seen from the front."""
    sitting = Sitting()
    assert sitting.see(poses[Pose.RIGHT], times=STEADY).hint is Hint.LOOK_HERE
    assert sitting.taken == []
    sitting.see(poses[Pose.FRONT], times=STEADY)
    sitting.see(poses[Pose.RIGHT], times=STEADY)
    assert sitting.taken == [Pose.FRONT, Pose.RIGHT]
    assert sitting.see(poses[Pose.FRONT]).hint is Hint.TURN_LEFT


def test_nobody_is_taken_who_passes_by(poses: dict[Pose, FakeFace], like: Like) -> None:
    """A face has to be the same one, frame after frame, before it is taken."""
    sitting = Sitting()
    other = face(axis(1))
    for _ in range(3):
        sitting.see(poses[Pose.FRONT], times=STEADY - 1)
        sitting.see(other)
        sitting.see(times=1)
    assert sitting.taken == []


def test_one_person_all_along(poses: dict[Pose, FakeFace]) -> None:
    """Anyone who takes the person's place is not taken, whatever they do."""
    sitting = Sitting()
    sitting.see(poses[Pose.FRONT], times=STEADY)
    for pose in Pose:
        assert sitting.see(face(axis(1), pose), times=5).hint is Hint.SOMEBODY_ELSE
    assert sitting.taken == [Pose.FRONT]


def test_somebody_alike_is_not_the_same(poses: dict[Pose, FakeFace], like: Like) -> None:
    """A likeness that would do for a photo of another year does not within one minute."""
    sitting = Sitting()
    sitting.see(poses[Pose.FRONT], times=STEADY)
    sister = face(like(poses[Pose.FRONT].embedding, 0.45), Pose.LEFT)
    assert sitting.see(sister, times=5).hint is Hint.SOMEBODY_ELSE
    assert sitting.taken == [Pose.FRONT]


def test_likeness_to_earlier_photos_counts_from_the_first_face_on(poses: dict[Pose, FakeFace]) -> None:
    """Somebody who does not look like the photos that the person has is not taken."""
    sitting = Sitting(axis(2))
    assert sitting.see(poses[Pose.FRONT], times=5).hint is Hint.SOMEBODY_ELSE
    assert sitting.taken == []


@pytest.mark.parametrize(
    "box",
    [
        pytest.param((900.0, 200.0, 150.0, 190.0), id="as large"),
        pytest.param((640.0, 300.0, 30.0, 40.0), id="small, in the portrait"),
        pytest.param((400.0, 120.0, 30.0, 40.0), id="small, at the portrait's corner"),
    ],
)
def test_nobody_is_taken_along(poses: dict[Pose, FakeFace], box: tuple[float, float, float, float]) -> None:
    """As long as somebody else would be in the picture, or may be the one meant, nothing is taken."""
    sitting = Sitting()
    beside = FakeFace(axis(1), box=box)
    assert sitting.see(poses[Pose.FRONT], beside, times=5) == Advice(Hint.ONE_PERSON)
    assert sitting.taken == []
    # A picture shows twice the face; anyone who walks far behind is not in it.
    away = FakeFace(axis(1), box=(900.0, 200.0, 30.0, 40.0))
    sitting.see(poses[Pose.FRONT], away, times=STEADY)
    assert sitting.taken == [Pose.FRONT]


def _judy(cameras: frozenset[str] | None) -> Person:
    judy = make_person("Judy", axis(5))
    (consent,) = judy.consents
    return replace(judy, consents=(replace(consent, choices=Choices(cameras=cameras)),))


@pytest.mark.parametrize(
    ("cameras", "alone", "beside"),
    [
        (None, Hint.KNOWN, Hint.KNOWN),
        (frozenset({HERE}), Hint.KNOWN, Hint.KNOWN),
        (frozenset({"garden"}), Hint.SOMEBODY_ELSE, Hint.ONE_PERSON),
    ],
    ids=["everywhere", "here", "elsewhere"],
)
def test_somebody_who_is_here_already(
    poses: dict[Pose, FakeFace], cameras: frozenset[str] | None, alone: Hint, beside: Hint
) -> None:
    """They are named, where they agreed to that, and never taken."""
    sitting = Sitting(people=[_judy(cameras)])
    judy = replace(face(axis(5)), box=(800.0, 200.0, 160.0, 200.0))
    first = sitting.see(judy, times=5)
    assert first.hint is alone
    both = sitting.see(poses[Pose.FRONT], judy, times=5)
    assert both.hint is beside
    for advice in (first, both):
        assert (advice.other is not None and advice.other.name) == (advice.hint is Hint.KNOWN and "Judy")
    assert sitting.taken == []


@pytest.mark.parametrize(
    ("poor", "hint"),
    [
        ({"usable": False, "reason": "too_dark"}, Hint.MORE_LIGHT),
        ({"usable": False, "reason": "too_bright"}, Hint.LESS_LIGHT),
        ({"usable": False, "reason": "turned_away"}, Hint.TURN_BACK),
        ({"usable": False, "reason": "too_blurred"}, Hint.HOLD_STILL),
        ({"ordinary_sharpness": 8.0}, Hint.HOLD_STILL),
    ],
    ids=["dark", "bright", "away", "blurred", "not sharp"],
)
def test_poor_faces(poses: dict[Pose, FakeFace], poor: dict[str, Any], hint: Hint) -> None:
    """Each reason is answered with what helps, and no poor face is taken."""
    sitting = Sitting()
    assert sitting.see(face(axis(0), **poor), times=5).hint is hint
    assert sitting.taken == []


def test_come_closer() -> None:
    """A face that is seen and too small is asked closer."""
    sitting = Sitting()
    assert sitting.see(FakeFace(axis(0), box=(500.0, 200.0, 60.0, 80.0)), times=5).hint is Hint.CLOSER
    assert sitting.taken == []


def test_nearly_the_same_face_is_not_taken(like: Like) -> None:
    """Turned, but not so that it shows anything new: a little further, please."""
    front = axis(0)
    sitting = Sitting()
    sitting.see(face(front), times=STEADY)
    assert sitting.see(face(like(front, 0.96), Pose.LEFT), times=5).hint is Hint.FURTHER
    assert sitting.taken == [Pose.FRONT]
    sitting.see(face(like(front, 0.85), Pose.LEFT), times=STEADY)
    assert sitting.taken == [Pose.FRONT, Pose.LEFT]


def test_what_earlier_photos_show_is_left_out(poses: dict[Pose, FakeFace], like: Like) -> None:
    """A pose that a photo shows already is not taken again, and not asked for without end."""
    sitting = Sitting(*(like(each.embedding, 0.97) for each in poses.values()))
    for pose in Pose:
        sitting.see(poses[pose], times=STEADY)
    assert sitting.taken == []
    assert sitting.guide.done
    assert len(sitting.templates) == 3


@pytest.mark.parametrize(
    ("yaw", "pose"),
    [
        (0, Pose.FRONT),
        (12, Pose.FRONT),
        (-12, Pose.FRONT),
        (13, None),
        (15, Pose.LEFT),
        (40, Pose.LEFT),
        (-15, Pose.RIGHT),
        (-41, None),
    ],
)
def test_poses(yaw: float, pose: Pose | None) -> None:
    """The viewer's right is the person's left."""
    assert pose_of(yaw) is pose


def test_turned_too_far(poses: dict[Pose, FakeFace]) -> None:
    """Who turns further than visitors do is called back."""
    sitting = Sitting()
    sitting.see(poses[Pose.FRONT], times=STEADY)
    far = replace(poses[Pose.LEFT], quality=FakeQuality(yaw=50.0))
    assert sitting.see(far).hint is Hint.TURN_BACK


def test_every_verdict_is_answered() -> None:
    """Nothing that can be said of a photo leaves the person without a word."""
    elsewhere = {PhotoReason.GOOD, PhotoReason.SEVERAL_FACES, PhotoReason.LOOKS_LIKE_OTHER}
    warnings = {PhotoReason.NEARLY_SAME_PHOTO, PhotoReason.SET_ASIDE}
    assert REASONS.keys() == set(PhotoReason) - elsewhere - warnings


def test_faces_of_another_length() -> None:
    """What cannot be compared is an error, not somebody else."""
    sitting = Sitting(axis(0))
    with pytest.raises(ValueError, match="length|align|shape|dim"):
        sitting.see(FakeFace(np.full(4, 0.5, np.float32)))
