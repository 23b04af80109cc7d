"""What similarities mean."""

from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pytest

from custom_components.familiar_faces.people.calibration import FALSE_NAMES, PROBABLE, SFACE, Strictness
from custom_components.familiar_faces.people.gallery import Candidate, Comparison


def comparison(*similarities: float, people: int = 5) -> Comparison:
    candidates = (Candidate(str(index), str(index), value, "t") for index, value in enumerate(similarities))
    return Comparison(tuple(candidates), frames=3, people=people)


def test_stricter_means_higher() -> None:
    relaxed, balanced, strict = (SFACE.familiar_threshold(2, 2, each) for each in Strictness)

    assert relaxed < balanced < strict


def test_more_people_need_more_likeness() -> None:
    thresholds = [SFACE.familiar_threshold(people, others=5) for people in (0, 1, 2, 5, 40, 1000)]

    assert thresholds[0] == thresholds[1]
    assert all(low < high for low, high in pairwise(thresholds[1:]))
    assert thresholds[-1] < 0.65


def test_few_frames_need_more_likeness() -> None:
    needed = [SFACE.familiar_threshold(40, frames) for frames in (0, 1, 2, 3, 4, 9)]

    assert all(high > low for high, low in pairwise(needed[:5]))
    assert needed[4] == needed[5]


@pytest.mark.parametrize("frames", [1, 2, 3, 16])
def test_the_fewer_others_tell_what_a_camera_does_the_more_is_needed(frames: int) -> None:
    needed = [SFACE.familiar_threshold(40, frames, others=others) for others in (0, 1, 3, 9, 40)]

    assert all(high >= low for high, low in pairwise(needed))
    assert needed[0] > needed[-1]


@pytest.mark.parametrize("people", [1, 2, 5, 10, 40])
@pytest.mark.parametrize("frames", [0, 1, 2, 9])
def test_a_stricter_household_never_needs_less(people: int, frames: int) -> None:
    needed = [SFACE.familiar_threshold(people, frames, each) for each in Strictness]

    assert needed == sorted(needed)


def test_a_relaxed_household_takes_no_risk_with_what_is_not_known_of_a_camera() -> None:
    """It needs a little more than the whole reserve until a balanced one needs less, however many others tell."""
    chance = NormalDist(SFACE.stranger_mean, SFACE.stranger_sd).inv_cdf(1 - 0.01 / 3)
    few, more, many = (
        SFACE.familiar_threshold(3, 9, Strictness.RELAXED, others=others) for others in (0, 1, 9)
    )

    assert few == more == pytest.approx(chance + 1.2 * SFACE.reserve)
    assert many == SFACE.familiar_threshold(3, 9, others=9) < more


def test_a_home_of_one_person_has_the_whole_reserve() -> None:
    strangers = np.random.default_rng(1).normal(SFACE.stranger_mean, SFACE.stranger_sd, 200_000)

    needed = SFACE.familiar_threshold(1, 2)

    assert needed == pytest.approx(float(np.quantile(strangers, 0.999)) + SFACE.reserve, abs=0.02)
    assert SFACE.familiar_threshold(1, 1) == pytest.approx(needed + SFACE.single_frame)


@pytest.mark.parametrize("people", [1, 5, 40, 1000])
@pytest.mark.parametrize("strictness", Strictness)
def test_there_is_an_unclear_band(people: int, strictness: Strictness) -> None:
    assert SFACE.stranger_threshold(people) + 0.03 < SFACE.familiar_threshold(people, 2, strictness)


@pytest.mark.parametrize("people", [1, 5, 40])
@pytest.mark.parametrize("strictness", [Strictness.RELAXED, Strictness.BALANCED])
def test_strangers_are_named_no_oftener_than_promised(people: int, strictness: Strictness) -> None:
    rng = np.random.default_rng(people)
    highest = rng.normal(SFACE.stranger_mean, SFACE.stranger_sd, size=(100_000, people)).max(axis=1)

    named = float((highest >= SFACE.familiar_threshold(people, 2, strictness)).mean())

    assert named <= FALSE_NAMES[strictness]


def test_probability_grows_with_likeness_and_never_says_certain() -> None:
    values = [SFACE.probability(comparison(similarity)) for similarity in (0.1, 0.25, 0.3, 0.35, 0.95)]

    assert all(low < high for low, high in pairwise(values[:-1]))
    assert values[0] < 0.05
    assert values[-1] == SFACE.ceiling < 1


def test_a_close_runner_up_halves_the_probability() -> None:
    assert SFACE.probability(comparison(0.7, 0.7)) == pytest.approx(0.5, abs=0.01)
    assert SFACE.probability(comparison(0.7, 0.7 - SFACE.margin)) > 0.95
    assert SFACE.probability(comparison(0.7, 0.2)) > 0.99


def test_more_people_make_it_less_probable() -> None:
    assert SFACE.probability(comparison(0.42, people=2)) > SFACE.probability(comparison(0.42, people=200))


def test_nobody_is_nobody() -> None:
    assert SFACE.probability(comparison()) == 0.0


@pytest.mark.parametrize("people", [1, 5, 40])
@pytest.mark.parametrize("strictness", Strictness)
@pytest.mark.parametrize("frames", [1, 5])
def test_a_name_is_said_only_when_it_is_probable(people: int, strictness: Strictness, frames: int) -> None:
    threshold = SFACE.familiar_threshold(people, frames, strictness)

    assert SFACE.probability(comparison(threshold + 1e-9, people=people)) >= PROBABLE


def test_a_claim_is_more_probable_than_a_find() -> None:
    """One to one there is one person who it may be, one to many there are others."""
    found = comparison(0.33, people=10)

    assert SFACE.verification_probability(found.candidates[0]) > SFACE.probability(found)
    assert SFACE.verification_probability(comparison(0.0).candidates[0]) < 0.01
    assert SFACE.verification_probability(comparison(1.0).candidates[0]) == SFACE.ceiling


def test_what_everybody_has_in_common_makes_nobody_probable() -> None:
    plain, alike = (Candidate("a", "Anna", 0.6, "t", common=value, others=9) for value in (0.0, 0.4))

    assert SFACE.names(plain, 10, 4)
    assert not SFACE.names(alike, 10, 4)
    assert SFACE.verification_probability(plain) > 0.9
    assert SFACE.verification_probability(alike) < 0.1


def test_what_was_named_wrongly_before_needs_its_guard() -> None:
    free, guarded = (Candidate("a", "Anna", 0.6, "t", guard=value, others=9) for value in (-1.0, 0.65))

    assert SFACE.names(free, 10, 4)
    assert not SFACE.names(guarded, 10, 4)
