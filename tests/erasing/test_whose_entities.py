"""Whose an entity is, is found by one look, however many people there are."""

import pytest

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.erasing.home_traces import is_of

PEOPLE = frozenset({"9f6c1d52", "with_a_line", "with"})


@pytest.mark.parametrize(
    ("unique_id", "theirs"),
    [
        ("9f6c1d52_last_seen_at", True),
        ("9f6c1d52_", True),
        ("9f6c1d52", False),
        ("9f6c1d52x_seen", False),
        ("x9f6c1d52_seen", False),
        ("with_a_line_seen", True),
        ("with_a_line", True),
        ("without_seen", False),
        ("_9f6c1d52_seen", False),
        ("", False),
    ],
)
def test_an_entityis_of_whose_id_its_own_begins_with(unique_id: str, theirs: bool) -> None:
    assert is_of(DOMAIN, unique_id, PEOPLE) is theirs
    assert any(unique_id.startswith(f"{person_id}_") for person_id in PEOPLE) is theirs
    assert not is_of("another", unique_id, PEOPLE)
