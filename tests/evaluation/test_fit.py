"""The fit of a probability to similarities."""

from statistics import NormalDist

from evaluation.fit import likelihood
import numpy as np
import pytest

OTHERS = np.array([NormalDist(0.0, 0.1).inv_cdf((number + 0.5) / 20_000) for number in range(20_000)])
OWN = np.array([NormalDist(0.4, 0.1).inv_cdf((number + 0.5) / 2000) for number in range(2000)])


def test_two_bells_as_wide_as_each_other() -> None:
    """Their log likelihood ratio is a line: nothing half way, and 0.4 / 0.1² steep."""
    offset, slope = likelihood(OWN, OTHERS)

    assert slope == pytest.approx(40, rel=0.03)
    assert -offset / slope == pytest.approx(0.2, abs=0.005)


def test_one_face_that_tells_nothing_does_not_decide() -> None:
    far = OWN[OWN > 0.3]
    apart = likelihood(far, OTHERS[OTHERS < 0.35])
    with_it = likelihood(np.append(far, -0.2), OTHERS[OTHERS < 0.35])

    assert with_it == pytest.approx(apart, rel=0.05)


def test_hard_faces_count() -> None:
    """Where more than a few are as low as others are, a likeness is worth less."""
    poor = np.linspace(-0.1, 0.2, 400)

    assert likelihood(np.append(OWN, poor), OTHERS)[1] < 0.8 * likelihood(OWN, OTHERS)[1]
