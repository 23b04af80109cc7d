"""An older store is copied, then brought up to date whole; a newer or a foreign one is left alone."""

from contextlib import closing
from pathlib import Path
import sqlite3
import stat

import pytest

from custom_components.familiar_faces.people.choices import Choices
from custom_components.familiar_faces.vault import schema
from custom_components.familiar_faces.vault.errors import (
    VaultDamaged,
    VaultKeyWrong,
    VaultMigrationFailed,
    VaultTooNew,
    VaultUnwritable,
)
from custom_components.familiar_faces.vault.keys import Keys
from custom_components.familiar_faces.vault.retention import Retention
from custom_components.familiar_faces.vault.store import Vault
from tests.vault.makers import (
    DAY,
    MARIA,
    NOW,
    OTTO,
    SECOND,
    a_consent,
    a_photo,
    a_visit,
    bytes_of,
    enrol,
    make_first_version,
)

NEWEST = schema.VERSION
COPY = f"vault.db.before-v{NEWEST}"


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def tables_of(path: Path) -> set[str]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


@pytest.fixture
def old(vault: Vault, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a vault of today's version, while the newest is two versions later."""
    enrol(vault)
    vault.add_visit(a_visit(), a_photo(9), NOW)
    vault.close()
    monkeypatch.setattr(schema, "VERSION", NEWEST + 2)
    monkeypatch.setattr(
        schema,
        "MIGRATIONS",
        {
            NEWEST: lambda connection, keys: connection.execute("CREATE TABLE kind (name TEXT)"),
            NEWEST + 1: lambda connection, keys: connection.execute("CREATE TABLE note (text TEXT)"),
        },
    )
    return folder


def test_an_older_store_is_copied_then_migrated(old: Path) -> None:
    vault = Vault.open(old)
    assert vault.person(MARIA).name == "Maria Gantenbein"
    vault.close()
    assert {path.name for path in old.iterdir()} == {
        "vault.db",
        "vault.key",
        "vault.leaving",
        "vault.lock",
        "vault.reserve",
        COPY,
    }
    assert version_of(old / "vault.db") == NEWEST + 2
    assert tables_of(old / "vault.db") - tables_of(old / COPY) == {"kind", "note"}
    assert version_of(old / COPY) == NEWEST
    assert stat.S_IMODE((old / COPY).stat().st_mode) == 0o600


def test_the_copy_is_a_whole_vault(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Vault.open(old).close()
    (old / COPY).replace(old / "vault.db")
    monkeypatch.undo()
    vault = Vault.open(old)
    assert vault.visit_picture("visit-1") == a_photo(9)
    assert vault.verify_audit().ok
    vault.close()


def test_the_copy_is_made_before_anything_changes(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def look(connection: sqlite3.Connection, keys: Keys) -> None:
        assert version_of(old / COPY) == NEWEST
        seen.append(True)

    seen: list[bool] = []
    monkeypatch.setitem(schema.MIGRATIONS, NEWEST, look)
    Vault.open(old).close()
    assert seen == [True]


def test_a_failed_migration_changes_nothing(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(connection: sqlite3.Connection, keys: Keys) -> None:
        connection.execute("DROP TABLE picture")
        raise KeyError("a mistake")

    monkeypatch.setitem(schema.MIGRATIONS, NEWEST + 1, fail)
    for _ in range(2):
        with pytest.raises(VaultMigrationFailed, match="left as it was"):
            Vault.open(old)
        assert version_of(old / "vault.db") == NEWEST
    monkeypatch.undo()
    vault = Vault.open(old)
    assert vault.visit_picture("visit-1") == a_photo(9)
    vault.close()


def test_without_room_for_a_copy_nothing_is_migrated(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (old / f"{COPY}.new").mkdir()
    with pytest.raises(VaultUnwritable):
        Vault.open(old)
    assert version_of(old / "vault.db") == NEWEST


@pytest.mark.parametrize("erasure", ["forget", "purge visits", "purge pictures", "remove", "abandon"])
def test_the_copy_does_not_outlive_what_is_erased(old: Path, erasure: str) -> None:
    vault = Vault.open(old)
    (template,) = vault.person(MARIA).templates
    vault.purge(NOW, Retention())
    assert (old / COPY).exists()
    match erasure:
        case "forget":
            assert vault.forget(MARIA, NOW).verified
        case "purge visits":
            vault.purge(NOW + 30 * DAY, Retention(pictures=90 * DAY))
        case "purge pictures":
            vault.purge(NOW + 7 * DAY, Retention())
        case "remove":
            vault.remove_reference(MARIA, template.template_id)
        case "abandon":
            vault.begin_enrolment(OTTO, "Otto", None, a_consent("otto"), NOW)
            vault.abandon_enrolments(now=NOW + SECOND)
    assert not (old / COPY).exists()
    vault.close()


def test_a_copy_that_cannot_be_erased_stops_the_forgetting(old: Path) -> None:
    vault = Vault.open(old)
    (old / COPY).unlink()
    (old / COPY).mkdir()
    with pytest.raises(VaultUnwritable):
        vault.forget(MARIA, NOW)
    assert vault.person(MARIA).name == "Maria Gantenbein"
    assert not vault.was_forgotten(MARIA)
    (old / COPY).rmdir()
    assert vault.forget(MARIA, NOW).verified
    vault.close()


def test_a_newer_store_is_left_alone(vault: Vault, folder: Path) -> None:
    enrol(vault)
    vault.close()
    with closing(sqlite3.connect(folder / "vault.db")) as connection, connection:
        connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    with pytest.raises(VaultTooNew, match="newer version"):
        Vault.open(folder)
    assert version_of(folder / "vault.db") == schema.VERSION + 1


def test_a_foreign_store_is_left_alone(folder: Path) -> None:
    folder.mkdir()
    with closing(sqlite3.connect(folder / "vault.db")) as connection, connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    with pytest.raises(VaultDamaged, match="not a vault"):
        Vault.open(folder)
    assert not (folder / "vault.key").exists()
    assert b"recipes" in bytes_of(folder)


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("DELETE FROM meta WHERE name = 'fingerprint'", VaultDamaged),
        ("UPDATE meta SET value = zeroblob(32) WHERE name = 'fingerprint'", VaultKeyWrong),
        ("DELETE FROM meta WHERE name = 'audit_head'", VaultDamaged),
    ],
)
def test_a_store_without_its_own_rows_is_not_opened(
    vault: Vault, folder: Path, statement: str, error: type[Exception]
) -> None:
    vault.close()
    with closing(sqlite3.connect(folder / "vault.db")) as connection, connection:
        connection.execute(statement)
    with pytest.raises(error):
        Vault.open(folder)


def test_a_store_of_the_first_version_goes_on(vault: Vault, folder: Path) -> None:
    """Made the first version by hand."""
    enrol(vault)
    enrol(vault, OTTO, "Otto", seeds=(2,))
    vault.add_visit(a_visit(), a_photo(9), NOW)
    vault.forget(OTTO, NOW)
    vault.finish_forgetting(OTTO, {}, NOW)
    make_first_version(vault, MARIA)
    vault.close()

    vault = Vault.open(folder)
    assert version_of(folder / "vault.db") == NEWEST
    person = vault.person(MARIA)
    assert person.choices == Choices()
    assert person.consent.text == ""
    assert (person.consent.visits_for, person.consent.pictures_for) == (30 * DAY, 7 * DAY)
    assert vault.visit_picture("visit-1") == a_photo(9)
    assert vault.was_forgotten(OTTO)
    assert vault.unfinished() == []
    assert vault.receipt(OTTO).templates == 0
    token = vault.links.new_link(MARIA, NOW)
    assert vault.links.person_of(token) == MARIA
    assert vault.verify_audit().ok
    assert vault.forget(MARIA, NOW).verified
    vault.close()
    # A new one has the same tables.
    Vault.open(folder.with_name("new")).close()
    assert tables_of(folder / "vault.db") == tables_of(folder.with_name("new") / "vault.db")
