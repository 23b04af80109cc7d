"""What comes of the engine's guesses whether a face is a picture."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from custom_components.familiar_faces.people.gallery import Gallery
from custom_components.familiar_faces.visits.decision import decide
from custom_components.familiar_faces.visits.judging import ALONE, JUDGED, PICTURE, looks_like_a_picture
from custom_components.familiar_faces.visits.look import Look
from custom_components.familiar_faces.visits.visit import Decision, Sighting, UnclearReason
from tests.common.vectors import Axis, MakeFace, MakeFrame


def seen(make_face: MakeFace, axis: Axis, now: datetime, *real: float | None) -> Sighting:
    """Return what was seen of somebody who moves and is like Anna, with what the engine said of each frame."""
    faces = [replace(make_face(axis(0)), real=each) for each in real]
    sighting = Sighting.begin(faces[0], now)
    for number, face in enumerate(faces[1:], 1):
        sighting.add(face, now + timedelta(seconds=number / 10))
    return sighting


@pytest.mark.parametrize(
    ("real", "picture"),
    [
        ((), False),
        ((None, None, None), False),
        ((PICTURE - 0.01,) * JUDGED, True),
        ((PICTURE + 0.01,) * JUDGED, False),
        # One frame that looks like it is not enough.
        ((0.0, 0.9, 0.9), False),
        ((0.0, 0.0, 0.9), True),
        # Fewer frames have to be clearer.
        ((PICTURE - 0.01,) * (JUDGED - 1), False),
        ((ALONE / 2,), True),
        # Where most could not be judged, nothing is said.
        ((0.0, None, None), False),
        ((0.0, 0.0, 0.0, None), True),
    ],
)
def test_the_median_of_several_frames_counts(
    make_face: MakeFace, axis: Axis, real: tuple[float | None, ...], picture: bool
) -> None:
    assert looks_like_a_picture([replace(make_face(axis(0)), real=each) for each in real]) is picture


def test_a_print_that_moves_is_not_named(
    gallery: Gallery, make_face: MakeFace, axis: Axis, now: datetime
) -> None:
    """It moves in somebody's hand, so that its movement says nothing."""
    sighting = seen(make_face, axis, now, 0.1, 0.05, 0.1, 0.2)
    assert sighting.movement.seen
    assert decide(sighting, gallery, now, final=False) is None
    verdict = decide(sighting, gallery, now, final=True)
    assert (verdict.decision, verdict.reason) == (Decision.UNCLEAR, UnclearReason.MAY_BE_A_PICTURE)
    assert verdict.resembled == {"anna"}


def test_a_name_waits_until_enough_frames_were_judged(
    gallery: Gallery, make_face: MakeFace, axis: Axis, now: datetime
) -> None:
    real = (0.9,) * JUDGED
    assert decide(seen(make_face, axis, now, *real[1:]), gallery, now, final=False) is None
    assert decide(seen(make_face, axis, now, *real), gallery, now, final=False).person_id == "anna"
    assert decide(seen(make_face, axis, now, *real[1:]), gallery, now, final=True).person_id == "anna"


def test_where_nothing_can_be_judged_a_name_is_as_quick_as_ever(
    gallery: Gallery, make_face: MakeFace, axis: Axis, now: datetime
) -> None:
    """In the dark, or with an engine that does not know how."""
    assert decide(seen(make_face, axis, now, None, None), gallery, now, final=False).person_id == "anna"
    # It got dark after the first frame.
    dark = (0.1, *(None,) * (2 * JUDGED))
    assert decide(seen(make_face, axis, now, *dark), gallery, now, final=False).person_id == "anna"


def test_a_print_in_a_hand_is_no_poster(
    gallery: Gallery, make_face: MakeFace, make_frame: MakeFrame, axis: Axis, now: datetime
) -> None:
    """There is no place at which to ignore it."""
    look = Look(now, judge=True)
    for number in range(6):
        at = now + timedelta(seconds=number / 2)
        look.add(make_frame(replace(make_face(axis(0)), real=0.01)), at, gallery, at)
    ((_, verdict),) = look.finish(gallery, now)
    assert verdict.reason is UnclearReason.MAY_BE_A_PICTURE
    assert look.posters == ()
