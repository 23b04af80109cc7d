"""What the strictnesses promise, and what the data says of it."""

from dataclasses import replace

import numpy as np
import pytest

from custom_components.familiar_faces.people.calibration import FALSE_NAMES, Strictness
from custom_components.familiar_faces.people.measured import MEASURED
from custom_components.familiar_faces.people.promise import Counted, Measurement, promises, upper_limit


def measurement(strangers: int, *named: int, own: int = 100, own_named: int = 90) -> Measurement:
    counted = {
        strictness: Counted(strangers_named=times, own_named=own_named)
        for strictness, times in zip(Strictness, named, strict=True)
    }
    return Measurement(people=5, strangers=strangers, own=own, counted=counted)


# Published one-sided 95 % limits: the upper ends of two-sided 90 % intervals of Clopper and Pearson.
@pytest.mark.parametrize(
    ("seen", "trials", "limit"),
    [(0, 10, 0.2589), (1, 10, 0.3942), (5, 10, 0.7776), (9, 10, 0.9949), (10, 10, 1.0), (0, 1, 0.95)],
)
def test_limits_are_those_of_clopper_and_pearson(seen: int, trials: int, limit: float) -> None:
    assert upper_limit(seen, trials) == pytest.approx(limit, abs=1e-4)


@pytest.mark.parametrize("trials", [100, 2_000, 30_000, 1_000_000])
def test_none_seen_is_the_rule_of_three(trials: int) -> None:
    assert upper_limit(0, trials) == pytest.approx(3 / trials, rel=0.02)
    assert upper_limit(0, trials) == pytest.approx(1 - 0.05 ** (1 / trials), rel=1e-5)


@pytest.mark.parametrize(("seen", "trials"), [(2, 1932), (7, 500), (300, 1000)])
def test_so_few_are_seldom_seen_with_the_share_at_the_limit(seen: int, trials: int) -> None:
    rng = np.random.default_rng(seen)
    times = rng.binomial(trials, upper_limit(seen, trials), size=200_000)

    assert float((times <= seen).mean()) == pytest.approx(0.05, abs=0.004)


def test_limits_grow_with_what_was_seen_and_with_certainty() -> None:
    limits = [upper_limit(seen, 50) for seen in range(51)]

    assert limits == sorted(limits)
    assert all(limit > seen / 50 for seen, limit in enumerate(limits[:-1]))
    assert upper_limit(3, 50, 0.99) > upper_limit(3, 50) > upper_limit(3, 50, 0.5)


@pytest.mark.parametrize(
    ("seen", "trials", "certainty"), [(-1, 10, 0.95), (11, 10, 0.95), (0, 0, 0.95), (0, 9, 1.0), (0, 9, 0.0)]
)
def test_what_has_no_limit(seen: int, trials: int, certainty: float) -> None:
    with pytest.raises(ValueError, match="no limit"):
        upper_limit(seen, trials, certainty)


def test_promises_are_those_of_the_thresholds() -> None:
    made = promises(measurement(2000, 12, 1, 0))

    assert [promise.strictness for promise in made] == list(Strictness)
    assert [promise.one_in for promise in made] == [100, 1_000, 10_000]
    assert [promise.named for promise in made] == [12, 1, 0]
    assert all(1 / promise.one_in == FALSE_NAMES[promise.strictness] for promise in made)


def test_a_promise_is_borne_out_by_enough_strangers_only() -> None:
    few = promises(measurement(2000, 5, 0, 0))
    many = promises(measurement(30_000, 5, 0, 0))
    named = promises(measurement(30_000, 400, 40, 1))

    assert [promise.borne_out for promise in few] == [True, False, False]
    assert [promise.borne_out for promise in many] == [True, True, True]
    assert [promise.borne_out for promise in named] == [False, False, False]
    assert few[2].limit_one_in == 668
    assert few[2].limit <= 1 / few[2].limit_one_in


def test_what_it_costs() -> None:
    (promise, *_) = promises(measurement(10, 0, 0, 0, own=208, own_named=156))

    assert promise.own_missed == 52
    assert promise.own_named_share == 0.75


def test_figures_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="no limit"):
        promises(measurement(4, 5, 0, 0))
    with pytest.raises(ValueError, match="nobody"):
        promises(measurement(4, 0, 0, 0, own=0, own_named=0))
    with pytest.raises(ValueError, match="named"):
        promises(measurement(4, 0, 0, 0, own=3, own_named=4))
    with pytest.raises(KeyError):
        promises(replace(measurement(4, 0, 0, 0), counted={}))


def test_what_was_measured_keeps_the_promises_as_far_as_it_goes() -> None:
    made = promises(MEASURED)

    assert all(promise.named * promise.one_in <= promise.measured_strangers for promise in made)
    assert [promise.own_missed for promise in made] == sorted(promise.own_missed for promise in made)
