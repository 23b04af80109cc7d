"""The states that Home Assistant writes down to show them again after a restart."""

from collections.abc import Callable
import json

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.json import ExtendedJSONEncoder
from homeassistant.helpers.restore_state import RestoreEntity, StoredState, async_get
from homeassistant.helpers.storage import Store

from .stored_files import async_sync


def check(hass: HomeAssistant) -> bool:
    """Return whether this Home Assistant still keeps these states as is expected here."""
    stored = async_get(hass)
    return (
        isinstance(getattr(stored, "last_states", None), dict)
        and isinstance(getattr(stored, "entities", None), dict)
        and isinstance(getattr(stored, "store", None), Store)
        and callable(getattr(stored, "async_restore_entity_added", None))
        and callable(getattr(stored, "async_dump_states", None))
    )


@callback
def async_note(entity: Entity) -> None:
    """Have the state of an entity be written down, if it is one that is restored."""
    if isinstance(entity, RestoreEntity):
        async_get(entity.hass).async_restore_entity_added(entity)


@callback
def async_drop(entity: Entity) -> None:
    """Have neither the state of an entity be written down, nor what is stored of it be kept."""
    stored = async_get(entity.hass)
    stored.entities.pop(entity.entity_id, None)
    stored.last_states.pop(entity.entity_id, None)


@callback
def async_drop_stored(entity: Entity) -> None:
    """Keep nothing that is stored of an entity."""
    async_get(entity.hass).last_states.pop(entity.entity_id, None)


@callback
def async_drop_where(hass: HomeAssistant, is_gone: Callable[[str, str], bool]) -> int:
    """Drop what is stored of entities, by their id and by all that is stored as JSON; return of how many."""
    stored = async_get(hass).last_states
    gone = [entity_id for entity_id, state in stored.items() if is_gone(entity_id, _text(state))]
    for entity_id in gone:
        del stored[entity_id]
    return len(gone)


async def async_write(hass: HomeAssistant) -> None:
    """Write the states now, which happens every quarter of an hour otherwise."""
    stored = async_get(hass)
    await stored.async_dump_states()
    await async_sync(stored.store)


def _text(stored: StoredState) -> str:
    extra = None if stored.extra_data is None else stored.extra_data.as_dict()
    return json.dumps([stored.state.as_dict(), extra], cls=ExtendedJSONEncoder, ensure_ascii=False)
