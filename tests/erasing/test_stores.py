"""Each store is erased on its own: one that fails keeps no other from it, is named, and is done again until it is clean."""

from collections.abc import Callable
import json
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.erasing import stored, stores, surely
from custom_components.familiar_faces.erasing.home_traces import async_naming
from custom_components.familiar_faces.erasing.stores import Store
from custom_components.familiar_faces.household.issues import NOT_ERASED, REMOVAL_UNFINISHED
from custom_components.familiar_faces.internals import (
    automation_traces,
    missing,
    own_notifications,
    registry_remains,
    restored_states,
)
from custom_components.familiar_faces.internals.wanted import Wanted
from custom_components.familiar_faces.vault.store import Vault

from ..common.evidence import NAME, VAULT, Evidence
from ..common.home import Home, MakeRecorder, home
from ..conftest import an_entry

type Break = Callable[[pytest.MonkeyPatch], None]


def _fail(*_args: object, **_kwargs: object) -> Any:
    raise AttributeError("last_states")


def _broken(module: Any, name: str) -> Break:
    return lambda patched: patched.setattr(module, name, _fail)


BROKEN: dict[Store, Break] = {
    Store.REGISTRIES: _broken(registry_remains, "async_drop_entities"),
    Store.STATES: _broken(stores, "async_blank"),
    Store.RESTORED: _broken(restored_states, "async_drop_where"),
    Store.TRACES: _broken(automation_traces, "async_drop_where"),
    Store.NOTIFICATIONS: _broken(own_notifications, "async_dismiss_where"),
    Store.RECORDER: _broken(stores, "async_erase_recorded"),
    Store.FILES: _broken(stored, "async_write_entries"),
    Store.MENTIONS: _broken(stores, "async_find_mentions"),
}


def issue(hass: HomeAssistant, key: str) -> ir.IssueEntry | None:
    """Return a repair issue that is shown."""
    return ir.async_get(hass).async_get_issue(DOMAIN, key)


async def receipt_of(running: Home, person_id: str) -> Any:
    """Return a receipt as it is kept."""
    await running.settle()
    return await running.hass.async_add_executor_job(running.hub.vault.receipt, person_id)


def test_every_store_is_tried() -> None:
    """None is left out below, and the internals of each are known."""
    assert BROKEN.keys() == set(Store) == stores.NEEDED.keys()
    needed = {each for needed in stores.NEEDED.values() for each in needed}
    assert needed == missing.CHECKS.keys() - missing.TOLD_BY - missing.SHOWN_BY


@pytest.mark.parametrize("store", [Store.RESTORED, Store.TRACES, Store.RECORDER, Store.FILES])
async def test_one_fails(
    lived: tuple[Path, Evidence], make_recorder: MakeRecorder, monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    """The others are erased, the receipt names what is left and is not verified, a repair says so; a restart mends it."""
    folder, evidence = lived
    async with home(folder, make_recorder) as running:
        with monkeypatch.context() as patched:
            BROKEN[store](patched)
            receipt = await running.hub.forgetting.async_forget(evidence.person_id)
        assert receipt is not None
        assert not receipt.everywhere
        assert receipt.finished_at is None
        # What automations remember lies in a file as well.
        assert store in str(receipt.reached["not_yet"]).split(", ")
        if store is not Store.RECORDER:
            assert receipt.reached["recorder"] == "erased"
        assert (said := issue(running.hass, NOT_ERASED)) is not None
        assert said.translation_placeholders is not None
        assert said.translation_placeholders["stores"]
        assert NAME not in str(said)
        # As it is after a kill: what is left to do lies in the vault.
    async with home(folder, make_recorder) as running:
        receipt = await receipt_of(running, evidence.person_id)
        assert receipt.everywhere
        assert "not_yet" not in receipt.reached
        assert issue(running.hass, NOT_ERASED) is None
    assert evidence.find(folder) == []


async def test_all_fail(
    lived: tuple[Path, Evidence], make_recorder: MakeRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever fails is named, all of it together, and the next purge does it."""
    folder, evidence = lived
    async with home(folder, make_recorder) as running:
        with monkeypatch.context() as patched:
            for store in Store:
                BROKEN[store](patched)
            receipt = await running.hub.forgetting.async_forget(evidence.person_id)
        assert receipt is not None
        assert str(receipt.reached["not_yet"]).split(", ") == sorted(Store)
        await running.hub.purging.async_purge()
        receipt = await receipt_of(running, evidence.person_id)
        assert receipt.everywhere
        assert issue(running.hass, NOT_ERASED) is None
    assert evidence.find(folder) == []


async def test_missing_internals_are_not_verified(
    lived: tuple[Path, Evidence], make_recorder: MakeRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is reached by internals that are not as expected is not called erased, even when nothing failed."""
    folder, evidence = lived
    async with home(folder, make_recorder) as running:
        with monkeypatch.context() as patched:
            patched.setattr(stores, "async_missing", lambda _hass: ["restored_states"])
            receipt = await running.hub.forgetting.async_forget(evidence.person_id)
        assert receipt is not None
        assert not receipt.everywhere
        assert receipt.reached["not_yet"] == f"{Store.FILES}, {Store.RESTORED}"


@pytest.mark.parametrize("restarted", [False, True])
async def test_removal_that_fails_is_done_later(
    lived: tuple[Path, Evidence],
    make_recorder: MakeRecorder,
    monkeypatch: pytest.MonkeyPatch,
    restarted: bool,
) -> None:
    """What a removal could not erase is noted, said by a repair, and done when it is tried again or added again."""
    folder, evidence = lived
    async with home(folder, make_recorder) as running:
        hass = running.hass
        with monkeypatch.context() as patched:
            BROKEN[Store.RECORDER](patched)
            BROKEN[Store.RESTORED](patched)
            await hass.config_entries.async_remove(running.entry.entry_id)
            await running.settle()
        assert not (folder / VAULT / "vault.key").exists()
        said = issue(hass, REMOVAL_UNFINISHED)
        assert said is not None
        assert said.is_persistent
        noted = json.loads((folder / ".storage" / stored.UNFINISHED).read_text())["data"]
        assert [each["names"] for each in noted] == [[NAME]]
        assert (folder / ".storage" / stored.UNFINISHED).stat().st_mode & 0o077 == 0
        # Removed once more after a kill, when the vault that knew more is gone.
        poorer = Wanted(frozenset({evidence.person_id}))
        with monkeypatch.context() as patched:
            BROKEN[Store.RECORDER](patched)
            naming = async_naming(hass, running.entry, ())
            poor = await surely.async_note(hass, poorer, naming, marks=None, entry_id=running.entry.entry_id)
            assert not await surely.async_erase_surely(hass, poor)
        again = json.loads((folder / ".storage" / stored.UNFINISHED).read_text())["data"]
        assert [(each["names"], each["marks"]) for each in again] == [([NAME], noted[0]["marks"])]
        assert noted[0]["marks"] is not None
        if not restarted:
            await surely._async_try_again(hass)
            await running.settle()
            assert issue(hass, REMOVAL_UNFINISHED) is None
    if restarted:
        assert evidence.find(folder) != []
        async with home(folder, make_recorder, an_entry()) as running:
            await running.settle()
            assert issue(running.hass, REMOVAL_UNFINISHED) is None
            assert running.hub.people == {}
    assert not (folder / ".storage" / stored.UNFINISHED).exists()
    assert evidence.find(folder) == []


async def test_noted_before_the_vault_goes(
    lived: tuple[Path, Evidence], make_recorder: MakeRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is to be erased is on the disk before the vault, which knows it, is destroyed."""
    folder, evidence = lived
    note = folder / ".storage" / stored.UNFINISHED
    seen: list[list[str]] = []
    destroy = Vault.destroy

    def look(vault: Path) -> None:
        seen.extend(each["person_ids"] for each in json.loads(note.read_text())["data"])
        destroy(vault)

    monkeypatch.setattr(Vault, "destroy", look)
    async with home(folder, make_recorder) as running:
        await running.hass.config_entries.async_remove(running.entry.entry_id)
        await running.settle()
    assert seen == [[evidence.person_id]]
    assert not note.exists()


async def test_what_another_removal_left_stays_said(
    lived: tuple[Path, Evidence], make_recorder: MakeRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A removal that is complete does not take back what the owner was told of an earlier one."""
    folder, _evidence = lived
    async with home(folder, make_recorder) as running:
        hass = running.hass
        naming = async_naming(hass, running.entry, ())
        earlier = Wanted(frozenset({"somebody-else"}), frozenset({"Zaphod"}))
        with monkeypatch.context() as patched:
            BROKEN[Store.RECORDER](patched)
            noted = await surely.async_note(hass, earlier, naming, marks=None, entry_id="gone")
            assert not await surely.async_erase_surely(hass, noted)
        later = await surely.async_note(
            hass, Wanted(frozenset({"a-third"})), naming, marks=None, entry_id="too"
        )
        assert await surely.async_erase_surely(hass, later)
        assert issue(hass, REMOVAL_UNFINISHED) is not None
        await surely._async_try_again(hass)
        assert issue(hass, REMOVAL_UNFINISHED) is None
