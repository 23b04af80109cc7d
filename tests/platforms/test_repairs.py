"""A vault that cannot be opened: said at once, with choices, and nothing erased or written over unasked."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
import resource
import shutil
import sqlite3

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces import repairs
from custom_components.familiar_faces.const import CONF_PEOPLE, DOMAIN
from custom_components.familiar_faces.household.issues import (
    CAMERA_NOBODY_AGREED,
    CAMERA_POSTER,
    CLOCK_DOUBTED,
    ENGINE_FAILED,
    NO_PEOPLE,
    RESTORED,
    VAULT_DAMAGED,
    VAULT_KEY_LOST,
    VAULT_MISSING,
    VAULT_PROBLEMS,
    VAULT_TOO_NEW,
    VAULT_UNWRITABLE,
)
from custom_components.familiar_faces.household.places import vault_folder
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.vault.store import Vault

from ..common.owner import MakeClient, Owner
from ..common.pictures import enrolment_photos
from ..common.source import FOLDER, calls, functions, keys_of, keywords, parse, strings
from ..common.steps import enrol, later
from ..common.texts import ENGLISH_TREE, flatten, placeholders

KEY = "vault.key"
STORE = "vault.db"
PROBLEMS = {
    "key lost": VAULT_KEY_LOST,
    "key damaged": VAULT_KEY_LOST,
    "key of another vault": VAULT_KEY_LOST,
    "store damaged": VAULT_DAMAGED,
    "store too new": VAULT_TOO_NEW,
    "store gone": VAULT_MISSING,
    "store empty": VAULT_MISSING,
    "store without its log": VAULT_MISSING,
    "all gone": VAULT_MISSING,
}


def harm(folder: Path, problem: str) -> None:
    """Do to a closed vault what may happen to one."""
    match problem:
        case "key lost":
            (folder / KEY).unlink()
        case "key damaged":
            (folder / KEY).write_bytes(b"{" + bytes(100))
        case "key of another vault":
            other = folder.with_name("other")
            Vault.open(other).close()
            shutil.copy(other / KEY, folder / KEY)
            shutil.rmtree(other)
        case "store damaged":
            data = bytearray((folder / STORE).read_bytes())
            data[:4096] = b"x" * 4096
            (folder / STORE).write_bytes(data)
        case "store too new":
            connection = sqlite3.connect(folder / STORE)
            connection.execute("PRAGMA user_version = 99")
            connection.commit()
            connection.close()
        case "store gone":
            (folder / STORE).unlink()
        case "store empty":
            (folder / STORE).write_bytes(b"")
        case "store without its log":
            # What SQLite leaves of a new file when its log is lost.
            (folder / STORE).unlink()
            connection = sqlite3.connect(folder / STORE)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.close()
        case "all gone":
            Vault.destroy(folder)


def contents(folder: Path) -> dict[str, bytes]:
    """Return what is in a folder."""
    return {path.name: path.read_bytes() for path in folder.glob("*") if path.is_file()}


@pytest.fixture
async def person_id(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> str:
    """Return the id of somebody who was enrolled; the integration is stopped."""
    person_id = await enrol(hass, entry, enrolment_photos()[:1])
    assert await hass.config_entries.async_unload(entry.entry_id)
    return person_id


@pytest.fixture
async def whole(hass: HomeAssistant, person_id: str) -> dict[str, bytes]:
    """Return the files of the vault as they should be."""
    return await hass.async_add_executor_job(contents, vault_folder(hass))


async def start(hass: HomeAssistant, entry: MockConfigEntry, problem: str) -> dict[str, bytes]:
    """Do the harm and start; return the files as they were then."""
    folder = vault_folder(hass)
    await hass.async_add_executor_job(harm, folder, problem)
    before = await hass.async_add_executor_job(contents, folder)
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    return before


def put_back(folder: Path, files: dict[str, bytes]) -> None:
    """Restore files."""
    for name, data in files.items():
        (folder / name).write_bytes(data)


@pytest.mark.parametrize("problem", PROBLEMS)
async def test_put_back(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    person_id: str,
    whole: dict[str, bytes],
    owner: Owner,
    problem: str,
) -> None:
    """Nothing is changed, the owner is told where the file belongs, and goes on once it is there again."""
    folder = vault_folder(hass)
    before = await start(hass, entry, problem)
    (issue_id,) = await owner.issues()
    assert issue_id == PROBLEMS[problem]
    shown = await owner.repair(issue_id)
    assert set(shown["menu_options"]) == {"try_again", "start_over"}
    assert shown["description_placeholders"]["file"] == str(folder / KEY)
    failed = await owner.choose(shown, "try_again")
    assert (failed["type"], failed["reason"]) == ("abort", "still_failing")
    after = await hass.async_add_executor_job(contents, folder)
    assert (after.get(KEY), after.get(STORE)) == (before.get(KEY), before.get(STORE))
    assert list(await owner.issues()) == [issue_id]

    await hass.async_add_executor_job(put_back, folder, whole)
    shown = await owner.repair(issue_id)
    done = await owner.choose(shown, "try_again")
    assert done["type"] == "create_entry"
    assert entry.state is ConfigEntryState.LOADED
    assert set(entry.runtime_data.people) == {person_id}
    assert await owner.issues() == {}
    assert await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize("problem", PROBLEMS)
async def test_start_over(
    hass: HomeAssistant, entry: MockConfigEntry, person_id: str, owner: Owner, problem: str
) -> None:
    """Only after a second question is everything erased, people and all; cameras and settings stay."""
    folder = vault_folder(hass)
    hass.config_entries.async_update_entry(entry, options={"visit_days": 3})
    cameras = entry.get_subentries_of_type("camera")
    before = await start(hass, entry, problem)
    shown = await owner.repair(PROBLEMS[problem])
    shown = await owner.choose(shown, "start_over")
    assert (shown["type"], shown["step_id"]) == ("form", "start_over")
    kept = await hass.async_add_executor_job(contents, folder)
    assert kept.get(STORE) == before.get(STORE), "it was erased before it was confirmed"
    done = await owner.answer(shown, {})
    assert done["type"] == "create_entry"
    assert entry.state is ConfigEntryState.LOADED
    hub: Hub = entry.runtime_data
    assert await hub.engine.wait_ready(30)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert hub.people == {}
    assert hub.roster.held == {}
    assert list(entry.subentries.values()) == cameras
    assert dict(entry.options) == {"visit_days": 3}
    assert person_id not in entry.data.get(CONF_PEOPLE, ())
    assert not [each for each in hass.states.async_entity_ids() if "eileen" in each]
    entries = await hass.async_add_executor_job(hub.vault.audit_entries)
    (noted,) = [each for each in entries if each.kind == "started_over"]
    assert noted.person_id is None
    verdict = await hass.async_add_executor_job(hub.vault.verify_audit)
    assert verdict.ok
    assert await owner.issues() == {}
    new = await hass.async_add_executor_job(contents, folder)
    assert new[KEY] != before.get(KEY)
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_put_back_before_erasing(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    person_id: str,
    whole: dict[str, bytes],
    owner: Owner,
) -> None:
    """What can be opened again is not erased, though the dialog says so."""
    await start(hass, entry, "key lost")
    shown = await owner.choose(await owner.repair(VAULT_KEY_LOST), "start_over")
    await hass.async_add_executor_job(put_back, vault_folder(hass), whole)
    done = await owner.answer(shown, {})
    assert (done["type"], done["reason"]) == ("abort", "not_needed")
    assert entry.state is ConfigEntryState.LOADED
    assert set(entry.runtime_data.people) == {person_id}
    assert await owner.issues() == {}
    # A dialog from before, in another window.
    shown["flow_id"] = (await _old_dialog(hass, owner))["flow_id"]
    done = await owner.answer(shown, {})
    assert (done["type"], done["reason"]) == ("abort", "not_needed")
    assert set(entry.runtime_data.people) == {person_id}
    assert await hass.config_entries.async_unload(entry.entry_id)


async def _old_dialog(hass: HomeAssistant, owner: Owner) -> dict[str, str]:
    # A purge that is still at work would take the issue back.
    await hass.async_block_till_done(wait_background_tasks=True)
    ir.async_create_issue(
        hass,
        DOMAIN,
        VAULT_KEY_LOST,
        is_fixable=True,
        severity=ir.IssueSeverity.ERROR,
        translation_key=VAULT_KEY_LOST,
    )
    return await owner.choose(await owner.repair(VAULT_KEY_LOST), "start_over")


async def test_disk_that_refuses_to_erase(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    person_id: str,
    owner: Owner,
) -> None:
    """While the vault is open somewhere else nothing is erased, and the question stays."""
    await start(hass, entry, "store too new")
    shown = await owner.choose(await owner.repair(VAULT_TOO_NEW), "start_over")
    import fcntl

    with (vault_folder(hass) / "vault.lock").open("r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = await owner.answer(shown, {})
    assert (done["type"], done["reason"]) == ("abort", "not_erased")
    assert list(await owner.issues()) == [VAULT_TOO_NEW]
    assert (vault_folder(hass) / STORE).exists()
    assert entry.get_subentries_of_type("person")


async def test_not_for_others(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    person_id: str,
    hub: Hub,
    sockets: None,
    aiohttp_client: MakeClient,
) -> None:
    """Users who are no administrators can neither look nor erase."""
    await start(hass, entry, "key lost")
    other = await Owner.log_in(hass, aiohttp_client, admin=False)
    response = await other.client.post(
        "/api/repairs/issues/fix", json={"handler": DOMAIN, "issue_id": VAULT_KEY_LOST}
    )
    assert response.status == 401


@contextmanager
def full_disk(limit: int) -> Generator[None]:
    """Have the kernel refuse to let any file grow beyond some bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_full_disk_at_start(
    hass: HomeAssistant, entry: MockConfigEntry, person_id: str, whole: dict[str, bytes], owner: Owner
) -> None:
    """A full disk is no matter of erasing: it is said, and tried again by itself until there is room."""
    with full_disk(8192):
        assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    issue = (await owner.issues())[VAULT_UNWRITABLE]
    assert not issue["is_fixable"]
    assert "full" in issue["translation_placeholders"]["reason"]
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert set(entry.runtime_data.people) == {person_id}
    assert await owner.issues() == {}
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_path_that_cannot_be_written(
    hass: HomeAssistant, entry: MockConfigEntry, person_id: str, owner: Owner
) -> None:
    """What stands in the way of the vault's folder is said, not removed."""
    folder = vault_folder(hass)

    def swap() -> None:
        folder.rename(folder.with_name("aside"))
        folder.write_text("in the way")

    await hass.async_add_executor_job(swap)
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert list(await owner.issues()) == [VAULT_UNWRITABLE]
    assert await hass.async_add_executor_job(folder.read_text) == "in the way"


async def test_full_disk_while_it_runs(hass: HomeAssistant, entry: MockConfigEntry, hub: Hub) -> None:
    """What is past its time and cannot be erased is said, until it is."""
    person_id = await enrol(hass, entry, enrolment_photos()[:1])
    registry = ir.async_get(hass)
    until = hub.people[person_id].consents[-1].valid_until + timedelta(days=15)
    with later(until=until):
        with full_disk(0):
            await hub.clock._async_purge()
            # Here and not later: the clock tries again by itself.
            assert registry.async_get_issue(DOMAIN, VAULT_UNWRITABLE) is not None
            assert await hass.async_add_executor_job(hub.vault.state, person_id) is not None
        await hub.clock._async_purge()
        assert registry.async_get_issue(DOMAIN, VAULT_UNWRITABLE) is None
        assert await hass.async_add_executor_job(hub.vault.was_forgotten, person_id)
        await hass.async_block_till_done(wait_background_tasks=True)


# The words


FLOWS = {
    CAMERA_NOBODY_AGREED: "AskFlow",
    CAMERA_POSTER: "PosterFlow",
    CLOCK_DOUBTED: "ClockFlow",
    ENGINE_FAILED: "EngineFlow",
    NO_PEOPLE: "InviteFlow",
    RESTORED: "RestoredFlow",
    VAULT_DAMAGED: "VaultFlow",
    VAULT_KEY_LOST: "VaultFlow",
    VAULT_MISSING: "VaultFlow",
    VAULT_TOO_NEW: "VaultFlow",
}


def test_every_fixable_issue_has_a_flow() -> None:
    """No issue offers a dialog that this test does not check."""
    fixable = {key for key, texts in ENGLISH_TREE["issues"].items() if "fix_flow" in texts}
    assert fixable == FLOWS.keys()
    assert set(VAULT_PROBLEMS) <= ENGLISH_TREE["issues"].keys()


@pytest.mark.parametrize("issue", FLOWS)
def test_words(issue: str) -> None:
    """Every step, field, choice and reason to stop has its text, and none is left over."""
    path = FOLDER / "repairs.py"
    (flow,) = [each for each in parse(path).body if getattr(each, "name", None) == FLOWS[issue]]
    texts = ENGLISH_TREE["issues"][issue]["fix_flow"]
    shown: dict[str, set[str]] = {}
    menus: dict[str, set[str]] = {}
    fields: set[str] = set()
    for function in functions(flow):
        for call in calls(function, "async_show_form", "async_show_menu"):
            given = keywords(call)
            (step,) = strings(given["step_id"], function, repairs)
            shown[step] = keys_of(given.get("description_placeholders"))
            if "menu_options" in given:
                menus[step] = strings(given["menu_options"], function, repairs)
        for call in calls(function, "Optional", "Required"):
            fields |= strings(call.args[0], function, repairs)
    aborts = {
        text
        for call in calls(flow, "async_abort")
        for text in strings(keywords(call)["reason"], flow, repairs)
    }
    progress = {
        text
        for call in calls(flow, "async_show_progress")
        for text in strings(keywords(call)["progress_action"], flow, repairs)
    }
    assert texts.get("progress", {}).keys() == progress
    assert texts["abort"].keys() == aborts
    assert texts["step"].keys() == shown.keys()
    for step, said in texts["step"].items():
        named = {name for text in flatten(said).values() for name in placeholders(text)}
        assert named <= shown[step], step
        assert set(said.get("menu_options", {})) == menus.get(step, set())
    assert {key for said in texts["step"].values() for key in said.get("data", {})} == fields
