"""Presence: it ends when somebody was last seen, outlives a restart, and links to `person.*` follow it."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, mock_restore_cache

from custom_components.familiar_faces.const import CONF_LINKED_ENTITY, CONF_VISIT_DAYS, PRESENT_FOR
from custom_components.familiar_faces.erasing.purging import Purging
from custom_components.familiar_faces.host.engine import EngineStatus
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Choices, Keeping
from custom_components.familiar_faces.vault.errors import VaultUnwritable
from custom_components.familiar_faces.vault.records import VisitRecord
from custom_components.familiar_faces.visits.visit import Visit

from ..common.made_up_visits import a_visit, announce, go_on
from ..common.people_on_record import DAY, SECOND, a_consent, at, clock_says, put_on_record, settle
from ..common.pictures import astronaut, enrolment_photos
from ..common.steps import enrol, later, ring, state_of, visits
from ..conftest import FrontDoor

PRESENT = "binary_sensor.nadie_present"
MINUTE = timedelta(minutes=1)


def of_nadie(hub: Hub, began: datetime, seen: datetime) -> Visit:
    """Return a visit of theirs at the front door."""
    return a_visit(hub, "nadie", visit_id="visit", began=began, seen=seen)


async def keep(
    hass: HomeAssistant, hub: Hub, began: datetime, *seen: datetime, visit_id: str = "visit"
) -> None:
    """Write a visit into the vault, and each moment at which somebody was still there."""
    (camera_id,) = hub.watchers
    visit = VisitRecord(visit_id, "nadie", camera_id, began, confidence=0.99, frames=3)

    def write() -> None:
        hub.vault.add_visit(visit, None, began)
        for moment in seen:
            hub.vault.continue_visit(visit_id, "nadie", moment, None, None)

    await hass.async_add_executor_job(write)


async def restart(hass: HomeAssistant, hub: Hub, moment: datetime) -> Hub:
    """Start the integration again at a moment, and return the new hub."""
    with at(moment):
        assert await hass.config_entries.async_reload(hub.entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
    assert hub.entry.state is ConfigEntryState.LOADED
    fresh: Hub = hub.entry.runtime_data
    assert await fresh.engine.wait_ready(30)
    await settle(hass, fresh)
    return fresh


# It ends


async def test_it_ends_a_while_after_they_were_last_seen(
    hass: HomeAssistant, hub: Hub, nadie: str, start: datetime
) -> None:
    """A visit that began long ago counts until its end, and not a second longer."""
    with at(start):
        await announce(hass, hub, of_nadie(hub, start - 30 * MINUTE, start))
    assert state_of(hass, PRESENT) == "on"
    await clock_says(hass, hub, start + PRESENT_FOR)
    assert state_of(hass, PRESENT) == "off"


async def test_a_look_that_saw_somebody_else_prolongs_nothing(
    hass: HomeAssistant, hub: Hub, nadie: str, start: datetime
) -> None:
    """Faces that may be another's are told of with the moment at which the person was seen."""
    with at(start):
        await announce(hass, hub, of_nadie(hub, start, start))
    with at(start + 4 * MINUTE):
        await go_on(hass, hub, of_nadie(hub, start, start))
    assert state_of(hass, PRESENT) == "on"
    assert hub.board.present_until(nadie) == start + PRESENT_FOR
    with at(start + 4 * MINUTE):
        await go_on(hass, hub, of_nadie(hub, start, start + 4 * MINUTE))
        assert hub.board.present_until(nadie) == start + 4 * MINUTE + PRESENT_FOR


async def test_a_clock_that_is_wrong_keeps_nobody_present(
    hass: HomeAssistant, hub: Hub, nadie: str, start: datetime
) -> None:
    """A moment that is yet to come counts as now, and one long ago not at all."""
    with at(start):
        await announce(hass, hub, of_nadie(hub, start, start + DAY))
        assert hub.board.present_until(nadie) == start + PRESENT_FOR
    await clock_says(hass, hub, start + PRESENT_FOR)
    assert state_of(hass, PRESENT) == "off"
    with at(start):
        await announce(hass, hub, of_nadie(hub, start - DAY, start - DAY))
    assert state_of(hass, PRESENT) == "off"


async def test_it_ends_while_the_engine_is_away(
    hass: HomeAssistant, hub: Hub, nadie: str, start: datetime
) -> None:
    """It is unavailable meanwhile, and afterwards what it would have been."""
    with at(start):
        await announce(hass, hub, of_nadie(hub, start, start))
    with patch.object(hub.engine, "_status", EngineStatus.UNAVAILABLE):
        hub.async_changed()
        assert state_of(hass, PRESENT) == "unavailable"
        await clock_says(hass, hub, start + PRESENT_FOR)
        assert state_of(hass, PRESENT) == "unavailable"
    hub.async_changed()
    assert state_of(hass, PRESENT) == "off"


# After a restart


@pytest.mark.parametrize(
    ("after", "expected"), [(PRESENT_FOR - SECOND, "on"), (PRESENT_FOR, "off"), (-DAY, "on")]
)
async def test_a_restart_goes_by_when_they_were_last_seen(
    hass: HomeAssistant, hub: Hub, nadie: str, start: datetime, after: timedelta, expected: str
) -> None:
    """A visit may have begun long before it ended. A clock that was ahead is believed for a moment only."""
    last = start - MINUTE
    await keep(hass, hub, start - 40 * MINUTE, start - 20 * MINUTE, last)
    hub = await restart(hass, hub, last + after)
    assert state_of(hass, PRESENT) == expected
    await clock_says(hass, hub, last + after + PRESENT_FOR)
    assert state_of(hass, PRESENT) == "off"


async def test_an_older_visit_may_have_ended_later(
    hass: HomeAssistant, hub: Hub, nadie: str, start: datetime
) -> None:
    """Somebody sits at the back while they were seen for a moment at the front."""
    await keep(hass, hub, start - 40 * MINUTE, start - SECOND, visit_id="long")
    await keep(hass, hub, start - 20 * MINUTE, visit_id="short")
    await restart(hass, hub, start)
    assert state_of(hass, PRESENT) == "on"


async def test_a_visit_that_began_before_its_end_was_kept(
    hass: HomeAssistant, hub: Hub, nadie: str, start: datetime
) -> None:
    """What an earlier version wrote counts from its beginning."""
    await keep(hass, hub, start - MINUTE)
    hub = await restart(hass, hub, start)
    assert state_of(hass, PRESENT) == "on"
    await restart(hass, hub, start + PRESENT_FOR)
    assert state_of(hass, PRESENT) == "off"


async def test_nothing_is_known_afterwards_of_whom_nothing_is_kept(
    hass: HomeAssistant, hub: Hub, start: datetime
) -> None:
    """They are present while it runs; after a restart nothing tells that they were."""
    nothing = Choices(keeping=Keeping.NOTHING)
    await put_on_record(hass, hub, a_consent(start - DAY, start + 300 * DAY, choices=nothing))
    with at(start):
        await announce(hass, hub, of_nadie(hub, start, start))
    assert state_of(hass, PRESENT) == "on"
    # Even if something else had written it down.
    mock_restore_cache(hass, [State(PRESENT, "on")])
    await restart(hass, hub, start + SECOND)
    assert state_of(hass, PRESENT) == "off"


async def test_visits_that_are_not_kept_any_longer_tell_nothing(
    hass: HomeAssistant, hub: Hub, nadie: str, start: datetime
) -> None:
    """The owner keeps no visits from now on; the purge has not been yet."""
    options = {**hub.entry.options, CONF_VISIT_DAYS: 0}
    with patch.object(Purging, "async_purge"):
        hass.config_entries.async_update_entry(hub.entry, options=options)
        await settle(hass, hub)
        await keep(hass, hub, start - MINUTE)
        hub = await restart(hass, hub, start)
        assert hub.stored is not None
        assert hub.stored.visits == 1
    assert state_of(hass, PRESENT) == "off"


async def test_whoever_comes_while_the_vault_is_read_is_present(
    hass: HomeAssistant, hub: Hub, nadie: str, start: datetime
) -> None:
    """And anyone who is forgotten meanwhile is not."""
    visits = hub.vault.visits

    def meanwhile(happens: Callable[[], Coroutine[Any, Any, None]]) -> Callable[..., list[VisitRecord]]:
        reads = iter([happens])

        def read(*asked: Any, **more: Any) -> list[VisitRecord]:
            found = visits(*asked, **more)
            for now in reads:
                asyncio.run_coroutine_threadsafe(now(), hass.loop).result(5)
            return found

        return read

    async def comes() -> None:
        await announce(hass, hub, of_nadie(hub, start, start))

    async def is_forgotten() -> None:
        await hass.async_add_executor_job(hub.vault.forget, nadie, start)
        await hub.roster.async_let_go({nadie})
        hub.async_forget_in_memory(nadie)

    with at(start):
        await keep(hass, hub, start - 2 * MINUTE, visit_id="before")
        with patch.object(hub.vault, "visits", meanwhile(comes)):
            await hub.board.async_read()
        assert hub.board.present_until(nadie) == start + PRESENT_FOR
        with patch.object(hub.vault, "visits", meanwhile(is_forgotten)):
            await hub.board.async_read()
        assert hub.board.present_until(nadie) is None
        assert hub.board.last_visit(nadie) is None


async def test_with_the_real_engine(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry
) -> None:
    """Somebody who rings twice within a visit is present for a while after the second time, again."""
    await enrol(hass, entry, enrolment_photos())
    present = "binary_sensor.eileen_present"
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    first = dt_util.utcnow()
    with later(until=first + 25 * SECOND):
        await ring(hass, hub)
    (visit,) = await hass.async_add_executor_job(hub.vault.visits)
    assert visit.last_seen_at is not None
    assert 24 * SECOND < visit.until - visit.started_at < 60 * SECOND
    hub = await restart(hass, hub, visit.started_at + PRESENT_FOR + SECOND)
    assert state_of(hass, present) == "on"
    await clock_says(hass, hub, visit.until + PRESENT_FOR)
    assert state_of(hass, present) == "off"


# The link to an entity `person.*`


async def a_link(hass: HomeAssistant, hub: Hub) -> str:
    """Have somebody linked to a real entity, and return its id."""
    assert await async_setup_component(hass, "person", {"person": [{"id": "1", "name": "Nadie"}]})
    await hass.async_block_till_done()
    entity_id = "person.nadie"
    assert er.async_get(hass).async_get(entity_id) is not None
    await hass.async_add_executor_job(hub.vault.update_person, "nadie", "Nadie", entity_id)
    await hub.async_refresh_people()
    subentry = hub.roster.subentries()["nadie"]
    data = {**subentry.data, CONF_LINKED_ENTITY: entity_id}
    hass.config_entries.async_update_subentry(hub.entry, subentry, data=data)
    await settle(hass, hub)
    return entity_id


def links(hub: Hub) -> tuple[str | None, str | None, str | None]:
    """Return what the subentry, the memory and the vault say."""
    subentry = hub.roster.subentries()["nadie"]
    kept = hub.vault.person("nadie")
    return subentry.data.get(CONF_LINKED_ENTITY), hub.people["nadie"].linked_entity, kept.linked_entity


async def test_a_link_follows_new_names(hass: HomeAssistant, hub: Hub, nadie: str) -> None:
    """Also two in a row, and after a restart."""
    link = await a_link(hass, hub)
    registry = er.async_get(hass)
    registry.async_update_entity(link, new_entity_id="person.one")
    registry.async_update_entity("person.one", new_entity_id="person.two")
    await settle(hass, hub)
    assert links(hub) == ("person.two",) * 3
    assert hub.people["nadie"].name == "Nadie"
    hub = await restart(hass, hub, dt_util.utcnow())
    assert links(hub) == ("person.two",) * 3


async def test_a_link_ends_with_its_entity(hass: HomeAssistant, hub: Hub, nadie: str) -> None:
    """Nobody else who takes the id over is taken for them."""
    link = await a_link(hass, hub)
    er.async_get(hass).async_remove(link)
    await settle(hass, hub)
    assert links(hub) == (None,) * 3


async def test_other_entities_change_no_link(hass: HomeAssistant, hub: Hub, nadie: str) -> None:
    """Neither other people's, nor a link that was changed meanwhile."""
    link = await a_link(hass, hub)
    registry = er.async_get(hass)
    other = registry.async_get_or_create("person", "person", "2", suggested_object_id="other").entity_id
    registry.async_update_entity(other, new_entity_id="person.another")
    registry.async_remove("person.another")
    await hass.async_add_executor_job(hub.vault.link_person, "nadie", "person.another", None)
    await settle(hass, hub)
    assert links(hub) == (link,) * 3


async def test_a_link_that_cannot_be_written(
    hass: HomeAssistant, hub: Hub, nadie: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It stays as it was, in all places."""
    link = await a_link(hass, hub)
    with patch.object(hub.vault, "link_person", side_effect=VaultUnwritable("full")):
        er.async_get(hass).async_update_entity(link, new_entity_id="person.one")
        await settle(hass, hub)
    assert links(hub) == (link,) * 3
    assert "could not be changed" in caplog.text


async def test_a_link_is_whole_after_a_crash(hass: HomeAssistant, hub: Hub, nadie: str) -> None:
    """The vault was written, Home Assistant's own file not yet."""
    link = await a_link(hass, hub)
    await hass.async_add_executor_job(hub.vault.link_person, "nadie", link, "person.one")
    hub = await restart(hass, hub, dt_util.utcnow())
    assert links(hub) == ("person.one",) * 3


# Feeding an entity `person.*`, as the documentation says

HOME_FOR_A_WHILE = """{{ ['zone.home'] if has_value('event.nadie_seen')
   and now() - states('event.nadie_seen') | as_datetime < timedelta(hours=3) else none }}"""


async def test_a_person_can_be_fed(hass: HomeAssistant, hub: Hub, nadie: str, start: datetime) -> None:
    """Through a template that is a device tracker: home for some hours, then unknown, and never "away"."""
    hass.config.latitude, hass.config.longitude = 52.0, 5.0
    assert await async_setup_component(hass, "zone", {})
    options = {"template_type": "device_tracker", "name": "Nadie by camera", "in_zones": HOME_FOR_A_WHILE}
    helper = MockConfigEntry(domain="template", title="Nadie by camera", options=options)
    helper.add_to_hass(hass)
    assert await hass.config_entries.async_setup(helper.entry_id)
    tracker = "device_tracker.nadie_by_camera"
    person = {"id": "1", "name": "Nadie", "device_trackers": [tracker]}
    assert await async_setup_component(hass, "person", {"person": [person]})
    await hass.async_block_till_done()
    assert (state_of(hass, tracker), state_of(hass, "person.nadie")) == ("unknown", "unknown")

    with at(start):
        await announce(hass, hub, of_nadie(hub, start, start))
    assert (state_of(hass, tracker), state_of(hass, "person.nadie")) == ("home", "home")
    assert state_of(hass, "zone.home") == "1"
    # The sensor says nothing after a while, and a template with a clock in it is looked at every minute.
    await clock_says(hass, hub, start + timedelta(hours=3))
    assert (state_of(hass, tracker), state_of(hass, "person.nadie")) == ("unknown", "unknown")
