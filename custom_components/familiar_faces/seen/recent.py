"""Whether somebody was seen lately, for conditions: they are checked at once and cannot wait for the vault."""

from datetime import datetime, timedelta
from typing import NamedTuple

from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from .board import Board
from .known_visits import KnownVisit
from .shown import Shown
from .visit_filter import Sought


class Cause(NamedTuple):
    """The visit that set an automation off."""

    visit_id: str
    seen_at: datetime | None
    """When its visitor had been seen last by then."""

    def explains(self, visit: Shown) -> bool:
        """Return whether it is this visit, and the visitor was not seen since."""
        return visit.visit_id == self.visit_id and (
            self.seen_at is None or visit.last_seen_at <= self.seen_at
        )


@callback
def was_seen(board: Board, sought: Sought, within: timedelta, cause: Cause | None = None) -> bool:
    """Return whether one of the visits sought was that little ago; `cause` does not count.

    Nothing is said of a person whose visits are not kept, or not any longer, but for as long as the person
    counts as present anyway.
    """
    now = dt_util.utcnow()

    def wanted(visit: KnownVisit) -> bool:
        return now - visit.last_seen_at <= within and sought.fits(
            visit.decision, visit.camera_id, visit.person_id
        )

    return any(cause is None or not cause.explains(each) for each in board.recent(wanted))
