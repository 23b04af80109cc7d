"""What voice assistants may do and say before the owner has exposed anything: nothing of ours."""

from homeassistant.components.homeassistant.exposed_entities import async_should_expose
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.hub import Hub

from ..common.alerting import add_alert
from ..common.people_on_record import DAY, a_consent, now, put_on_record


@pytest.mark.parametrize("assistant", ["conversation", "cloud.alexa", "cloud.google_assistant"])
async def test_nothing_is_exposed_by_itself(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, assistant: str
) -> None:
    """No switch, no sensor and no button: nobody turns recognition off, or asks who came, by calling it out."""
    assert await async_setup_component(hass, "homeassistant", {})
    await put_on_record(hass, hub, a_consent(now(), now() + 100 * DAY))
    add_alert(hass, entry)
    await hass.async_block_till_done()
    found = [each.entity_id for each in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)]
    assert {"switch", "event", "binary_sensor", "button"} <= {each.split(".")[0] for each in found}
    assert [each for each in found if async_should_expose(hass, assistant, each)] == []
