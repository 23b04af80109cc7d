"""The key file: without the right one nothing opens, and none is ever made over old data."""

import base64
import json
from pathlib import Path

import pytest

from custom_components.familiar_faces.vault.errors import VaultDamaged, VaultKeyMissing, VaultKeyWrong
from custom_components.familiar_faces.vault.keys import Keys, create_keys, load_keys
from custom_components.familiar_faces.vault.store import Vault
from tests.vault.makers import MARIA, OTTO, enrol


def test_a_missing_key_is_said_and_none_is_made(vault: Vault, folder: Path) -> None:
    enrol(vault)
    vault.close()
    key = (folder / "vault.key").read_bytes()
    (folder / "vault.key").unlink()
    for _ in range(2):
        with pytest.raises(VaultKeyMissing, match=r"vault\.key"):
            Vault.open(folder)
        assert not (folder / "vault.key").exists()

    (folder / "vault.key").write_bytes(key)
    again = Vault.open(folder)
    assert [person.person_id for person in again.people()] == [MARIA]
    again.close()


def test_even_an_empty_vault_wants_its_key(folder: Path) -> None:
    Vault.open(folder).close()
    (folder / "vault.key").unlink()
    with pytest.raises(VaultKeyMissing):
        Vault.open(folder)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 32,
        b"[]",
        b"{}",
        b'{"what": "Familiar Faces vault key", "version": 1, "key": "not base64!"}',
        b'{"what": "Familiar Faces vault key", "version": 1, "key": "c2hvcnQ="}',
        b'{"what": "Familiar Faces vault key", "version": 2, "key": "c2hvcnQ="}',
        b'{"what": "Something else", "version": 1, "key": "c2hvcnQ="}',
        b'{"what": "Familiar Faces vault key", "version": 1, "key": 5}',
    ],
)
def test_a_file_that_is_no_key_is_refused(vault: Vault, folder: Path, content: bytes) -> None:
    enrol(vault)
    vault.close()
    key = (folder / "vault.key").read_bytes()
    (folder / "vault.key").write_bytes(content)
    with pytest.raises(VaultKeyWrong):
        Vault.open(folder)
    assert (folder / "vault.key").read_bytes() == content

    (folder / "vault.key").write_bytes(key)
    Vault.open(folder).close()


def test_another_vaults_key_is_refused(vault: Vault, folder: Path, tmp_path: Path) -> None:
    enrol(vault)
    vault.close()
    Vault.open(tmp_path / "other").close()
    (folder / "vault.key").write_bytes((tmp_path / "other" / "vault.key").read_bytes())
    with pytest.raises(VaultKeyWrong):
        Vault.open(folder)


def test_one_changed_bit_of_the_key_is_found(vault: Vault, folder: Path) -> None:
    vault.close()
    data = json.loads((folder / "vault.key").read_text())
    master = bytearray(base64.b64decode(data["key"]))
    master[17] ^= 1
    data["key"] = base64.b64encode(master).decode()
    (folder / "vault.key").write_text(json.dumps(data))
    with pytest.raises(VaultKeyWrong):
        Vault.open(folder)


def test_a_key_alone_becomes_a_new_vault(folder: Path) -> None:
    folder.mkdir()
    create_keys(folder / "vault.key")
    before = (folder / "vault.key").read_bytes()
    Vault.open(folder).close()
    assert (folder / "vault.key").read_bytes() == before


def test_every_key_is_its_own(tmp_path: Path) -> None:
    first, second = create_keys(tmp_path / "a"), create_keys(tmp_path / "b")
    every = [value for keys in (first, second) for value in vars(keys).values()]
    assert all(len(value) == 32 for value in every)
    assert len(set(every)) == len(every) == 28
    loaded = load_keys(tmp_path / "a")
    assert loaded is not None
    assert vars(loaded) == vars(first)
    assert load_keys(tmp_path / "c") is None


def test_a_persons_key_is_wrapped_for_that_person() -> None:
    keys = Keys(bytes(range(32)))
    key, wrapped = keys.new_person_key(MARIA)
    assert len(key) == 32
    assert key not in wrapped
    assert keys.person_key(MARIA, wrapped) == key
    assert keys.new_person_key(MARIA)[0] != key
    with pytest.raises(VaultDamaged, match="key row"):
        keys.person_key(OTTO, wrapped)
    with pytest.raises(VaultDamaged, match="key row"):
        Keys(bytes(32)).person_key(MARIA, wrapped)


def test_keys_are_derived_as_before() -> None:
    """A change here would make every vault that exists unreadable."""
    keys = Keys(bytes(range(32)))
    assert keys.fingerprint.hex() == "aa7bef4148262b98a9646b87ecf588d77b424cb93fde6560eb66bba02887e67b"
    assert keys.audit.hex() == "90e1cec24407e827093f97983970300e1aaea6c60b81fca3629cbe6c841e9f0d"
