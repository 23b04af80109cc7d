"""What Home Assistant keeps of people, store by store: each is erased on its own, and looked at again.

One that fails, or whose internals are not as expected, keeps no other from being erased. It is named, and all of it
is done again later.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from ..const import DOMAIN
from ..internals import automation_traces, own_notifications, registry_remains, restored_states
from ..internals.missing import async_missing
from ..internals.recorder_caused import Caused
from ..internals.recorder_file import RecorderReach
from ..internals.recorder_rows import async_erase_recorded, async_find_recorded
from ..internals.wanted import Naming, Wanted, context_bytes
from ..vault.records import Detail
from .home_traces import as_json, async_entity_ids, entries_of, is_of
from .mentions import Kind, Place, async_find_mentions, without_names
from .stored import async_write_files, files_left
from .written import async_blank, async_following

if TYPE_CHECKING:
    from homeassistant.components.trace.models import BaseTrace

_LOGGER = logging.getLogger(__name__)

_STATES_GONE = 10.0
"""Seconds in which the entities of a removed subentry take their states away."""
_RECORDER_PATIENCE = 600.0
"""Seconds that the other stores wait for a recorder: searching a database of some gigabytes takes minutes."""
_LOOKS = 3
_BETWEEN_LOOKS = 1.0


class Store(StrEnum):
    """Where Home Assistant keeps something of people."""

    REGISTRIES = "registries"
    STATES = "states"
    RESTORED = "restored_states"
    TRACES = "traces"
    NOTIFICATIONS = "notifications"
    RECORDER = "recorder"
    FILES = "files"
    MENTIONS = "mentions"
    """Where else they are mentioned, which is only listed."""


NEEDED: Mapping[Store, frozenset[str]] = {
    Store.REGISTRIES: frozenset({"registry_remains"}),
    Store.STATES: frozenset({"event_entities", "image_answers"}),
    Store.RESTORED: frozenset({"restored_states"}),
    Store.TRACES: frozenset({"automation_traces"}),
    Store.NOTIFICATIONS: frozenset({"own_notifications"}),
    Store.RECORDER: frozenset({"recorder_caused", "recorder_file", "recorder_rows", "recorder_thread"}),
    Store.FILES: frozenset({"restored_states", "stored_files", "uploads"}),
    Store.MENTIONS: frozenset({"log_records", "recorder_mentions"}),
}
"""The internals that a store is reached by. Without one of them what is in it is not called erased."""


@dataclass(slots=True, kw_only=True)
class HomeTraces:
    """What was erased in Home Assistant of people, and what was not. It names nobody."""

    counts: dict[str, int] = field(default_factory=dict)
    recorder: RecorderReach = RecorderReach.LATER
    left: set[Store] = field(default_factory=set)
    """Stores that could not be erased, or not be looked at again."""
    mentioned: list[Place] = field(default_factory=list)
    """Where they are mentioned elsewhere, without their names."""

    @property
    def done(self) -> bool:
        """Return whether all that can be erased is, and was looked at again."""
        return not self.left

    @property
    def reached(self) -> Mapping[str, Detail]:
        """Return it for a receipt."""
        reached: dict[str, Detail] = {
            **self.counts,
            "recorder": str(self.recorder),
            "mentioned_elsewhere": len(self.mentioned),
        }
        for kind in Kind:
            if places := [each.where for each in self.mentioned if each.kind is kind]:
                reached[f"mentioned_{kind}"] = ", ".join(places)
        if self.left:
            reached["not_yet"] = ", ".join(sorted(self.left))
        return reached


class _Erasing:
    """Erases once. What one step finds the next ones use."""

    def __init__(self, hass: HomeAssistant, wanted: Wanted, naming: Naming) -> None:
        self.hass = hass
        self.wanted = wanted
        self.naming = naming
        self.caused = Caused()
        self.contexts: set[bytes] = set()
        self.written: set[str] = set()
        """Entities of others that had a name written into them."""
        self.traces = HomeTraces()

    async def async_attempt[T](self, store: Store, work: Callable[[], Awaitable[T]]) -> T | None:
        """Do one part; whatever is wrong with it, the others go on, and it is done again."""
        try:
            return await work()
        except Exception as err:
            # Only what kind of error: its text may hold a name.
            _LOGGER.warning("%s could not be erased yet, it is tried again: %s", store, type(err).__name__)
            _LOGGER.debug("What went wrong", exc_info=err)
            self.traces.left.add(store)
            return None

    def count(self, **counts: int) -> None:
        """Count what was erased."""
        for what, count in counts.items():
            self.traces.counts[what] = self.traces.counts.get(what, 0) + count

    async def async_registries(self) -> None:
        """Remove their entities and devices."""
        self.count(entities=_async_erase_registries(self.hass, self.wanted.person_ids))
        await _async_states_gone(self.hass, self.wanted.entity_ids)

    async def async_find(self) -> None:
        """Find what followed from their visits, while there still is what it followed from."""
        async with asyncio.timeout(_RECORDER_PATIENCE):
            self.caused = await async_find_recorded(self.hass, self.wanted, self.naming)

    async def async_states(self) -> None:
        """Blank what others' states say of them."""
        self.contexts = async_following(self.hass, self.wanted, self.caused)
        self.written |= await async_blank(self.hass, self.wanted, self.caused, self.contexts)

    async def async_restored(self) -> None:
        """Drop what would be restored: of their own entities, of what named them, and of what was written of them."""
        # Also those of a camera that was removed: it is stored for a week what they showed.
        ours = {each.entity_id for each in entries_of(self.hass) if each.platform == DOMAIN}
        wanted, naming = self.wanted, self.naming
        written = self.written | self.caused.entity_ids

        def is_gone(entity_id: str, text: str) -> bool:
            return (
                entity_id in wanted.entity_ids | naming.told
                or (entity_id in ours | naming.entity_ids and wanted.identified_in(text))
                or (entity_id in naming.entity_ids and _state_in(text) in wanted.names)
                or (entity_id in written and wanted.named_in(text))
            )

        self.count(restored_states=restored_states.async_drop_where(self.hass, is_gone))

    async def async_traces(self) -> None:
        """Drop the traces of automations and scripts that their visits started, or that hold an id of theirs."""
        wanted = self.wanted

        def is_gone(trace: BaseTrace) -> bool:
            text = as_json(trace.as_dict())
            return (
                context_bytes(trace.context.id) in self.contexts
                or context_bytes(trace.context.parent_id) in self.contexts
                or wanted.identified_in(text)
                or (trace.key in wanted.also_traces and wanted.named_in(text))
            )

        self.count(traces=await automation_traces.async_drop_where(self.hass, is_gone))

    async def async_notifications(self) -> None:
        """Dismiss our notifications that name them, and what automations said because of their visits."""
        wanted, said = self.wanted, self.caused.said

        def is_gone(notification_id: str, text: str, says: set[str]) -> bool:
            ours = notification_id.startswith(f"{DOMAIN}_") or notification_id in wanted.also_notifications
            return wanted.identified_in(text) or (wanted.named_in(text) and (ours or bool(says & said)))

        self.count(notifications=own_notifications.async_dismiss_where(self.hass, is_gone))

    async def async_recorder(self) -> None:
        """Erase the rows of the recorder."""
        async with asyncio.timeout(_RECORDER_PATIENCE):
            erased = await async_erase_recorded(self.hass, self.wanted, self.naming)
        self.count(states=erased.states, events=erased.events, statistics=erased.statistics)
        self.traces.recorder = erased.reach
        if erased.reach is RecorderReach.LATER:
            self.traces.left.add(Store.RECORDER)

    async def async_files(self) -> None:
        """Write the files and look through them. Anyone who is killed before finds everything as it was, and begins again."""
        config = Path(self.hass.config.config_dir)
        for _ in range(_LOOKS):
            await async_write_files(self.hass)
            if not await self.hass.async_add_executor_job(files_left, config, self.wanted):
                return
            # Something else was written in this very moment.
            await asyncio.sleep(_BETWEEN_LOOKS)
        self.traces.left.add(Store.FILES)

    async def async_look_again(self) -> None:
        """Look whether anything is left in memory of what was erased."""
        devices = dr.async_get(self.hass).devices
        identifiers = {(DOMAIN, person_id) for person_id in self.wanted.person_ids}
        if async_entity_ids(self.hass, self.wanted.person_ids) or any(
            device.identifiers & identifiers for device in devices
        ):
            self.traces.left.add(Store.REGISTRIES)
        if any(self.hass.states.get(entity_id) is not None for entity_id in self.wanted.entity_ids):
            self.traces.left.add(Store.STATES)

    async def async_mentions(self) -> None:
        """List where else they are mentioned."""
        found, failed = await async_find_mentions(self.hass, self.wanted)
        self.traces.mentioned = without_names(found, self.wanted)
        if failed:
            self.traces.left.add(Store.MENTIONS)


async def async_erase(hass: HomeAssistant, wanted: Wanted, naming: Naming) -> HomeTraces:
    """Erase what Home Assistant keeps of people whose subentries are removed, write its files, and look again.

    What could not be done yet (`HomeTraces.done`) may be asked for again.
    """
    registry = er.async_get(hass)
    # An entity id that somebody else has taken over no longer says anything about these people.
    taken = {
        entity_id
        for entity_id in wanted.entity_ids
        if (entry := registry.async_get(entity_id)) is not None
        and not is_of(entry.platform, entry.unique_id, wanted.person_ids)
    }
    erasing = _Erasing(hass, replace(wanted, entity_ids=wanted.entity_ids - taken), naming)
    for store, work in (
        (Store.REGISTRIES, erasing.async_registries),
        # Before anything is gone that tells what followed from what.
        (Store.RECORDER, erasing.async_find),
        (Store.STATES, erasing.async_states),
        (Store.RESTORED, erasing.async_restored),
        (Store.TRACES, erasing.async_traces),
        (Store.NOTIFICATIONS, erasing.async_notifications),
        (Store.RECORDER, erasing.async_recorder),
        # After the states, which are written down.
        (Store.FILES, erasing.async_files),
        (Store.REGISTRIES, erasing.async_look_again),
        (Store.MENTIONS, erasing.async_mentions),
    ):
        # Some end without having waited for anything: the event loop gets a turn between two.
        await asyncio.sleep(0)
        await erasing.async_attempt(store, work)
    missing = set(async_missing(hass))
    erasing.traces.left |= {store for store, needed in NEEDED.items() if needed & missing}
    return erasing.traces


def _state_in(text: str) -> Any:
    """Return the state in what is stored of an entity."""
    stored = json.loads(text)
    return stored[0].get("state") if isinstance(stored, list) and stored else None


@callback
def _async_erase_registries(hass: HomeAssistant, person_ids: frozenset[str]) -> int:
    """Remove entities and devices, and what is kept of removed ones to bring them back as they were."""
    entities = er.async_get(hass)
    for entry in list(entities.entities.values()):
        if is_of(entry.platform, entry.unique_id, person_ids):
            entities.async_remove(entry.entity_id)
    devices = dr.async_get(hass)
    identifiers = {(DOMAIN, person_id) for person_id in person_ids}
    for device in list(devices.devices):
        if device.identifiers & identifiers:
            devices.async_remove_device(device.id)
    gone = registry_remains.async_drop_entities(
        hass, lambda platform, unique_id: is_of(platform, unique_id, person_ids)
    )
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
