"""The audit log shows whatever was done to it."""

# ruff: noqa: S608 - the SQL here is made of the tests' own words

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
import shutil
import sqlite3
from typing import Any

import pytest

from custom_components.familiar_faces.vault.errors import VaultDamaged, VaultReplaced
from custom_components.familiar_faces.vault.records import AuditVerdict
from custom_components.familiar_faces.vault.retention import MONTH, Retention
from custom_components.familiar_faces.vault.store import Vault
from tests.vault.makers import DAY, MARIA, NOW, OTTO, SECOND, a_consent, add_reference, bytes_of, enrol


def tamper(folder: Path, *statements: str) -> None:
    """Run SQL on a closed vault, as someone who has the file but not the key."""
    with closing(sqlite3.connect(folder / "vault.db")) as connection, connection:
        connection.execute("DROP TRIGGER audit_is_append_only")
        for statement in statements:
            assert connection.execute(statement).rowcount > 0


def verdict_after(vault: Vault, folder: Path, *statements: str) -> AuditVerdict:
    """Close, tamper, open and verify."""
    vault.close()
    tamper(folder, *statements)
    again = Vault.open(folder)
    verdict = again.verify_audit()
    again.close()
    return verdict


@pytest.fixture
def told(vault: Vault) -> Vault:
    """Return a vault with ten entries."""
    for number in range(1, 11):
        vault.audit("looked", MARIA, {"number": number}, NOW + number * SECOND)
    return vault


def test_entries_come_back_newest_first(told: Vault) -> None:
    told.audit("exported", OTTO, {"files": 2, "asked": True, "by": None, "size": 1.5}, NOW + DAY)
    first, second = told.audit_entries(limit=2)
    assert (first.number, first.kind, first.person_id, first.at) == (11, "exported", OTTO, NOW + DAY)
    assert first.details == {"files": 2, "asked": True, "by": None, "size": 1.5}
    assert (second.number, second.details) == (10, {"number": 10})
    assert [entry.number for entry in told.audit_entries(person_id=MARIA, limit=3)] == [10, 9, 8]
    assert [entry.number for entry in told.audit_entries(limit=2, before=9)] == [8, 7]
    assert told.audit_entries(before=1) == ()
    assert told.verify_audit() == AuditVerdict(ok=True, entries=11, first_bad=None)


def test_an_empty_log_is_whole(vault: Vault) -> None:
    assert vault.verify_audit() == AuditVerdict(ok=True, entries=0, first_bad=None)


def test_the_vault_writes_what_it_does(vault: Vault) -> None:
    person = enrol(vault, seeds=(1, 2))
    vault.record_consent(MARIA, a_consent("second"), NOW)
    vault.update_person(MARIA, "Maria Lind", None, NOW)
    vault.remove_reference(MARIA, person.templates[0].template_id, NOW)
    vault.withdraw_consent(MARIA, NOW)
    vault.forget(MARIA, NOW)
    entries = vault.audit_entries()[::-1]
    assert [entry.kind for entry in entries] == [
        "consent_recorded",
        "reference_added",
        "reference_added",
        "enrolled",
        "consent_recorded",
        "person_changed",
        "reference_removed",
        "consent_withdrawn",
        "forgotten",
    ]
    assert {entry.person_id for entry in entries} == {MARIA}
    assert entries[0].details["method"] == "on_paper"
    assert entries[-1].details == {
        "reason": "asked",
        "templates": 1,
        "photos": 1,
        "visits": 0,
        "pictures": 0,
        "consents": 2,
        "invitations": 0,
    }
    assert not any("Maria" in str(entry) or "Gantenbein" in str(entry) for entry in entries)


def test_entries_are_encrypted(vault: Vault, folder: Path) -> None:
    vault.audit("looked_at_a_face", MARIA, {"camera": "garden-camera"}, NOW)
    vault.close()
    everything = bytes_of(folder)
    assert b"looked_at_a_face" not in everything
    assert b"garden-camera" not in everything
    assert MARIA.encode() not in everything


@pytest.mark.parametrize(
    ("statement", "first_bad"),
    [
        ("UPDATE audit SET sealed = zeroblob(length(sealed)) WHERE number = 4", 4),
        ("UPDATE audit SET sealed = (SELECT sealed FROM audit WHERE number = 5) WHERE number = 4", 4),
        ("UPDATE audit SET at = at + 1 WHERE number = 7", 7),
        ("UPDATE audit SET link = zeroblob(32) WHERE number = 3", 3),
        ("DELETE FROM audit WHERE number = 1", 1),
        ("DELETE FROM audit WHERE number = 6", 6),
        ("DELETE FROM audit WHERE number = 10", 10),
        ("DELETE FROM audit WHERE number > 4", 5),
        ("DELETE FROM audit", 1),
        ("INSERT INTO audit SELECT 11, at, sealed, link FROM audit WHERE number = 10", 11),
        ("INSERT INTO audit SELECT 0, at, sealed, link FROM audit WHERE number = 10", 0),
    ],
)
def test_a_changed_log_is_found(told: Vault, folder: Path, statement: str, first_bad: int) -> None:
    verdict = verdict_after(told, folder, statement)
    assert not verdict.ok
    assert verdict.first_bad == first_bad


def test_swapped_entries_are_found(told: Vault, folder: Path) -> None:
    verdict = verdict_after(
        told,
        folder,
        "UPDATE audit SET number = 99 WHERE number = 3",
        "UPDATE audit SET number = 3 WHERE number = 8",
        "UPDATE audit SET number = 8 WHERE number = 99",
    )
    assert (verdict.ok, verdict.first_bad) == (False, 3)


def test_dropping_an_entry_and_closing_the_gap_is_found(told: Vault, folder: Path) -> None:
    verdict = verdict_after(
        told,
        folder,
        "DELETE FROM audit WHERE number = 5",
        *(f"UPDATE audit SET number = {number - 1} WHERE number = {number}" for number in range(6, 11)),
    )
    assert (verdict.ok, verdict.first_bad) == (False, 5)


def test_an_entry_of_another_history_is_found(told: Vault, folder: Path, tmp_path: Path) -> None:
    """The same vault, restored and gone another way, has entries that are good but not of this log."""
    told.close()
    fork = shutil.copytree(folder, tmp_path / "fork")
    for path, kind in ((folder, "forgotten"), (fork, "looked")):
        vault = Vault.open(path)
        vault.audit(kind, MARIA, {}, NOW + DAY)
        vault.audit("looked", MARIA, {}, NOW + DAY)
        assert vault.verify_audit().ok
        vault.close()
    tamper(folder, "DELETE FROM audit WHERE number = 11")
    with closing(sqlite3.connect(folder / "vault.db")) as connection, connection:
        connection.execute("ATTACH ? AS fork", (str(fork / "vault.db"),))
        connection.execute("INSERT INTO audit SELECT * FROM fork.audit WHERE number = 11")
    vault = Vault.open(folder)
    assert vault.audit_entries(limit=2)[1].kind == "looked"
    verdict = vault.verify_audit()
    assert (verdict.ok, verdict.first_bad) == (False, 12)
    vault.close()


def test_a_damaged_head_is_found(told: Vault, folder: Path) -> None:
    told.close()
    tamper(folder, "UPDATE meta SET value = zeroblob(60) WHERE name = 'audit_head'")
    with pytest.raises(VaultDamaged, match="audit head"):
        Vault.open(folder)


def test_a_head_damaged_while_open_is_found(told: Vault, folder: Path) -> None:
    tamper(folder, "UPDATE meta SET value = zeroblob(60) WHERE name = 'audit_head'")
    with pytest.raises(VaultReplaced, match="another program"):
        told.verify_audit()


def test_a_changed_entry_is_not_shown(told: Vault, folder: Path) -> None:
    told.close()
    tamper(folder, "UPDATE audit SET at = at - 86400000000 WHERE number = 9")
    again = Vault.open(folder)
    assert len(again.audit_entries(limit=1)) == 1
    with pytest.raises(VaultDamaged, match="audit row"):
        again.audit_entries(limit=2)
    again.close()


def test_the_file_itself_refuses_a_change(told: Vault, folder: Path) -> None:
    told.close()
    with (
        closing(sqlite3.connect(folder / "vault.db")) as connection,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        connection.execute("UPDATE audit SET at = 0")


@pytest.mark.parametrize(
    "bad",
    [
        lambda vault: vault.audit("Looked at", None, {}, NOW),
        lambda vault: vault.audit("", None, {}, NOW),
        lambda vault: vault.audit("looked", None, {}, NOW.replace(tzinfo=None)),
    ],
)
def test_a_bad_entry_is_refused(told: Vault, bad: Callable[[Vault], Any]) -> None:
    with pytest.raises(ValueError, match="audit entry|time zone"):
        bad(told)
    assert told.verify_audit() == AuditVerdict(ok=True, entries=10, first_bad=None)


def test_details_are_plain_values(told: Vault) -> None:
    with pytest.raises(TypeError, match="details"):
        told.audit("looked", None, {"names": ["Maria"]}, NOW)  # type: ignore[dict-item]
    assert told.stored().audit_entries == 10


def test_the_oldest_entries_go_and_the_rest_is_still_a_chain(told: Vault, folder: Path) -> None:
    retention = Retention(audit=12 * MONTH)
    due = NOW + 12 * MONTH + 4 * SECOND
    assert told.purge(due - SECOND / 1000, retention).audit_entries == 3
    assert told.purge(due, retention).audit_entries == 1
    assert told.purge(due, retention).audit_entries == 0
    assert [entry.number for entry in told.audit_entries()] == [12, 11, 10, 9, 8, 7, 6, 5]
    assert [entry.kind for entry in told.audit_entries(limit=3)] == ["purged", "purged", "looked"]
    assert told.verify_audit() == AuditVerdict(ok=True, entries=8, first_bad=None)
    verdict = verdict_after(told, folder, "DELETE FROM audit WHERE number = 5")
    assert (verdict.ok, verdict.first_bad) == (False, 5)


def test_an_entry_of_a_wrong_clock_goes_with_those_after_it(vault: Vault) -> None:
    vault.audit("looked", None, {}, NOW + 3650 * DAY)
    vault.audit("looked", None, {}, NOW)
    assert vault.purge(NOW + 36 * MONTH, Retention()).audit_entries == 2
    assert vault.verify_audit().ok


def test_a_failed_write_leaves_no_entry(vault: Vault) -> None:
    enrol(vault)
    before = vault.stored().audit_entries
    with pytest.raises(Exception, match="kept already"):
        add_reference(vault, MARIA, 1)
    assert vault.stored().audit_entries == before
    assert vault.verify_audit().ok
