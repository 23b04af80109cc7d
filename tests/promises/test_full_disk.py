"""A disk that is full or read-only, under a whole Home Assistant: what is answered as done is on it."""

from collections.abc import Callable, Iterator
from contextlib import suppress
import os
from pathlib import Path
import shutil
import sqlite3
import subprocess
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.familiar_faces.const import CONF_FORGETTING, DOMAIN, EVERYWHERE
from custom_components.familiar_faces.household.issues import (
    NO_PEOPLE,
    RESTORED,
    VAULT_MISSING,
    VAULT_UNWRITABLE,
)

from ..common.calling import act, refused
from ..common.home import Home, home, snapshot
from ..common.people_on_record import DAY, a_consent, now, put_on_record
from ..conftest import an_entry

MARIA = "maria"
OTTO = "otto"


@pytest.fixture
def expected_lingering_timers() -> bool:
    """Let Home Assistant's own timers end with the loop, as they do when its process ends."""
    return True


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Return the folder of a vault that lies on a small disk of its own; skip where nothing can be mounted."""
    yield from mounted(tmp_path / "config" / ".storage" / DOMAIN)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Path]:
    """Return the folder of all that Home Assistant stores, the vault in it, on a small disk of its own."""
    yield from mounted(tmp_path / "config" / ".storage")


def mounted(folder: Path) -> Iterator[Path]:
    """Have a folder be a small disk."""
    folder.mkdir(parents=True)
    mounting = ["mount", "-t", "tmpfs", "-o", "size=9m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let us mount")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def remount(folder: Path, how: str) -> None:
    """Have a disk be read-only, `ro`, or not, `rw`."""
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)


def fill(folder: Path) -> None:
    """Leave not one free block."""
    with (folder / "others").open("ab", buffering=0) as others:
        for size in (1 << 20, 4096, 1):
            with suppress(OSError):
                while True:
                    others.write(bytes(size))


async def with_two(running: Home) -> None:
    """Put two people on record."""
    for person_id, name in ((MARIA, "Maria"), (OTTO, "Otto")):
        consent = a_consent(now() - DAY, now() + 100 * DAY)
        await put_on_record(running.hass, running.hub, consent, person_id, name)
    running.hub.roster.async_note_people()
    running.hass.config.internal_url = "http://home.example:8123"
    await running.write()


async def in_thread(running: Home, work: Callable[..., Any], *arguments: Any) -> Any:
    return await running.hass.async_add_executor_job(work, *arguments)


def issues(running: Home) -> set[str]:
    shown = {issue_id for domain, issue_id in ir.async_get(running.hass).issues if domain == DOMAIN}
    # It is no trouble, and comes and goes with the people.
    return shown - {NO_PEOPLE}


async def after_a_kill(folder: Path, tmp_path: Path) -> set[str]:
    """Return who is there at the next start after a kill at this moment, when there is room again."""
    copy = tmp_path / "killed"
    snapshot(folder, copy)
    (copy / ".storage" / DOMAIN / "others").unlink(missing_ok=True)
    async with home(copy, None) as again:
        people = set(again.hub.people)
        assert {each.person_id for each in await in_thread(again, again.hub.vault.people)} == people
        assert RESTORED not in issues(again)
    shutil.rmtree(copy)
    return people


async def test_withdrawn_on_a_full_disk(disk: Path, tmp_path: Path, real_engine: None) -> None:
    """It is erased then and there, with the room that is kept for it, and stays so."""
    folder = tmp_path / "config"
    async with home(folder, None, an_entry()) as running:
        await with_two(running)
        await in_thread(running, fill, disk)
        # What needs more room than there is is refused, and the owner is told at once.
        assert await refused(running.hass, "invite") == "invitation_failed"
        await running.settle()
        assert VAULT_UNWRITABLE in issues(running)
        answer = await act(running.hass, "withdraw_consent", person="Maria")
        assert answer["verified"]
        assert set(running.hub.people) == {OTTO}
        assert await after_a_kill(folder, tmp_path) == {OTTO}
        # With room it is over.
        await in_thread(running, (disk / "others").unlink)
        await running.hub.purging.async_purge()
        await act(running.hass, "invite")
        await running.settle()
        assert VAULT_UNWRITABLE not in issues(running)
        assert (disk / "vault.reserve").exists()


async def test_home_assistants_own_files_on_the_full_disk(
    storage: Path, tmp_path: Path, real_engine: None
) -> None:
    """Not even that somebody is no longer shown can be written; at the next start they are gone anyway."""
    folder = tmp_path / "config"
    async with home(folder, None, an_entry()) as running:
        await with_two(running)
        await in_thread(running, fill, storage)
        # A switch that is back after a restart is not answered as switched.
        with pytest.raises(HomeAssistantError) as raised:
            await running.hub.settings.async_switch_recognition(False, EVERYWHERE)
        assert raised.value.translation_key == "not_saved"
        assert not running.hub.recognition()
        answer = await act(running.hass, "withdraw_consent", person="Maria")
        assert answer["erased"]["consents"] == 1
        killed = tmp_path / "killed"
        await in_thread(running, snapshot, folder, killed)
        (killed / ".storage" / "others").unlink()
    async with home(killed, None) as again:
        await again.settle()
        assert set(again.hub.people) == {OTTO}
        assert [each.title for each in again.entry.get_subentries_of_type("person")] == ["Otto"]
        assert RESTORED not in issues(again)


async def test_an_answer_about_a_restored_backup_on_a_full_disk(
    disk: Path, tmp_path: Path, real_engine: None
) -> None:
    """Anyone who may be kept, and could not be noted so, stays held; the answer says that it was not saved."""
    folder = tmp_path / "config"
    async with home(folder, None, an_entry()) as running:
        await with_two(running)
    (folder / ".cache" / DOMAIN / "witness.json").write_text("{}")
    async with home(folder, None) as running:
        assert set(running.hub.roster.held) == {MARIA, OTTO}
        await in_thread(running, fill, disk)
        assert not await running.hub.restored.async_answer({MARIA, OTTO})
        assert set(running.hub.roster.held) == {MARIA, OTTO}
        assert running.hub.people == {}
        await in_thread(running, (disk / "others").unlink)
        assert await running.hub.restored.async_answer({MARIA, OTTO})
        assert set(running.hub.people) == {MARIA, OTTO}


async def test_forgotten_without_a_reserve(disk: Path, tmp_path: Path, real_engine: None) -> None:
    """It is noted where that needs no room. It is not answered as done, and counts after a kill."""
    folder = tmp_path / "config"
    async with home(folder, None, an_entry()) as running:
        await with_two(running)
        await in_thread(running, (disk / "vault.reserve").unlink)
        await in_thread(running, fill, disk)
        with pytest.raises(HomeAssistantError, match="also after a restart") as raised:
            await act(running.hass, "forget", person="Maria")
        assert raised.value.translation_key == "forget_failed"
        await running.settle()
        assert VAULT_UNWRITABLE in issues(running)
        assert await in_thread(running, running.hub.vault.leaving) == {MARIA}
        assert await after_a_kill(folder, tmp_path) == {OTTO}
    # Once more from the very disk, as full as it was: who withdrew is not recognised, and nothing is lost.
    async with home(folder, None) as again:
        assert set(again.hub.people) == {OTTO}
        leaving = await in_thread(again, again.hub.vault.leaving)
        # What closing the vault gave back may be room enough.
        assert leaving == {MARIA} or await in_thread(again, again.hub.vault.was_forgotten, MARIA)
    (disk / "others").unlink()
    async with home(folder, None) as again:
        await again.settle()
        assert set(again.hub.people) == {OTTO}
        assert await in_thread(again, again.hub.vault.was_forgotten, MARIA)
        assert CONF_FORGETTING not in again.entry.data


async def test_a_vault_on_another_disk_than_home_assistant(
    disk: Path, tmp_path: Path, real_engine: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the vault's disk refuses everything, what Home Assistant keeps holds the promise, and is read again."""
    folder = tmp_path / "config"
    async with home(folder, None, an_entry()) as running:
        await with_two(running)
        await in_thread(running, (disk / "vault.reserve").unlink)
        await in_thread(running, fill, disk)

        def refuse(*_args: object) -> None:
            raise OSError(5, "Input/output error")

        with monkeypatch.context() as patched:
            patched.setattr(os, "pwrite", refuse)
            with pytest.raises(HomeAssistantError, match="also after a restart"):
                await act(running.hass, "forget", person="Maria")
            assert await in_thread(running, running.hub.vault.leaving) == frozenset()
            assert await after_a_kill(folder, tmp_path) == {OTTO}

            # And where that refuses too, nothing is promised.
            async def lost(*_args: object) -> None:
                return None

            patched.setattr("custom_components.familiar_faces.household.books.async_stored_entry", lost)
            with pytest.raises(HomeAssistantError, match="cannot be written") as raised:
                await act(running.hass, "forget", person="Otto")
            assert "restart" not in str(raised.value)


async def test_an_entry_that_waits_for_its_vault(disk: Path, tmp_path: Path, real_engine: None) -> None:
    """A read-only disk: nothing that is asked for is answered as done, and it goes on by itself."""
    folder = tmp_path / "config"
    async with home(folder, None, an_entry()) as running:
        await with_two(running)
    remount(disk, "ro")
    async with home(folder, None, state=ConfigEntryState.SETUP_RETRY) as running:
        assert VAULT_UNWRITABLE in issues(running)
        for action in ("forget", "withdraw_consent", "export"):
            assert await refused(running.hass, action, person="Maria") == "not_loaded"
        for action in ("purge", "verify_audit"):
            assert await refused(running.hass, action) == "not_loaded"
        # Somebody who is removed meanwhile is forgotten when it goes on.
        subentry = next(each for each in running.entry.subentries.values() if each.title == "Maria")
        running.hass.config_entries.async_remove_subentry(running.entry, subentry.subentry_id)
        await running.write()
    remount(disk, "rw")
    async with home(folder, None) as running:
        await running.settle()
        assert set(running.hub.people) == {OTTO}
        assert await in_thread(running, running.hub.vault.was_forgotten, MARIA)


async def test_a_vault_that_is_taken_away_while_it_runs(tmp_path: Path, real_engine: None) -> None:
    """Nothing is confirmed from then on, and the owner is asked; nobody is recognised."""
    folder = tmp_path / "config"
    vault = folder / ".storage" / DOMAIN
    async with home(folder, None, an_entry()) as running:
        await with_two(running)
        await in_thread(running, vault.rename, tmp_path / "taken")
        with pytest.raises(HomeAssistantError):
            await act(running.hass, "forget", person="Maria")
        await running.settle()
        assert running.entry.state is ConfigEntryState.SETUP_ERROR
        assert VAULT_MISSING in issues(running)
        assert not (vault / "vault.db").exists()


async def test_an_older_vault_that_is_put_in_its_place_while_it_runs(
    tmp_path: Path, real_engine: None
) -> None:
    """It is held against the mark at once: anyone who is in it is not recognised before the owner has answered."""
    folder = tmp_path / "config"
    vault = folder / ".storage" / DOMAIN
    async with home(folder, None, an_entry()) as running:
        await with_two(running)
        await in_thread(running, shutil.copytree, vault, tmp_path / "older")
        await act(running.hass, "withdraw_consent", person="Maria")

        def exchange() -> None:
            vault.rename(tmp_path / "newer")
            shutil.copytree(tmp_path / "older", vault)

        await in_thread(running, exchange)
        assert await refused(running.hass, "invite") == "invitation_failed"
        await running.settle()
        assert running.entry.state is ConfigEntryState.LOADED
        assert running.hub.people == {}
        assert {MARIA, OTTO} <= set(running.hub.roster.held)
        assert RESTORED in issues(running)
        verdict = await act(running.hass, "verify_audit")
        assert verdict["entries"] > 0


async def test_rows_that_are_put_back_between_two_starts(tmp_path: Path, real_engine: None) -> None:
    """The newest consent taken away: not recognised, and said."""
    folder = tmp_path / "config"
    async with home(folder, None, an_entry()) as running:
        await with_two(running)
        consent = a_consent(now(), now() + 50 * DAY)
        await in_thread(running, running.hub.vault.record_consent, MARIA, consent)
    connection = sqlite3.connect(folder / ".storage" / DOMAIN / "vault.db")
    connection.execute("DELETE FROM consent WHERE consent_id = ?", (consent.consent_id,))
    connection.commit()
    connection.close()
    async with home(folder, None) as running:
        assert set(running.hub.people) == {OTTO}
        assert "person_unreadable" in issues(running)
        verdict = await act(running.hass, "verify_audit")
        assert (verdict["ok"], verdict["rows_ok"]) == (False, False)
