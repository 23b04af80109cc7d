"""Forgetting on a disk without one free block: it is done, or noted, before it is answered, and outlives a kill."""

from collections.abc import Collection
from datetime import datetime, timedelta
import json
import os
from pathlib import Path
import shutil
import subprocess
from typing import Any

import pytest

from custom_components.familiar_faces.people.person import Person
from custom_components.familiar_faces.vault import reserve
from custom_components.familiar_faces.vault.errors import (
    ConsentMissing,
    ErasedLater,
    UnknownPerson,
    VaultUnwritable,
)
from custom_components.familiar_faces.vault.keys import Keys
from custom_components.familiar_faces.vault.reserve import SLOT, Leaver, Leaving, Reserve
from custom_components.familiar_faces.vault.retention import Retention
from custom_components.familiar_faces.vault.store import Vault
from tests.vault.makers import MARIA, NOW, OTTO, a_photo, a_visit, bytes_of, enrol
from tests.vault.processes import command

DISK = "size=12m"
POINTS = 16
"""Moments at which forgetting is killed."""


@pytest.fixture
def filled(vault: Vault, folder: Path) -> Path:
    """Return the folder of a closed vault with two people, one of them with a visit."""
    enrol(vault, MARIA, "Maria Gantenbein", seeds=(1, 2))
    enrol(vault, OTTO, "Otto", seeds=(3,))
    vault.add_visit(a_visit(), a_photo(9, 30_000), NOW)
    vault.close()
    return folder


def on_a_small_disk(filled: Path, disk: Path, *steps: list[str]) -> list[dict[str, Any]]:
    """Run processes one after the other with a vault on a small disk of their own; return what each printed."""
    disk.mkdir(exist_ok=True)
    if shutil.which("unshare") is None:
        pytest.skip("this machine has no mounts of one's own")
    mounts = f"mount -t tmpfs -o {DISK} tmpfs {disk}\ncp -a {filled} {disk}/vault"
    script = "\n".join([mounts, *(f"{' '.join(map(_quoted, step))} || true" for step in steps)])
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-ec", script], capture_output=True, text=True, check=False, timeout=120
    )
    if "permission denied" in done.stderr.lower() or "not permitted" in done.stderr.lower():
        pytest.skip("this machine does not let us mount")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"


def test_somebody_is_forgotten_on_a_full_disk(filled: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    vault = disk / "vault"
    left, returned = on_a_small_disk(
        filled,
        disk,
        command("leave", vault, MARIA, "never", f"mount -o remount,size=20m {disk}"),
        command("returned", vault),
    )
    assert left["full"], "the disk was not full"
    assert left["verified"]
    assert left["people"] == [OTTO]
    assert left["leaving"] == []
    # The owner is told, at once, and that it is over; the room is kept again.
    assert left["told"][0] == "VaultUnwritable"
    assert left["told after"][-1:] in ([None], [])
    assert (left["told"] + left["told after"])[-1] is None
    assert left["reserve"]
    assert returned["people"] == [OTTO]
    assert returned["forgotten"]
    assert returned["audit"]


def test_without_the_reserve_it_is_noted_and_counts_after_a_restart(filled: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    vault = disk / "vault"
    left, returned, later = on_a_small_disk(
        filled,
        disk,
        command("leave", vault, MARIA, "never", "", "gone"),
        command("returned", vault),
        ["sh", "-c", f'rm {disk}/others; exec "$@"', "sh", *command("returned", vault)],
    )
    assert left["error"] == "ErasedLater"
    assert left["people"] == [OTTO]
    assert left["leaving"] == [MARIA]
    assert not left["reserve"]
    # The next start, the disk as full as before.
    assert returned["people"] == [OTTO]
    assert returned["leaving"] == [MARIA]
    assert (returned["error"], returned["forgotten"]) == ("ErasedLater", False)
    assert later["erased"] == [MARIA]
    assert later["forgotten"]
    assert later["audit"]


def test_a_kill_at_any_moment_of_it(filled: Path, tmp_path: Path) -> None:
    """Whatever moment it is killed at, the next start either knows of nothing yet, or forgets them."""
    disk = tmp_path / "disk"
    told = on_a_small_disk(filled, disk, command("killed", disk / "again", disk / "vault", POINTS))
    answered = [number for number, each in enumerate(told) if "told" in each]
    returned = [each for each in told if "told" not in each]
    assert len(returned) == POINTS + 1
    outcomes = []
    for answer in returned:
        assert answer["audit"]
        gone = answer["forgotten"] or MARIA in answer["leaving"]
        assert (MARIA in answer["people"]) != gone
        outcomes.append(gone)
    # The first one was not killed; of the others, once it is noted it stays so.
    assert outcomes[0]
    assert outcomes[1:] == sorted(outcomes[1:])
    assert set(outcomes) == {False, True}
    # What was answered is so.
    assert answered[0] == 0
    assert all(told[number + 1]["forgotten"] for number in answered)


class FullDisk:
    """Refuses, as a disk does, whatever a vault writes but for what overwrites in place."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, vault: Vault) -> None:
        self.room = 0
        self._forget = vault._eraser.forget
        monkeypatch.setattr(vault._eraser, "forget", self.forget)

    def forget(self, person_ids: list[str], now: datetime, reason: str, also: Collection[str] = ()) -> Any:
        if not self.room:
            raise VaultUnwritable("SQLITE_FULL")
        return self._forget(person_ids, now, reason, also)


def test_whoever_is_leaving_is_nobody(vault: Vault, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    enrol(vault)
    enrol(vault, OTTO, "Otto")
    disk = FullDisk(monkeypatch, vault)
    with pytest.raises(ErasedLater, match="counts from now on"):
        vault.forget(MARIA, NOW, "withdrawn")
    assert vault.leaving() == {MARIA}
    assert ids(vault.people()) == [OTTO]
    with pytest.raises(ConsentMissing):
        vault.add_visit(a_visit(), None, NOW)
    vault.close()

    again = Vault.open(folder)
    assert again.leaving() == {MARIA}
    assert ids(again.people()) == [OTTO]
    assert again.forget(MARIA, NOW + timedelta(days=1), "asked").verified
    assert again.leaving() == set()
    assert again.audit_entries(MARIA)[0].details["reason"] == "withdrawn"
    assert again.leaving() == set()
    again.close()
    assert b"Maria" not in bytes_of(folder)
    assert disk.room == 0


def ids(people: list[Person]) -> list[str]:
    return [person.person_id for person in people]


def test_not_even_a_note(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    enrol(vault)
    FullDisk(monkeypatch, vault)

    def refuse(*_args: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "pwrite", refuse)
    with pytest.raises(VaultUnwritable) as raised:
        vault.forget(MARIA, NOW)
    assert type(raised.value) is VaultUnwritable, "it said that it counts"
    assert vault.leaving() == set()
    assert ids(vault.people()) == [MARIA]


def test_nobody_is_noted_who_never_was_here(vault: Vault) -> None:
    with pytest.raises(UnknownPerson):
        vault.forget(MARIA, NOW)
    assert vault.leaving() == set()


def test_a_purge_takes_the_reserve_and_makes_it_again(
    vault: Vault, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    purge = vault._eraser.purge

    def full_once(now: datetime, retention: Retention) -> Any:
        seen.append((folder / "vault.reserve").exists())
        if len(seen) == 1:
            raise VaultUnwritable("SQLITE_FULL")
        return purge(now, retention)

    monkeypatch.setattr(vault._eraser, "purge", full_once)
    vault.purge(NOW, Retention())
    assert seen == [True, False]
    assert (folder / "vault.reserve").stat().st_size == reserve.RESERVE_BYTES


def test_a_reserve_that_has_no_room_takes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Reserve(tmp_path)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        assert not kept.make()
    assert list(tmp_path.iterdir()) == []
    assert not kept.give_up()
    assert kept.make()
    assert kept.make()
    assert kept.give_up()


def test_a_torn_note_is_the_one_before(tmp_path: Path) -> None:
    keys = Keys(bytes(range(32)))
    note = Leaving(tmp_path, keys)
    note.prepare()
    assert note.people == {}
    note.add(MARIA, NOW, "withdrawn")
    whole = (tmp_path / "vault.leaving").read_bytes()
    note.add(OTTO, NOW, "asked")
    torn = (tmp_path / "vault.leaving").read_bytes()
    assert len(whole) == len(torn) == 2 * SLOT
    first = next(at for at in range(2 * SLOT) if whole[at] != torn[at])
    for cut in (first + 1, first + 5, first + 20, first + 60):
        (tmp_path / "vault.leaving").write_bytes(torn[:cut] + whole[cut:])
        assert set(Leaving(tmp_path, keys).people) == {MARIA}
    (tmp_path / "vault.leaving").write_bytes(torn)
    assert set(Leaving(tmp_path, keys).people) == {MARIA, OTTO}
    # Nobody without the key can have somebody be forgotten.
    assert Leaving(tmp_path, Keys(bytes(32))).people == {}
    assert MARIA.encode() not in torn


def test_more_people_than_fit(tmp_path: Path) -> None:
    note = Leaving(tmp_path, Keys(bytes(range(32))))
    # All at once: one after the other would be as many writes to the disk.
    note._write({f"{number:032}": Leaver(0, "asked") for number in range(400)})
    with pytest.raises(VaultUnwritable, match="too many"):
        note._write({f"{number:032}": Leaver(0, "asked") for number in range(2000)})
    assert len(note.people) == 400
    assert set(Leaving(tmp_path, Keys(bytes(range(32)))).people) == set(note.people)


def test_the_places_that_the_owner_chose_are_noted_too(tmp_path: Path) -> None:
    keys = Keys(bytes(range(32)))
    note = Leaving(tmp_path, keys)
    note.add(MARIA, NOW, "asked", ["entity:input_text.note"])
    assert Leaving(tmp_path, keys).people[MARIA].also == ("entity:input_text.note",)
    # More than there is room for: that somebody is to be forgotten is noted anyway.
    note.add(OTTO, NOW, "asked", [f"entity:input_text.number_{number}" for number in range(2000)])
    found = Leaving(tmp_path, keys).people
    assert [found[MARIA].also, found[OTTO].also] == [("entity:input_text.note",), ()]
    # Asked once more, when and why stay as they were.
    note.add(MARIA, NOW + timedelta(days=1), "withdrawn", ["event:doorbell"])
    again = Leaving(tmp_path, keys).people[MARIA]
    assert again == found[MARIA]._replace(also=("entity:input_text.note", "event:doorbell"))


def test_all_of_it_goes_with_the_vault(vault: Vault, folder: Path) -> None:
    assert {"vault.reserve", "vault.leaving"} <= {path.name for path in folder.iterdir()}
    vault.close()
    Vault.destroy(folder)
    assert not folder.exists()
