"""What a visit costs: nobody writes a state but who shows something of its camera, its person, or the numbers."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.household.places import vault_folder
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.visits.visit import Decision

from ..common.large_home import fill, person_id_of, subentries
from ..common.made_up_visits import a_visit, come, go_on
from ..conftest import FrontDoor, a_door, an_entry, set_up

PEOPLE, CAMERAS = 50, 10


@pytest.fixture
async def large(hass: HomeAssistant, config_folder: object, real_engine: None, front_door: FrontDoor) -> Hub:
    """Return the hub of a home with 50 people and 10 cameras."""
    doors = [a_door(f"camera.door_{number}", f"Door {number}") for number in range(CAMERAS)]
    entry: MockConfigEntry = an_entry(*doors, *subentries(PEOPLE))
    entry.add_to_hass(hass)
    await hass.async_add_executor_job(
        fill, vault_folder(hass), PEOPLE, ["a camera that is gone"], PEOPLE, dt_util.utcnow()
    )
    hub = await set_up(hass, entry)
    assert (len(hub.people), len(hub.watchers)) == (PEOPLE, CAMERAS)
    return hub


@contextmanager
def written() -> Iterator[Counter[str]]:
    """Yield how often which entity writes its state within."""
    counts: Counter[str] = Counter()
    write = Entity.async_write_ha_state

    def count(entity: Entity) -> None:
        counts[str(entity.unique_id)] += 1
        write(entity)

    with patch.object(Entity, "async_write_ha_state", count):
        yield counts


def owners(hub: Hub, counts: Counter[str]) -> set[str]:
    """Return of what the entities are: a camera's id, a person's, or the whole key of one of the hub."""
    hub_id = f"{hub.entry.entry_id}_"
    return {
        each.removeprefix(hub_id) if each.startswith(hub_id) else each.partition("_")[0] for each in counts
    }


NUMBERS = {"visits_today", "stored_items"}
CALENDAR = "visits"
"""It shows the visit that goes on."""


async def test_a_visit_is_written_by_its_camera_and_its_person_alone(hass: HomeAssistant, large: Hub) -> None:
    camera_id, person_id = list(large.watchers)[3], person_id_of(7)
    with written() as counts:
        await come(hass, large, a_visit(large, person_id, camera_id=camera_id))
    assert owners(large, counts) == {camera_id, person_id, CALENDAR, *NUMBERS}
    # Once when it is announced, once when it is kept, and the event for itself.
    assert max(counts.values()) <= 3
    entities = er.async_entries_for_config_entry(er.async_get(hass), large.entry.entry_id)
    assert sum(counts.values()) < 60 < len(entities) / 5


async def test_a_stranger_is_written_by_the_camera_alone(hass: HomeAssistant, large: Hub) -> None:
    camera_id = list(large.watchers)[3]
    with written() as counts:
        await come(hass, large, a_visit(large, decision=Decision.STRANGER, camera_id=camera_id))
    assert owners(large, counts) == {camera_id, CALENDAR, *NUMBERS}


async def test_a_visit_that_goes_on_is_written_by_its_camera_and_its_person_alone(
    hass: HomeAssistant, large: Hub
) -> None:
    camera_id, person_id = list(large.watchers)[3], person_id_of(7)
    visit = a_visit(large, person_id, camera_id=camera_id)
    await come(hass, large, visit)
    with written() as counts:
        await go_on(hass, large, visit)
    assert owners(large, counts) == {camera_id, person_id, CALENDAR}


async def test_the_whole_house_looks_again_when_all_of_it_is_concerned(
    hass: HomeAssistant, large: Hub
) -> None:
    with written() as counts:
        large.async_changed()
        await hass.async_block_till_done()
    entities = er.async_entries_for_config_entry(er.async_get(hass), large.entry.entry_id)
    enabled = {each.unique_id for each in entities if each.disabled_by is None}
    assert set(counts) == enabled
    assert max(counts.values()) == 1


async def test_who_is_to_look_again_meanwhile_looks_last(hass: HomeAssistant, large: Hub) -> None:
    """A change that comes while the house looks again is seen by those who have looked already."""
    person_id = person_id_of(0)
    with written() as counts, patch("custom_components.familiar_faces.household.breath.LONGEST", 0.0):
        large.async_changed()
        large.async_changed(person_id)
        large.async_changed()
        await hass.async_block_till_done()
    of_one = {key: number for key, number in counts.items() if key.startswith(person_id)}
    assert set(of_one.values()) == {2}
    assert {number for key, number in counts.items() if key not in of_one} <= {1, 2}
