"""What is said about reference photos."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import pytest

from custom_components.familiar_faces.engine.protocol import Quality
from custom_components.familiar_faces.people.gallery import Gallery
from custom_components.familiar_faces.people.photos import PhotoReason, judge_photo
from tests.common.vectors import Axis, Like, MakePerson

NOBODY = Gallery([], "sface")


def quality(
    usable: bool = True,
    reason: str | None = None,
    sharpness: float = 80.0,
    brightness: float = 118.0,
    yaw: float = 0.0,
) -> Quality:
    return Quality(usable, reason, sharpness, yaw, brightness, 120)


@dataclass
class Face:
    embedding: np.ndarray
    width: float = 120.0
    quality: Quality = field(default_factory=quality)

    @property
    def box(self) -> tuple[float, float, float, float]:
        return (10.0, 10.0, self.width, self.width * 1.3)


def test_a_good_photo(axis: Axis, now: datetime) -> None:
    verdict = judge_photo([Face(axis(0))], "new", [], NOBODY, now)

    assert verdict.accepted
    assert verdict.reason is PhotoReason.GOOD
    assert verdict.subject == 0
    assert verdict.warnings == ()


@pytest.mark.parametrize(
    ("sharpness", "brightness", "accepted"),
    [(16, 118, True), (14, 118, False), (5, 60, True), (3, 60, False), (30, 200, False)],
)
def test_a_photo_to_enrol_is_sharp(
    axis: Axis, now: datetime, sharpness: float, brightness: float, accepted: bool
) -> None:
    face = Face(axis(0), quality=quality(sharpness=sharpness, brightness=brightness))

    verdict = judge_photo([face], "new", [], NOBODY, now)

    assert verdict.accepted is accepted
    assert verdict.reason is (PhotoReason.GOOD if accepted else PhotoReason.TOO_BLURRED)


def test_no_face(now: datetime) -> None:
    verdict = judge_photo([], "new", [], NOBODY, now)

    assert verdict.reason is PhotoReason.NO_FACE
    assert not verdict.accepted
    assert not verdict.may_insist


@pytest.mark.parametrize("widths", [(120, 118), (120, 61), (90, 40, 110)])
def test_several_people(axis: Axis, now: datetime, widths: tuple[int, ...]) -> None:
    faces = [Face(axis(index), width) for index, width in enumerate(widths)]

    verdict = judge_photo(faces, "new", [], NOBODY, now)

    assert verdict.reason is PhotoReason.SEVERAL_FACES
    assert verdict.subject is None


def test_small_faces_in_the_background_are_ignored(axis: Axis, now: datetime) -> None:
    faces = [Face(axis(1), 40), Face(axis(0), 120), Face(axis(2), 59)]

    verdict = judge_photo(faces, "new", [], NOBODY, now)

    assert verdict.accepted
    assert verdict.subject == 1


@pytest.mark.parametrize(("width", "reason"), [(79, PhotoReason.TOO_SMALL), (80, PhotoReason.GOOD)])
def test_enrolling_needs_a_large_face(axis: Axis, now: datetime, width: float, reason: PhotoReason) -> None:
    assert judge_photo([Face(axis(0), width)], "new", [], NOBODY, now).reason is reason


@pytest.mark.parametrize(
    ("yaw", "reason"),
    [(-59.0, PhotoReason.GOOD), (61.0, PhotoReason.TURNED_AWAY), (-74.0, PhotoReason.TURNED_AWAY)],
)
def test_enrolling_needs_more_of_a_face_than_recognising(
    axis: Axis, now: datetime, yaw: float, reason: PhotoReason
) -> None:
    photo = [Face(axis(0), quality=quality(yaw=yaw))]

    assert judge_photo(photo, "new", [], NOBODY, now).reason is reason


@pytest.mark.parametrize("reason", ["too_small", "too_blurred", "too_dark", "too_bright", "turned_away"])
def test_a_poor_face_says_why(axis: Axis, now: datetime, reason: str) -> None:
    verdict = judge_photo([Face(axis(0), quality=quality(False, reason))], "new", [], NOBODY, now)

    assert verdict.reason == reason
    assert not verdict.accepted


def test_the_same_photo_twice(make_person: MakePerson, axis: Axis, now: datetime) -> None:
    anna = make_person("Anna", axis(0))

    verdict = judge_photo([Face(axis(0))], "digest-Anna-0", anna.templates, NOBODY, now)

    assert verdict.reason is PhotoReason.SAME_PHOTO


@pytest.mark.parametrize(("cosine", "warned"), [(0.97, True), (0.85, False)])
def test_nearly_the_same_photo_is_accepted_with_a_warning(
    make_person: MakePerson, axis: Axis, like: Like, now: datetime, cosine: float, warned: bool
) -> None:
    anna = make_person("Anna", axis(0))

    verdict = judge_photo([Face(like(axis(0), cosine))], "new", anna.templates, NOBODY, now)

    assert verdict.accepted
    assert (PhotoReason.NEARLY_SAME_PHOTO in verdict.warnings) is warned


def test_somebody_else_among_the_photos(
    make_person: MakePerson, axis: Axis, like: Like, now: datetime
) -> None:
    anna = make_person("Anna", axis(0), like(axis(0), 0.7))

    verdict = judge_photo([Face(like(axis(0), 0.1))], "new", anna.templates, NOBODY, now)

    assert verdict.reason is PhotoReason.NOT_SAME_PERSON
    assert verdict.may_insist


def test_another_look_of_the_same_person_is_fine(
    make_person: MakePerson, axis: Axis, like: Like, now: datetime
) -> None:
    anna = make_person("Anna", axis(0))

    assert judge_photo([Face(like(axis(0), 0.5))], "new", anna.templates, NOBODY, now).accepted


def test_somebody_who_is_here_already(make_person: MakePerson, axis: Axis, like: Like, now: datetime) -> None:
    gallery = Gallery([make_person("Anna", axis(0)), make_person("Ben", axis(1))], "sface")

    verdict = judge_photo([Face(like(axis(0), 0.7))], "new", [], gallery, now)

    assert verdict.reason is PhotoReason.LOOKS_LIKE_OTHER
    assert verdict.other_name == "Anna"
    assert verdict.may_insist


def test_a_person_does_not_look_like_somebody_else_for_being_themselves(
    make_person: MakePerson, axis: Axis, like: Like, now: datetime
) -> None:
    anna = make_person("Anna", axis(0))
    gallery = Gallery([anna], "sface")

    photo = [Face(like(axis(0), 0.7))]

    assert judge_photo(photo, "new", anna.templates, gallery, now, person_id="anna").accepted


def test_a_look_alike_is_warned_of_when_the_own_photos_fit_better(
    make_person: MakePerson, axis: Axis, like: Like, now: datetime
) -> None:
    anna = make_person("Anna", axis(0))
    sister = make_person("Sister", like(axis(0), 0.6))

    verdict = judge_photo(
        [Face(axis(0))], "new", anna.templates, Gallery([anna, sister], "sface"), now, person_id="anna"
    )

    assert verdict.accepted
    assert PhotoReason.LOOKS_LIKE_OTHER in verdict.warnings
    assert verdict.other_name == "Sister"


def test_nobody_is_compared_with_a_person_whose_consent_ended(
    make_person: MakePerson, axis: Axis, now: datetime
) -> None:
    gone = make_person("Anna", axis(0), valid_until=now + timedelta(seconds=1))
    gallery = Gallery([gone], "sface")

    assert not judge_photo([Face(axis(0))], "new", [], gallery, now).accepted
    assert judge_photo([Face(axis(0))], "new", [], gallery, now + timedelta(seconds=1)).accepted


def test_the_same_photo_twice_when_it_was_set_aside(
    make_person: MakePerson, axis: Axis, now: datetime
) -> None:
    anna = make_person("Anna", axis(0), axis(1), usable=(True, False))

    verdict = judge_photo([Face(axis(1))], "digest-Anna-1", anna.templates, NOBODY, now)
    assert (verdict.reason, verdict.warnings) == (PhotoReason.SAME_PHOTO, (PhotoReason.SET_ASIDE,))
    assert not verdict.accepted
    verdict = judge_photo([Face(axis(0))], "digest-Anna-0", anna.templates, NOBODY, now)
    assert (verdict.reason, verdict.warnings) == (PhotoReason.SAME_PHOTO, ())


def test_resembling_a_photo_that_was_set_aside_does_not_count(
    make_person: MakePerson, axis: Axis, like: Like, now: datetime
) -> None:
    anna = make_person("Anna", axis(0), axis(1), usable=(True, False))

    verdict = judge_photo([Face(like(axis(1), 0.97))], "new", anna.templates, NOBODY, now)
    assert verdict.reason is PhotoReason.NOT_SAME_PERSON
    verdict = judge_photo([Face(like(axis(0), 0.97))], "new", anna.templates, NOBODY, now)
    assert (verdict.accepted, verdict.warnings) == (True, (PhotoReason.NEARLY_SAME_PHOTO,))


def test_photos_of_another_model_are_only_the_same_or_not(
    make_person: MakePerson, axis: Axis, now: datetime
) -> None:
    anna = make_person("Anna", axis(0)[:64], model="older")

    assert judge_photo([Face(axis(1))], "new", anna.templates, NOBODY, now).warnings == ()
    verdict = judge_photo([Face(axis(1))], "digest-Anna-0", anna.templates, NOBODY, now)
    assert verdict.reason is PhotoReason.SAME_PHOTO
