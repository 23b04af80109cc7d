"""What is of people, and is looked for wherever Home Assistant keeps it: by where it came from, never by a name alone.

A name is a word like others: somebody may be called "Home", "on" or "%". So what is erased is found by ids that are
random (of people, of their entities, of the contexts in which their visits were told), and by what followed from
those contexts. A name only says which part of that is about them.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
import json
import re
import time

from homeassistant.util.ulid import ulid_to_bytes_or_none

_ULID = re.compile(r"(?<![0-9A-Za-z])[0-7][0-9A-HJKMNP-TV-Z]{25}(?![0-9A-Za-z])")
_LABELS = frozenset({"domain", "entity_id", "service"})
"""Keys of events whose values say what was called, and not what was said."""


def _of_nobody(_ids: Collection[bytes]) -> set[bytes]:
    return set()


@dataclass(frozen=True)
class Wanted:
    """What identifies data about the people to erase."""

    person_ids: frozenset[str]
    names: frozenset[str] = frozenset()
    """How they are called, and were."""
    entity_ids: frozenset[str] = frozenset()
    """Entities of these people alone."""
    marked: Callable[[Collection[bytes]], set[bytes]] = _of_nobody
    """Returns which of these ids of contexts are those in which visits of these people were told."""

    also_entities: frozenset[str] = frozenset()
    """Entities of others from whose states and attributes the owner has the names erased as well."""
    also_events: frozenset[str] = frozenset()
    """Types of events, likewise."""
    also_notifications: frozenset[str] = frozenset()
    """Ids of notifications, likewise."""
    also_traces: frozenset[str] = frozenset()
    """Automations and scripts whose traces have a name, likewise."""

    @cached_property
    def ids(self) -> frozenset[str]:
        """Return the texts that can be nobody else's."""
        return frozenset({*self.person_ids, *self.entity_ids} - {""})

    @cached_property
    def forms(self) -> frozenset[str]:
        """Return the names as they are, and as JSON writes them."""
        forms = (
            form for name in self.names for form in (name, _as_json(name), _as_json(name, ascii_only=True))
        )
        return frozenset(forms) - {""}

    @cached_property
    def _id(self) -> re.Pattern[str]:
        # The id of a person is one anywhere, as in those of issues; that of an entity as a whole.
        ids = map(re.escape, self.person_ids - {""})
        return re.compile("|".join([*ids, *_whole(self.entity_ids)]))

    @cached_property
    def _name(self) -> re.Pattern[str]:
        return re.compile("|".join(_whole(self.forms)))

    def identified_in(self, text: str) -> bool:
        """Return whether a text holds an id of theirs, or of a context in which a visit of theirs was told."""
        if self.ids and self._id.search(text) is not None:
            return True
        contexts = filter(None, map(ulid_to_bytes_or_none, set(_ULID.findall(text))))
        return bool(self.marked(list(contexts)))

    def named_in(self, text: str) -> bool:
        """Return whether a text has a name of theirs as a word. It may well mean something else."""
        return bool(self.forms) and self._name.search(text) is not None

    def mentioned_in(self, text: str) -> bool:
        """Return whether a text has an id or a name of theirs."""
        return self.identified_in(text) or self.named_in(text)

    def said_in(self, data: object) -> bool:
        """Return whether a value of an event or of attributes has a name of theirs; what values are called does not count."""
        return any(map(self.named_in, texts_in(data)))


@dataclass(frozen=True, slots=True)
class Naming:
    """What of others told of these people, and what of it may stay."""

    entity_ids: frozenset[str] = frozenset()
    """Entities that showed their names."""
    allowed: frozenset[str] | None = None
    """The states of those that may stay; None to have none go but the names of those who are wanted."""
    visits: frozenset[str] | None = None
    """Ids of the familiar visits whose events may stay; None to leave all of them."""
    told: frozenset[str] = frozenset()
    """Sensors that show when an alert notified, not who it was about: it may have been about anybody who is forgotten."""
    familiar: str = ""
    """What an event of a visit says of a person's."""
    at: float = field(default_factory=time.time)
    """When all this was so, in seconds since 1970: events that came later may stay."""


def texts_in(data: object) -> Iterator[str]:
    """Yield the texts among the values of JSON."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, Mapping):
        for key, value in data.items():
            if key not in _LABELS:
                yield from texts_in(value)
    elif isinstance(data, (list, tuple)):
        for value in data:
            yield from texts_in(value)


def following(begun: Iterable[bytes], children: Mapping[bytes, Collection[bytes]]) -> set[bytes]:
    """Return the ids of contexts, and of all that followed from them, by whose parent is whose."""
    found: set[bytes] = set()
    left = list(begun)
    while left:
        if (context := left.pop()) not in found:
            found.add(context)
            left += children.get(context, ())
    return found


def context_bytes(context_id: str | None) -> bytes | None:
    """Return a context's id in bytes, None when it is no such id."""
    return ulid_to_bytes_or_none(context_id)


def _whole(texts: Iterable[str]) -> list[str]:
    """Return a pattern of any of these texts as whole words: "Jan" is in neither "January" nor light.jan_lamp."""
    words = "|".join(sorted(map(re.escape, filter(None, texts)), key=len, reverse=True))
    return [rf"(?<![\w.])(?:{words})(?!\w)"] if words else []


def _as_json(text: str, *, ascii_only: bool = False) -> str:
    return json.dumps(text, ensure_ascii=ascii_only)[1:-1]
