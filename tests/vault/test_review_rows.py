"""The review inbox: a picture, sealed, until its time is over."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from custom_components.familiar_faces.vault.errors import AlreadyRecorded, UnknownVisit, VaultDamaged
from custom_components.familiar_faces.vault.retention import Retention
from custom_components.familiar_faces.vault.review_rows import ReviewItem
from custom_components.familiar_faces.vault.store import Vault
from tests.vault.makers import NOW, SECOND, a_photo, bytes_of

KEPT = Retention(review=timedelta(hours=36))


def an_item(visit_id: str = "v1", **changes: Any) -> ReviewItem:
    return replace(ReviewItem(visit_id, "door", "stranger", NOW), **changes)


def test_what_is_added_is_found(vault: Vault, folder: Path) -> None:
    vault.review.add(an_item(), a_photo(1))
    later = an_item("v2", decision="unclear", at=NOW + SECOND)
    vault.review.add(later, a_photo(2))
    assert vault.review.items() == [later, an_item()]
    assert vault.review.items(1) == [later]
    assert vault.review.picture("v1") == a_photo(1)
    assert vault.stored().review == 2
    vault.close()
    assert a_photo(1)[4:40] not in bytes_of(folder)
    assert b"stranger" not in bytes_of(folder)


def test_it_goes_at_its_second(vault: Vault) -> None:
    vault.review.add(an_item("old"), a_photo(1))
    vault.review.add(an_item("new", at=NOW + SECOND), a_photo(2))
    due = NOW + KEPT.review
    assert vault.next_purge(NOW, KEPT) == due
    assert vault.purge(due - SECOND, KEPT).review == 0
    assert vault.purge(due, KEPT).review == 1
    assert [each.visit_id for each in vault.review.items()] == ["new"]


def test_off_is_off_at_once(vault: Vault) -> None:
    for number in range(120):
        vault.review.add(an_item(f"v{number}"), a_photo(number, 100))
    assert vault.next_purge(NOW, Retention()) == NOW
    assert vault.purge(NOW, Retention()).review == 120
    assert vault.review.items() == []


def test_discarding_leaves_not_even_the_ciphertext(vault: Vault, folder: Path) -> None:
    for number in range(3):
        vault.review.add(an_item(f"v{number}"), a_photo(number))
    with vault._database.read() as connection:
        sealed = [row[0] for row in connection.execute("SELECT sealed FROM review ORDER BY visit_id")]
    vault.review.discard("v1", NOW)
    assert [each[60:100] in bytes_of(folder) for each in sealed] == [True, False, True]
    assert vault.review.discard_all(NOW) == 2
    assert vault.review.discard_all(NOW) == 0
    assert not any(each[60:100] in bytes_of(folder) for each in sealed)
    assert [each.details for each in vault.audit_entries()] == [{"pictures": 2}, {"pictures": 1}]


def test_what_is_not_there_is_said(vault: Vault) -> None:
    vault.review.add(an_item(), a_photo(1))
    with pytest.raises(AlreadyRecorded):
        vault.review.add(an_item(), a_photo(2))
    for ask in (vault.review.picture, lambda visit_id: vault.review.discard(visit_id, NOW)):
        with pytest.raises(UnknownVisit):
            ask("../v1")
    with pytest.raises(ValueError, match="not empty"):
        vault.review.add(an_item("v2"), b"")


@pytest.mark.parametrize("wrong", [{"visit_id": ""}, {"camera_id": ""}, {"decision": "familiar"}])
def test_only_people_without_a_name_are_reviewed(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="review"):
        an_item(**wrong)


def test_a_swapped_row_is_noticed(vault: Vault) -> None:
    vault.review.add(an_item("v1"), a_photo(1))
    vault.review.add(an_item("v2"), a_photo(2))
    with vault._database.write() as connection:
        connection.execute("UPDATE review SET sealed = (SELECT sealed FROM review WHERE visit_id = 'v2')")
    assert vault.review.picture("v2") == a_photo(2)
    with pytest.raises(VaultDamaged):
        vault.review.picture("v1")
