"""That a name was said is noted once, and nothing else of it."""

from homeassistant.core import HomeAssistant

from custom_components.familiar_faces.const import CONF_NAMED
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.visits.visit import Decision

from ..common.made_up_visits import a_visit, come


async def test_neither_who_nor_when(hass: HomeAssistant, hub: Hub, nadie: str) -> None:
    """Only a visit with a name counts, and the note is the same for everybody."""
    for decision in (Decision.STRANGER, Decision.UNCLEAR):
        await come(hass, hub, a_visit(hub, None, decision))
    assert not hub.first_name.said
    assert CONF_NAMED not in hub.entry.data
    await come(hass, hub, a_visit(hub, nadie))
    assert hub.first_name.said
    await hub.forgetting.async_forget(nadie)
    assert hub.first_name.said
    assert await hass.config_entries.async_reload(hub.entry.entry_id)
    again: Hub = hub.entry.runtime_data
    assert again.first_name.said
    assert again.entry.data[CONF_NAMED] == ["somebody"]
