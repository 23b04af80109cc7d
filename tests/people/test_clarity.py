"""How well a face was seen."""

import numpy as np
import pytest

from custom_components.familiar_faces.people.clarity import CLEAR, are_poor


def test_short_embeddings_are_of_poor_faces() -> None:
    assert are_poor([CLEAR - 0.1, CLEAR, 14.0], 3).tolist() == [True, False, False]


def test_an_engine_that_does_not_say_makes_no_face_poor() -> None:
    assert are_poor(None, 2).tolist() == [False, False]
    assert are_poor([np.nan, 3.0], 2).tolist() == [False, True]


def test_every_face_has_one_length() -> None:
    with pytest.raises(ValueError, match="one length"):
        are_poor([1.0], 2)
