"""What tells of people, and is looked for wherever Home Assistant keeps it."""

from dataclasses import dataclass, field
from functools import cached_property
import json
import re
import time


@dataclass(frozen=True)
class Wanted:
    """What tells of the people who are to be erased."""

    person_ids: frozenset[str]
    names: frozenset[str] = frozenset()
    entity_ids: frozenset[str] = frozenset()
    """Entities of these people alone."""

    @cached_property
    def texts(self) -> frozenset[str]:
        """Return everything that is searched for, also as JSON writes it."""
        names = {
            form for name in self.names for form in (name, _as_json(name), _as_json(name, ascii_only=True))
        }
        return frozenset({*self.person_ids, *names, *self.entity_ids} - {""})

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        # Whole words: "Jan" is neither in "January" nor in the entity light.jan_lamp. An id is one anywhere,
        # as in those of issues.
        words = "|".join(sorted(map(re.escape, self.texts - self.person_ids), key=len, reverse=True))
        ids = map(re.escape, self.person_ids)
        return re.compile("|".join([*ids, *([rf"(?<![\w.])(?:{words})(?!\w)"] if words else [])]))

    def mentioned_in(self, text: str) -> bool:
        """Return whether a text mentions them."""
        return bool(self.texts) and self._pattern.search(text) is not None


@dataclass(frozen=True, slots=True)
class Naming:
    """What of others told of these people, and what of it may stay."""

    entity_ids: frozenset[str] = frozenset()
    """Entities that showed their names."""
    allowed: frozenset[str] = frozenset()
    """The states of those that may stay."""
    visits: frozenset[str] | None = None
    """Ids of the familiar visits whose events may stay; None to leave all of them."""
    told: frozenset[str] = frozenset()
    """Sensors that say when an alert told somebody, not of whom: it may have been of anybody who is forgotten."""
    familiar: str = ""
    """What an event of a visit says of a person's."""
    at: float = field(default_factory=time.time)
    """When all this was so, in seconds since 1970: events that came later may stay."""


def _as_json(text: str, *, ascii_only: bool = False) -> str:
    return json.dumps(text, ensure_ascii=ascii_only)[1:-1]
