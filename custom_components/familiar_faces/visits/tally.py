"""How many visitors without a name came today: counted in memory, with nothing kept about them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from .visit import Decision, Visit


@dataclass(frozen=True, slots=True)
class Count:
    """How often somebody without a name came."""

    number: int = 0
    last_at: datetime | None = None
    """When the last of them came; None without any."""
    camera_id: str | None = None
    """Where the last of them came."""


class Tally:
    """Visits without a name, by camera. No more of a visitor than that, where and when somebody was announced.

    A visit counts as what it was announced as last, so one that turns out to be a familiar person's counts
    no more.
    """

    def __init__(self, since: datetime) -> None:
        """Count from a moment on."""
        self.since = since
        """Since when every visit was counted."""
        self._visits: dict[str, tuple[Decision, str, datetime]] = {}

    def note(self, visit: Visit) -> None:
        """Take note of a visit that is announced."""
        self._visits.pop(visit.visit_id, None)
        if visit.decision is not Decision.FAMILIAR:
            self._visits[visit.visit_id] = (visit.decision, visit.camera_id, visit.started_at)

    def forget(self, visit_id: str) -> None:
        """Count a visit no more: it turned out whose it was."""
        self._visits.pop(visit_id, None)

    def drop(self, before: datetime) -> None:
        """Know no more of visits that began before a moment."""
        self._visits = {key: each for key, each in self._visits.items() if each[2] >= before}
        self.since = max(self.since, before)

    def count(self, decision: Decision, camera_ids: Iterable[str], since: datetime) -> Count:
        """Return how many visits were so decided at some cameras since a moment."""
        wanted = set(camera_ids)
        came = [
            (at, camera_id)
            for each, camera_id, at in self._visits.values()
            if each is decision and camera_id in wanted and at >= since
        ]
        if not came:
            return Count()
        last_at, camera_id = max(came)
        return Count(len(came), last_at, camera_id)
