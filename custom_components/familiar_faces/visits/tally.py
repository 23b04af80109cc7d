"""How many visitors without a name came today: counted in memory, with nothing kept about them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from .visit import Decision, UnclearReason, Visit


@dataclass(frozen=True, slots=True)
class Count:
    """How often somebody without a name came."""

    number: int = 0
    last_at: datetime | None = None
    """When the last of them came; None without any."""
    camera_id: str | None = None
    """Where the last of them came."""


@dataclass(frozen=True, slots=True)
class Nameless:
    """A visit without a name: that somebody came, where and when, and why it was not decided who."""

    visit_id: str
    decision: Decision
    camera_id: str
    started_at: datetime
    reason: UnclearReason | None = None
    quality: str | None = None
    """What was wrong with most faces, see `Quality.reason`; only where there was no usable one."""


class Tally:
    """Visits without a name. No more of a visitor than that, where and when somebody was announced.

    A visit counts as what it was announced as last, so one that turns out to be a familiar person's counts
    that is all.
    """

    def __init__(self, since: datetime) -> None:
        """Count from a moment on."""
        self.since = since
        """Since when every visit was counted."""
        self._visits: dict[str, Nameless] = {}

    def note(self, visit: Visit) -> None:
        """Take note of a visit that is announced."""
        self._visits.pop(visit.visit_id, None)
        if visit.decision is not Decision.FAMILIAR:
            self._visits[visit.visit_id] = Nameless(
                visit.visit_id,
                visit.decision,
                visit.camera_id,
                visit.started_at,
                visit.reason,
                visit.quality,
            )

    def forget(self, visit_id: str) -> None:
        """Stop counting a visit: it turned out whose it was."""
        self._visits.pop(visit_id, None)

    def drop(self, before: datetime) -> None:
        """Forget the visits that began before a moment."""
        self._visits = {key: each for key, each in self._visits.items() if each.started_at >= before}
        self.since = max(self.since, before)

    def count(self, decision: Decision, camera_ids: Iterable[str], since: datetime) -> Count:
        """Return how many visits were so decided at some cameras since a moment."""
        came = [
            (each.started_at, each.camera_id)
            for each in self.visits(camera_ids, since)
            if each.decision is decision
        ]
        if not came:
            return Count()
        last_at, camera_id = max(came)
        return Count(len(came), last_at, camera_id)

    def visits(self, camera_ids: Iterable[str], since: datetime) -> list[Nameless]:
        """Return the visits to some cameras that began at a moment or later, in no order."""
        wanted = set(camera_ids)
        return [
            each for each in self._visits.values() if each.camera_id in wanted and each.started_at >= since
        ]

    def get(self, visit_id: str) -> Nameless | None:
        """Return a visit by its id."""
        return self._visits.get(visit_id)
