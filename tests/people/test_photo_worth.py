"""What reference photos are worth beside each other."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from custom_components.familiar_faces.people.person import Embedding, Template
from custom_components.familiar_faces.people.photo_worth import Worth, worths

from ..common.vectors import axis

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def near(one: Embedding, other: Embedding, share: float) -> Embedding:
    """Return a vector that is mostly the first, with a share of the second."""
    mixed = one + share * other
    unit: Embedding = (mixed / np.linalg.norm(mixed)).astype(np.float32)
    return unit


def photo(template_id: str, embedding: Embedding, *, model: str = "made up") -> Template:
    """Return a template."""
    return Template(template_id, embedding, model, f"digest of {template_id}", NOW)


def test_none() -> None:
    """Nothing is said of no photos."""
    assert worths([]) == {}


def test_each_has_one_word() -> None:
    """Different ones are good, the same again adds little, and one of somebody else is told."""
    face = axis(0)
    photos = [
        photo("first", face),
        photo("again", near(face, axis(1), 0.1)),
        photo("different", near(face, axis(2), 0.6)),
        photo("aside", replace(photo("aside", face)).embedding),
        photo("another's", axis(5)),
        photo("last", near(face, axis(3), 0.6)),
    ]
    photos[3] = replace(photos[3], usable=False)
    assert worths(photos) == {
        "first": Worth.GOOD,
        "again": Worth.LITTLE,
        "different": Worth.GOOD,
        "aside": Worth.ASIDE,
        "another's": Worth.ODD,
        "last": Worth.GOOD,
    }


def test_another_model() -> None:
    """What a former model made is compared with nothing."""
    photos = [photo("old", axis(0), model="before"), photo("new", axis(0))]
    assert worths(photos) == {"old": Worth.OLD_MODEL, "new": Worth.GOOD}


def test_all_set_aside() -> None:
    """There may be none in use."""
    assert worths([replace(photo("one", axis(0)), usable=False)]) == {"one": Worth.ASIDE}
