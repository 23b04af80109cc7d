"""How faces become individuals."""

from datetime import datetime, timedelta

import pytest

from custom_components.familiar_faces.visits.tracker import Tracker
from tests.common.vectors import Axis, Like, MakeFace, MakeFrame


def seconds(value: float) -> timedelta:
    return timedelta(seconds=value)


@pytest.mark.parametrize("step", [0.1, 0.5, 2.0])
def test_one_individual_stays_one(
    make_face: MakeFace, make_frame: MakeFrame, axis: Axis, like: Like, now: datetime, step: float
) -> None:
    tracker = Tracker()
    for index in range(6):
        tracker.add(make_frame(make_face(like(axis(0), 0.85), 100 + 10 * index)), now + seconds(step * index))

    (sighting,) = tracker.sightings
    assert sighting.frames == 6
    assert len(sighting.faces) == 6


def test_two_faces_of_a_frame_are_two_individuals_however_alike(
    make_face: MakeFace, make_frame: MakeFrame, axis: Axis, now: datetime
) -> None:
    tracker = Tracker()

    first, second = tracker.add(make_frame(make_face(axis(0), 100), make_face(axis(0), 110)), now)

    assert first is not second
    again = tracker.add(make_frame(make_face(axis(0), 100), make_face(axis(0), 110)), now + seconds(0.5))
    assert set(again) == {first, second} == set(tracker.sightings)


def test_the_answer_is_in_the_order_of_the_faces(
    make_face: MakeFace, make_frame: MakeFrame, axis: Axis, now: datetime
) -> None:
    tracker = Tracker()
    anna, ben = tracker.add(make_frame(make_face(axis(0), 100), make_face(axis(1), 300)), now)

    swapped = tracker.add(make_frame(make_face(axis(1), 300), make_face(axis(0), 100)), now + seconds(0.5))

    assert swapped == (ben, anna)


def test_two_people_who_cross_stay_themselves(
    make_face: MakeFace, make_frame: MakeFrame, axis: Axis, like: Like, now: datetime
) -> None:
    tracker = Tracker()
    for index in range(9):
        anna = make_face(like(axis(0), 0.85), 100 + 40 * index)
        ben = make_face(like(axis(1), 0.85), 420 - 40 * index)
        tracker.add(make_frame(*((anna, ben) if index % 2 else (ben, anna))), now + seconds(0.3 * index))

    assert len(tracker.sightings) == 2
    for sighting in tracker.sightings:
        own = [max((0, 1), key=lambda axis_: face.embedding[axis_]) for face in sighting.faces]
        assert len(sighting.faces) == 9
        assert len(set(own)) == 1


def test_people_who_change_places_between_two_frames(
    make_face: MakeFace, make_frame: MakeFrame, axis: Axis, now: datetime
) -> None:
    tracker = Tracker()
    anna, ben = tracker.add(make_frame(make_face(axis(0), 100), make_face(axis(1), 170)), now)

    joined = tracker.add(make_frame(make_face(axis(1), 100), make_face(axis(0), 170)), now + seconds(0.5))

    assert joined == (ben, anna)


def test_somebody_else_in_the_same_place_is_somebody_else(
    make_face: MakeFace, make_frame: MakeFrame, axis: Axis, like: Like, now: datetime
) -> None:
    tracker = Tracker()
    (anna,) = tracker.add(make_frame(make_face(axis(0))), now)

    (other,) = tracker.add(make_frame(make_face(like(axis(0), 0.2))), now + seconds(0.2))

    assert other is not anna


def test_somebody_hidden_for_a_while_is_found_again_elsewhere(
    make_face: MakeFace, make_frame: MakeFrame, axis: Axis, like: Like, now: datetime
) -> None:
    tracker = Tracker()
    (anna,) = tracker.add(make_frame(make_face(axis(0), 50)), now)
    tracker.add(make_frame(), now + seconds(1))

    (again,) = tracker.add(make_frame(make_face(like(axis(0), 0.7), 600, width=30)), now + seconds(2))

    assert again is anna


@pytest.mark.parametrize(("x", "same"), [(110, True), (500, False)])
def test_in_between_the_place_decides(
    make_face: MakeFace, make_frame: MakeFrame, axis: Axis, like: Like, now: datetime, x: float, same: bool
) -> None:
    tracker = Tracker()
    (anna,) = tracker.add(make_frame(make_face(axis(0), 100)), now)

    (next_one,) = tracker.add(make_frame(make_face(like(axis(0), 0.42), x)), now + seconds(0.2))

    assert (next_one is anna) is same


def test_poor_faces_extend_a_track_without_being_evidence(
    make_face: MakeFace, make_frame: MakeFrame, axis: Axis, now: datetime
) -> None:
    tracker = Tracker()
    tracker.add(make_frame(make_face(axis(0), 100)), now)
    tracker.add(make_frame(make_face(axis(5), 130, usable=False)), now + seconds(0.3))
    tracker.add(make_frame(make_face(axis(6), 160, usable=False, still=True)), now + seconds(0.6))

    (sighting,) = tracker.sightings
    assert sighting.frames == 3
    assert len(sighting.faces) == 1
    assert sighting.last_face.box[0] == 130


def test_a_poor_face_far_away_is_somebody_else(
    make_face: MakeFace, make_frame: MakeFrame, axis: Axis, now: datetime
) -> None:
    tracker = Tracker()
    tracker.add(make_frame(make_face(axis(0), 100)), now)
    tracker.add(make_frame(make_face(axis(0), 500, usable=False)), now + seconds(0.3))

    assert len(tracker.sightings) == 2


def test_a_poor_face_of_quite_another_size_is_somebody_else(
    make_face: MakeFace, make_frame: MakeFrame, axis: Axis, now: datetime
) -> None:
    tracker = Tracker()
    tracker.add(make_frame(make_face(axis(0), 100, width=120)), now)
    tracker.add(make_frame(make_face(axis(0), 100, width=40, usable=False)), now + seconds(0.1))

    assert len(tracker.sightings) == 2


def test_a_usable_face_takes_up_a_track_of_poor_ones(
    make_face: MakeFace, make_frame: MakeFrame, axis: Axis, now: datetime
) -> None:
    tracker = Tracker()
    tracker.add(make_frame(make_face(axis(0), 100, usable=False)), now)
    tracker.add(make_frame(make_face(axis(0), 105)), now + seconds(0.3))

    (sighting,) = tracker.sightings
    assert len(sighting.faces) == 1


def test_a_usable_face_claims_its_track_before_a_poor_one(
    make_face: MakeFace, make_frame: MakeFrame, axis: Axis, like: Like, now: datetime
) -> None:
    tracker = Tracker()
    (anna,) = tracker.add(make_frame(make_face(axis(0), 100)), now)

    poor, clear = tracker.add(
        make_frame(make_face(axis(0), 100, usable=False), make_face(like(axis(0), 0.6), 130)),
        now + seconds(0.3),
    )

    assert clear is anna
    assert poor is not anna


def test_frames_out_of_order_are_refused_and_lose_nothing(
    make_face: MakeFace, make_frame: MakeFrame, axis: Axis, now: datetime
) -> None:
    tracker = Tracker()
    tracker.add(make_frame(make_face(axis(0))), now)

    with pytest.raises(ValueError, match="order"):
        tracker.add(make_frame(make_face(axis(0))), now)

    assert tracker.sightings[0].frames == 1


def test_an_empty_frame_shows_nobody(make_frame: MakeFrame, now: datetime) -> None:
    tracker = Tracker()

    assert tracker.add(make_frame(), now) == ()
    assert tracker.sightings == ()
