"""Home Assistant's backup: told before and after, the vault stands still in between and loses nothing."""

from io import BytesIO
from pathlib import Path
import tarfile

from homeassistant.components.backup.const import DATA_MANAGER
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.household.places import engine_cache, vault_folder
from custom_components.familiar_faces.hub import Hub

from ..common.backups import back_up
from ..common.pictures import enrolment_photos
from ..common.steps import enrol


async def test_the_vault_stands_still_while_it_is_copied(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    person_id = await enrol(hass, entry, enrolment_photos())
    assert await async_setup_component(hass, "backup", {})
    await hass.async_block_till_done()
    manager = hass.data[DATA_MANAGER]
    file = vault_folder(hass) / "vault.db"

    await manager.async_pre_backup_actions()
    before = await hass.async_add_executor_job(file.read_bytes)
    receipt = await hub.forgetting.async_forget(person_id)
    assert receipt is not None
    assert not receipt.verified
    # The last word is said when the file no longer holds them.
    assert receipt.finished_at is None
    assert await hass.async_add_executor_job(file.read_bytes) == before

    await manager.async_post_backup_actions()
    assert await hass.async_add_executor_job(file.read_bytes) != before
    await hass.async_block_till_done(wait_background_tasks=True)
    receipt = await hass.async_add_executor_job(hub.vault.receipt, person_id)
    assert receipt is not None
    assert receipt.verified
    assert receipt.finished_at is not None
    assert await hass.async_add_executor_job(hub.vault.unfinished) == []


async def test_without_a_running_entry_there_is_nothing_to_do(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    assert await async_setup_component(hass, "backup", {})
    await hass.async_block_till_done()
    manager = hass.data[DATA_MANAGER]
    await manager.async_pre_backup_actions()
    assert await hass.config_entries.async_unload(entry.entry_id)
    await manager.async_post_backup_actions()
    await manager.async_pre_backup_actions()


async def test_a_vault_that_cannot_be_made_ready_is_said(
    hass: HomeAssistant, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await async_setup_component(hass, "backup", {})
    await hass.async_block_till_done()
    with hub.vault._database.read() as connection:
        connection.execute("PRAGMA query_only = ON")

    def fail(*, held: bool) -> None:
        with hub.vault._database.read() as connection:
            connection.execute("DELETE FROM person")

    monkeypatch.setattr(hub.vault, "hold_file", fail)
    with pytest.raises(HomeAssistantError, match="vault"):
        await hass.data[DATA_MANAGER].async_pre_backup_actions()
    with hub.vault._database.read() as connection:
        connection.execute("PRAGMA query_only = OFF")


async def test_the_engine_is_left_out(
    hass: HomeAssistant, config_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Hundreds of megabytes that can be made again are in no backup; the vault is."""
    for file in (engine_cache(hass) / "runtime-1" / "bin" / "python", vault_folder(hass) / "vault.db"):
        file.parent.mkdir(parents=True)
        file.write_bytes(b"bytes")
    target = tmp_path_factory.mktemp("backups") / "backup.tar"
    await back_up(hass, target)
    with tarfile.open(target) as outer:
        packed = outer.extractfile("homeassistant.tar.gz")
        assert packed is not None
        with tarfile.open(fileobj=BytesIO(packed.read())) as inner:
            names = inner.getnames()
    assert "data/.storage/familiar_faces/vault.db" in names
    assert [name for name in names if "runtime-1" in name] == []
