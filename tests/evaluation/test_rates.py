"""The rates, on scores whose rates are known."""

from evaluation.rates import MISSED, best_threshold, share_above, threshold_at
import pytest


@pytest.mark.parametrize(
    ("share", "threshold"), [(0.01, 0.98), (0.001, 0.99), (0.0, 0.99), (0.29, 0.70), (1.0, 0.0)]
)
def test_at_most_the_share_of_impostors_passes(share: float, threshold: float) -> None:
    impostors = [number / 100 for number in range(100)]
    assert threshold_at(impostors, share) == pytest.approx(threshold)
    assert sum(score > threshold_at(impostors, share) for score in impostors) <= share * 100 + 1e-9


def test_impostors_who_were_missed_count() -> None:
    assert threshold_at([0.4, 0.3, *[MISSED] * 98], 0.01) == 0.3
    assert threshold_at([MISSED] * 10, 0.1) == MISSED


def test_the_missed_are_above_nothing() -> None:
    assert share_above([0.5, 0.6, MISSED], MISSED) == pytest.approx(2 / 3)
    assert share_above([0.5, 0.6, MISSED], 0.5) == pytest.approx(1 / 3)


def test_the_best_threshold_lies_between() -> None:
    assert best_threshold([0.1, 0.2, 0.6, 0.7], [False, False, True, True]) == pytest.approx(0.4)
    assert best_threshold([MISSED, 0.2, 0.6, 0.7], [True, False, True, True]) == pytest.approx(0.4)
    # One that is wrong at either end does not move it.
    assert best_threshold([0.9, 0.1, 0.2, 0.6, 0.7], [False, False, False, True, True]) == pytest.approx(0.4)
