"""The owners of data in Home Assistant: entities of people, what named them, and traces of their visits."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
import json
import logging
import re
from typing import TYPE_CHECKING

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.json import ExtendedJSONEncoder
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..household.household import Household
from ..internals import automation_traces, registry_remains
from ..internals.wanted import Naming, Wanted
from ..vault.errors import VaultError
from ..visits.visit import Decision

if TYPE_CHECKING:
    from homeassistant.components.trace.models import BaseTrace

_LOGGER = logging.getLogger(__name__)

_VISIT_IDS = re.compile(r'"visit_id": ?"([^"]+)"')


@callback
def async_entity_ids(hass: HomeAssistant, person_ids: Iterable[str]) -> frozenset[str]:
    """Return the ids of people's entities, those included that were removed not long ago."""
    ids = frozenset(person_ids)
    return frozenset(each.entity_id for each in entries_of(hass) if is_of(each.platform, each.unique_id, ids))


@callback
def async_entity_ids_of_each(hass: HomeAssistant, person_ids: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return the ids of each one's entities by the ids of people, as `async_entity_ids` does for all together."""
    ids = frozenset(person_ids)
    found: dict[str, set[str]] = {person_id: set() for person_id in ids}
    for each in entries_of(hass):
        for person_id in _whose(each.platform, each.unique_id, ids):
            found[person_id].add(each.entity_id)
    return {person_id: frozenset(entity_ids) for person_id, entity_ids in found.items()}


@callback
def async_naming(
    hass: HomeAssistant, entry: ConfigEntry, names: Iterable[str], visits: frozenset[str] | None = frozenset()
) -> Naming:
    """Return what mentions visitors, and what of it may stay: other people's names, and `visits` that are kept."""
    # Also those of cameras and alerts that were removed: what they showed is still on record.
    sensors = [each for each in entries_of(hass) if each.platform == DOMAIN and each.domain == "sensor"]
    naming = {each.entity_id for each in sensors if each.unique_id.endswith("_last_visitor")}
    told = {each.entity_id for each in sensors if each.unique_id.endswith("_last_told")}
    allowed = {*names, *map(str, Decision), STATE_UNKNOWN, STATE_UNAVAILABLE, ""}
    return Naming(frozenset(naming), frozenset(allowed), visits, frozenset(told), str(Decision.FAMILIAR))


async def async_kept_visits(household: Household) -> frozenset[str] | None:
    """Return the ids of the visits that may have left something, None when they cannot be read."""
    try:
        kept = await household.hass.async_add_executor_job(household.vault.visit_ids)
    except VaultError as err:
        _LOGGER.debug("The visits could not be read: %s", err)
        return None
    # Also of those that are told of and will be written in a moment.
    return kept | {visit.visit_id for visit in household.open_visits.visits}


@callback
def entries_of(hass: HomeAssistant) -> list[er.RegistryEntry | er.DeletedRegistryEntry]:
    """Return the entities of this home, those included that were removed not long ago."""
    return [*er.async_get(hass).entities.values(), *registry_remains.async_deleted_entities(hass)]


def is_of(platform: str, unique_id: str, person_ids: frozenset[str]) -> bool:
    """Return whether an entity is of one of these people."""
    return any(True for _ in _whose(platform, unique_id, person_ids))


def _whose(platform: str, unique_id: str, person_ids: frozenset[str]) -> Iterator[str]:
    """Yield whose of these people an entity is, by one look for each part that an id may end with."""
    if platform != DOMAIN:
        return
    end = unique_id.find("_")
    while end > 0:
        if (person_id := unique_id[:end]) in person_ids:
            yield person_id
        end = unique_id.find("_", end + 1)


async def async_purge_traces(
    hass: HomeAssistant,
    known: Wanted,
    gone_at: Callable[[datetime], Wanted | None],
    visits: frozenset[str] | None,
) -> int:
    """Drop the traces of automations and scripts about visits that are no longer kept.

    `known`: everybody. `gone_at`: returns the person with nothing kept that began at a moment, None for nobody.
    `visits`: the ids of those that are kept, None when that is not known. What an automation is made of may
    mention people as well: looked through is what happened.
    """

    def is_gone(trace: BaseTrace) -> bool:
        run = trace.as_extended_dict()
        text = as_json(run.get("trace"))
        began = run.get("timestamp", {}).get("start")
        at = began if isinstance(began, datetime) else dt_util.parse_datetime(str(began))
        gone = None if at is None else gone_at(at)
        if gone is not None and gone.identified_in(text):
            return True
        # A run may have begun because a name was taken away that was shown until then.
        told = set(_VISIT_IDS.findall(text))
        return bool(told) and visits is not None and told.isdisjoint(visits) and known.identified_in(text)

    return await automation_traces.async_drop_where(hass, is_gone)


def as_json(value: object) -> str:
    """Return something of Home Assistant's as JSON, to be looked through."""
    return json.dumps(value, cls=ExtendedJSONEncoder, ensure_ascii=False)
