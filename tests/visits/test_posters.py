"""Faces at a camera that are pictures themselves: which are ignored, and which are offered."""

from datetime import datetime, timedelta
import json

import pytest

from custom_components.familiar_faces.engine.protocol import Face
from custom_components.familiar_faces.people.gallery import Gallery
from custom_components.familiar_faces.visits.look import Look
from custom_components.familiar_faces.visits.posters import LOOKS, MOST, Poster, Suspected, number_of, without
from tests.common.vectors import Axis, MakeFace, MakeFrame

SIZE = (640, 480)


def face_at(make_face: MakeFace, axis: Axis, x: float = 100.0, *, width: float = 60.0) -> Face:
    """Return a face exactly there."""
    return make_face(axis(0), x, width=width, still=True)


def test_it_is_known_by_its_place_and_its_size(make_face: MakeFace, axis: Axis) -> None:
    """A little beside it is the detector's unrest; further on, nearer or further away is somebody."""
    poster = Poster.of(face_at(make_face, axis), SIZE)
    assert number_of(face_at(make_face, axis, 105), SIZE, [poster]) == 1
    assert number_of(face_at(make_face, axis, width=66), SIZE, [poster]) == 1
    assert number_of(face_at(make_face, axis, 112), SIZE, [poster]) is None
    assert number_of(face_at(make_face, axis, width=80), SIZE, [poster]) is None
    assert number_of(face_at(make_face, axis, width=45), SIZE, [poster]) is None


def test_it_is_known_in_frames_of_another_size(make_face: MakeFace, axis: Axis) -> None:
    """A camera's still and its stream have different sizes."""
    poster = Poster.of(face_at(make_face, axis), SIZE)
    larger = make_face(axis(0), 200, width=120, still=True)
    larger = type(larger)(
        (140, 140, 120, 120),
        tuple((2 * x, 2 * y) for x, y in face_at(make_face, axis).landmarks),
        0.9,
        larger.quality,
        larger.embedding,
    )
    assert number_of(larger, (1280, 960), [poster]) == 1
    assert number_of(larger, SIZE, [poster]) is None


def test_only_the_poster_is_left_out(make_face: MakeFace, make_frame: MakeFrame, axis: Axis) -> None:
    """Anyone who stands beside it, or before it and nearer, is seen."""
    poster = Poster.of(face_at(make_face, axis), SIZE)
    beside, before = face_at(make_face, axis, 300), face_at(make_face, axis, width=110)
    frame = make_frame(face_at(make_face, axis, 102), beside, before)
    assert without(frame, [poster]).faces == (beside, before)
    assert without(frame, []) is frame
    assert without(make_frame(beside), [poster]).faces == (beside,)
    assert number_of(beside, SIZE, [poster]) is None
    assert number_of(frame.faces[0], SIZE, [Poster.of(beside, SIZE), poster]) == 2


def test_what_is_stored_is_where_it_is(make_face: MakeFace, axis: Axis) -> None:
    """It comes back as it was, and holds nothing of the face."""
    poster = Poster.of(face_at(make_face, axis, 101), SIZE)
    stored = json.loads(json.dumps(poster.to_json()))
    assert set(stored) == {"id", "landmarks", "width"}
    read = Poster.read(stored)
    assert read is not None
    assert read.poster_id == poster.poster_id
    assert number_of(face_at(make_face, axis, 101), SIZE, [read]) == 1


@pytest.mark.parametrize(
    "damage",
    [
        {"landmarks": []},
        {"landmarks": [[0.1, 0.2]] * 4},
        {"landmarks": [[0.1]] * 5},
        {"landmarks": [[float("nan"), 0.2]] * 5},
        {"landmarks": None},
        {"width": 0},
        {"width": 2.0},
        {"width": "wide"},
    ],
)
def test_what_is_damaged_is_left_out(make_face: MakeFace, axis: Axis, damage: dict[str, object]) -> None:
    """Nobody is ignored by mistake."""
    stored = Poster.of(face_at(make_face, axis), SIZE).to_json()
    assert Poster.read(stored) is not None
    assert Poster.read(stored | damage) is None
    assert Poster.read("poster") is None
    assert Poster.read({}) is None


def test_it_is_offered_after_several_looks(make_face: MakeFace, axis: Axis) -> None:
    """Once may be chance. Every place counts by itself."""
    suspected = Suspected()
    for look in range(LOOKS):
        assert not suspected.likely
        suspected.note([Poster.of(face_at(make_face, axis, 100 + look), SIZE)], SIZE)
    (found,) = suspected.likely
    suspected.note([Poster.of(face_at(make_face, axis, 300), SIZE)], SIZE)
    assert suspected.likely == (found,)


def test_there_is_an_end_to_what_is_suspected(make_face: MakeFace, axis: Axis) -> None:
    """Where everything may be a picture, the oldest are dropped."""
    suspected = Suspected()
    for number in range(MOST + 1):
        for _ in range(LOOKS):
            suspected.note([Poster.of(face_at(make_face, axis, 100.0 + 60 * number), SIZE)], SIZE)
    assert len(suspected.likely) == MOST


def test_a_look_says_where_they_were(
    gallery: Gallery, make_face: MakeFace, make_frame: MakeFrame, axis: Axis, now: datetime
) -> None:
    """Of those that may be pictures, and of nobody else."""
    look = Look(now)
    for number in range(5):
        frame = make_frame(face_at(make_face, axis), make_face(axis(1), 400))
        look.add(frame, now + timedelta(seconds=number / 2), gallery, now)
    assert not look.posters
    look.finish(gallery, now)
    (poster,) = look.posters
    assert number_of(face_at(make_face, axis), look.size, [poster]) == 1
