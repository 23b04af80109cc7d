"""Setting up, unloading and removing."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.host.engine import EngineStatus
from custom_components.familiar_faces.household.places import vault_folder
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.panel.program import PANEL_PATH

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


async def test_where_devices_lead(hass: HomeAssistant, hub: Hub, eileen: str) -> None:
    """The link of a device leads to the page of the panel that is about it."""
    registry = dr.async_get(hass)
    (camera_id,) = hub.watchers
    found = {}
    for each in (hub.entry.entry_id, camera_id, eileen):
        device = registry.async_get_device_by_identifier((DOMAIN, each), hub.entry.entry_id)
        assert device is not None
        found[each] = device.configuration_url
    panel = f"homeassistant://{PANEL_PATH}"
    assert found == {
        hub.entry.entry_id: panel,
        camera_id: f"{panel}/cameras",
        eileen: f"{panel}/people/{eileen}",
    }
