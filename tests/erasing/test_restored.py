"""A restored backup brings people back: they are held and asked about, whatever was backed up and restored how."""

import json
from pathlib import Path
import shutil
from typing import Any

from homeassistant import backup_restore
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.diagnostics import async_get_config_entry_diagnostics
from custom_components.familiar_faces.household.issues import RESTORED
from custom_components.familiar_faces.household.places import witness_file
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.vault.errors import VaultUnwritable
from custom_components.familiar_faces.vault.review_rows import ReviewItem
from custom_components.familiar_faces.vault.store import Vault
from custom_components.familiar_faces.vault.witness import Mark, Witness, read_mark, write_mark

from ..common.backups import back_up
from ..common.home import Home, home
from ..common.owner import MakeClient, Owner
from ..common.pictures import astronaut, enrolment_photos, photos_of, stranger
from ..common.steps import enrol, ring, visits
from ..conftest import an_entry

pytestmark = pytest.mark.usefixtures("entity_registry_enabled_by_default")

WITNESS = Path(".cache", DOMAIN, "witness.json")


@pytest.fixture(scope="module")
def backed_up_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which a home is lived in once, and copied for every test."""
    return tmp_path_factory.mktemp("backed_up")


@pytest.fixture
async def backed_up(
    backed_up_in: Path, tmp_path: Path, real_engine: None
) -> tuple[Path, Path, dict[str, str]]:
    """Return the folder of a stopped home with two people, a backup of it, and the people's ids by name.

    An invitation was open when the backup was made, and a picture lay in the review inbox.
    """
    people: dict[str, str] = {}
    if not (backed_up_in / "people").exists():
        async with home(backed_up_in / "config", None, an_entry(review_hours=24)) as running:
            entry: Any = running.entry
            people["Eileen"] = await enrol(running.hass, entry, enrolment_photos())
            people["Otto"] = await enrol(running.hass, entry, photos_of(stranger()), name="Otto")
            await running.hass.async_add_executor_job(_invite_and_review, running.hub)
            await running.write()
            await back_up(running.hass, backed_up_in / "backup.tar")
        (backed_up_in / "people").write_text(json.dumps(people))
    shutil.copytree(backed_up_in / "config", tmp_path / "config")
    shutil.copy(backed_up_in / "backup.tar", tmp_path / "backup.tar")
    return tmp_path / "config", tmp_path / "backup.tar", json.loads((backed_up_in / "people").read_text())


def _invite_and_review(hub: Hub) -> None:
    now = dt_util.utcnow()
    hub.vault.links.invite(person_id=None, expires_at=now + hub.retention.invitation, now=now)
    hub.vault.review.add(ReviewItem("a visit", "a camera", "stranger", now), b"a picture")


def restore(folder: Path, backup: Path) -> None:
    """Restore a backup as Home Assistant does when it starts."""
    instructions = {
        "path": str(backup),
        "password": None,
        "remove_after_restore": False,
        "restore_database": True,
        "restore_homeassistant": True,
    }
    (folder / backup_restore.RESTORE_BACKUP_FILE).write_text(json.dumps(instructions))
    assert backup_restore.restore_backup(str(folder))


async def forget(folder: Path, person_id: str) -> None:
    """Start, forget somebody, and stop."""
    async with home(folder, None) as running:
        assert running.hub.roster.held == {}
        assert await running.hub.forgetting.async_forget(person_id) is not None
        await running.settle()


async def seen(running: Home) -> str | None:
    """Return who Home Assistant says is at the door when Eileen is."""
    running.front_door.frames = visits(astronaut())
    await ring(running.hass, running.hub)
    state = running.hass.states.get("sensor.front_door_last_visitor")
    return None if state is None else state.state


def names(running: Home) -> set[str]:
    """Return who is shown."""
    return {each.data["name"] for each in running.hub.roster.subentries().values()}


async def test_held_and_asked(
    backed_up: tuple[Path, Path, dict[str, str]], sockets: None, aiohttp_client: MakeClient
) -> None:
    """Somebody who was forgotten comes back with a backup: not recognised, asked about by name, and erased again."""
    folder, backup, people = backed_up
    await forget(folder, people["Eileen"])
    restore(folder, backup)
    assert not (folder / WITNESS).exists(), "the backup held what is to tell that it was restored"
    async with home(folder, None) as running:
        hub = running.hub
        assert hub.roster.held == {people["Eileen"]: "Eileen", people["Otto"]: "Otto"}
        assert hub.people == {}
        assert hub.gallery is not None
        assert len(hub.gallery) == 0
        assert not hub.can_recognise()
        assert await seen(running) != "Eileen"
        stored = await running.hass.async_add_executor_job(hub.vault.stored)
        assert (stored.invitations, stored.review) == (0, 0), "what was used up or discarded came back"

        owner = await Owner.log_in(running.hass, aiohttp_client)
        issue = (await owner.issues())[RESTORED]
        assert issue["is_fixable"]
        assert issue["translation_placeholders"] is None, "names would lie in a registry"
        shown = await owner.repair(RESTORED)
        assert shown["step_id"] == "people"
        (field,) = shown["data_schema"]
        labels = {each["label"]: each["value"] for each in field["selector"]["select"]["options"]}
        assert labels == people
        assert field["default"] == [], "nobody is kept without being chosen"
        shown = await owner.answer(shown, {"keep": [people["Otto"]]})
        assert (shown["step_id"], shown["description_placeholders"]) == ("forget", {"people": "Eileen"})
        assert len(hub.roster.held) == 2, "nobody is erased before it is confirmed"
        shown = await owner.answer(shown, {})
        assert shown["type"] == "create_entry"
        await running.settle()
        assert hub.roster.held == {}
        assert set(hub.people) == {people["Otto"]}
        assert names(running) == {"Otto"}
        assert await running.hass.async_add_executor_job(hub.vault.was_forgotten, people["Eileen"])
        assert RESTORED not in await owner.issues()
        assert hub.can_recognise()
        entries = await running.hass.async_add_executor_job(hub.vault.audit_entries)
        kinds = [each.kind for each in entries]
        assert {"restored", "kept_after_restore", "forgotten"} <= set(kinds)
    async with home(folder, None) as running:
        assert running.hub.roster.held == {}, "answered once is answered"
        assert set(running.hub.people) == {people["Otto"]}


async def test_everybody_kept(
    backed_up: tuple[Path, Path, dict[str, str]], sockets: None, aiohttp_client: MakeClient
) -> None:
    """Anyone who is kept is recognised again, and nobody is asked to confirm what erases nothing."""
    folder, backup, people = backed_up
    restore(folder, backup)
    async with home(folder, None) as running:
        owner = await Owner.log_in(running.hass, aiohttp_client)
        shown = await owner.repair(RESTORED)
        shown = await owner.answer(shown, {"keep": list(people.values())})
        assert shown["type"] == "create_entry"
        await running.settle()
        assert names(running) == {"Eileen", "Otto"}
        assert await seen(running) == "Eileen"


async def test_unanswered(
    backed_up: tuple[Path, Path, dict[str, str]], sockets: None, aiohttp_client: MakeClient
) -> None:
    """An open question outlives restarts, also a closed dialog; who is enrolled meanwhile is not asked about."""
    folder, backup, people = backed_up
    restore(folder, backup)
    async with home(folder, None) as running:
        owner = await Owner.log_in(running.hass, aiohttp_client)
        shown = await owner.repair(RESTORED)
        shown = await owner.answer(shown, {"keep": []})
        assert shown["description_placeholders"] == {"people": "Eileen, Otto"}
        entry: Any = running.entry
        third = await enrol(running.hass, entry, photos_of(stranger(1)), name="Third")
        assert set(running.hub.people) == {third}
        diagnostics = await async_get_config_entry_diagnostics(running.hass, entry)
        assert diagnostics["held"] == 2
        await running.write()
    async with home(folder, None) as running:
        assert set(running.hub.roster.held) == set(people.values())
        assert set(running.hub.people) == {third}
        owner = await Owner.log_in(running.hass, aiohttp_client)
        assert RESTORED in await owner.issues()
        assert "nothing_stored" not in str(await owner.issues())
        # Forgetting works for those who are held too, and ends the question with the last of them.
        for person_id in people.values():
            assert await running.hub.forgetting.async_forget(person_id, "withdrawn") is not None
        await running.settle()
        assert RESTORED not in await owner.issues()


async def test_restored_again_while_unanswered(backed_up: tuple[Path, Path, dict[str, str]]) -> None:
    """A backup that was made while the question was open asks about everybody in it."""
    folder, backup, people = backed_up
    restore(folder, backup)
    async with home(folder, None) as running:
        entry: Any = running.entry
        third = await enrol(running.hass, entry, photos_of(stranger(1)), name="Third")
        await running.write()
        await back_up(running.hass, backup)
    restore(folder, backup)
    async with home(folder, None) as running:
        assert set(running.hub.roster.held) == {*people.values(), third}


async def test_old_files_put_back_by_hand(
    backed_up: tuple[Path, Path, dict[str, str]], tmp_path: Path
) -> None:
    """A vault that is put back while the cache folder stays is older than the mark there, and asked about."""
    folder, _, people = backed_up
    shutil.copytree(folder / ".storage", tmp_path / "old")
    await forget(folder, people["Eileen"])
    shutil.rmtree(folder / ".storage")
    shutil.copytree(tmp_path / "old", folder / ".storage")
    async with home(folder, None) as running:
        assert set(running.hub.roster.held) == set(people.values())


async def test_killed_right_after_forgetting(
    backed_up: tuple[Path, Path, dict[str, str]], tmp_path: Path
) -> None:
    """The mark is there as soon as somebody is forgotten: nothing has to be stopped in order first."""
    folder, _, people = backed_up
    shutil.copytree(folder / ".storage", tmp_path / "old")
    async with home(folder, None) as running:
        assert await running.hub.forgetting.async_forget(people["Eileen"]) is not None
        mark = await running.hass.async_add_executor_job((folder / WITNESS).read_bytes)
    # As if it had been killed there.
    (folder / WITNESS).write_bytes(mark)
    shutil.rmtree(folder / ".storage")
    shutil.copytree(tmp_path / "old", folder / ".storage")
    async with home(folder, None) as running:
        assert set(running.hub.roster.held) == set(people.values())


async def test_no_false_alarm(backed_up: tuple[Path, Path, dict[str, str]]) -> None:
    """Neither a restart, nor a kill, nor the first start with a mark makes anybody be asked."""
    folder, _, people = backed_up
    for step in ("restart", "older mark", "never had one"):
        async with home(folder, None) as running:
            assert running.hub.roster.held == {}, step
            assert set(running.hub.people) == set(people.values()), step
            before = await running.hass.async_add_executor_job((folder / WITNESS).read_bytes)
            await running.hass.async_add_executor_job(
                running.hub.vault.audit, "purged", None, {}, dt_util.utcnow()
            )
        if step == "restart":
            # Killed before the newest entries were noted.
            (folder / WITNESS).write_bytes(before)
        elif step == "older mark":
            (folder / WITNESS).unlink()
            vault = Vault.open(folder / ".storage" / DOMAIN)
            with vault._database.write() as connection:
                connection.execute("DELETE FROM meta WHERE name = 'witnessed'")
            vault.close()
    assert (folder / WITNESS).exists()


async def test_emptied_cache(backed_up: tuple[Path, Path, dict[str, str]]) -> None:
    """A mark that is gone or unreadable cannot be told from a restored backup, and asking does no harm."""
    folder, _, people = backed_up
    (folder / WITNESS).write_text("{")
    async with home(folder, None) as running:
        assert set(running.hub.roster.held) == set(people.values())


async def test_a_disk_that_refuses_the_mark(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without room for the mark everything goes on, and it is written when there is room again."""
    path = witness_file(hass)

    def refuse(*args: object) -> None:
        raise VaultUnwritable("database or disk is full")

    before = await hass.async_add_executor_job(path.read_bytes)
    with monkeypatch.context() as patched:
        patched.setattr("custom_components.familiar_faces.erasing.restored.write_mark", refuse)
        person_id = await enrol(hass, entry, enrolment_photos()[:1])
    assert set(hub.people) == {person_id}
    assert await hass.async_add_executor_job(path.read_bytes) == before
    await hub.purging.async_purge()
    assert await hass.async_add_executor_job(path.read_bytes) != before


async def test_a_disk_that_refuses_to_hold_anybody(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start that fails before everybody is held leaves the mark alone: by it the next one knows to hold them."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    newer = Mark(1_000_000, "00")
    await hass.async_add_executor_job(write_mark, witness_file(hass), newer)

    def refuse(*args: object) -> None:
        raise VaultUnwritable("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(Witness, "hold_everybody", refuse)
        assert not await hass.config_entries.async_setup(entry.entry_id)
    assert await hass.async_add_executor_job(read_mark, witness_file(hass)) == newer
    assert await hass.config_entries.async_reload(entry.entry_id)
    entries = await hass.async_add_executor_job(entry.runtime_data.vault.audit_entries)
    assert "restored" in {each.kind for each in entries}


async def test_removed_integration(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """With the integration goes the mark, so that nothing is said when it is added again."""
    await hass.config_entries.async_remove(entry.entry_id)
    assert not await hass.async_add_executor_job(witness_file(hass).exists)


def _execute(folder: Path, statement: str) -> None:
    import sqlite3

    connection = sqlite3.connect(folder / ".storage" / DOMAIN / "vault.db")
    connection.execute(statement)
    connection.commit()
    connection.close()
