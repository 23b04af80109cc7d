"""Made-up people, as fixtures."""

from datetime import datetime

import pytest

from tests.common import vectors
from tests.common.vectors import Axis, Like, MakePerson


@pytest.fixture
def now() -> datetime:
    """Return the moment at which the tests happen."""
    return vectors.NOW


@pytest.fixture
def axis() -> Axis:
    """Return unit vectors that have nothing in common with one another."""
    return vectors.axis


@pytest.fixture
def like() -> Like:
    """Return a function that makes a unit vector with a chosen cosine to another one."""
    return vectors.make_like(7)


@pytest.fixture
def make_person() -> MakePerson:
    """Return a function that makes a consenting person with the given embeddings as templates."""
    return vectors.make_person
