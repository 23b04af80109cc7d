"""Made-up people: unit vectors whose likeness is chosen, never anybody's face."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np

from custom_components.familiar_faces.engine.protocol import Face, Faces
from custom_components.familiar_faces.people.gallery import Gallery
from custom_components.familiar_faces.people.person import Consent, ConsentMethod, Embedding, Person, Template
from custom_components.familiar_faces.visits.visit import Sighting

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DIMENSIONS = 128

type Axis = Callable[[int], Embedding]
type Like = Callable[[Embedding, float], Embedding]
type MakePerson = Callable[..., Person]
type MakeFace = Callable[..., Face]
type MakeFrame = Callable[..., Faces]
type MakeGallery = Callable[..., Gallery]
type MakeSighting = Callable[..., Sighting]


def axis(index: int) -> Embedding:
    """Return one of the unit vectors that have nothing in common with one another."""
    vector: Embedding = np.eye(DIMENSIONS, dtype=np.float32)[index].copy()
    return vector


def make_like(seed: int) -> Like:
    """Return a function that makes a unit vector with a chosen cosine to another one."""
    rng = np.random.default_rng(seed)

    def make(vector: Embedding, cosine: float) -> Embedding:
        noise = rng.normal(size=DIMENSIONS)
        noise -= (noise @ vector) * vector
        noise /= np.linalg.norm(noise)
        return np.asarray(cosine * vector + np.sqrt(1 - cosine**2) * noise, np.float32)

    return make


def make_person(
    name: str,
    *embeddings: Embedding,
    model: str = "sface",
    usable: tuple[bool, ...] = (),
    given_at: datetime = NOW - timedelta(days=1),
    valid_until: datetime = NOW + timedelta(days=365),
    withdrawn_at: datetime | None = None,
) -> Person:
    """Return a consenting person with the given embeddings as templates."""
    consent = Consent(
        consent_id=f"consent-{name}",
        given_by=name,
        on_behalf_of_child=False,
        method=ConsentMethod.IN_PERSON,
        given_at=given_at,
        valid_until=valid_until,
        text_version="en/1",
        recorded_at=given_at,
        withdrawn_at=withdrawn_at,
    )
    templates = tuple(
        Template(f"{name}-{index}", embedding, model, f"digest-{name}-{index}", NOW, kept)
        for index, (embedding, kept) in enumerate(
            zip(embeddings, usable or (True,) * len(embeddings), strict=True)
        )
    )
    return Person(name.lower(), name, (consent,), templates)
