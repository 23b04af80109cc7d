"""The option of the engine on this machine: how many pictures it looks at together."""

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.const import CONF_WHERE, CONF_WORKERS, Where
from custom_components.familiar_faces.household.options import chosen_workers
from custom_components.familiar_faces.hub import Hub

from ..common.steps import Result


async def open_engine(hass: HomeAssistant, entry: MockConfigEntry) -> Result:
    """Press Configure, and ask for the engine."""
    menu = await hass.config_entries.options.async_init(entry.entry_id)
    result = await hass.config_entries.options.async_configure(menu["flow_id"], {"next_step_id": "engine"})
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "engine")
    return dict(result)


@pytest.mark.own_engine
async def test_the_engine_starts_again_with_as_many_workers(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    result = await open_engine(hass, entry)
    done = await hass.config_entries.options.async_configure(result["flow_id"], {CONF_WORKERS: 3})
    assert done["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    again: Hub = entry.runtime_data
    assert again is not hub
    assert await again.engine.wait_ready(30), again.engine.last_error
    # While they work, one more lies ready.
    assert (await again.client.health()).at_once == 4


async def test_the_same_number_again_starts_nothing(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    result = await open_engine(hass, entry)
    await hass.config_entries.options.async_configure(result["flow_id"], {CONF_WORKERS: 0})
    await hass.async_block_till_done()
    assert entry.runtime_data is hub


async def test_a_part_of_a_worker_is_refused(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    result = await open_engine(hass, entry)
    again = await hass.config_entries.options.async_configure(result["flow_id"], {CONF_WORKERS: 1.5})
    assert again["errors"] == {CONF_WORKERS: "whole_numbers"}
    assert CONF_WORKERS not in entry.options


async def test_an_engine_elsewhere_is_not_asked_about(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """It is told there how much it does."""
    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_WHERE: Where.ANOTHER_MACHINE})
    menu = await hass.config_entries.options.async_init(entry.entry_id)
    assert menu["type"] is FlowResultType.MENU
    assert "engine" not in menu["menu_options"]


@pytest.mark.parametrize(("written", "workers"), [(2, 2), (0, 0), (-1, 0), (99, 0), ("two", 0), (None, 0)])
def test_what_another_version_wrote_is_no_danger(written: object, workers: int) -> None:
    entry = MockConfigEntry(options={CONF_WORKERS: written})
    assert chosen_workers(entry) == workers
