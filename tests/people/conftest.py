"""Made-up people, as fixtures."""

from collections.abc import Callable
from datetime import datetime

import pytest

from custom_components.familiar_faces.people.person import Embedding, Person
from tests.common import vectors

type MakePerson = Callable[..., Person]


@pytest.fixture
def now() -> datetime:
    """Return the moment at which the tests happen."""
    return vectors.NOW


@pytest.fixture
def axis() -> Callable[[int], Embedding]:
    """Return unit vectors that have nothing in common with one another."""
    return vectors.axis


@pytest.fixture
def like() -> vectors.Like:
    """Return a function that makes a unit vector with a chosen cosine to another one."""
    return vectors.make_like(7)


@pytest.fixture
def make_person() -> MakePerson:
    """Return a function that makes a consenting person with the given embeddings as templates."""
    return vectors.make_person
