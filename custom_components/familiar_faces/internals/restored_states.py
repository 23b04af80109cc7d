"""The states that Home Assistant writes down to show them again after a restart."""

from collections.abc import Callable, Iterator
import json

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.json import ExtendedJSONEncoder
from homeassistant.helpers.restore_state import RestoreEntity, StoredState, async_get
from homeassistant.helpers.storage import Store

from .stored_files import async_sync
from .unreachable import reach

_LIVE = "entities"
_BY_ENTITY_ID = frozenset({"last_states"})
"""Where they are up to 2026.10: all by the ids of their entities."""
_BY_REGISTRY_ID = frozenset({"last_states_by_entity_id", "last_states_by_entity_registry_id"})
"""And since 2026.11: those of entities that are in the registry by the ids of their entries there."""
_ADDED_AS = "_RestoreEntity__added_entity_registry_id"
"""Where an entity notes by which of these its state will be stored, also when it is no longer in the registry."""


def check(hass: HomeAssistant) -> bool:
    """Return whether this Home Assistant still keeps these states as is expected here, and nowhere else."""
    stored = async_get(hass)
    held_in = {name for name, value in vars(stored).items() if isinstance(value, dict)}
    known = held_in == {_LIVE, *_BY_ENTITY_ID} or (
        held_in == {_LIVE, *_BY_REGISTRY_ID} and hasattr(RestoreEntity, _ADDED_AS)
    )
    return (
        known
        and isinstance(getattr(stored, "store", None), Store)
        and callable(getattr(stored, "async_restore_entity_added", None))
        and callable(getattr(stored, "async_dump_states", None))
    )


@callback
def async_note(entity: Entity) -> None:
    """Have the state of an entity be written down, if it is one that is restored."""
    if isinstance(entity, RestoreEntity) and check(entity.hass):
        async_get(entity.hass).async_restore_entity_added(entity)


@callback
def async_drop(entity: Entity) -> None:
    """Have neither the state of an entity be written down, nor what is stored of it be kept.

    An entity works anyway where they cannot be reached: the owner is told of that elsewhere.
    """
    if check(entity.hass):
        async_get(entity.hass).entities.pop(entity.entity_id, None)
        async_drop_stored(entity)


@callback
def async_drop_stored(entity: Entity) -> None:
    """Keep nothing that is stored of an entity, where it can be reached."""
    if not check(entity.hass):
        return
    entry = entity.registry_entry
    ids = {entity.entity_id, getattr(entity, _ADDED_AS, None), None if entry is None else entry.id}
    for book in _books(entity.hass):
        for each in ids - {None}:
            book.pop(str(each), None)


@callback
def async_drop_where(hass: HomeAssistant, is_gone: Callable[[str, str], bool]) -> int:
    """Drop what is stored of entities, by their id and by all that is stored as JSON; return of how many.

    An entity that was called otherwise is asked about by each of its ids. Raises Unreachable.
    """
    reach(hass, __name__, check)
    count = 0
    for book in _books(hass):
        gone = [
            key
            for key, state in book.items()
            if any(is_gone(entity_id, _text(state)) for entity_id in _entity_ids(hass, key, state))
        ]
        for key in gone:
            del book[key]
        count += len(gone)
    return count


async def async_write(hass: HomeAssistant) -> None:
    """Write the states now, which happens every quarter of an hour otherwise. Raises Unreachable."""
    reach(hass, __name__, check)
    stored = async_get(hass)
    await stored.async_dump_states()
    await async_sync(stored.store)


def _books(hass: HomeAssistant) -> list[dict[str, StoredState]]:
    held_in = vars(async_get(hass))
    return [held_in[name] for name in (*_BY_ENTITY_ID, *_BY_REGISTRY_ID) if name in held_in]


def _entity_ids(hass: HomeAssistant, key: str, stored: StoredState) -> Iterator[str]:
    yield stored.state.entity_id
    registry = er.async_get(hass)
    entry = registry.entities.get_entry(key)
    if entry is not None and entry.entity_id != stored.state.entity_id:
        yield entry.entity_id


def _text(stored: StoredState) -> str:
    extra = None if stored.extra_data is None else stored.extra_data.as_dict()
    return json.dumps([stored.state.as_dict(), extra], cls=ExtendedJSONEncoder, ensure_ascii=False)
