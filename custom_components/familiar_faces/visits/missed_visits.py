"""Visits without a name that can still be given one: held for some minutes, in memory and nowhere else. Pure."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from .visit import Decision, Visit

HELD_FOR = timedelta(minutes=10)
"""How long a visit is held after it was last heard of: as long as a notification shows its picture."""
MOST = 50
MOST_BYTES = 16 * 1024**2
"""How many visits are held at once, and how large their pictures are together; the oldest go first."""


@dataclass(frozen=True, slots=True)
class Missed:
    """A visit without a name, with what it takes to put that right."""

    visit: Visit
    """As it was announced last; it holds no picture."""
    picture: bytes | None = field(repr=False)
    """The visitor's face (JPEG); None where no face was good enough, or none may be held."""
    resembled: frozenset[str]
    """The ids of the people who are resembled more than strangers resemble anybody."""
    since: datetime
    until: datetime

    def there(self, now: datetime) -> bool:
        """Return whether it may still be named; not after the clock was set back either."""
        return self.since <= now < self.until


class MissedVisits:
    """The visits that were missed a short time ago. Lives in memory only."""

    def __init__(self) -> None:
        """Hold none."""
        self._held: dict[str, Missed] = {}

    def hold(
        self, visit: Visit, picture: bytes | None, now: datetime, resembled: frozenset[str] = frozenset()
    ) -> None:
        """Hold a visit from now on; one that goes on takes the place of what was held of it."""
        if visit.decision is Decision.FAMILIAR:
            raise ValueError("a visit with a name was not missed")
        before = self._held.pop(visit.visit_id, None)
        if picture is None and before is not None:
            picture = before.picture
        self._held[visit.visit_id] = Missed(
            replace(visit, portrait=None), picture, resembled, now, now + HELD_FOR
        )
        self.expire(now)
        while len(self._held) > MOST or self.size > MOST_BYTES:
            del self._held[next(iter(self._held))]

    @property
    def size(self) -> int:
        """Return how many bytes of pictures are held."""
        return sum(len(each.picture or b"") for each in self._held.values())

    def __len__(self) -> int:
        """Return how many visits are held."""
        return len(self._held)

    def get(self, visit_id: str, now: datetime) -> Missed | None:
        """Return a visit that may still be named; None when there is none, or no longer."""
        missed = self._held.get(visit_id)
        return missed if missed is not None and missed.there(now) else None

    def all(self, now: datetime, camera_ids: Collection[str] | None = None) -> list[Missed]:
        """Return the visits that may still be named, newest first; at these cameras alone where they are given."""
        return [
            each
            for each in reversed(self._held.values())
            if each.there(now) and (camera_ids is None or each.visit.camera_id in camera_ids)
        ]

    def expire(self, now: datetime) -> None:
        """Drop what is past its time."""
        self._held = {key: each for key, each in self._held.items() if each.there(now)}

    def drop(self, visit_id: str) -> None:
        """Hold a visit no longer."""
        self._held.pop(visit_id, None)

    def drop_strangers(self) -> None:
        """Hold no stranger's visit any longer."""
        self._keep(lambda each: each.visit.decision is not Decision.STRANGER)

    def leave(self, camera_id: str) -> None:
        """Hold no visit of a camera any longer."""
        self._keep(lambda each: each.visit.camera_id != camera_id)

    def forget(self, person_id: str) -> None:
        """Hold no visit any longer that may be of somebody who is forgotten, or agrees to less than before."""
        self._keep(lambda each: person_id not in each.resembled)

    def clear(self) -> None:
        """Hold none."""
        self._held.clear()

    def _keep(self, wanted: Callable[[Missed], bool]) -> None:
        self._held = {key: each for key, each in self._held.items() if wanted(each)}
