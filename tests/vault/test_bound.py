"""Who has the file and not the key can put in, put back and take away rows, and never unseen."""

# ruff: noqa: S608 - the SQL here is made of the tests' own words

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
import hashlib
from pathlib import Path
import shutil
import sqlite3

import pytest

from custom_components.familiar_faces.people.choices import Choices, Keeping
from custom_components.familiar_faces.vault.errors import (
    ConsentMissing,
    DuplicatePhoto,
    UnknownPerson,
    VaultDamaged,
    VaultMigrationFailed,
    VaultTampered,
)
from custom_components.familiar_faces.vault.keys import load_keys
from custom_components.familiar_faces.vault.retention import Retention
from custom_components.familiar_faces.vault.store import Vault
from custom_components.familiar_faces.vault.witness import Mark, read_mark, write_mark
from tests.vault.makers import (
    DAY,
    MARIA,
    NOW,
    OTTO,
    a_consent,
    a_visit,
    add_reference,
    an_embedding,
    drop_fifth_version,
    drop_fourth_version,
    enrol,
)

TOKEN = "planted" * 6


@pytest.fixture
def household(vault: Vault, folder: Path, tmp_path: Path) -> Path:
    """Return the folder of a closed vault that has a past: a copy of it lies in `tmp_path / "before"`.

    Since the copy Maria chose to be silent, Otto's link was replaced, and an invitation was used.
    """
    enrol(vault, MARIA, "Maria", seeds=(1, 2))
    enrol(vault, OTTO, "Otto", seeds=(3,))
    vault.links.new_link(OTTO, NOW)
    vault.links.invite(person_id=None, expires_at=NOW + DAY, now=NOW)
    vault.witness.watch()
    write_mark(tmp_path / "mark", vault.witness.mark())
    vault.close()
    shutil.copytree(folder, tmp_path / "before")
    shutil.copy(tmp_path / "mark", tmp_path / "mark-before")
    vault = Vault.open(folder)
    silent = replace(a_consent("silent"), choices=Choices(keeping=Keeping.SILENT))
    vault.record_consent(MARIA, silent, NOW)
    vault.links.new_link(OTTO, NOW + DAY)
    vault.links.close(vault.links.invitations(NOW)[0].invitation_id, NOW)
    write_mark(tmp_path / "mark", vault.witness.mark())
    vault.close()
    return folder


def attack(folder: Path, *statements: str) -> None:
    """Run SQL on a closed vault; `before` is the database of the past."""
    with closing(sqlite3.connect(folder / "vault.db")) as connection:
        connection.execute("ATTACH ? AS before", (str(folder.parent / "before" / "vault.db"),))
        with connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            for statement in statements:
                assert connection.execute(statement).rowcount > 0, statement


def back(table: str, where: str, *others: str) -> list[str]:
    """Return how rows of a table are put back to what they were."""
    return [
        f"DELETE FROM main.{table} WHERE {where}",
        f"INSERT INTO main.{table} SELECT * FROM before.{table} WHERE {where}",
        *others,
    ]


PLANTED = f"x'{hashlib.sha256(TOKEN.encode()).hexdigest()}'"
OF_ONE: dict[str, tuple[list[str], str]] = {
    "newest consent deleted": (["DELETE FROM consent WHERE consent_id = 'silent'"], MARIA),
    "all consents put back": (back("consent", f"person_id = '{MARIA}'"), MARIA),
    "state": ([f"UPDATE person SET state = 'enrolling' WHERE person_id = '{OTTO}'"], OTTO),
    "when they came": ([f"UPDATE person SET created_at = 5 WHERE person_id = '{OTTO}'"], OTTO),
    "when they were seen": ([f"UPDATE person SET seen_at = 5 WHERE person_id = '{OTTO}'"], OTTO),
    "photo taken away": ([f"DELETE FROM template WHERE person_id = '{MARIA}' LIMIT 1"], MARIA),
    "link put back": (back("link", f"person_id = '{OTTO}'"), OTTO),
    "link put in": ([f"INSERT INTO link VALUES ('{MARIA}', {PLANTED}, 5)"], MARIA),
    "link exchanged": ([f"UPDATE link SET token_hash = {PLANTED} WHERE person_id = '{OTTO}'"], OTTO),
    "link taken away": ([f"DELETE FROM link WHERE person_id = '{OTTO}'"], OTTO),
}
"""Harm to one person's rows, and whose."""
PERSON_BACK = [
    statement
    for table in ("consent", "template", "link", "person_head", "person")
    for statement in back(table, f"person_id = '{MARIA}'")
    if table != "link"
]
OF_ALL: dict[str, list[str]] = {
    "a person put back, head and all": PERSON_BACK,
    "a person taken away": [
        f"DELETE FROM {table} WHERE person_id = '{MARIA}'"
        for table in ("consent", "template", "person_head", "person")
    ],
    "a person's head taken away": [f"DELETE FROM person_head WHERE person_id = '{MARIA}'"],
    "invitation put back": ["INSERT INTO invitation SELECT * FROM before.invitation"],
    "invitation put in": [f"INSERT INTO invitation VALUES ('x', '{MARIA}', {PLANTED}, 1, {2**60})"],
    "what is held": ["INSERT INTO meta VALUES ('held', CAST('[]' AS BLOB))"],
    "that there is a mark": ["DELETE FROM meta WHERE name = 'witnessed'"],
    "head put back": back("meta", "name = 'audit_head'"),
}


@pytest.mark.parametrize("harm", OF_ONE)
def test_what_is_done_to_one_person(household: Path, harm: str) -> None:
    """They are not recognised, the owner is told, and nobody else is concerned."""
    statements, person_id = OF_ONE[harm]
    attack(household, *[each.replace(" LIMIT 1", _first(household)) for each in statements])
    vault = Vault.open(household)
    assert not vault.verify_audit().ok
    shown = {person.person_id for person in vault.people(include_enrolling=True)}
    assert shown == {MARIA, OTTO} - {person_id}
    assert vault.damaged == [person_id]
    with pytest.raises(VaultDamaged):
        vault.person(person_id)
    with pytest.raises((VaultDamaged, ConsentMissing, UnknownPerson)):
        vault.add_visit(a_visit("v", person_id), None, NOW)
    with pytest.raises(VaultDamaged):
        vault.record_consent(person_id, a_consent("another"), NOW)
    with pytest.raises(VaultDamaged):
        add_reference(vault, person_id, 9)
    # Whatever is written later believes none of it.
    with vault._database.write() as connection:
        connection.execute("UPDATE person SET seen_at = 7")
    vault.links.new_link(person_id, NOW)
    assert vault.damaged == [person_id]
    assert not vault.verify_audit().rows_ok
    # They can be forgotten, and then all is as it was written.
    assert vault.forget(person_id, NOW).verified
    assert vault.verify_audit().ok
    vault.close()


def _first(folder: Path) -> str:
    with closing(sqlite3.connect(folder / "vault.db")) as connection:
        (template_id,) = connection.execute(
            "SELECT template_id FROM template WHERE person_id = ?", (MARIA,)
        ).fetchone()
    return f" AND template_id = '{template_id}'"


@pytest.mark.parametrize("harm", OF_ALL)
def test_what_is_done_to_all(household: Path, tmp_path: Path, harm: str) -> None:
    """Nobody is read before the owner was asked about everybody."""
    attack(household, *OF_ALL[harm])
    vault = Vault.open(household)
    assert not vault.verify_audit().ok
    assert vault.witness.older_than(read_mark(tmp_path / "mark"))
    if harm not in ("invitation put back", "invitation put in"):
        with pytest.raises(VaultTampered):
            vault.people()
    else:
        with pytest.raises(VaultTampered):
            vault.links.invitation(TOKEN, NOW)
        with pytest.raises(VaultTampered):
            vault.links.accept(TOKEN, person_id="x", name="X", consent=a_consent("x"), now=NOW)
    assert isinstance(vault.trouble, VaultTampered)
    if harm == "head put back":
        # There is nothing to go on from: the owner is told that the vault is damaged.
        with pytest.raises(VaultTampered, match="after its end"):
            vault.witness.hold_everybody(NOW)
        vault.close()
        return
    held = vault.witness.hold_everybody(NOW)
    assert held >= {person.person_id for person in vault.people()}
    assert vault.links.invitations(NOW) == []
    assert vault.links.invitation(TOKEN, NOW) is None
    vault.close()


def test_a_link_put_in_opens_nothing(household: Path) -> None:
    attack(
        household,
        f"INSERT INTO link VALUES ('{MARIA}', {PLANTED}, 5)",
        f"INSERT INTO invitation VALUES ('x', '{MARIA}', {'x' + PLANTED[1:]}, 1, {2**60})",
    )
    vault = Vault.open(household)
    assert vault.links.person_of(TOKEN) is None
    vault.witness.hold_everybody(NOW)
    assert vault.links.person_of(TOKEN) is None
    vault.close()


def test_a_link_of_somebody_else_opens_nothing(vault: Vault, folder: Path) -> None:
    """The attacker is a guest with a link of their own."""
    enrol(vault, MARIA, "Maria", seeds=())
    enrol(vault, OTTO, "Otto", seeds=())
    token = vault.links.new_link(OTTO, NOW)
    vault.close()
    with closing(sqlite3.connect(folder / "vault.db")) as connection, connection:
        connection.execute("UPDATE link SET person_id = ? WHERE person_id = ?", (MARIA, OTTO))
    again = Vault.open(folder)
    assert again.links.person_of(token) is None
    again.close()


def test_the_end_of_the_log_cut_off(household: Path, tmp_path: Path) -> None:
    """The old head and the old end of the log verify on their own; the mark tells, and cannot be made to agree."""
    with closing(sqlite3.connect(household / "vault.db")) as connection:
        connection.execute("ATTACH ? AS before", (str(tmp_path / "before" / "vault.db"),))
        names = [
            name
            for (name,) in connection.execute(
                "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            )
        ]
        for name in names:
            connection.execute(f"DELETE FROM main.{name}")
            connection.execute(f"INSERT INTO main.{name} SELECT * FROM before.{name}")
        connection.commit()
    vault = Vault.open(household)
    assert vault.verify_audit().ok, "with nothing to compare with, it is a vault like any other"
    verdict = vault.verify_audit(tmp_path / "mark")
    assert (verdict.ok, verdict.rows_ok, verdict.mark_ok) == (False, True, False)
    newer = read_mark(tmp_path / "mark")
    assert newer is not None
    assert vault.witness.older_than(newer)
    # The mark is written over: with what the old log says, with another number, without a signature, or not at all.
    old = vault.witness.mark()
    for forged in (
        replace(newer, number=old.number, link=old.link, changes=old.changes),
        replace(old, signature=""),
        Mark(old.number, old.link),
        replace(old, changes=0),
    ):
        write_mark(tmp_path / "forged", forged)
        assert not vault.verify_audit(tmp_path / "forged").ok
        assert vault.witness.older_than(read_mark(tmp_path / "forged"))
    assert not vault.verify_audit(tmp_path / "none").ok
    # What remains: everything, the mark too, put back to one moment.
    assert vault.verify_audit(tmp_path / "mark-before").ok
    vault.close()


def test_another_vault_in_its_place(household: Path, tmp_path: Path) -> None:
    """A new one, even one made with the same key."""
    (household / "vault.db").unlink()
    vault = Vault.open(household)
    assert vault.verify_audit().ok
    assert not vault.verify_audit(tmp_path / "mark").ok
    assert vault.witness.older_than(read_mark(tmp_path / "mark"))
    vault.close()


@pytest.mark.parametrize(
    "planted",
    [
        "CREATE TRIGGER t BEFORE UPDATE ON consent BEGIN SELECT RAISE(IGNORE); END",
        "CREATE TRIGGER t AFTER DELETE ON person BEGIN INSERT INTO meta VALUES ('x', old.sealed); END",
        "CREATE VIEW t AS SELECT * FROM person",
        "DROP TABLE person_head",
    ],
)
def test_statements_in_the_file(household: Path, planted: str) -> None:
    """A trigger could have a withdrawal be passed over, and keep what is erased."""
    with closing(sqlite3.connect(household / "vault.db")) as connection, connection:
        connection.execute(planted)
    with pytest.raises(VaultTampered, match="schema"):
        Vault.open(household)


def test_a_version_that_is_set_back(household: Path) -> None:
    """What was bound is not believed once more."""
    with closing(sqlite3.connect(household / "vault.db")) as connection, connection:
        connection.execute("DELETE FROM consent WHERE consent_id = 'silent'")
        connection.execute("DROP TABLE person_head")
        connection.execute("PRAGMA user_version = 3")
    with pytest.raises((VaultTampered, VaultMigrationFailed)):
        Vault.open(household)


def test_a_store_of_the_third_version(vault: Vault, folder: Path, tmp_path: Path) -> None:
    """Links go on opening, the mark without a signature is believed once, and all is bound from then on."""
    enrol(vault)
    own = vault.links.new_link(MARIA, NOW)
    invited, token = vault.links.invite(person_id=None, expires_at=NOW + DAY, now=NOW)
    vault.witness.watch()
    newest = vault.witness.mark()
    with vault._database.write() as connection:
        drop_fifth_version(connection)
        drop_fourth_version(vault, connection)
        for table, given in (("link", own), ("invitation", token)):
            hashed = hashlib.sha256(given.encode()).digest()
            connection.execute(f"UPDATE {table} SET token_hash = ?", (hashed,))
        connection.execute("PRAGMA user_version = 3")
    vault.close()
    write_mark(tmp_path / "mark", Mark(newest.number, newest.link))

    vault = Vault.open(folder)
    assert (folder / "vault.db.before-v3").exists()
    assert vault.person(MARIA).name == "Maria Gantenbein"
    assert vault.links.person_of(own) == MARIA
    assert vault.links.invitation(token, NOW) == invited
    assert vault.links.person_of(token) is None
    assert vault.verify_audit(tmp_path / "mark").ok
    assert not vault.witness.older_than(read_mark(tmp_path / "mark"))
    write_mark(tmp_path / "mark", vault.witness.mark())
    vault.witness.watch()
    assert vault.verify_audit(tmp_path / "mark").ok
    # Only until the first one with a signature.
    assert vault.witness.older_than(Mark(newest.number, newest.link))
    vault.forget(MARIA, NOW)
    vault.close()


def consent_again(vault: Vault) -> None:
    vault.record_consent(MARIA, a_consent("again"), NOW)


def fail(vault: Vault) -> None:
    with pytest.raises(ValueError, match="reference photo"):
        vault.add_reference(MARIA, photo=b"", embedding=an_embedding(1), model="m", photo_digest="", now=NOW)
    with pytest.raises(DuplicatePhoto):
        add_reference(vault, MARIA, 1)
    with pytest.raises(sqlite3.IntegrityError), vault._database.write() as connection:
        connection.execute(
            "UPDATE consent SET number = number, sealed = CASE number WHEN 1 THEN NULL ELSE x'00' END"
        )


@pytest.mark.parametrize(
    "change",
    [
        consent_again,
        fail,
        lambda vault: vault.withdraw_consent(MARIA, NOW),
        lambda vault: vault.update_person(MARIA, "Mia", "person.mia", NOW),
        lambda vault: vault.remove_reference(MARIA, vault.person(MARIA).templates[0].template_id, NOW),
        lambda vault: vault.add_visit(a_visit(), None, NOW),
        lambda vault: vault.forget(OTTO, NOW),
        lambda vault: vault.purge(NOW + 800 * DAY, Retention()),
        lambda vault: vault.links.accept(
            vault.links.invite(person_id=MARIA, expires_at=NOW + DAY, now=NOW)[1],
            person_id="x",
            name="x",
            consent=a_consent("renewed"),
            now=NOW,
        ),
    ],
)
def test_whatever_is_changed_is_followed(
    vault: Vault, folder: Path, change: Callable[[Vault], object]
) -> None:
    enrol(vault, MARIA, seeds=(1, 2))
    enrol(vault, OTTO, "Otto", seeds=(3,))
    before = vault.witness.mark().changes
    change(vault)
    assert vault.verify_audit().ok
    assert vault.witness.mark().changes >= before
    vault.people()
    assert vault.damaged == []
    vault.close()
    again = Vault.open(folder)
    assert again.verify_audit().ok
    again.people()
    assert again.damaged == []
    again.close()


def test_the_sums_say_nothing_without_the_key(vault: Vault, folder: Path) -> None:
    """Who knew the rows' numbers could choose old rows that add up to the same."""
    enrol(vault)
    with vault._database.read() as connection:
        ((_, sequence, sealed),) = connection.execute("SELECT * FROM person_head").fetchall()
        total = vault._binding._total_of(connection, MARIA)
    assert sequence > 1
    assert f"{total:x}".encode() not in sealed
    assert total.to_bytes(32, "big") not in sealed
    keys = load_keys(folder / "vault.key")
    assert keys is not None
    assert keys.heads != keys.rows
