"""Made-up faces: unit vectors whose likeness is chosen, never anybody's face."""

from datetime import datetime, timedelta
from itertools import cycle

import pytest

from custom_components.familiar_faces.engine.protocol import Embedding, Face, Faces, Quality
from custom_components.familiar_faces.people.gallery import Gallery
from custom_components.familiar_faces.visits.visit import Sighting
from tests.common.vectors import (
    NOW,
    Axis,
    Like,
    MakeFace,
    MakeFrame,
    MakeGallery,
    MakeSighting,
    axis as unit_axis,
    make_like,
    make_person,
)


@pytest.fixture
def now() -> datetime:
    """Return the moment at which the tests begin."""
    return NOW


@pytest.fixture
def axis() -> Axis:
    """Return unit vectors that have nothing in common with one another."""
    return unit_axis


@pytest.fixture
def like() -> Like:
    """Return a function that makes a unit vector with a chosen cosine to another one."""
    return make_like(11)


@pytest.fixture
def make_face() -> MakeFace:
    """Return a function that makes a face of an embedding, 60 px wide, centred at `x`, or near it: it moves.

    Each face of a test is a few pixels beside the one before, as people are; `still`: exactly at `x`.
    """
    moved = cycle((0.0, 4.0, -4.0))

    def make(
        embedding: Embedding,
        x: float = 100.0,
        *,
        width: float = 60.0,
        usable: bool = True,
        sharpness: float = 80.0,
        portrait: bytes | None = None,
        still: bool = False,
        yaw: float = 0.0,
    ) -> Face:
        x += 0.0 if still else next(moved)
        quality = Quality(usable, None if usable else "too_blurred", sharpness, yaw, 120.0, int(width))
        box = (x - width / 2, 100 - width / 2, width, width)
        return Face(box, ((x, 100.0),) * 5, 0.9, quality, embedding, portrait, portrait)

    return make


@pytest.fixture
def make_frame() -> MakeFrame:
    """Return a function that makes a frame of faces."""
    return lambda *faces: Faces("sface", (640, 480), faces, {})


@pytest.fixture
def make_sighting(make_face: MakeFace) -> MakeSighting:
    """Return a function that makes a sighting of the given embeddings, half a second apart."""

    def make(*embeddings: Embedding, at: datetime = NOW, **options: object) -> Sighting:
        faces = [make_face(embedding, **options) for embedding in embeddings]
        sighting = Sighting.begin(faces[0], at)
        for index, face in enumerate(faces[1:], 1):
            sighting.add(face, at + timedelta(seconds=index / 2))
        return sighting

    return make


@pytest.fixture
def make_gallery() -> MakeGallery:
    """Return a function that makes a gallery of consenting people with one template each."""

    def make(**people: Embedding) -> Gallery:
        return Gallery((make_person(name, embedding) for name, embedding in people.items()), "sface")

    return make


@pytest.fixture
def gallery(make_gallery: MakeGallery, axis: Axis) -> Gallery:
    """Return a gallery of two people who are not alike."""
    return make_gallery(Anna=axis(0), Ben=axis(1))
