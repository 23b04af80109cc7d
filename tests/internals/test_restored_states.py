"""What Home Assistant stores to show it again: dropped wherever a release keeps it, and entities work without it."""

from collections.abc import Callable
import logging
from typing import override

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_component import EntityComponent
from homeassistant.helpers.restore_state import RestoreEntity, async_get
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.internals import (
    automation_traces,
    own_notifications,
    registry_remains,
    restored_states,
    stored_files,
)
from custom_components.familiar_faces.internals.unreachable import Unreachable
from tests.common.pictures import astronaut, enrolment_photos
from tests.common.restoring import stored_states
from tests.common.steps import enrol, ring, visits
from tests.conftest import FrontDoor


class Restored(RestoreEntity):
    """An entity whose state is stored."""

    _attr_should_poll = False

    def __init__(self, entity_id: str, unique_id: str | None) -> None:
        """Be in the registry of entities when there is a unique id."""
        self.entity_id = entity_id
        self._attr_unique_id = unique_id

    @property
    @override
    def state(self) -> str:
        """Return something to be found."""
        return f"said by {self.entity_id}"


@pytest.fixture
async def removed(hass: HomeAssistant) -> list[Restored]:
    """Have two entities that were removed, one of them in the registry, and what they showed is stored."""
    component = EntityComponent[Restored](logging.getLogger(__name__), "test", hass)
    entities = [Restored("test.unregistered", None), Restored("test.registered", "registered")]
    await component.async_add_entities(entities)
    await hass.async_block_till_done()
    for each in entities:
        await each.async_remove()
    assert held(hass) == {"test.unregistered", "test.registered"}
    return entities


def held(hass: HomeAssistant) -> set[str]:
    """Return the entities that something is stored of."""
    return {each.state.entity_id for each in stored_states(hass)}


async def test_what_is_stored_is_dropped_by_entity(hass: HomeAssistant, removed: list[Restored]) -> None:
    """Of an entity that was removed nothing stays, whether it is in the registry or not."""
    for each in removed:
        restored_states.async_drop_stored(each)
    assert held(hass) == set()


async def test_what_is_stored_is_dropped_by_what_it_says(
    hass: HomeAssistant, removed: list[Restored]
) -> None:
    """What is looked for is found wherever it is, and nothing else is taken along."""
    assert restored_states.async_drop_where(hass, lambda _, text: "said by test.registered" in text) == 1
    assert held(hass) == {"test.unregistered"}
    assert restored_states.async_drop_where(hass, lambda entity_id, _: entity_id == "test.unregistered") == 1
    assert held(hass) == set()


async def test_an_entity_that_is_called_otherwise_by_now_is_found(
    hass: HomeAssistant, removed: list[Restored]
) -> None:
    """Its state was stored under another name where it was renamed while it was away."""
    er.async_get(hass).async_update_entity("test.registered", new_entity_id="test.renamed")
    dropped = restored_states.async_drop_where(
        hass, lambda entity_id, _: entity_id in {"test.renamed", "test.registered"}
    )
    assert dropped == 1
    assert held(hass) == {"test.unregistered"}


async def test_what_cannot_be_reached_is_said_and_not_called_done(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each way of erasing raises, so that nobody takes it for done."""
    for module in (automation_traces, own_notifications, registry_remains, restored_states, stored_files):
        monkeypatch.setattr(module, "check", lambda _hass: False)
    hass.config.components.add("trace")
    drops: tuple[Callable[[], object], ...] = (
        lambda: own_notifications.async_dismiss_where(hass, lambda *_: True),
        lambda: registry_remains.async_drop_devices(hass, set()),
        lambda: registry_remains.async_drop_entities(hass, lambda *_: True),
        lambda: restored_states.async_drop_where(hass, lambda *_: True),
    )
    for drop in drops:
        with pytest.raises(Unreachable):
            drop()
    for write in (
        automation_traces.async_drop_where(hass, lambda _: True),
        restored_states.async_write(hass),
        stored_files.async_write_entries(hass),
        stored_files.async_write_registries(hass),
    ):
        with pytest.raises(Unreachable):
            await write
    # Who is forgotten is looked up here first: that must not keep anybody from being forgotten in the vault.
    assert registry_remains.async_deleted_entities(hass) == []


async def test_people_are_seen_where_they_cannot_be_reached(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor
) -> None:
    """A person who is added then has every entity, and their visit is told of."""
    vars(async_get(hass))["in_another_place"] = {}
    await enrol(hass, entry, enrolment_photos())
    assert hass.states.get("event.eileen_seen").state == "unknown"
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    assert hass.states.get("event.eileen_seen").attributes["event_type"] == "seen"
