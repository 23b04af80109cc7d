"""A vault whose files are exchanged or cut while it is open, or before: it is noticed before anything is confirmed."""

from collections.abc import Callable
from contextlib import closing
import os
from pathlib import Path
import shutil
import sqlite3

import pytest

from custom_components.familiar_faces.vault.errors import (
    VaultError,
    VaultMissing,
    VaultReplaced,
    VaultUnwritable,
)
from custom_components.familiar_faces.vault.retention import Retention
from custom_components.familiar_faces.vault.store import Vault
from tests.vault.makers import MARIA, NOW, OTTO, a_consent, a_photo, a_visit, enrol


def replace_file(folder: Path, older: Path) -> None:
    """Put another file in its place, as a program that restores files does."""
    shutil.copy(older / "vault.db", folder / "new")
    (folder / "new").replace(folder / "vault.db")


def write_over(folder: Path, older: Path) -> None:
    """Write other bytes into the same file, as `cp` does."""
    (folder / "vault.db").write_bytes((older / "vault.db").read_bytes())


def remove(folder: Path, older: Path) -> None:
    (folder / "vault.db").unlink()


def remove_all(folder: Path, older: Path) -> None:
    for name in ("vault.db", "vault.db-wal", "vault.db-shm", "vault.key"):
        (folder / name).unlink()


def remove_log(folder: Path, older: Path) -> None:
    (folder / "vault.db-wal").unlink()


def exchange_log(folder: Path, older: Path) -> None:
    (folder / "vault.db-wal").unlink()
    (folder / "vault.db-wal").touch()


def exchange_folder(folder: Path, older: Path) -> None:
    folder.rename(folder.with_name("moved"))
    shutil.copytree(older, folder)


def write_with_sqlite(folder: Path, older: Path) -> None:
    with closing(sqlite3.connect(folder / "vault.db")) as connection, connection:
        connection.execute("DELETE FROM link")


HARM = [
    replace_file,
    write_over,
    remove,
    remove_all,
    remove_log,
    exchange_log,
    exchange_folder,
    write_with_sqlite,
]


@pytest.mark.parametrize("harm", HARM)
def test_files_exchanged_under_an_open_vault(
    vault: Vault, folder: Path, tmp_path: Path, harm: Callable[[Path, Path], None]
) -> None:
    enrol(vault)
    vault.links.new_link(MARIA, NOW)
    vault.close()
    older = tmp_path / "older"
    shutil.copytree(folder, older)
    vault = Vault.open(folder)
    enrol(vault, OTTO, "Otto", seeds=(2,))
    # Otherwise the older file and the log would still be the whole of it.
    assert vault._database.checkpoint()
    told: list[VaultError | None] = []
    vault.on_trouble(told.append)
    harm(folder, older)
    lying = {path.name: path.read_bytes() for path in folder.iterdir()}
    tries: list[Callable[[], object]] = [
        lambda: vault.withdraw_consent(OTTO, NOW),
        lambda: vault.forget(OTTO, NOW),
        lambda: vault.record_consent(OTTO, a_consent("new"), NOW),
        lambda: vault.add_visit(a_visit(), None, NOW),
        lambda: vault.purge(NOW, Retention()),
        vault.people,
        vault.verify_audit,
        vault.witness.mark,
    ]
    for each in tries:
        with pytest.raises(VaultReplaced, match="nothing was saved"):
            each()
    assert [type(each) for each in told] == [VaultReplaced], "the owner is told once"
    assert isinstance(vault.trouble, VaultReplaced)
    # Closing it harms nothing of what lies there now.
    vault.close()
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {key: value for key, value in after.items() if "shm" not in key} == {
        key: value for key, value in lying.items() if "shm" not in key
    }


def test_a_file_exchanged_while_a_change_is_written(
    vault: Vault, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written went into a file that nobody will read again, so it is not confirmed."""
    enrol(vault)
    settle = vault._database.before_commit
    assert settle is not None

    def exchange(connection: sqlite3.Connection) -> None:
        settle(connection)
        (folder / "vault.db").unlink()
        (folder / "vault.db").touch()

    monkeypatch.setattr(vault._database, "before_commit", exchange)
    with pytest.raises(VaultReplaced):
        vault.withdraw_consent(MARIA, NOW)


def test_a_vault_that_is_used_is_not_replaced(vault: Vault, folder: Path, tmp_path: Path) -> None:
    """Neither its own work, nor anyone who reads, copies or touches up the files, looks like that."""
    enrol(vault)
    for number in range(30):
        vault.add_visit(a_visit(f"v{number}"), a_photo(number, 200_000), NOW)
    assert vault.forget(MARIA, NOW).verified
    shutil.copytree(folder, tmp_path / "copy")
    with closing(sqlite3.connect(f"file:{folder / 'vault.db'}?mode=ro", uri=True)) as reader:
        reader.execute("SELECT count(*) FROM audit").fetchone()
    (folder / "vault.db").chmod(0o640)
    vault.hold_file(held=True)
    enrol(vault, OTTO, "Otto", seeds=(2,))
    vault.hold_file(held=False)
    assert [person.person_id for person in vault.people()] == [OTTO]
    assert vault.trouble is None


def test_a_file_that_was_only_touched(vault: Vault, folder: Path) -> None:
    """Some file systems change its time later than it was written."""
    enrol(vault)
    for number in range(2):
        os.utime(folder / "vault.db", (number, number))
        vault.add_visit(a_visit(f"v{number}"), None, NOW)
    assert vault.trouble is None
    # One byte of a consent in the file, and not in what is read of it in memory.
    vault._database.checkpoint()
    with vault._database.read() as connection:
        (sealed,) = connection.execute("SELECT sealed FROM consent").fetchone()
    data = bytearray((folder / "vault.db").read_bytes())
    data[data.index(sealed[:50]) + 20] ^= 1
    (folder / "vault.db").write_bytes(data)
    with pytest.raises(VaultReplaced):
        vault.add_visit(a_visit("last"), None, NOW)


@pytest.mark.parametrize("content", [None, b""])
def test_a_vault_that_is_gone(vault: Vault, folder: Path, content: bytes | None) -> None:
    enrol(vault)
    log = (folder / "vault.db-wal").read_bytes()
    vault.close()
    (folder / "vault.db").unlink()
    if content is not None:
        (folder / "vault.db").write_bytes(content)
    (folder / "vault.db-wal").write_bytes(log)
    with pytest.raises(VaultMissing):
        Vault.open(folder, expected=True)
    # SQLite would have deleted it, and a recovery may need it.
    assert (folder / "vault.db-wal").read_bytes() == log
    assert (folder / "vault.db").exists() == (content is not None)


def test_a_new_vault_where_none_is_expected(folder: Path) -> None:
    vault = Vault.open(folder, expected=False)
    enrol(vault)
    vault.close()
    again = Vault.open(folder, expected=True)
    assert again.state(MARIA) is not None
    again.close()


def test_a_new_vault_stands_without_its_log(folder: Path, tmp_path: Path) -> None:
    """So that a first log that is lost leaves a vault that its mark can be held against, and not an empty file."""
    vault = Vault.open(folder)
    shutil.copytree(folder, tmp_path / "copy")
    vault.close()
    (tmp_path / "copy" / "vault.db-wal").unlink()
    again = Vault.open(tmp_path / "copy", expected=True)
    assert again.verify_audit().ok
    again.close()


@pytest.mark.parametrize("cut", ["gone", "half", "last byte", "noise", "other salt"])
def test_a_log_that_was_cut(vault: Vault, folder: Path, tmp_path: Path, cut: str) -> None:
    """SQLite passes over what is not whole, without a word. The mark says that something is missing."""
    enrol(vault)
    vault.close()
    vault = Vault.open(folder)
    vault.withdraw_consent(MARIA, NOW)
    mark = vault.witness.mark()
    killed = tmp_path / "killed"
    shutil.copytree(folder, killed)
    vault.close()
    log = killed / "vault.db-wal"
    data = bytearray(log.read_bytes())
    assert len(data) > 8000
    match cut:
        case "gone":
            log.unlink()
        case "half":
            os.truncate(log, len(data) // 2)
        case "last byte":
            os.truncate(log, len(data) - 1)
        case "noise":
            data[len(data) // 2] ^= 0xFF
            log.write_bytes(data)
        case "other salt":
            data[16] ^= 0xFF
            log.write_bytes(data)
    again = Vault.open(killed, expected=True)
    assert again.person(MARIA).consents[-1].withdrawn_at is None, "nothing was lost"
    assert again.verify_audit().ok, "nothing in it shows that"
    assert again.witness.older_than(mark)
    assert again.witness.hold_everybody(NOW) == {MARIA}
    again.close()


def test_the_owner_is_told_that_nothing_can_be_written_and_when_it_can(
    vault: Vault, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol(vault)
    told: list[VaultError | None] = []
    vault.on_trouble(told.append)

    def full(_connection: sqlite3.Connection) -> None:
        raise VaultUnwritable("SQLITE_FULL")

    with monkeypatch.context() as patched:
        patched.setattr(vault._database, "before_commit", full)
        for _ in range(2):
            with pytest.raises(VaultUnwritable):
                vault.add_visit(a_visit(), None, NOW)
    # What changes nothing proves nothing.
    vault.finish_enrolment(MARIA, NOW)
    assert [type(each) for each in told] == [VaultUnwritable]
    assert isinstance(vault.trouble, VaultUnwritable)
    vault.add_visit(a_visit(), None, NOW)
    assert told[1:] == [None]
    assert vault.trouble is None
