"""Camera fitness: what stands in the way of most faces of the last visits."""

import pytest

from custom_components.familiar_faces.engine.protocol import Quality
from custom_components.familiar_faces.visits.fitness import FACES, FACES_A_LOOK, CameraFitness, Fitness


def quality(reason: str | None = None, size: int = 60) -> Quality:
    return Quality(reason is None, reason, 80.0, 0.0, 120.0, size)


def test_nothing_is_said_before_a_face_was_seen() -> None:
    fitness = CameraFitness()
    fitness.add_look([])
    assert (fitness.state, fitness.face_width, fitness.faces) == (None, None, 0)


@pytest.mark.parametrize("reason", [each for each in Fitness if each is not Fitness.GOOD])
def test_what_is_wrong_with_most_faces(reason: Fitness) -> None:
    fitness = CameraFitness()
    fitness.add_look([quality(), quality(reason)])
    assert fitness.state is Fitness.GOOD
    fitness.add_look([quality(reason)])
    assert fitness.state is reason


def test_the_commonest_complaint_is_said() -> None:
    fitness = CameraFitness()
    fitness.add_look([quality("too_dark"), quality("too_blurred"), quality("too_dark"), quality()])
    assert fitness.state is Fitness.TOO_DARK


@pytest.mark.parametrize(("width", "state"), [(29, Fitness.TOO_SMALL), (30, Fitness.GOOD)])
def test_small_faces_are_said_before_they_are_unusable(width: int, state: Fitness) -> None:
    fitness = CameraFitness()
    fitness.add_look([quality(size=width)] * 3)
    assert (fitness.state, fitness.face_width, fitness.faces) == (state, width, 3)


def test_one_long_visit_does_not_decide_alone() -> None:
    fitness = CameraFitness()
    for _ in range(2):
        fitness.add_look([quality()] * 5)
    fitness.add_look([quality("too_dark")] * 16)
    assert (fitness.state, fitness.faces) == (Fitness.GOOD, 10 + FACES_A_LOOK)


def test_a_look_counts_from_beginning_to_end() -> None:
    fitness = CameraFitness()
    fitness.add_look([quality(size=size) for size in range(40, 80)])
    assert fitness.face_width == 56


def test_old_visits_are_forgotten() -> None:
    fitness = CameraFitness()
    fitness.add_look([quality("too_dark")] * FACES_A_LOOK)
    for _ in range(FACES // FACES_A_LOOK):
        assert fitness.faces <= FACES
        fitness.add_look([quality()] * FACES_A_LOOK)
    assert (fitness.faces, fitness.state) == (FACES, Fitness.GOOD)
    assert fitness._qualities.count(quality("too_dark")) == 0
