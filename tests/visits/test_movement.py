"""What tells a person from a picture of one: people move."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from custom_components.familiar_faces.people.gallery import Gallery
from custom_components.familiar_faces.visits.decision import decide
from custom_components.familiar_faces.visits.look import UNMOVED_FRAMES, Look
from custom_components.familiar_faces.visits.movement import MOVED, STILL_FRAMES, STILL_SECONDS, Movement
from custom_components.familiar_faces.visits.open_visits import Change, OpenVisits
from custom_components.familiar_faces.visits.visit import Decision, Sighting, UnclearReason, Verdict
from tests.common.vectors import Axis, MakeFace, MakeFrame, MakeGallery

WIDTH = 60.0


def movement(make_face: MakeFace, axis: Axis, now: datetime, *places: float, every: float = 0.1) -> Movement:
    """Return the movement of a face that was seen in these places, in face widths."""
    found = Movement()
    for number, place in enumerate(places):
        face = make_face(axis(0), 100 + WIDTH * place, width=WIDTH, still=True)
        found.add(face, now + timedelta(seconds=number * every))
    return found


def still(make_face: MakeFace, axis: Axis, now: datetime, seconds: float = 2.0, frames: int = 5) -> Sighting:
    """Return what was seen of somebody who is like Anna and does not move."""
    faces = [make_face(axis(0), still=True) for _ in range(frames)]
    sighting = Sighting.begin(faces[0], now)
    for number, face in enumerate(faces[1:], 1):
        sighting.add(face, now + timedelta(seconds=seconds * number / (frames - 1)))
    return sighting


@pytest.mark.parametrize("every", [0.1, 1.0])
def test_going_anywhere_is_movement(make_face: MakeFace, axis: Axis, now: datetime, every: float) -> None:
    """How far it was counts, not how quick: the slower the camera, the further people are in the next frame."""
    assert movement(make_face, axis, now, 0.0, 0.04, every=every).seen
    assert not movement(make_face, axis, now, 0.0, 0.02, every=every).seen


def test_it_is_measured_in_widths_of_the_face(make_face: MakeFace, axis: Axis, now: datetime) -> None:
    """What is a step of somebody far away is the unrest of the detector in somebody near."""
    near, far = Movement(), Movement()
    for number, x in enumerate((100.0, 102.0)):
        at = now + timedelta(seconds=number / 10)
        near.add(make_face(axis(0), x, width=200, still=True), at)
        far.add(make_face(axis(0), x, width=40, still=True), at)
    assert far.seen
    assert not near.seen
    assert far.extent == pytest.approx(1 / 40)
    assert near.extent == pytest.approx(1 / 200)


def test_unrest_of_the_detector_is_no_movement(make_face: MakeFace, axis: Axis, now: datetime) -> None:
    """Box and landmarks that move each in its own way are those of one face; together they are its movement."""
    rng = np.random.default_rng(3)
    unrest, moves = Movement(), Movement()
    for number in range(20):
        at = now + timedelta(seconds=number / 10)
        one, other = rng.normal(0, 0.03 * WIDTH, 2)
        for found, across in ((unrest, other), (moves, one)):
            box = make_face(axis(0), 100 + one, width=WIDTH, still=True)
            marks = make_face(axis(0), 100 + across, width=WIDTH, still=True).landmarks
            face = type(box)(box.box, marks, box.score, box.quality, box.embedding)
            found.add(face, at)
    assert moves.seen
    assert unrest.extent < moves.extent / 2


def test_two_pictures_of_one_person_do_not_move(make_face: MakeFace, axis: Axis, now: datetime) -> None:
    """Now the one is found and now the other; nobody is elsewhere in a tenth of a second."""
    assert not movement(make_face, axis, now, *(0.0, 2.0) * 10).seen
    # Anyone who walks past is quick, too, but not as quick.
    assert movement(make_face, axis, now, 0.0, 1.0).seen


def test_that_it_moved_stays_true(make_face: MakeFace, axis: Axis, now: datetime) -> None:
    """Anyone who stands still later is still a person."""
    found = movement(make_face, axis, now, 0.0, 0.1, *(0.1,) * 40)
    assert found.seen
    assert not found.missing


def test_that_it_does_not_move_takes_time(make_face: MakeFace, axis: Axis, now: datetime) -> None:
    """A second says nothing, and two frames say nothing however far they are apart."""
    steps = round(STILL_SECONDS / 0.1)
    assert not movement(make_face, axis, now, *(0.0,) * steps).missing
    assert movement(make_face, axis, now, *(0.0,) * (steps + 2)).missing
    assert not movement(make_face, axis, now, *(0.0,) * (STILL_FRAMES - 1), every=5.0).missing
    assert movement(make_face, axis, now, *(0.0,) * STILL_FRAMES, every=5.0).missing
    assert not Movement().missing
    assert MOVED > 0


def test_a_picture_is_not_named(gallery: Gallery, make_face: MakeFace, axis: Axis, now: datetime) -> None:
    """It is waited for until it moves; what never did is unclear at the end, and says why."""
    sighting = still(make_face, axis, now)
    assert decide(sighting, gallery, now, final=False) is None
    verdict = decide(sighting, gallery, now, final=True)
    assert (verdict.decision, verdict.reason) == (Decision.UNCLEAR, UnclearReason.MAY_BE_A_PICTURE)
    assert verdict.resembled == {"anna"}
    sighting.add(make_face(axis(0), 110, still=True), now + timedelta(seconds=2.5))
    assert decide(sighting, gallery, now, final=False).person_id == "anna"


def test_a_picture_is_no_stranger(
    make_gallery: MakeGallery, make_face: MakeFace, axis: Axis, now: datetime
) -> None:
    """A poster resembles nobody either."""
    sighting = still(make_face, axis, now)
    verdict = decide(sighting, make_gallery(Ben=axis(1)), now, final=True)
    assert (verdict.decision, verdict.reason) == (Decision.UNCLEAR, UnclearReason.MAY_BE_A_PICTURE)
    assert verdict.resembled == frozenset()


def test_anyone_seen_too_briefly_to_move_is_named_at_the_end(
    gallery: Gallery, make_face: MakeFace, axis: Axis, now: datetime
) -> None:
    """The look ended: nothing speaks for a picture yet."""
    sighting = still(make_face, axis, now, seconds=0.5)
    assert decide(sighting, gallery, now, final=False) is None
    assert decide(sighting, gallery, now, final=True).person_id == "anna"


def test_a_look_at_a_picture_takes_its_time(
    gallery: Gallery, make_face: MakeFace, make_frame: MakeFrame, axis: Axis, now: datetime
) -> None:
    """So that its frames last as long as it takes to be sure; and it is quick again for anyone who moves."""
    look = Look(now)
    for number in range(UNMOVED_FRAMES):
        assert not look.patient
        frame = make_frame(make_face(axis(0), still=True))
        assert look.add(frame, now + timedelta(seconds=number / 10), gallery, now) == []
    assert look.patient
    assert not look.enough
    look.add(make_frame(), now + timedelta(seconds=0.9), gallery, now)
    assert not look.patient, "it was no picture that is always there"
    visitor = make_face(axis(1), 300)
    look.add(make_frame(make_face(axis(0), still=True), visitor), now + timedelta(seconds=1.0), gallery, now)
    moved = make_face(axis(1), 330)
    (named,) = look.add(
        make_frame(make_face(axis(0), still=True), moved), now + timedelta(seconds=1.1), gallery, now
    )
    assert named[1].name == "Ben"


def test_a_picture_does_not_prolong_the_visit_of_its_person(
    make_face: MakeFace, axis: Axis, now: datetime
) -> None:
    """Anna went in; her photo in the hall is still there."""
    visits = OpenVisits()
    anna = Sighting.begin(make_face(axis(0)), now)
    visits.settle("door", anna, Verdict(Decision.FAMILIAR, "anna", "Anna", 0.99))
    picture = still(make_face, axis, now + timedelta(seconds=10))
    outcome = visits.settle("door", picture, Verdict(Decision.UNCLEAR, reason=UnclearReason.MAY_BE_A_PICTURE))
    assert outcome.change is Change.CONTINUED
    assert outcome.visit.last_seen_at == now
