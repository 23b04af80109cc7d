"""What a crash at a bad moment leaves, and what the next start makes of it."""

import asyncio
import gc
import json
from pathlib import Path
import sqlite3
from types import MappingProxyType
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.helpers.json import ExtendedJSONEncoder
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.consent.withdrawal import async_withdraw
from custom_components.familiar_faces.const import CONF_FORGETTING, CONF_PEOPLE, CONF_WHERE, DOMAIN, Where
from custom_components.familiar_faces.diagnostics import async_get_config_entry_diagnostics
from custom_components.familiar_faces.household.issues import VAULT_MISSING
from custom_components.familiar_faces.household.places import vault_folder, witness_file
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Choices
from custom_components.familiar_faces.recognising.watcher import Watcher
from custom_components.familiar_faces.vault.errors import VaultUnwritable
from custom_components.familiar_faces.vault.store import Vault

from ..common.people_on_record import DAY, a_consent, at, now, put_on_record
from ..common.pictures import astronaut, enrolment_photos
from ..common.restoring import stored_states
from ..common.steps import add_photo, configure, consent, enrol, later, ring, start_person, visits
from ..conftest import FrontDoor, set_up, start_again
from ..vault.makers import make_first_version

pytestmark = pytest.mark.usefixtures("entity_registry_enabled_by_default")


def _people(entry: MockConfigEntry) -> list[str]:
    return [each.subentry_id for each in entry.get_subentries_of_type("person")]


async def test_killed_while_enrolling(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """A consent without a good photo is erased at the next start."""
    result = await start_person(hass, entry)
    await configure(hass, result, consent())
    # The flow, living in memory, is what a kill takes away; what is on the disk stays.
    hass.config_entries.subentries._progress.clear()
    hub = await start_again(hass, entry)
    stored = await hass.async_add_executor_job(hub.vault.stored)
    assert (stored.people, stored.templates, stored.photos, stored.consents) == (0, 0, 0, 0)


async def test_killed_after_the_first_good_photo(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    """With it the person was saved, and is shown at the next start."""
    result = await configure(hass, await start_person(hass, entry), consent())
    await add_photo(hass, result, enrolment_photos()[0])
    hass.config_entries.subentries._progress.clear()
    hub = await start_again(hass, entry)
    assert [person.name for person in hub.people.values()] == ["Eileen"]
    assert len(_people(entry)) == 1


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
    """With a full disk a removed person is no longer recognised, and is erased at the next start."""
    person_id = await enrol(hass, entry, enrolment_photos()[:1])

    def full(*args: object) -> None:
        raise VaultUnwritable("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(hub.vault, "forget", full)
        hass.config_entries.async_remove_subentry(entry, _people(entry)[0])
        await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.data[CONF_FORGETTING] == [person_id]
    assert not hub.can_recognise()
    hub = await start_again(hass, entry)
    assert CONF_FORGETTING not in entry.data
    assert _people(entry) == []
    stored = await hass.async_add_executor_job(hub.vault.stored)
    assert (stored.people, stored.templates) == (0, 0)


async def test_forget_button_with_a_full_disk(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner is told that it has to be done later, nobody is recognised meanwhile, and it is done."""
    await enrol(hass, entry, enrolment_photos()[:1])

    def full(*args: object) -> None:
        raise VaultUnwritable("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(hub.vault, "forget", full)
        with pytest.raises(HomeAssistantError):
            await hass.services.async_call(
                "button", "press", {"entity_id": "button.eileen_forget"}, blocking=True
            )
        await hass.async_block_till_done(wait_background_tasks=True)
        assert not hub.can_recognise()
        assert _people(entry) == []
        assert hub.gallery is not None
        assert len(hub.gallery) == 0
    await hub.purging.async_purge()
    assert CONF_FORGETTING not in entry.data
    stored = await hass.async_add_executor_job(hub.vault.stored)
    assert (stored.people, stored.templates) == (0, 0)


async def test_erasing_somebody_unknown(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """An id that the vault does not know, as after a restored backup, does not keep anybody from starting."""
    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_FORGETTING: ["0" * 32]})
    await start_again(hass, entry)
    assert CONF_FORGETTING not in entry.data


async def test_removing_a_person_whose_data_is_damaged(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    """Somebody who cannot be read can be erased anyway."""
    person_id = await enrol(hass, entry, enrolment_photos()[:1])
    assert await hass.config_entries.async_unload(entry.entry_id)

    def damage() -> None:
        database = sqlite3.connect(vault_folder(hass) / "vault.db")
        database.execute("UPDATE person SET sealed = zeroblob(60)")
        database.commit()
        database.close()

    await hass.async_add_executor_job(damage)
    await hass.config_entries.async_setup(entry.entry_id)
    hub = entry.runtime_data
    assert hub.vault.damaged == [person_id]
    assert ir.async_get(hass).async_get_issue(DOMAIN, "person_unreadable") is not None
    hass.config_entries.async_remove_subentry(entry, _people(entry)[0])
    await hass.async_block_till_done(wait_background_tasks=True)
    stored = await hass.async_add_executor_job(hub.vault.stored)
    assert (stored.people, stored.templates, stored.photos) == (0, 0, 0)
    assert ir.async_get(hass).async_get_issue(DOMAIN, "person_unreadable") is None
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_many_changes_at_once(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """Changes that come together are carried out one after the other: no watcher is left without a camera."""
    before = list(hub.watchers.values())
    registry = er.async_get(hass)
    registry.async_update_entity("camera.front_door", new_entity_id="camera.porch")
    registry.async_update_entity("input_button.doorbell", new_entity_id="input_button.bell")
    await hass.async_block_till_done()
    (watcher,) = hub.watchers.values()
    assert watcher not in before
    assert (watcher.camera, watcher.triggers) == ("camera.porch", ["input_button.bell"])
    alive = [
        each
        for each in gc.get_objects()
        if isinstance(each, Watcher) and each.household is hub and each._unsubscribe
    ]
    assert alive == [watcher]


async def test_no_name_is_stored_to_be_restored(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    """Once a person is removed, what Home Assistant keeps to restore states no longer names them."""
    await enrol(hass, entry, enrolment_photos()[:1])
    hass.config_entries.async_remove_subentry(entry, _people(entry)[0])
    await hass.async_block_till_done(wait_background_tasks=True)
    stored = [each.as_dict() for each in stored_states(hass)]
    assert "Eileen" not in json.dumps(stored, cls=ExtendedJSONEncoder)


async def test_vault_that_was_lost(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """Without its vault nothing is set up, and a repair says what to do: a new one would hide that it is gone."""
    person_id = await enrol(hass, entry, enrolment_photos()[:1])
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_add_executor_job(Vault.destroy, vault_folder(hass))
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert ir.async_get(hass).async_get_issue(DOMAIN, VAULT_MISSING) is not None
    assert not (vault_folder(hass) / "vault.db").exists()
    # Also when all who are shown were removed meanwhile: that they were here is noted.
    hass.config_entries.async_remove_subentry(entry, _people(entry)[0])
    assert person_id in entry.data[CONF_PEOPLE]
    assert not await hass.config_entries.async_reload(entry.entry_id)


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
    alert = {"who": ["stranger"], "people": [person_id], "recipients": ["phone:whose", "here:"], "every": 5}
    hass.config_entries.async_add_subentry(
        entry,
        ConfigSubentry(
            data=MappingProxyType(alert), subentry_type="alert", title="At my door", unique_id=None
        ),
    )
    diagnostics = await async_get_config_entry_diagnostics(hass, entry)
    assert diagnostics["engine"]["status"] == "ready"
    assert diagnostics["stored"]["templates"] == 2
    assert diagnostics["consents"] == {"active": 1}
    (told,) = diagnostics["alerts"]
    assert (told["who"], told["people"], told["recipients"]) == (["stranger"], 1, {"here": 1, "phone": 1})
    text = json.dumps(diagnostics, cls=ExtendedJSONEncoder)
    for private in ("Eileen", "whose", "my door"):
        assert private not in text
    assert person_id not in text
    assert str(config_folder) not in text


async def test_forgetting_somebody_when_nothing_can_be_read(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that refuses even to be read keeps nobody recognised who said no."""
    person_id = await enrol(hass, entry, enrolment_photos()[:1])

    def broken(*args: object) -> None:
        raise VaultUnwritable("disk I/O error")

    with monkeypatch.context() as patched:
        for name in ("people", "forget", "withdraw_consent"):
            patched.setattr(hub.vault, name, broken)
        with pytest.raises(VaultUnwritable):
            await async_withdraw(hub, hub.forgetting, person_id)
        await hass.async_block_till_done(wait_background_tasks=True)
        assert not hub.people
        assert not hub.can_recognise()
        assert hub.gallery is not None
        assert len(hub.gallery) == 0
    await hub.purging.async_purge()
    assert (await hass.async_add_executor_job(hub.vault.stored)).people == 0


async def test_a_home_of_the_first_version(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor
) -> None:
    """Anyone who agreed to the first text is recognised as before, and nothing of theirs is lost or asked again."""
    person_id = await enrol(hass, entry, enrolment_photos())
    front_door.frames = visits(astronaut())
    await ring(hass, hub)

    def go_back() -> None:
        vault = Vault.open(vault_folder(hass))
        with vault._database.write() as connection:
            connection.execute("DELETE FROM meta WHERE name = 'witnessed'")
        make_first_version(vault, person_id)
        vault.close()
        witness_file(hass).unlink()

    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_add_executor_job(go_back)
    hub = await set_up(hass, entry)
    assert not hub.roster.held
    agreed = hub.people[person_id].consent
    assert agreed is not None
    assert agreed.choices == Choices()
    assert (agreed.visits_for, agreed.pictures_for) == (30 * DAY, 7 * DAY)
    assert hass.states.get("sensor.eileen_consent").state == "active"
    assert hass.states.get("sensor.front_door_last_visitor").state == "Eileen"
    assert {issue_id for domain, issue_id in ir.async_get(hass).issues if domain == DOMAIN} == set()
    with later(minutes=5):
        await ring(hass, hub)
    stored = await hass.async_add_executor_job(hub.vault.stored)
    assert (stored.people, stored.visits, stored.pictures) == (1, 2, 2)
    # A longer period that is set now is not what they agreed to.
    hass.config_entries.async_update_entry(entry, options={"visit_days": 90, "picture_days": 60})
    await hass.async_block_till_done(wait_background_tasks=True)
    with later(until=dt_util.utcnow() + 31 * DAY):
        await hub.purging.async_purge()
        stored = await hass.async_add_executor_job(hub.vault.stored)
        assert (stored.people, stored.visits, stored.pictures) == (1, 0, 0)
        receipt = await hub.forgetting.async_forget(person_id)
    assert receipt is not None
    assert receipt.verified


async def test_forgotten_in_every_way_at_once(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """However many ask at the same time, somebody is forgotten once, with one receipt."""
    person_id = await enrol(hass, entry, enrolment_photos()[:1])

    async def remove() -> None:
        hass.config_entries.async_remove_subentry(entry, _people(entry)[0])

    ways = (
        async_withdraw(hub, hub.forgetting, person_id),
        hass.services.async_call("button", "press", {"entity_id": "button.eileen_forget"}, blocking=True),
        hass.services.async_call(DOMAIN, "forget", {"person": person_id}, blocking=True),
        hub.purging.async_purge(),
        remove(),
    )
    await asyncio.gather(*ways)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not hub.people
    assert _people(entry) == []
    receipt = await hass.async_add_executor_job(hub.vault.receipt, person_id)
    assert receipt is not None
    assert receipt.verified
    assert receipt.finished_at is not None
    entries = await hass.async_add_executor_job(hub.vault.audit_entries, person_id)
    kinds = [each.kind for each in entries]
    assert (kinds.count("forgotten"), kinds.count("forgotten_everywhere")) == (1, 1)
    assert (await hass.async_add_executor_job(hub.vault.verify_audit)).ok


async def test_somebody_whom_a_purge_erased_before_it_failed(hass: HomeAssistant, hub: Hub) -> None:
    """The vault no longer has them; nor has the gallery, nor are they shown."""
    began = now()
    await put_on_record(hass, hub, a_consent(began, began + 300 * DAY))
    full = VaultUnwritable("database or disk is full")
    hass.config_entries.async_update_entry(hub.entry, options={"unseen_days": 30})
    with at(began + 40 * DAY):
        with patch.object(hub.vault._eraser, "_entries", side_effect=full), pytest.raises(VaultUnwritable):
            await hub.purging.async_purge()
        await hass.async_block_till_done(wait_background_tasks=True)
        assert await hass.async_add_executor_job(hub.vault.was_forgotten, "nadie")
        assert not hub.people
        assert hub.gallery is not None
        assert len(hub.gallery) == 0
        assert hub.roster.subentries() == {}


async def test_people_who_cannot_be_read_after_a_purge(
    hass: HomeAssistant, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person that the purge has forgotten is not recognised, whatever the disk does next."""
    began = now()
    await put_on_record(hass, hub, a_consent(began, began + 100 * DAY))

    def broken(*args: object) -> None:
        raise VaultUnwritable("disk I/O error")

    with at(began + 200 * DAY), monkeypatch.context() as patched:
        patched.setattr(hub.vault, "people", broken)
        with pytest.raises(VaultUnwritable):
            await hub.purging.async_purge()
        assert not hub.people
        assert hub.gallery is not None
        assert len(hub.gallery) == 0
