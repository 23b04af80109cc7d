"""The middle of a camera: learned from people who agreed, and gone with them."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from custom_components.familiar_faces.people.choices import Choices
from custom_components.familiar_faces.people.clarity import CLEAR
from custom_components.familiar_faces.people.gallery import Gallery
from custom_components.familiar_faces.people.middles import MOST_VISITS, Middles
from custom_components.familiar_faces.people.person import Embedding, Person
from tests.common.vectors import Axis, Like, MakePerson

NIGHT, DAY = [CLEAR - 1], [CLEAR + 1]


def moved(face: Embedding, by: Embedding) -> Embedding:
    """Return a face as a camera moves it."""
    there: Embedding = (0.4 * face + 0.9 * by).astype(np.float32)
    return there / np.float32(np.linalg.norm(there))


def learned(gallery: Gallery, middles: Middles, person: Person, face: Embedding, times: int = 1) -> None:
    """Have the camera name somebody in poor pictures, so often."""
    for _ in range(times):
        middles.learn(
            "sface", "door", person.person_id, gallery.shifts(person.person_id, [face], [1.0], NIGHT)
        )


@pytest.fixture
def people(make_person: MakePerson, axis: Axis) -> list[Person]:
    """Return four people who are not alike."""
    return [make_person(f"P{index}", axis(index)) for index in range(4)]


def likeness(gallery: Gallery, face: Embedding, now: datetime, lengths: list[float]) -> float:
    """Return how much the first person is resembled at the door."""
    found = gallery.at("door").compare_with("p0", [face], [1.0], now, lengths)
    assert found is not None
    return found.similarity


def test_what_others_were_seen_as_makes_somebody_known(
    people: list[Person], axis: Axis, now: datetime
) -> None:
    middles = Middles()
    gallery = Gallery(people, "sface", middles=middles)
    face = moved(axis(0), axis(9))
    before = likeness(gallery, face, now, NIGHT)
    gained = []
    for person, own in zip(people[1:], (1, 2, 3), strict=True):
        learned(gallery, middles, person, moved(axis(own), axis(9)))
        gained.append(likeness(gallery, face, now, NIGHT))

    assert before < gained[0] < gained[1] < gained[2]
    assert gained[0] > before + 0.1
    # By day, and elsewhere, the camera is another one.
    assert likeness(gallery, face, now, DAY) == before
    assert gallery.at("garden").compare_with("p0", [face], [1.0], now, NIGHT).similarity == before


def test_who_was_named_wrongly_is_no_more_like_that_person_the_next_time(
    people: list[Person], axis: Axis, like: Like, now: datetime
) -> None:
    """What the camera took for the person's own must not pass for what the camera does."""
    middles = Middles()
    gallery = Gallery(people, "sface", middles=middles)
    for cosine in (0.0, 0.5):
        stranger = like(axis(0), cosine)
        before = likeness(gallery, stranger, now, NIGHT)
        learned(gallery, middles, people[0], stranger, times=5)

        assert likeness(gallery, stranger, now, NIGHT) == before


def test_a_middle_of_one_person_is_for_the_others(people: list[Person], axis: Axis, now: datetime) -> None:
    middles = Middles()
    gallery = Gallery(people, "sface", middles=middles)
    face = moved(axis(0), axis(9))
    alone = likeness(gallery, face, now, NIGHT)
    learned(gallery, middles, people[0], face, times=5)
    assert likeness(gallery, face, now, NIGHT) == alone

    learned(gallery, middles, people[1], moved(axis(1), axis(9)))

    assert likeness(gallery, face, now, NIGHT) > alone + 0.1
    other = gallery.at("door").compare_with("p1", [moved(axis(1), axis(9))], [1.0], now, NIGHT)
    assert other is not None
    assert other.similarity > alone + 0.1


def test_what_is_learned_has_nothing_of_the_likeness_to_the_person(people: list[Person], axis: Axis) -> None:
    gallery = Gallery(people, "sface")
    shifts = gallery.shifts("p0", [moved(axis(0), axis(9)), axis(0)], [1.0, 1.0], [*NIGHT, *DAY])

    assert shifts.poor is not None
    assert shifts.clear is not None
    assert abs(float(shifts.poor @ axis(0))) < 1e-6
    assert float(shifts.poor @ axis(9)) > 0.5
    assert np.abs(shifts.clear).max() < 1e-6


def test_nothing_is_left_of_somebody_who_is_forgotten(
    people: list[Person], axis: Axis, now: datetime
) -> None:
    middles, alone = Middles(), Middles()
    gallery = Gallery(people, "sface", middles=middles)
    for person, own in ((people[1], 1), (people[2], 2)):
        learned(gallery, middles, person, moved(axis(own), axis(9)), times=3)
    learned(gallery, alone, people[2], moved(axis(2), axis(9)), times=3)
    assert len(middles) == 2

    middles.forget("p1")

    assert len(middles) == 1
    left, only = (each.at("sface", "door", lambda _: True) for each in (middles, alone))
    assert left.told_by == only.told_by == {"p2"}
    shift, alike = left.moves(1.0), only.moves(1.0)
    assert shift is not None
    assert alike is not None
    assert np.array_equal(shift, alike)
    middles.forget("p2", "garden")
    assert len(middles) == 1
    middles.forget("p2", "door")
    nothing = middles.at("sface", "door", lambda _: True)
    assert not nothing.told_by
    assert nothing.moves(1.0) is None


def test_only_who_may_be_recognised_there_and_now_counts(
    make_person: MakePerson, axis: Axis, now: datetime
) -> None:
    middles = Middles()
    ends = now + timedelta(hours=1)
    anna, ben = make_person("P0", axis(0)), make_person("Ben", axis(1), valid_until=ends)
    gallery = Gallery([anna, ben], "sface", middles=middles)
    face = moved(axis(0), axis(9))
    before = likeness(gallery, face, now, NIGHT)
    learned(gallery, middles, ben, moved(axis(1), axis(9)))

    assert likeness(gallery, face, now, NIGHT) > before
    assert likeness(gallery, face, ends, NIGHT) == before
    # Who is not in the gallery any more has no say, whatever is left of them.
    assert likeness(Gallery([anna], "sface", middles=middles), face, now, NIGHT) == before
    there = tuple(replace(each, choices=Choices(cameras=frozenset({"garden"}))) for each in ben.consents)
    elsewhere = replace(ben, consents=there)
    assert likeness(Gallery([anna, elsewhere], "sface", middles=middles), face, now, NIGHT) == before


def test_old_visits_fade(people: list[Person], axis: Axis) -> None:
    middles = Middles()
    gallery = Gallery(people, "sface", middles=middles)
    learned(gallery, middles, people[0], moved(axis(0), axis(8)), times=5 * MOST_VISITS)
    learned(gallery, middles, people[0], moved(axis(0), axis(9)), times=3 * MOST_VISITS)

    now_there = middles.at("sface", "door", lambda _: True).moves(1.0)
    assert now_there is not None
    assert float(now_there @ axis(9)) > 10 * abs(float(now_there @ axis(8)))


def test_nobody_who_is_not_known_teaches_anything(people: list[Person], axis: Axis) -> None:
    with pytest.raises(LookupError):
        Gallery(people, "sface").shifts("stranger", [axis(7)], [1.0], NIGHT)
