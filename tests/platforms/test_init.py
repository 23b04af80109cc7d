"""Setting up, unloading and removing."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.host.engine import EngineStatus
from custom_components.familiar_faces.household.places import vault_folder
from custom_components.familiar_faces.hub import Hub

from ..conftest import FrontDoor, PreparedBefore


@pytest.mark.own_engine
async def test_setup_and_unload(
    hass: HomeAssistant, front_door: FrontDoor, real_engine: None, entry: MockConfigEntry
) -> None:
    """An entry sets up while its engine is still starting, and unloading leaves nothing running."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    hub: Hub = entry.runtime_data
    assert hub.engine.status is EngineStatus.STARTING
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert hub.watchers == {}
    status: EngineStatus = hub.engine.status
    assert status is EngineStatus.STOPPED


async def test_remove_leaves_nothing(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, engine_place: PreparedBefore
) -> None:
    """Removing the entry removes the vault and the engine's environment."""
    folder = vault_folder(hass)
    assert folder.is_dir()
    await hass.config_entries.async_remove(entry.entry_id)
    assert not folder.exists()
    assert engine_place.removed
