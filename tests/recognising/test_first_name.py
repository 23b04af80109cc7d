"""That a name was said is noted once, at once, and nothing else of it."""

from datetime import datetime
from pathlib import Path

from homeassistant.core import HomeAssistant

from custom_components.familiar_faces.const import CONF_NAMED
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Choices, Keeping
from custom_components.familiar_faces.visits.visit import Decision

from ..common.home import home, snapshot
from ..common.made_up_visits import a_visit, come
from ..common.people_on_record import DAY, a_consent, put_on_record
from ..conftest import an_entry


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


async def test_no_name_is_said_of_the_silent(hass: HomeAssistant, hub: Hub, start: datetime) -> None:
    """Somebody who is matched in memory alone leaves no note."""
    choices = Choices(keeping=Keeping.SILENT)
    await put_on_record(hass, hub, a_consent(start - DAY, start + 300 * DAY, choices=choices))
    await come(hass, hub, a_visit(hub, "nadie"))
    assert not hub.first_name.said
    assert CONF_NAMED not in hub.entry.data


async def test_a_power_cut_right_after_it(tmp_path: Path, start: datetime, real_engine: None) -> None:
    """It is on the disk as soon as it was said, also where nothing of the visit is kept."""
    async with home(tmp_path / "config", None, an_entry()) as running:
        consent = a_consent(start - DAY, start + 300 * DAY, choices=Choices(keeping=Keeping.NOTHING))
        await put_on_record(running.hass, running.hub, consent)
        await running.write()
        await come(running.hass, running.hub, a_visit(running.hub, "nadie"))
        snapshot(running.folder, killed := tmp_path / "killed")
    async with home(killed, None) as again:
        assert again.hub.stored is not None
        assert again.hub.stored.visits == 0
        assert again.hub.first_name.said
