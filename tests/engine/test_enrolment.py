"""What enrolling finds in real photos: different ones, somebody else's, and look-alikes."""

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from custom_components.familiar_faces.people.gallery import Gallery
from custom_components.familiar_faces.people.likeness import look_alikes, outliers
from custom_components.familiar_faces.people.person import Embedding
from custom_components.familiar_faces.people.templates import distinct
from tests.common.engine_process import EngineProcess
from tests.common.pictures import different_photos, jittered_photos, jpeg, stranger
from tests.common.vectors import make_person

PEOPLE = 8
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def _embed(engine: EngineProcess, photo: bytes) -> tuple[Embedding, str]:
    """Return the face nearest the middle, which is the labelled one, and its model."""
    seen = engine.faces(photo, mirrored=1)
    middle = np.array(seen.size) / 2
    face = min(
        seen.faces,
        key=lambda face: np.hypot(*(np.array(face.box[:2]) + np.array(face.box[2:]) / 2 - middle)),
    )
    return face.embedding, seen.model


@pytest.fixture
def enrolled(engine: EngineProcess, labelled: Path) -> tuple[list[list[Embedding]], str]:
    """Return three photos each of some people, and the model that embedded them."""
    folders = sorted((labelled / "identify" / "gallery").iterdir())[:PEOPLE]
    seen = [[_embed(engine, path.read_bytes()) for path in sorted(each.iterdir())] for each in folders]
    return [[embedding for embedding, _ in photos] for photos in seen], seen[0][0][1]


def test_ten_nearly_identical_photos_are_one(engine: EngineProcess) -> None:
    photos = [_embed(engine, photo)[0] for photo in jittered_photos(10)]

    assert len(distinct(photos)) == 1


def test_different_photos_are_different(engine: EngineProcess) -> None:
    photos = [_embed(engine, photo) for photo in different_photos()]
    embeddings, model = [each for each, _ in photos], photos[0][1]

    assert len(distinct(embeddings)) == len(photos)
    assert outliers(embeddings, model) == []


def test_somebody_else_among_the_portraits(engine: EngineProcess) -> None:
    wrong, model = _embed(engine, jpeg(stranger(0).resize((540, 540))))
    right = [_embed(engine, photo)[0] for photo in different_photos()]

    assert outliers([wrong, *right], model) == [0]
    assert outliers([right[0], wrong], model) == [0, 1]


def test_photos_of_real_people(enrolled: tuple[list[list[Embedding]], str]) -> None:
    people, model = enrolled

    assert [len(distinct(photos)) for photos in people] == [3] * PEOPLE
    assert [outliers(photos, model) for photos in people] == [[]] * PEOPLE


@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_of_three_is_another_real_person(enrolled: tuple[list[list[Embedding]], str], place: int) -> None:
    people, model = enrolled
    found = []
    for photos, others in pairwise(people):
        mixed = list(photos)
        mixed[place] = others[place]
        found.append(outliers(mixed, model))

    assert found.count([place]) >= len(found) - 1


def test_real_people_are_no_look_alikes_but_of_themselves(
    enrolled: tuple[list[list[Embedding]], str],
) -> None:
    people, model = enrolled
    gallery = Gallery(
        [make_person(f"P{number}", *photos, model=model) for number, photos in enumerate(people)], model
    )

    for number, photos in enumerate(people):
        assert look_alikes(photos, gallery, NOW, person_id=f"p{number}") == ()
        twin = look_alikes(photos, gallery, NOW, person_id="somebody new")
        assert [each.name for each in twin] == [f"P{number}"]
