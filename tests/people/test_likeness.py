"""Photos of somebody else among a person's, and people who look alike."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from custom_components.familiar_faces.people.gallery import Gallery
from custom_components.familiar_faces.people.likeness import LOOK_ALIKE, NOT_SAME, look_alikes, outliers
from custom_components.familiar_faces.people.person import Embedding
from tests.common.vectors import Axis, Like, MakePerson

MODEL = "sface"

type Photos = Callable[[int, int], list[Embedding]]


@pytest.fixture
def photos(axis: Axis, like: Like) -> Photos:
    """Return a function that makes different photos of one person."""

    def make(person: int, count: int) -> list[Embedding]:
        return [like(axis(person), 0.8) for _ in range(count)]

    return make


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_photos_of_one_person(photos: Photos, count: int) -> None:
    assert outliers(photos(0, count), MODEL) == []


@pytest.mark.parametrize("place", [0, 1, 3])
def test_one_photo_of_somebody_else(photos: Photos, place: int) -> None:
    taken = photos(0, 3)
    taken.insert(place, photos(1, 1)[0])

    assert outliers(taken, MODEL) == [place]


def test_photos_of_two_other_people(photos: Photos) -> None:
    assert outliers([*photos(1, 1), *photos(0, 2), *photos(2, 1)], MODEL) == [0, 3]


def test_two_of_five_are_the_same_other_person(photos: Photos) -> None:
    assert outliers([*photos(1, 2), *photos(0, 3)], MODEL) == [0, 1]


@pytest.mark.parametrize("each", [1, 2])
def test_no_telling_who_is_the_person(photos: Photos, each: int) -> None:
    assert outliers([*photos(0, each), *photos(1, each)], MODEL) == list(range(2 * each))


def test_ten_times_the_same_wrong_photo_count_once(photos: Photos, axis: Axis, like: Like) -> None:
    wrong = [like(axis(1), 0.995) for _ in range(10)]

    assert outliers([*wrong, *photos(0, 2)], MODEL) == list(range(10))


@pytest.mark.parametrize(("cosine", "found"), [(NOT_SAME + 0.01, []), (NOT_SAME - 0.01, [0, 1])])
def test_the_limit_of_two(axis: Axis, like: Like, cosine: float, found: list[int]) -> None:
    assert outliers([axis(0), like(axis(0), cosine)], MODEL) == found


@pytest.mark.parametrize(("cosine", "names"), [(LOOK_ALIKE + 0.01, ["Ben"]), (LOOK_ALIKE - 0.01, [])])
def test_a_look_alike(
    make_person: MakePerson, axis: Axis, like: Like, now: datetime, cosine: float, names: list[str]
) -> None:
    gallery = Gallery([make_person("Ben", like(axis(0), cosine)), make_person("Cleo", axis(1))], MODEL)

    found = look_alikes([axis(0)], gallery, now, person_id="anna")

    assert [each.name for each in found] == names


def test_the_person_is_not_their_own_look_alike(make_person: MakePerson, axis: Axis, now: datetime) -> None:
    anna = make_person("Anna", axis(0))

    assert look_alikes([axis(0)], Gallery([anna], MODEL), now, person_id=anna.person_id) == ()


def test_look_alikes_are_named_the_likest_first(
    make_person: MakePerson, axis: Axis, like: Like, now: datetime
) -> None:
    gallery = Gallery(
        [make_person("Ben", like(axis(0), 0.7)), make_person("Cleo", like(axis(0), 0.9))], MODEL
    )

    found = look_alikes([axis(0)], gallery, now, person_id="anna")

    assert [each.name for each in found] == ["Cleo", "Ben"]


def test_nobody_looks_like_a_person_whose_consent_ended(
    make_person: MakePerson, axis: Axis, now: datetime
) -> None:
    gallery = Gallery([make_person("Ben", axis(0), valid_until=now + timedelta(seconds=1))], MODEL)

    assert look_alikes([axis(0)], gallery, now, person_id="anna")
    assert not look_alikes([axis(0)], gallery, now + timedelta(seconds=1), person_id="anna")


def test_one_photo_given_often_does_not_hide_a_look_alike(
    make_person: MakePerson, axis: Axis, like: Like, now: datetime
) -> None:
    ben = make_person("Ben", axis(1))
    mine = [*(like(axis(0), 0.995) for _ in range(10)), like(axis(1), 0.95)]

    assert look_alikes(mine, Gallery([ben], MODEL), now, person_id="anna")
