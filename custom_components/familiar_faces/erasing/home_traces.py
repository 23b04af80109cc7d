"""What Home Assistant itself keeps of a person: history, registries, stored states and traces. Found and erased."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
import json
import logging
from pathlib import Path
import re
from typing import TYPE_CHECKING

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.json import ExtendedJSONEncoder
from homeassistant.helpers.storage import STORAGE_DIR
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..household.household import Household
from ..internals import automation_traces, own_notifications, registry_remains, restored_states
from ..internals.recorder_rows import RecorderReach, async_erase_recorded
from ..internals.stored_files import async_write_entries, async_write_registries
from ..internals.wanted import Naming, Wanted
from ..vault.errors import VaultError
from ..vault.records import Detail
from ..visits.visit import Decision

if TYPE_CHECKING:
    from homeassistant.components.trace.models import BaseTrace

_LOGGER = logging.getLogger(__name__)

_STATES_GONE = 10.0
"""Seconds in which the entities of a removed subentry take their states away."""
_LOOKS = 3
_BETWEEN_LOOKS = 1.0
_VISIT_IDS = re.compile(r'"visit_id": ?"([^"]+)"')
_OWN_FILES = frozenset(
    {
        "core.config_entries",
        "core.device_registry",
        "core.entity_registry",
        "core.restore_state",
        "repairs.issue_registry",
        "trace.saved_traces",
    }
)
"""Files of Home Assistant from which whatever tells of a person is erased."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeTraces:
    """What was erased in Home Assistant of people, and what was not. It names nobody."""

    states: int
    events: int
    statistics: int
    entities: int
    """Entries of entities and devices, those among the deleted ones included."""
    restored: int
    traces: int
    notifications: int
    recorder: RecorderReach
    files_left: int
    """Files of Home Assistant's own that still held an id when they were looked through again."""
    mentioned_elsewhere: int
    """Files of the owner's making that still mention them: dashboards, automations, logs, other integrations."""

    @property
    def done(self) -> bool:
        """Return whether all that can be erased is."""
        return self.recorder is not RecorderReach.LATER and not self.files_left

    @property
    def reached(self) -> Mapping[str, Detail]:
        """Return it for a receipt."""
        return {
            "states": self.states,
            "events": self.events,
            "statistics": self.statistics,
            "entities": self.entities,
            "restored_states": self.restored,
            "traces": self.traces,
            "notifications": self.notifications,
            "recorder": str(self.recorder),
            "mentioned_elsewhere": self.mentioned_elsewhere,
        }


@callback
def async_entity_ids(hass: HomeAssistant, person_ids: Iterable[str]) -> frozenset[str]:
    """Return the ids of people's entities, those included that were removed not long ago."""
    ids = frozenset(person_ids)
    return frozenset(each.entity_id for each in _entries(hass) if _is_of(each.platform, each.unique_id, ids))


@callback
def async_entity_ids_of_each(hass: HomeAssistant, person_ids: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return the ids of each one's entities by the ids of people, as `async_entity_ids` does for all together."""
    ids = frozenset(person_ids)
    found: dict[str, set[str]] = {person_id: set() for person_id in ids}
    for each in _entries(hass):
        for person_id in _whose(each.platform, each.unique_id, ids):
            found[person_id].add(each.entity_id)
    return {person_id: frozenset(entity_ids) for person_id, entity_ids in found.items()}


@callback
def async_naming(
    hass: HomeAssistant, entry: ConfigEntry, names: Iterable[str], visits: frozenset[str] | None = frozenset()
) -> Naming:
    """Return what tells of visitors, and what of it may stay: other people's names, and `visits` that are kept."""
    # Also those of cameras and alerts that were removed: what they showed is still on record.
    sensors = [each for each in _entries(hass) if each.platform == DOMAIN and each.domain == "sensor"]
    naming = {each.entity_id for each in sensors if each.unique_id.endswith("_last_visitor")}
    told = {each.entity_id for each in sensors if each.unique_id.endswith("_last_told")}
    allowed = {*names, *map(str, Decision), STATE_UNKNOWN, STATE_UNAVAILABLE, ""}
    return Naming(frozenset(naming), frozenset(allowed), visits, frozenset(told), str(Decision.FAMILIAR))


async def async_kept_visits(household: Household) -> frozenset[str] | None:
    """Return the ids of the visits of which something may be left, None when they cannot be read."""
    try:
        kept = await household.hass.async_add_executor_job(household.vault.visit_ids)
    except VaultError as err:
        _LOGGER.debug("The visits could not be read: %s", err)
        return None
    # Also of those that are told of and will be written in a moment.
    return kept | {visit.visit_id for visit in household.open_visits.visits}


async def async_erase(hass: HomeAssistant, wanted: Wanted, naming: Naming) -> HomeTraces:
    """Erase what Home Assistant keeps of people whose subentries are removed, write its files, and look again.

    What could not be done yet (`HomeTraces.done`) may be asked for again.
    """
    registry = er.async_get(hass)
    # An entity id that somebody else has taken over tells nothing of these people any more.
    taken = {
        entity_id
        for entity_id in wanted.entity_ids
        if (entry := registry.async_get(entity_id)) is not None
        and not _is_of(entry.platform, entry.unique_id, wanted.person_ids)
    }
    wanted = Wanted(wanted.person_ids, wanted.names, wanted.entity_ids - taken)
    entities = _async_erase_registries(hass, wanted.person_ids)
    await _async_states_gone(hass, wanted.entity_ids)
    restored = _async_erase_restored(hass, wanted, naming)
    traces = await _async_erase_traces(hass, wanted)
    notifications = own_notifications.async_dismiss_where(hass, wanted.mentioned_in)
    recorded = await async_erase_recorded(hass, wanted, naming)
    # Last: whoever is killed before finds everything as it was, and begins anew.
    for _ in range(_LOOKS):
        await async_write_files(hass)
        left, elsewhere = await hass.async_add_executor_job(_search, Path(hass.config.config_dir), wanted)
        if not left:
            break
        # Something else was written in this very moment.
        await asyncio.sleep(_BETWEEN_LOOKS)
    return HomeTraces(
        states=recorded.states,
        events=recorded.events,
        statistics=recorded.statistics,
        entities=entities,
        restored=restored,
        traces=traces,
        notifications=notifications,
        recorder=recorded.reach,
        files_left=left,
        mentioned_elsewhere=elsewhere + recorded.mentioned,
    )


async def async_write_files(hass: HomeAssistant) -> None:
    """Write now what Home Assistant would write up to three minutes later: until then its files hold what is gone."""
    await restored_states.async_write(hass)
    await async_write_entries(hass)
    await async_write_registries(hass)


def _entries(hass: HomeAssistant) -> list[er.RegistryEntry | er.DeletedRegistryEntry]:
    return [*er.async_get(hass).entities.values(), *registry_remains.async_deleted_entities(hass)]


def _is_of(platform: str, unique_id: str, person_ids: frozenset[str]) -> bool:
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


@callback
def _async_erase_registries(hass: HomeAssistant, person_ids: frozenset[str]) -> int:
    """Remove entities and devices, and what is kept of removed ones to bring them back as they were."""
    entities = er.async_get(hass)
    for entry in list(entities.entities.values()):
        if _is_of(entry.platform, entry.unique_id, person_ids):
            entities.async_remove(entry.entity_id)
    gone = registry_remains.async_drop_entities(
        hass, lambda platform, unique_id: _is_of(platform, unique_id, person_ids)
    )
    devices = dr.async_get(hass)
    identifiers = {(DOMAIN, person_id) for person_id in person_ids}
    for device in list(devices.devices):
        if device.identifiers & identifiers:
            devices.async_remove_device(device.id)
    return gone + registry_remains.async_drop_devices(hass, identifiers)


async def _async_states_gone(hass: HomeAssistant, entity_ids: frozenset[str]) -> None:
    """Wait until entities have taken their states away: the recorder notes that too."""
    try:
        async with asyncio.timeout(_STATES_GONE):
            while any(hass.states.get(entity_id) is not None for entity_id in entity_ids):
                await asyncio.sleep(0.01)
    except TimeoutError:
        for entity_id in entity_ids:
            hass.states.async_remove(entity_id)


@callback
def _async_erase_restored(hass: HomeAssistant, wanted: Wanted, naming: Naming) -> int:
    """Drop what Home Assistant would restore: of their own entities, and of cameras that named them."""
    # Also those of a camera that was removed: it is stored for a week what they showed.
    ours = {each.entity_id for each in _entries(hass) if each.platform == DOMAIN}
    ours |= naming.entity_ids
    return restored_states.async_drop_where(
        hass,
        lambda entity_id, text: (
            entity_id in wanted.entity_ids | naming.told or (entity_id in ours and wanted.mentioned_in(text))
        ),
    )


async def _async_erase_traces(hass: HomeAssistant, wanted: Wanted) -> int:
    """Drop the traces of automations and scripts that mention them, in memory and in the file."""
    return await automation_traces.async_drop_where(
        hass, lambda trace: wanted.mentioned_in(_json(trace.as_dict()))
    )


async def async_purge_traces(
    hass: HomeAssistant,
    known: Wanted,
    gone_at: Callable[[datetime], Wanted | None],
    visits: frozenset[str] | None,
) -> int:
    """Drop the traces of automations and scripts that tell of visits which are not kept any more.

    `known`: everybody. `gone_at`: returns of whom nothing that began at a moment is kept, None for nobody.
    `visits`: the ids of those that are kept, None when that is not known. What an automation is made of may
    mention people as well: looked through is what happened.
    """

    def is_gone(trace: BaseTrace) -> bool:
        run = trace.as_extended_dict()
        text = _json(run.get("trace"))
        began = run.get("timestamp", {}).get("start")
        at = began if isinstance(began, datetime) else dt_util.parse_datetime(str(began))
        gone = None if at is None else gone_at(at)
        if gone is not None and gone.mentioned_in(text):
            return True
        # A run may have begun because a name was taken away that was shown until then.
        told = set(_VISIT_IDS.findall(text))
        return bool(told) and visits is not None and told.isdisjoint(visits) and known.mentioned_in(text)

    return await automation_traces.async_drop_where(hass, is_gone)


def _json(value: object) -> str:
    return json.dumps(value, cls=ExtendedJSONEncoder, ensure_ascii=False)


def _search(config: Path, wanted: Wanted) -> tuple[int, int]:
    """Return how many of Home Assistant's own files hold an id of theirs, and how many others mention them.

    Looked through are its storage, its settings and its logs; not backups, media, and the vault.
    """
    ids = Wanted(wanted.person_ids)
    left = elsewhere = 0
    storage = config / STORAGE_DIR
    for path in (*storage.glob("*"), *config.glob("*.yaml"), *config.glob("*.log*")):
        own = path.parent == storage and path.name in _OWN_FILES
        try:
            if own and _mentions(path, ids):
                left += 1
            elif _mentions(path, wanted):
                elsewhere += 1
        except OSError as err:
            _LOGGER.debug("%s could not be looked through: %s", path.name, err)
    return left, elsewhere


def _mentions(path: Path, wanted: Wanted) -> bool:
    """Return whether a file mentions people.

    Line by line: a log may be larger than the memory, and while one long text is searched nothing else runs.
    """
    if not path.is_file():
        return False
    with path.open(errors="replace") as file:
        return any(map(wanted.mentioned_in, file))
