"""What was agreed to counts where faces are compared: at each camera, and in silence."""

from dataclasses import replace

import numpy as np
import pytest

from custom_components.familiar_faces.people.choices import ANYWHERE, NO_CAMERA, UPLOADED, Choices, Keeping
from custom_components.familiar_faces.people.gallery import Gallery
from custom_components.familiar_faces.people.person import Person
from custom_components.familiar_faces.people.verification import Answer, verify
from tests.common.vectors import NOW, axis, make_person


def at_cameras(person: Person, *cameras: str) -> Person:
    """Return a person who agreed to these cameras only."""
    consent = replace(person.consents[-1], choices=Choices(frozenset(cameras)))
    return replace(person, consents=(consent,))


@pytest.mark.parametrize(
    ("keeping", "pictures", "announced", "visits", "kept_pictures"),
    [
        (Keeping.VISITS, True, True, True, True),
        (Keeping.VISITS, False, True, True, False),
        (Keeping.NOTHING, True, True, False, False),
        (Keeping.SILENT, True, False, False, False),
    ],
)
def test_each_choice_says_what_may_be_done(
    keeping: Keeping, pictures: bool, announced: bool, visits: bool, kept_pictures: bool
) -> None:
    choices = Choices(None, keeping, pictures)
    assert (choices.announced, choices.keeps_visits, choices.keeps_pictures) == (
        announced,
        visits,
        kept_pictures,
    )


def test_cameras_are_those_that_were_named() -> None:
    assert all(Choices().at(each) for each in ("door", ANYWHERE, NO_CAMERA))
    assert not Choices().at(UPLOADED)
    assert Choices(frozenset(), uploads=True).at(UPLOADED)
    some = Choices(frozenset({"door"}))
    assert [some.at(each) for each in ("door", "garden", ANYWHERE, NO_CAMERA)] == [True, False, True, False]
    assert not Choices(frozenset()).at("door")


def test_without_a_consent_nothing_is_agreed_to() -> None:
    nobody = replace(make_person("Anna", axis(0)), consents=())
    assert not nobody.may_be_recognised(NOW)
    assert (nobody.choices.announced, nobody.choices.at("door"), nobody.choices.keeps_pictures) == (
        False,
    ) * 3


def test_a_camera_that_was_not_agreed_to_is_not_compared_with() -> None:
    anna, ben = at_cameras(make_person("Anna", axis(0)), "door"), make_person("Ben", axis(1))
    gallery = Gallery([anna, ben], "sface")
    face = axis(0)[None]
    for camera_id, names in (
        ("door", ["Anna", "Ben"]),
        ("garden", ["Ben"]),
        (NO_CAMERA, ["Ben"]),
        (UPLOADED, []),
        (ANYWHERE, ["Anna", "Ben"]),
    ):
        here = gallery.at(camera_id)
        assert [each.name for each in here.compare(face, [1.0], NOW).candidates] == names
        assert (here.compare_with("anna", face, [1.0], NOW) is None) == ("Anna" not in names)
        assert [each.person_id for each in here.everybody(axis(0), NOW)] == [each.lower() for each in names]
        closest = here.closest(axis(0), NOW)
        assert ([] if closest is None else [closest.name]) == names[:1]
        assert gallery.at(camera_id) is here
    assert verify(face, np.ones(1, np.float32), gallery.at("garden"), "ben", NOW).answer is Answer.NO
