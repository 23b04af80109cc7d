"""The folder: private, open once, and gone when it is destroyed."""

from pathlib import Path
import stat
import subprocess

import pytest

from custom_components.familiar_faces.vault.errors import VaultInUse, VaultUnwritable
from custom_components.familiar_faces.vault.files import shred, write_whole
from custom_components.familiar_faces.vault.store import Vault
from tests.vault.makers import NOW, a_photo, a_visit, enrol
from tests.vault.processes import command, start


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}


def test_only_the_owner_may_look_inside(vault: Vault, folder: Path) -> None:
    enrol(vault)
    found = modes(folder)
    assert found.pop("vault") == 0o700
    assert found.keys() == {
        "vault.db",
        "vault.db-wal",
        "vault.db-shm",
        "vault.key",
        "vault.leaving",
        "vault.lock",
        "vault.reserve",
    }
    assert set(found.values()) == {0o600}


def test_modes_that_were_loosened_are_tightened(folder: Path) -> None:
    Vault.open(folder).close()
    folder.chmod(0o755)
    (folder / "vault.db").chmod(0o644)
    Vault.open(folder).close()
    assert modes(folder)["vault"] == 0o700
    assert modes(folder)["vault.db"] == 0o600


@pytest.mark.parametrize(
    ("folder_mode", "mode", "said"),
    [(0o755, 0o644, True), (0o755, 0o640, True), (0o700, 0o644, False), (0o755, 0o600, False)],
)
def test_a_key_that_others_could_read(folder: Path, folder_mode: int, mode: int, said: bool) -> None:
    """It is no longer theirs, and it is said that it was."""
    Vault.open(folder).close()
    (folder / "vault.key").chmod(mode)
    folder.chmod(folder_mode)
    for exposed in (said, False):
        vault = Vault.open(folder)
        vault.close()
        assert vault.key_was_exposed is exposed
        assert modes(folder) == {**dict.fromkeys(modes(folder), 0o600), "vault": 0o700}


def test_a_vault_is_open_once(vault: Vault, folder: Path) -> None:
    with pytest.raises(VaultInUse):
        Vault.open(folder)
    with pytest.raises(VaultInUse):
        Vault.destroy(folder)
    vault.close()
    Vault.open(folder).close()


def test_another_process_is_refused_until_this_one_dies(folder: Path) -> None:
    holder = start("hold", folder)
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(VaultInUse, match="another process"):
            Vault.open(folder)
    finally:
        holder.kill()
        holder.communicate()
    Vault.open(folder).close()


def test_destroying_leaves_nothing(vault: Vault, folder: Path) -> None:
    enrol(vault)
    vault.add_visit(a_visit(), a_photo(9), NOW)
    (folder / "vault.db.before-v0").write_bytes(b"a copy")
    vault.close()
    Vault.destroy(folder)
    assert not folder.exists()
    Vault.destroy(folder)


def test_destroying_leaves_other_files_alone(vault: Vault, folder: Path) -> None:
    vault.close()
    (folder / "mine.txt").write_text("keep")
    Vault.destroy(folder)
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]


def test_a_file_in_the_place_of_the_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "vault").write_text("not a folder")
    with pytest.raises(VaultUnwritable):
        Vault.open(tmp_path / "vault")
    assert (tmp_path / "vault").read_text() == "not a folder"


def test_shredding_overwrites_before_it_deletes(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    write_whole(secret, b"x" * 3_000_000)
    twin = tmp_path / "twin"
    twin.hardlink_to(secret)
    shred(secret)
    assert not secret.exists()
    assert twin.stat().st_size == 3_000_000
    assert b"x" * 16 not in twin.read_bytes()
    shred(secret)


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, b"one")
    write_whole(path, b"two")
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_the_vault_needs_no_home_assistant(folder: Path) -> None:
    told = subprocess.run(command("modules", folder), capture_output=True, text=True, check=True)
    assert "sqlite3" in told.stdout.split()
    assert not {"homeassistant", "deepface", "cv2", "aiohttp"} & set(told.stdout.split())
