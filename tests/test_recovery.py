"""What a crash at a bad moment leaves, and what the next start makes of it."""

import json
from pathlib import Path

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.json import ExtendedJSONEncoder
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.const import CONF_FORGETTING, CONF_WHERE, DOMAIN, Where
from custom_components.familiar_faces.diagnostics import async_get_config_entry_diagnostics
from custom_components.familiar_faces.hub import Hub, vault_folder
from custom_components.familiar_faces.vault.errors import VaultUnwritable

from .pictures import enrolment_photos
from .steps import add_photo, configure, consent, enrol, start_person


async def _restart(hass: HomeAssistant, entry: MockConfigEntry) -> Hub:
    assert await hass.config_entries.async_reload(entry.entry_id)
    hub: Hub = entry.runtime_data
    assert await hub.engine.wait_ready(30)
    await hass.async_block_till_done(wait_background_tasks=True)
    return hub


def _people(entry: MockConfigEntry) -> list[str]:
    return [each.subentry_id for each in entry.subentries.values() if each.subentry_type == "person"]


async def test_killed_while_enrolling(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """Half an enrolment is erased at the next start."""
    result = await start_person(hass, entry)
    result = await configure(hass, result, consent())
    await add_photo(hass, result, enrolment_photos()[0])
    # The flow, living in memory, is what a kill takes away; what is on the disk stays.
    hass.config_entries.subentries._progress.clear()
    hub = await _restart(hass, entry)
    stored = await hass.async_add_executor_job(hub.vault.stored)
    assert (stored.people, stored.templates, stored.photos, stored.consents) == (0, 0, 0, 0)


async def test_killed_right_after_enrolling(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """A person whose entry Home Assistant had no time to write is shown again: nothing saved is lost."""
    person_id = await enrol(hass, entry, enrolment_photos()[:1])
    assert await hass.config_entries.async_unload(entry.entry_id)
    (subentry_id,) = _people(entry)
    # One file holds both, so a kill takes both away.
    hass.config_entries.async_remove_subentry(entry, subentry_id)
    hass.config_entries.async_update_entry(entry, data={CONF_WHERE: Where.THIS_MACHINE})
    await hass.config_entries.async_setup(entry.entry_id)
    hub = entry.runtime_data
    assert set(hub.people) == {person_id}
    assert [entry.subentries[each].title for each in _people(entry)] == ["Eileen"]
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_removed_while_it_did_not_run(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """A person who was removed while the entry was not loaded is erased at the next start."""
    await enrol(hass, entry, enrolment_photos()[:1])
    assert await hass.config_entries.async_unload(entry.entry_id)
    hass.config_entries.async_remove_subentry(entry, _people(entry)[0])
    await hass.config_entries.async_setup(entry.entry_id)
    hub = entry.runtime_data
    assert _people(entry) == []
    stored = await hass.async_add_executor_job(hub.vault.stored)
    assert (stored.people, stored.templates, stored.photos) == (0, 0, 0)
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_killed_right_after_forgetting(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """A person who was erased, but whose entry is still there, is not asked about again."""
    person_id = await enrol(hass, entry, enrolment_photos()[:1])
    assert await hass.config_entries.async_unload(entry.entry_id)
    from homeassistant.util import dt as dt_util

    from custom_components.familiar_faces.vault.store import Vault

    def forget() -> None:
        vault = Vault.open(vault_folder(hass))
        vault.forget(person_id, dt_util.utcnow())
        vault.close()

    await hass.async_add_executor_job(forget)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert _people(entry) == []
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_erasing_that_fails_is_done_later(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a full disk a removed person is not recognised any more, and is erased at the next start."""
    person_id = await enrol(hass, entry, enrolment_photos()[:1])

    def full(*args: object) -> None:
        raise VaultUnwritable("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(hub.vault, "forget", full)
        hass.config_entries.async_remove_subentry(entry, _people(entry)[0])
        await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.data[CONF_FORGETTING] == [person_id]
    assert not hub.can_recognise()
    hub = await _restart(hass, entry)
    assert CONF_FORGETTING not in entry.data
    assert _people(entry) == []
    stored = await hass.async_add_executor_job(hub.vault.stored)
    assert (stored.people, stored.templates) == (0, 0)


async def test_vault_that_was_lost(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """Without its vault a person is still shown, with a repair that says what to do."""
    person_id = await enrol(hass, entry, enrolment_photos()[:1])
    assert await hass.config_entries.async_unload(entry.entry_id)
    from custom_components.familiar_faces.vault.store import Vault

    await hass.async_add_executor_job(Vault.destroy, vault_folder(hass))
    await hass.config_entries.async_setup(entry.entry_id)
    assert ir.async_get(hass).async_get_issue(DOMAIN, f"nothing_stored_{person_id}") is not None
    hass.config_entries.async_remove_subentry(entry, _people(entry)[0])
    await hass.async_block_till_done(wait_background_tasks=True)
    assert ir.async_get(hass).async_get_issue(DOMAIN, f"nothing_stored_{person_id}") is None
    assert await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize("damage", ["key lost", "key wrong", "file damaged"])
async def test_vault_that_cannot_be_opened(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, damage: str
) -> None:
    """A lost key or a damaged file stops the set-up with a sentence; nothing is written over."""
    await enrol(hass, entry, enrolment_photos()[:1])
    assert await hass.config_entries.async_unload(entry.entry_id)
    folder = vault_folder(hass)
    key, database = folder / "vault.key", folder / "vault.db"

    def harm() -> bytes:
        match damage:
            case "key lost":
                key.rename(folder / "elsewhere")
            case "key wrong":
                key.write_bytes(bytes(len(key.read_bytes())))
            case "file damaged":
                data = bytearray(database.read_bytes())
                data[:4096] = b"x" * 4096
                database.write_bytes(data)
        return database.read_bytes()

    before = await hass.async_add_executor_job(harm)
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert entry.reason is not None
    assert "vault" in entry.reason.lower()
    assert await hass.async_add_executor_job(database.read_bytes) == before


async def test_diagnostics_name_nobody(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, config_folder: Path
) -> None:
    """Diagnostics say how everything is doing, and hold no name, id, face or address."""
    person_id = await enrol(hass, entry, enrolment_photos()[:2])
    diagnostics = await async_get_config_entry_diagnostics(hass, entry)
    assert diagnostics["engine"]["status"] == "ready"
    assert diagnostics["stored"]["templates"] == 2
    assert diagnostics["consents"] == {"active": 1}
    text = json.dumps(diagnostics, cls=ExtendedJSONEncoder)
    assert "Eileen" not in text
    assert person_id not in text
    assert str(config_folder) not in text
