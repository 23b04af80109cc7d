"""The list of visits, newest first, a page at a time: kept visits of familiar people, and today's without a name."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from ..household.household import Household
from ..vault.records import SoughtVisits, VisitCursor
from ..visits.tally import Nameless
from ..visits.visit import Decision, UnclearReason
from .board import Board
from .known_visits import KnownVisit
from .lookup import Lookup, Place
from .shown import Picture, Shown

ALL_KINDS = frozenset(Decision)
_A_MOMENT = timedelta(microseconds=1)


class Cursor(NamedTuple):
    """Where a page ended: the next one begins with the visit before."""

    started_at: datetime
    visit_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which visits are listed; None stands for any."""

    person_ids: frozenset[str] | None = None
    camera_ids: frozenset[str] | None = None
    kinds: frozenset[Decision] = ALL_KINDS
    since: datetime | None = None
    """When they began at the earliest."""
    before: datetime | None = None
    """Before when they began."""

    def fits(self, decision: Decision, camera_id: str, person_id: str | None, began: datetime) -> bool:
        """Return whether a visit is one of them."""
        return (
            decision in self.kinds
            and (self.person_ids is None or person_id in self.person_ids)
            and (self.camera_ids is None or camera_id in self.camera_ids)
            and (self.since is None or began >= self.since)
            and (self.before is None or began < self.before)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A visit as it is listed for somebody."""

    visit_id: str
    decision: Decision
    started_at: datetime
    last_seen_at: datetime
    place: Place | None
    """Where; None when that may not be told, or the camera is gone."""
    picture: Picture
    person_id: str | None = None
    name: str | None = None
    confidence: float | None = None
    confirmed: bool = False
    reason: UnclearReason | None = None
    """Why it is unclear."""
    quality: str | None = None
    """What was wrong with most faces of an unclear visit."""

    @property
    def cursor(self) -> Cursor:
        """Return where a page ends that ends with this visit."""
        return Cursor(self.started_at, self.visit_id)


@dataclass(frozen=True, slots=True)
class Page:
    """Some visits, newest first."""

    visits: tuple[Listed, ...]
    after: Cursor | None
    """Where the next page begins; None after the last visit."""


class Listing:
    """Lists visits for somebody. Nothing of people whose visits are not kept, or who stay silent."""

    def __init__(self, household: Household, board: Board, lookup: Lookup) -> None:
        """List what may be looked up by `lookup`."""
        self._household = household
        self._board = board
        self._lookup = lookup

    async def async_page(self, wanted: Wanted, *, limit: int, after: Cursor | None = None) -> Page:
        """Return at most `limit` visits that come after `after`; raise VaultError."""
        if wanted.camera_ids is not None:
            # Where somebody was is not told by asking for a camera that may not be told of.
            wanted = replace(wanted, camera_ids=wanted.camera_ids & self._lookup.places().keys())
        found: dict[str, Listed] = {}
        if Decision.FAMILIAR in wanted.kinds:
            for visit in await self._async_kept(wanted, limit, after):
                found[visit.visit_id] = visit
        # What is known in memory is newer: it may not be written yet, or have gone on.
        for visit in (*self._nameless(wanted), *self._in_memory(wanted)):
            found[visit.visit_id] = visit
        rest = [each for each in found.values() if after is None or each.cursor < after]
        rest.sort(key=lambda each: each.cursor, reverse=True)
        page = tuple(rest[:limit])
        return Page(page, page[-1].cursor if len(rest) > limit else None)

    @callback
    def find(self, visit_id: str) -> Listed | None:
        """Return a visit that is known in memory as it is listed; None when it is not listed."""
        if (nameless := self._household.tally.get(visit_id)) is not None:
            place = self._lookup.places().get(nameless.camera_id)
            return None if place is None else self._of_nameless(nameless, place)
        shown = self._board.find(visit_id)
        return next(iter(self._listed([] if shown is None else [shown])), None)

    async def async_find(self, visit_id: str) -> Listed | None:
        """Return a visit as it is listed, also one that is only in the vault."""
        if (found := self.find(visit_id)) is not None:
            return found
        shown = await self._household.hass.async_add_executor_job(self._board.find_kept, visit_id)
        return next(iter(self._listed([] if shown is None else [shown])), None)

    async def _async_kept(self, wanted: Wanted, limit: int, after: Cursor | None) -> Collection[Listed]:
        """Return one more than `limit` kept visits that come after `after`, or as many as there are."""
        people = self._lookup.people()
        ids = frozenset(people if wanted.person_ids is None else wanted.person_ids & people.keys())
        before = wanted.before
        if after is not None:
            # That began at the same moment too: their ids say which of them are left.
            last = after.started_at + _A_MOMENT
            before = last if before is None else min(before, last)
        sought = SoughtVisits(person_ids=ids, camera_ids=wanted.camera_ids, since=wanted.since, before=before)
        found: list[Listed] = []
        read: VisitCursor | None = None
        while True:
            shown, read = await self._board.async_page(sought, limit=limit + 1, after=read)
            listed = self._listed(shown)
            found += [each for each in listed if after is None or each.cursor < after]
            if read is None or len(found) > limit:
                return found

    @callback
    def _in_memory(self, wanted: Wanted) -> Iterable[Listed]:
        """Return the last visits of familiar people, as far as they are known in memory."""

        def fits(visit: KnownVisit) -> bool:
            began = visit.started_at
            return (
                visit.person_id is not None
                and visit.lasting
                and wanted.fits(visit.decision, visit.camera_id, visit.person_id, began)
            )

        return self._listed(self._board.recent(fits))

    @callback
    def _nameless(self, wanted: Wanted) -> Iterable[Listed]:
        """Return today's visits without a name."""
        if wanted.person_ids is not None:
            return ()
        today, places = dt_util.as_utc(dt_util.start_of_local_day()), self._lookup.places()
        return [
            self._of_nameless(each, places[each.camera_id])
            for each in self._household.tally.visits(places, today)
            if wanted.fits(each.decision, each.camera_id, None, each.started_at)
        ]

    @callback
    def _listed(self, shown: Iterable[Shown]) -> list[Listed]:
        """Return familiar people's kept visits, as far as the user may see them now."""
        people, places = self._lookup.people(), self._lookup.places()
        return [
            Listed(
                visit_id=visit.visit_id,
                decision=visit.decision,
                started_at=visit.started_at,
                last_seen_at=visit.last_seen_at,
                place=places.get(visit.camera_id),
                picture=visit.picture,
                person_id=visit.person_id,
                name=visit.name,
                confidence=visit.confidence,
                confirmed=visit.confirmed,
            )
            for visit in shown
            if visit.kept and visit.person_id in people
        ]

    @callback
    def _of_nameless(self, visit: Nameless, place: Place) -> Listed:
        return Listed(
            visit_id=visit.visit_id,
            decision=visit.decision,
            started_at=visit.started_at,
            last_seen_at=visit.started_at,
            place=place,
            picture=Picture.NAMELESS,
            reason=visit.reason,
            quality=visit.quality,
        )
