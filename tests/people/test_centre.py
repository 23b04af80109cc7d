"""The middle of an embedding space."""

from datetime import datetime

import numpy as np
import pytest

from custom_components.familiar_faces.people.centre import around, centre_of
from custom_components.familiar_faces.people.gallery import Gallery
from tests.common.vectors import DIMENSIONS, Axis, MakePerson

MODEL = "sface_2021dec_int8bq_5pt"


def test_the_middle_is_of_one_space_only() -> None:
    centre = centre_of(MODEL)

    assert centre is not None
    assert centre.shape == (DIMENSIONS,)
    # Faces have something in common, and most of what they are is their own.
    assert 0.1 < np.linalg.norm(centre) < 0.6
    assert centre_of("another") is None


def test_what_all_faces_share_is_taken_away(axis: Axis) -> None:
    centre = centre_of(MODEL)
    assert centre is not None
    one, other = (around((centre + axis(index)).astype(np.float32), centre_of(MODEL)) for index in (0, 1))

    assert one @ other == pytest.approx(0, abs=1e-6)
    assert np.linalg.norm(one) == pytest.approx(1)


@pytest.mark.parametrize("model", ["another", MODEL])
def test_rows_and_single_ones_are_the_same(axis: Axis, model: str) -> None:
    rows = np.array([axis(0), axis(1)])

    together = around(rows, centre_of(model))

    assert together.shape == rows.shape
    for row, alone in zip(rows, together, strict=True):
        np.testing.assert_allclose(around(row, centre_of(model)), alone, atol=1e-6)


def test_an_unknown_space_stays_as_it_is(axis: Axis) -> None:
    np.testing.assert_array_equal(around(3 * axis(4), centre_of("another")), axis(4))


def test_embeddings_of_another_length_stay_as_they_are() -> None:
    np.testing.assert_array_equal(around(np.array([0, 2], np.float32), centre_of(MODEL)), [0, 1])


def test_the_middle_itself_resembles_nobody() -> None:
    centre = centre_of(MODEL)
    assert centre is not None
    assert not around(centre, centre).any()


def test_the_gallery_compares_around_the_middle(make_person: MakePerson, axis: Axis, now: datetime) -> None:
    centre = centre_of(MODEL)
    assert centre is not None
    # Two people as alike as any two are: only by what everybody has.
    anna, visitor = (
        (each / np.linalg.norm(each)).astype(np.float32)
        for each in (centre + 0.5 * axis(0), centre + 0.5 * axis(1))
    )
    gallery = Gallery([make_person("Anna", anna, model=MODEL)], MODEL)
    plain = Gallery([make_person("Anna", anna)], "sface")

    best = gallery.compare(visitor[None], [1.0], now).best
    as_it_was = plain.compare(visitor[None], [1.0], now).best

    assert as_it_was is not None
    assert best is not None
    assert as_it_was.similarity == pytest.approx(float(anna @ visitor), abs=1e-6)
    assert best.similarity == pytest.approx(gallery.likeness(anna, visitor), abs=1e-6)
    assert best.similarity < as_it_was.similarity
