"""Which templates are different photos, and the middle of them."""

import numpy as np
import pytest

from custom_components.familiar_faces.people.templates import NEARLY_SAME, centroid, compared, distinct
from tests.common.vectors import Axis, Like, MakePerson


def test_nobody_has_no_photos() -> None:
    assert distinct([]) == []


def test_nearly_the_same_photos_are_one(axis: Axis, like: Like) -> None:
    photos = [axis(0), like(axis(0), 0.7), like(axis(0), 0.99), axis(1), like(axis(1), 0.97)]

    assert distinct(photos) == [[0, 2], [1], [3, 4]]


@pytest.mark.parametrize(("cosine", "groups"), [(NEARLY_SAME + 0.005, 1), (NEARLY_SAME - 0.005, 2)])
def test_the_limit(axis: Axis, like: Like, cosine: float, groups: int) -> None:
    assert len(distinct([axis(0), like(axis(0), cosine)])) == groups


def test_a_chain_of_small_steps_is_not_one_photo(axis: Axis) -> None:
    angles = np.radians([0, 15, 30, 45])
    chain = [np.cos(angle) * axis(0) + np.sin(angle) * axis(1) for angle in angles]

    assert distinct(chain) == [[0, 1], [2, 3]]


def test_ten_nearly_identical_photos_weigh_like_one(axis: Axis, like: Like) -> None:
    same = [like(axis(0), 0.995) for _ in range(10)]

    middle = centroid([*same, axis(1)])

    assert np.linalg.norm(middle) == pytest.approx(1)
    assert float(middle @ axis(0)) == pytest.approx(float(middle @ axis(1)), abs=0.03)


def test_different_photos_weigh_the_same(axis: Axis) -> None:
    assert centroid([axis(0), axis(1), axis(2)])[:3] == pytest.approx([3**-0.5] * 3)


def test_opposite_photos_resemble_nobody(axis: Axis) -> None:
    assert not centroid([axis(0), -axis(0)]).any()


def test_a_centroid_needs_a_template() -> None:
    with pytest.raises(ValueError, match="at least one"):
        centroid([])


def test_templates_of_other_lengths(axis: Axis) -> None:
    with pytest.raises(ValueError, match="shape"):
        distinct([axis(0), axis(0)[:64]])


def test_only_templates_in_use_and_of_the_newest_model_are_compared(
    make_person: MakePerson, axis: Axis
) -> None:
    old = make_person("Old", axis(0), model="before").templates
    new = make_person("New", axis(0), axis(1), axis(2), usable=(True, False, True)).templates

    assert [each.template_id for each in compared((*old, *new))] == ["New-0", "New-2"]
    assert compared(()) == []
