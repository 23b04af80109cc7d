"""Where else a name is mentioned: in what others wrote, or what means something else. The owner decides about it.

Nothing of it is erased because a name is in it. It is listed, by kind and place, and a place is cleared of the name
when the owner chose it with the list before them.
"""

from collections.abc import AsyncIterator, Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
import logging
from pathlib import Path
import re

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import STORAGE_DIR
from homeassistant.util import slugify

from ..const import DOMAIN
from ..internals import automation_traces, log_records, own_notifications
from ..internals.recorder_mentions import async_find_mentions as async_find_recorded
from ..internals.wanted import Wanted
from .home_traces import as_json, entries_of
from .stored import OWN_FILES, looked_through, mentions

_LOGGER = logging.getLogger(__name__)

MOST = 20
"""How many places of a kind are listed at most."""


class Kind(StrEnum):
    """What mentions somebody."""

    FILE = "file"
    """A file of the owner's making or of another integration; it is never touched."""
    LOG = "log"
    """Settings > Logs, which a restart empties."""
    ENTITY = "entity"
    """An entity of others: its state now, and those in the history."""
    EVENT = "event"
    """Events of a type, in the history."""
    NOTIFICATION = "notification"
    TRACE = "trace"
    """Traces of an automation or a script."""


ERASABLE = frozenset({Kind.ENTITY, Kind.EVENT, Kind.NOTIFICATION, Kind.TRACE})


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a name is mentioned."""

    kind: Kind
    where: str
    """The name of a file, or the id of an entity, a notification, an automation, or the type of an event."""

    @property
    def key(self) -> str:
        """Return it as one text, by which the owner chooses it."""
        return f"{self.kind}:{self.where}"


def place_of(key: str) -> Place:
    """Return a place from its text; raise ValueError."""
    kind, _, where = key.partition(":")
    if not where:
        raise ValueError("a place is somewhere")
    return Place(Kind(kind), where)


async def async_find_mentions(hass: HomeAssistant, wanted: Wanted) -> tuple[list[Place], bool]:
    """Return where names are mentioned, at most `MOST` places of a kind, in order; and whether a search failed."""
    if not wanted.forms:
        return [], False
    ours = {each.entity_id for each in entries_of(hass) if each.platform == DOMAIN}
    failed = False
    found: dict[Kind, set[str]] = {kind: set() for kind in Kind}
    for search in (_async_in_files, _async_in_logs, _async_in_states, _async_in_history, _async_in_memory):
        try:
            async for place in search(hass, wanted, ours):
                found[place.kind].add(place.where)
        except Exception as err:  # noqa: BLE001 - of what is not ours, anything may fail in any way
            _LOGGER.warning("Not everything could be looked through: %s", type(err).__name__)
            failed = True
    return [Place(kind, each) for kind, places in found.items() for each in sorted(places)[:MOST]], failed


async def _async_in_files(
    hass: HomeAssistant, wanted: Wanted, _ours: Collection[str]
) -> AsyncIterator[Place]:
    for each in await hass.async_add_executor_job(_files, Path(hass.config.config_dir), wanted):
        yield Place(Kind.FILE, each)


async def _async_in_logs(hass: HomeAssistant, wanted: Wanted, _ours: Collection[str]) -> AsyncIterator[Place]:
    if log_records.async_mentioned(hass, wanted):
        yield Place(Kind.LOG, "system_log")


async def _async_in_states(
    hass: HomeAssistant, wanted: Wanted, ours: Collection[str]
) -> AsyncIterator[Place]:
    for state in hass.states.async_all():
        named = wanted.named_in(state.state) or wanted.said_in(dict(state.attributes))
        if named and state.entity_id not in ours:
            yield Place(Kind.ENTITY, state.entity_id)


async def _async_in_history(
    hass: HomeAssistant, wanted: Wanted, ours: Collection[str]
) -> AsyncIterator[Place]:
    entity_ids, event_types = await async_find_recorded(hass, wanted, ours, MOST)
    for each in entity_ids:
        yield Place(Kind.ENTITY, each)
    for each in event_types:
        yield Place(Kind.EVENT, each)


async def _async_in_memory(
    hass: HomeAssistant, wanted: Wanted, _ours: Collection[str]
) -> AsyncIterator[Place]:
    for each in own_notifications.async_find_where(hass, lambda _id, text, _said: wanted.named_in(text)):
        yield Place(Kind.NOTIFICATION, each)
    traces = automation_traces.async_find_where(hass, lambda trace: wanted.named_in(as_json(trace.as_dict())))
    for trace in traces:
        yield Place(Kind.TRACE, trace.key)


def without_names(places: Iterable[Place], wanted: Wanted) -> list[Place]:
    """Return places as they may be written down when the people are forgotten: with no name in them."""
    texts = {form for name in wanted.names for form in (name, slugify(name, separator="_"))} - {"", "unknown"}
    longest_first = sorted(texts, key=len, reverse=True)
    # What is very short is a part of many words, and tells nothing there.
    pattern = "|".join(
        re.escape(each) if len(each) > 2 else rf"(?<![^\W_]){re.escape(each)}(?![^\W_])"
        for each in longest_first
    )
    if not pattern:
        return list(places)
    return [Place(each.kind, re.sub(pattern, "…", each.where, flags=re.IGNORECASE)) for each in places]


def _files(config: Path, wanted: Wanted) -> list[str]:
    """Return the files that mention people, other than those from which what is of them is erased. Blocks."""
    found: list[str] = []
    storage = config / STORAGE_DIR
    for path in looked_through(config):
        if path.parent == storage and path.name in OWN_FILES:
            continue
        try:
            if mentions(path, wanted.mentioned_in):
                found.append(str(path.relative_to(config)))
        except OSError as err:
            _LOGGER.debug("%s could not be looked through: %s", path.name, err)
        if len(found) >= MOST:
            break
    return found
