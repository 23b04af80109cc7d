"""Disks that are full, read-only or damaged: a plain error, and nothing that was kept is lost."""

from collections.abc import Callable
from contextlib import closing
import json
from pathlib import Path
import random
import shutil
import sqlite3
import subprocess
from typing import Any

import pytest

from custom_components.familiar_faces.vault.database import telling_sqlite
from custom_components.familiar_faces.vault.errors import VaultDamaged, VaultInUse, VaultUnwritable
from custom_components.familiar_faces.vault.store import Vault
from tests.vault.makers import MARIA, NOW, OTTO, a_photo, a_visit, enrol
from tests.vault.processes import command


@pytest.fixture
def filled(vault: Vault, folder: Path) -> Path:
    """Return the folder of a closed vault with two people and a hundred visits."""
    enrol(vault, seeds=(1, 2, 3))
    enrol(vault, OTTO, "Otto", seeds=(4, 5))
    for number in range(100):
        vault.add_visit(a_visit(f"before-{number}", OTTO), a_photo(number, 1000), NOW)
    vault.close()
    return folder


def told_by(line: list[str]) -> dict[str, Any]:
    """Run another process and return what it printed as JSON."""
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def in_own_mount(mounts: str, line: list[str]) -> list[str]:
    """Return a command that first makes mounts which only it sees; skip where that is not allowed."""
    if (
        shutil.which("unshare") is None
        or subprocess.run(
            ["unshare", "-rm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("this machine does not let us mount")
    return ["unshare", "-rm", "sh", "-ec", f'{mounts}\nexec "$@"', "sh", *line]


def all_is_there(folder: Path) -> None:
    """Assert that a filled vault is as it was."""
    vault = Vault.open(folder)
    assert [(person.person_id, len(person.templates)) for person in vault.people()] == [(MARIA, 3), (OTTO, 2)]
    assert vault.count_visits(NOW) == 100
    assert vault.visit_picture("before-99") == a_photo(99, 1000)
    assert vault.verify_audit().ok
    vault.close()


def check_filled(report: dict[str, Any]) -> None:
    """Assert what `fill` promises: all that was answered for is there, and it goes on afterwards."""
    assert report["error"].startswith("The vault cannot be written")
    assert len(report["kept"]) > 3
    assert report["found_when_full"] == len(report["kept"]) + 100
    assert report["people_when_full"] == [MARIA, OTTO]
    before = {f"before-{number}" for number in range(100)}
    assert set(report["found"]) == {*report["kept"], *before, "relieved"}
    assert len(report["found"]) == len(report["kept"]) + 101
    assert report["pictures_right"]
    assert report["audit"]


def test_files_that_may_not_grow(filled: Path) -> None:
    check_filled(told_by(command("fill", filled, 500_000, OTTO, "")))


def test_a_full_disk(filled: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounts = (
        f"mount -t tmpfs -o size=1500k tmpfs {disk}\nrm {filled}/vault.reserve\ncp -a {filled} {disk}/vault"
    )
    fill = command("fill", disk / "vault", "none", OTTO, f"mount -o remount,size=9m {disk}")
    check_filled(told_by(in_own_mount(mounts, fill)))


@pytest.mark.parametrize("limit", [0, 100, 5000])
def test_a_new_vault_on_a_full_disk(folder: Path, limit: int) -> None:
    answer = told_by(command("refuse", folder, limit))
    assert answer["error"] == "VaultUnwritable"
    # As soon as there is room, a new vault can be made here.
    vault = Vault.open(folder)
    enrol(vault)
    vault.close()


def test_an_old_vault_on_a_full_disk(filled: Path) -> None:
    assert told_by(command("refuse", filled, 0))["error"] == "VaultUnwritable"
    all_is_there(filled)


def test_a_read_only_disk(filled: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounts = f"mount -t tmpfs tmpfs {disk}\ncp -a {filled} {disk}/vault\nmount -o remount,ro {disk}"
    answer = told_by(in_own_mount(mounts, command("refuse", disk / "vault", "none")))
    assert answer["error"] == "VaultUnwritable"
    assert "read-only" in answer["text"].lower()

    mounts = f"{mounts}\nmount -o remount,rw {disk}"
    answer = told_by(in_own_mount(mounts, command("refuse", disk / "vault", "none")))
    assert answer == {"error": None, "visits": 100}


@pytest.mark.parametrize(
    "harm",
    [
        lambda data: b"not a database at all" * 500,
        lambda data: b"\0" * len(data),
        lambda data: data[: len(data) // 2],
        lambda data: data[:50],
        lambda data: data[:4096] + random.Random(1).randbytes(len(data) - 4096),
        lambda data: random.Random(2).randbytes(100) + data[100:],
        lambda data: data[:16384] + bytes(8192) + data[24576:],
    ],
    ids=["text", "zeros", "half", "head", "noise", "noisy head", "zeroed pages"],
)
def test_a_damaged_file_is_said_and_left_alone(filled: Path, harm: Callable[[bytes], bytes]) -> None:
    whole = (filled / "vault.db").read_bytes()
    harmed = harm(whole)
    (filled / "vault.db").write_bytes(harmed)
    with pytest.raises(VaultDamaged, match="restore a backup"):
        Vault.open(filled)
    assert (filled / "vault.db").read_bytes() == harmed
    # The folder is free again, and the backup that the sentence speaks of is all it takes.
    (filled / "vault.db").write_bytes(whole)
    for name in ("vault.db-wal", "vault.db-shm"):
        (filled / name).unlink(missing_ok=True)
    all_is_there(filled)


def test_bytes_changed_inside_a_picture_harm_that_picture_only(filled: Path) -> None:
    with closing(sqlite3.connect(filled / "vault.db")) as connection:
        (blob,) = connection.execute("SELECT sealed FROM picture WHERE visit_id = 'before-7'").fetchone()
    data = bytearray((filled / "vault.db").read_bytes())
    at = data.index(blob[100:140])
    data[at : at + 8] = b"\0damage\0"
    (filled / "vault.db").write_bytes(data)
    vault = Vault.open(filled)
    with pytest.raises(VaultDamaged, match="picture row"):
        vault.visit_picture("before-7")
    assert vault.visit_picture("before-8") == a_photo(8, 1000)
    assert len(vault.visits(limit=200)) == 100
    vault.close()


def test_a_killed_process_log_is_taken_in_and_emptied(vault: Vault, folder: Path, tmp_path: Path) -> None:
    enrol(vault)
    assert (folder / "vault.db-wal").stat().st_size > 0
    # What a crash leaves: the files as they are while the vault is open.
    shutil.copytree(folder, tmp_path / "crashed")
    again = Vault.open(tmp_path / "crashed")
    assert [person.person_id for person in again.people()] == [MARIA]
    assert (tmp_path / "crashed" / "vault.db-wal").stat().st_size == 0
    again.close()


def test_the_settings_that_the_promises_rest_on(vault: Vault) -> None:
    with vault._database.read() as connection:
        found = {
            name: connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "secure_delete", "foreign_keys", "auto_vacuum")
        }
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "secure_delete": 1,
        "foreign_keys": 1,
        "auto_vacuum": 0,
    }


def test_another_program_in_the_file_is_said(vault: Vault, folder: Path) -> None:
    enrol(vault)
    with closing(sqlite3.connect(folder / "vault.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(VaultInUse):
            vault.add_visit(a_visit(), None, NOW)
        assert len(vault.people()) == 1
    vault.add_visit(a_visit(), None, NOW)


def test_our_own_mistakes_are_not_hidden() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        with pytest.raises(sqlite3.OperationalError, match="syntax"), telling_sqlite():
            connection.execute("SELEKT 1")
        connection.execute("PRAGMA page_size = 512")
        connection.execute("PRAGMA max_page_count = 4")
        connection.execute("CREATE TABLE x (y)")
        with pytest.raises(VaultUnwritable, match="SQLITE_FULL"), telling_sqlite():
            connection.execute("INSERT INTO x VALUES (zeroblob(9999))")


def test_a_copy_made_while_the_file_stands_still_is_whole(vault: Vault, folder: Path, tmp_path: Path) -> None:
    """The file is copied first, its log whenever that comes to pass, and writes go on all the while."""
    enrol(vault)
    vault.hold_file(held=True)
    before = (folder / "vault.db").read_bytes()
    for number in range(60):
        vault.add_visit(a_visit(f"v{number}"), a_photo(number, 60_000), NOW)
    # Larger than what SQLite would have written back by itself.
    assert (folder / "vault.db-wal").stat().st_size > 1000 * 4096
    assert (folder / "vault.db").read_bytes() == before
    assert not vault.forget(MARIA, NOW).verified
    log = (folder / "vault.db-wal").read_bytes()
    for cut in (0, 1, len(log) // 3, len(log) // 2, len(log) - 5, len(log)):
        copy = tmp_path / f"copy-{cut}"
        copy.mkdir()
        (copy / "vault.db").write_bytes(before)
        (copy / "vault.db-wal").write_bytes(log[:cut])
        (copy / "vault.key").write_bytes((folder / "vault.key").read_bytes())
        restored = Vault.open(copy)
        assert restored.verify_audit().ok
        visits = restored.visits(limit=100)
        assert len(visits) == (0 if cut in (0, 1, len(log)) else len(visits))
        assert all(restored.visit_picture(each.visit_id) for each in visits)
        assert (restored.state(MARIA) is None) == (cut == len(log))
        restored.close()
    vault.hold_file(held=False)
    assert (folder / "vault.db-wal").stat().st_size == 0
    assert vault.forget(MARIA, NOW).verified
