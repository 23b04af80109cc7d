"""What is forgotten is gone from the disk, and looked for again."""

# ruff: noqa: S608 - the SQL here is made of the tests' own words

from contextlib import closing
from pathlib import Path
import sqlite3

import pytest

from custom_components.familiar_faces.vault import database as database_room, erasure
from custom_components.familiar_faces.vault.database import Database
from custom_components.familiar_faces.vault.errors import UnknownPerson, VaultDamaged
from custom_components.familiar_faces.vault.records import Receipt
from custom_components.familiar_faces.vault.retention import Retention
from custom_components.familiar_faces.vault.store import Vault
from tests.vault.makers import (
    DAY,
    MARIA,
    NOW,
    OTTO,
    a_consent,
    a_photo,
    a_visit,
    an_embedding,
    bytes_of,
    enrol,
)


def ciphertexts(folder: Path, person_id: str) -> list[bytes]:
    """Return the wrapped key of someone and a piece of every sealed row, as they lie in the file."""
    with closing(sqlite3.connect(f"file:{folder / 'vault.db'}?mode=ro", uri=True)) as connection:
        pieces = [
            blob[:40]
            for table in ("person", "consent", "template", "photo", "visit", "picture")
            for (blob,) in connection.execute(f"SELECT sealed FROM {table} WHERE person_id = ?", (person_id,))
        ]
        # The middle of a photo lies in pages of its own.
        pieces += [
            blob[9000:9040]
            for (blob,) in connection.execute("SELECT sealed FROM photo WHERE person_id = ?", (person_id,))
        ]
        (wrapped,) = connection.execute(
            "SELECT wrapped_key FROM person WHERE person_id = ?", (person_id,)
        ).fetchone()
    return [wrapped, *pieces]


def fill(vault: Vault) -> None:
    """Enrol Maria and Otto, with two visits each."""
    for number, (person_id, name) in enumerate(((MARIA, "Maria"), (OTTO, "Otto"))):
        vault.begin_enrolment(person_id, name, None, a_consent(f"c{number}", given_by=name), NOW)
        for seed in (number * 10, number * 10 + 1):
            photo = a_photo(seed, 20_000)
            vault.add_reference(
                person_id,
                photo=photo,
                embedding=an_embedding(seed),
                model="sface",
                photo_digest=str(seed),
                now=NOW,
            )
        vault.finish_enrolment(person_id, NOW)
        vault.add_visit(a_visit(f"{name}-1", person_id), a_photo(number + 50), NOW)
        vault.add_visit(a_visit(f"{name}-2", person_id), None, NOW)
    vault.record_consent(MARIA, a_consent("c9"))


def test_a_receipt_counts_what_went(vault: Vault) -> None:
    fill(vault)
    assert vault.forget(MARIA, NOW + DAY) == Receipt(
        person_id=MARIA,
        forgotten_at=NOW + DAY,
        templates=2,
        photos=2,
        visits=2,
        pictures=1,
        consents=2,
        verified=True,
    )
    assert [person.name for person in vault.people()] == ["Otto"]
    assert {visit.person_id for visit in vault.visits()} == {OTTO}
    assert vault.was_forgotten(MARIA)
    assert not vault.was_forgotten(OTTO)
    with pytest.raises(UnknownPerson):
        vault.person(MARIA)
    stored = vault.stored()
    assert (stored.people, stored.templates, stored.photos, stored.consents) == (1, 2, 2, 1)


def test_not_even_the_ciphertext_is_left(vault: Vault, folder: Path) -> None:
    fill(vault)
    pieces = ciphertexts(folder, MARIA)
    assert len(pieces) == 1 + 1 + 2 + 2 + 2 + 2 + 1 + 2
    everything = bytes_of(folder)
    assert all(piece in everything for piece in pieces)

    assert vault.forget(MARIA, NOW).verified
    everything = bytes_of(folder)
    assert not any(piece in everything for piece in pieces)
    vault.close()
    everything = bytes_of(folder)
    assert not any(piece in everything for piece in pieces)


def test_looking_again_sees_what_is_left(vault: Vault, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that forgets nothing must not get a receipt that says it did."""
    fill(vault)
    monkeypatch.setitem(erasure._DELETE, "visits", "DELETE FROM visit WHERE person_id = ? AND 0")
    monkeypatch.setitem(erasure._DELETE, "people", "UPDATE person SET seen_at = 1 WHERE person_id = ?")
    assert not vault.forget(MARIA, NOW).verified
    again = vault.forget(MARIA, NOW)
    assert (again.templates, again.verified) == (2, False)
    assert not vault.receipt(MARIA).verified


def test_looking_again_sees_a_key_in_a_freed_page(vault: Vault, folder: Path) -> None:
    fill(vault)
    with vault._database.read() as connection:
        connection.execute("PRAGMA secure_delete = OFF")
    assert not vault.forget(MARIA, NOW).verified


def test_a_disk_that_cannot_be_tidied_gives_no_verified_receipt(
    vault: Vault, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(vault)
    # Another reader of the file keeps the write-ahead log from being emptied.
    reader = sqlite3.connect(folder / "vault.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM person").fetchone()
    assert not vault.forget(MARIA, NOW).verified
    assert vault.was_forgotten(MARIA)
    reader.execute("COMMIT")
    reader.close()
    assert vault.forget(MARIA, NOW).verified


def test_forgetting_twice_looks_again_only(vault: Vault) -> None:
    enrol(vault)
    vault.forget(MARIA, NOW)
    entries = vault.stored().audit_entries
    again = vault.forget(MARIA, NOW + DAY)
    assert (again.forgotten_at, again.templates, again.verified) == (NOW, 1, True)
    assert vault.stored().audit_entries == entries
    with pytest.raises(UnknownPerson):
        vault.forget("never here", NOW)


def test_someone_being_enrolled_can_be_forgotten(vault: Vault) -> None:
    vault.begin_enrolment(MARIA, "Maria", None, a_consent(), NOW)
    assert vault.forget(MARIA, NOW).consents == 1


def test_everyone_can_be_forgotten(vault: Vault, folder: Path) -> None:
    fill(vault)
    pieces = ciphertexts(folder, MARIA) + ciphertexts(folder, OTTO)
    receipts = vault.forget_all(NOW)
    assert [receipt.person_id for receipt in receipts] == [MARIA, OTTO]
    assert all(receipt.verified for receipt in receipts)
    stored = vault.stored()
    assert (stored.people, stored.visits, stored.photos, stored.consents) == (0, 0, 0, 0)
    assert not any(piece in bytes_of(folder) for piece in pieces)
    assert vault.forget_all(NOW) == []


def test_what_is_purged_leaves_no_ciphertext(vault: Vault, folder: Path) -> None:
    fill(vault)
    with closing(sqlite3.connect(folder / "vault.db")) as connection:
        blobs = [
            row[0] for row in connection.execute("SELECT sealed FROM visit UNION SELECT sealed FROM picture")
        ]
    assert len(blobs) == 6
    vault.purge(NOW + 30 * DAY, Retention())
    everything = bytes_of(folder)
    assert not any(blob[:40] in everything for blob in blobs)


def test_a_removed_reference_leaves_no_ciphertext(vault: Vault, folder: Path) -> None:
    fill(vault)
    before = ciphertexts(folder, MARIA)
    for template in vault.person(MARIA).templates:
        vault.remove_reference(MARIA, template.template_id)
    after = ciphertexts(folder, MARIA)
    gone = [piece for piece in before if piece not in after]
    assert len(gone) == 6
    assert not any(piece in bytes_of(folder) for piece in gone)


def test_a_purge_that_fails_half_way_is_finished_by_the_next(
    vault: Vault, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol(vault)
    for number in range(120):
        vault.add_visit(a_visit(f"v{number}"), None, NOW)
    # The row in the way of the second batch: its deletion is refused.
    with vault._database.read() as connection:
        connection.execute(
            "CREATE TEMP TRIGGER stuck BEFORE DELETE ON main.visit WHEN old.visit_id = 'v70' "
            "BEGIN SELECT RAISE(ABORT, 'stuck'); END"
        )
    with pytest.raises(sqlite3.IntegrityError, match="stuck"):
        vault.purge(NOW + 30 * DAY, Retention())
    assert vault.count_visits(NOW) == 70
    assert vault.verify_audit().ok
    vault.close()
    vault = Vault.open(folder)
    assert vault.purge(NOW + 30 * DAY, Retention()).visits == 70
    vault.close()


def test_searching_finds_bytes_across_its_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_room, "_CHUNK", 64)
    database = Database(tmp_path / "vault.db")
    with database.write() as connection:
        connection.execute("CREATE TABLE x (y BLOB)")
        connection.execute("INSERT INTO x VALUES (?)", (bytes(range(256)) * 3,))
    database.checkpoint()
    whole = (tmp_path / "vault.db").read_bytes()
    present = {whole[start : start + 40] for start in range(0, len(whole) - 40, 17)}
    assert database.holding([*present, b"never there"]) == present
    assert database.holding([]) == set()
    database.close()


def test_a_damaged_person_is_forgotten_too(vault: Vault) -> None:
    fill(vault)
    with vault._database.write() as connection:
        connection.execute("UPDATE person SET wrapped_key = zeroblob(61) WHERE person_id = ?", (MARIA,))
    with pytest.raises(VaultDamaged):
        vault.person(MARIA)
    assert vault.forget(MARIA, NOW).visits == 2
