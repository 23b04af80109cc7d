"""The board: the last visits that may be shown, per camera and person. What is shown of visits is read here.

It alone applies what somebody agreed to, how long things are kept, that somebody was forgotten or a visit
corrected, and what is known again after a start. It is asked whenever something is shown: what it said a minute
ago may no longer hold.
"""

from collections.abc import AsyncGenerator, Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import batched
import logging

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.util import dt as dt_util

from ..const import DOMAIN, OCCUPIED_FOR, PRESENT_FOR
from ..household.breath import Breath
from ..household.household import Household
from ..household.keeping import keeps_visits, may_be_told, may_show, pictures_kept_for
from ..household.signals import (
    SIGNAL_CONFIRMED,
    SIGNAL_CORRECTED,
    SIGNAL_FORGOTTEN,
    SIGNAL_SEEN_AGAIN,
    SIGNAL_SHOWN,
    SIGNAL_VISIT,
    Of,
)
from ..people.person import Person
from ..vault.errors import UnknownVisit, VaultError
from ..vault.records import Corrected, SoughtVisits, VisitCursor, VisitRecord
from ..visits.open_visits import GAP
from ..visits.visit import Decision, Timing, Visit
from .known_visits import EACH, KnownVisit, KnownVisits
from .shown import Picture, Shown

_LOGGER = logging.getLogger(__name__)

FIRST = 200
"""Visits that are read before anything is shown, and of each person `FIRST_OF_EACH`."""
FIRST_OF_EACH = 10
PEOPLE_AT_ONCE = 20
"""People whose visits are read in one go, so that nobody else waits long for the vault or the event loop."""
PAGE = 250
"""Visits that are read in one go."""


class Board:
    """What may be shown of visits. Lives on the event loop, but for what says that it blocks."""

    def __init__(self, household: Household) -> None:
        """Know of no visit."""
        self._household = household
        self._visits = KnownVisits()
        self.turn = 0
        """How often something was taken away: what was read from the vault before is not believed."""
        self._failure: VaultError | None = None
        """Why the last visits could not be read yet."""

    async def async_start(self) -> list[CALLBACK_TYPE]:
        """Read what was known before, and listen; return how to end that."""
        await self.async_read()
        self._household.entry.async_create_background_task(
            self._household.hass, self._async_read_older(), f"{DOMAIN} older visits"
        )
        return [
            self._household.async_connect(SIGNAL_VISIT, self._async_visit),
            self._household.async_connect(SIGNAL_SEEN_AGAIN, self._async_seen_again),
            self._household.async_connect(SIGNAL_FORGOTTEN, self._async_forgotten),
            self._household.async_connect(SIGNAL_CORRECTED, self._async_corrected),
            self._household.async_connect(SIGNAL_CONFIRMED, self._async_confirmed),
            self._household.async_on_people(self._async_people_changed),
        ]

    # What may be shown

    @callback
    def last_visitor(self, camera_id: str) -> Shown | None:
        """Return the last visit to a camera, as far as it may be written down; no earlier one in its place."""
        return self._kept(self._visits.last_at(camera_id))

    @callback
    def last_at(self, camera_id: str) -> Shown | None:
        """Return the last visit to a camera, also one that may not be written down."""
        last = max(self._visits.at_camera(camera_id), key=lambda each: each.announced_at, default=None)
        return None if last is None else self._show(last)

    @callback
    def last_visit(self, person_id: str) -> Shown | None:
        """Return the kept visit in which a person was last seen."""
        theirs = map(self._kept, self._visits.of_person(person_id))
        return max((each for each in theirs if each), key=lambda each: each.last_seen_at, default=None)

    @callback
    def last_picture(self, *, camera_id: str | None = None, person_id: str | None = None) -> Shown | None:
        """Return the newest visit to a camera, or of a person, that has a picture."""
        if person_id is not None:
            known = self._visits.of_person(person_id)
        else:
            known = list(self._visits) if camera_id is None else self._visits.at_camera(camera_id)
        pictured = [each for each in known if each.pictured and camera_id in (None, each.camera_id)]
        # The newest first: what may be shown of one takes longer to say than which they are.
        pictured.sort(key=lambda each: each.announced_at, reverse=True)
        found = (each for each in map(self._kept, pictured) if each and each.picture is Picture.SHOWN)
        return next(found, None)

    @callback
    def find(self, visit_id: str) -> Shown | None:
        """Return a visit that is known in memory. May be called from any thread."""
        known = self._visits.get(visit_id)
        return None if known is None else self._show(known)

    def find_kept(self, visit_id: str) -> Shown | None:
        """Return a familiar person's visit as far as it is kept. Blocks."""
        try:
            record = self._household.vault.visit(visit_id)
        except UnknownVisit, VaultError:
            return None
        return self._show(KnownVisit.of_record(record))

    @callback
    def recent(self, wanted: Callable[[KnownVisit], bool] = lambda _visit: True) -> list[Shown]:
        """Return the last visits that are wanted; those that are not kept for as long as their people are present."""
        now, shown = dt_util.utcnow(), map(self._show, filter(wanted, self._visits))
        return [
            each
            for each in shown
            if each is not None and (each.kept or now - each.last_seen_at < PRESENT_FOR)
        ]

    @callback
    def going_on(self) -> list[Shown]:
        """Return the visits that go on now."""
        now = dt_util.utcnow()
        going_on = []
        for visit in self._household.open_visits.visits:
            if now - visit.last_seen_at > GAP:
                continue
            if visit.person_id is None or may_be_told(self._household, visit.person_id, visit.camera_id):
                known = self._visits.get(visit.visit_id)
                shown = self._show(self._as_known(visit, now if known is None else known.announced_at))
                going_on += [] if shown is None else [shown]
        return going_on

    @callback
    def occupied_until(self, camera_id: str, decision: Decision) -> datetime | None:
        """Return until when somebody of a kind counts as being at a camera, None when nobody was."""
        heard = (
            each.heard_at
            for each in self._visits.at_camera(camera_id)
            if each.decision is decision and each.heard_at is not None and self._show(each) is not None
        )
        last = max((each for each in heard if each is not None), default=None)
        return None if last is None else last + OCCUPIED_FOR

    @callback
    def present_until(self, person_id: str) -> datetime | None:
        """Return until when a person counts as present, None when they were not seen.

        A moment that is yet to come was noted by a clock that was wrong, and counts as now.
        """
        now = dt_util.utcnow()
        theirs = map(self._show, self._visits.of_person(person_id))
        seen = max((each.last_seen_at for each in theirs if each is not None), default=None)
        return None if seen is None else min(seen, now) + PRESENT_FOR

    def may_name(self, person: Person) -> bool:
        """Return whether anything may be said of a person's visits."""
        return person.choices.announced

    @callback
    def tellable(self, visit: Visit) -> Visit | None:
        """Return a visit as it may be told of now, None when it may not: it may have waited."""
        if visit.person_id is None:
            return visit
        if not may_be_told(self._household, visit.person_id, visit.camera_id):
            return None
        return replace(visit, name=self._household.people[visit.person_id].name)

    async def async_visits(
        self,
        person_ids: Iterable[str] | None = None,
        camera_ids: Collection[str] | None = None,
        *,
        since: datetime | None = None,
        before: datetime | None = None,
        limit: int,
    ) -> list[Shown]:
        """Return at most `limit` kept visits of familiar people, newest first; raise VaultError.

        Only of these people and at these cameras, where some are given, that began at `since` or later and
        earlier than `before`.
        """
        found: list[Shown] = []
        pages = self.async_pages(person_ids, camera_ids, since=since, before=before, size=min(limit, PAGE))
        async for page in pages:
            found += page
            if len(found) >= limit:
                break
        return found[:limit]

    async def async_pages(
        self,
        person_ids: Iterable[str] | None = None,
        camera_ids: Collection[str] | None = None,
        *,
        since: datetime | None = None,
        before: datetime | None = None,
        size: int = PAGE,
    ) -> AsyncGenerator[list[Shown]]:
        """Yield all these visits, at most `size` at a time, newest first; raise VaultError."""
        sought = SoughtVisits(
            person_ids=None if person_ids is None else frozenset(person_ids),
            camera_ids=None if camera_ids is None else frozenset(camera_ids),
            since=since,
            before=before,
        )
        shown, after = await self.async_page(sought, limit=size)
        yield shown
        while after is not None:
            shown, after = await self.async_page(sought, limit=size, after=after)
            yield shown

    async def async_page(
        self, sought: SoughtVisits, *, limit: int, after: VisitCursor | None = None
    ) -> tuple[list[Shown], VisitCursor | None]:
        """Return what may be shown of the next visits, at most `limit`, and where they end: None for the last ones.

        It may be none of them, and there are more; raise VaultError.
        """
        read = partial(self._household.vault.visit_page, sought, limit=limit, after=after)
        page = await self._household.hass.async_add_executor_job(read)
        # Only now: somebody may have been forgotten, or have agreed to less, while the vault was read.
        shown = (self._kept(KnownVisit.of_record(record)) for record in page.visits)
        return [each for each in shown if each is not None], page.after

    def _kept(self, known: KnownVisit | None) -> Shown | None:
        """Return a visit as far as it may be written down."""
        shown = None if known is None else self._show(known)
        return shown if shown is not None and shown.kept else None

    def _show(self, known: KnownVisit) -> Shown | None:
        """Return a visit as it may be shown at this moment, None when it may not."""
        person: Person | None = None
        kept = True
        if known.person_id is not None:
            person = self._household.people.get(known.person_id)
            if person is None or not (self.may_name(person) and person.choices.at(known.camera_id)):
                return None
            kept = known.lasting and may_show(self._household, known.person_id, known.started_at)
            if known.lasting and not kept:
                return None
        return Shown(
            visit_id=known.visit_id,
            camera_id=known.camera_id,
            decision=known.decision,
            started_at=known.started_at,
            last_seen_at=known.last_seen_at,
            announced_at=known.announced_at,
            kept=kept,
            picture=self._picture(known, person),
            person_id=known.person_id,
            name=None if person is None else person.name,
            confidence=known.confidence,
            confirmed=known.confirmed,
        )

    def _picture(self, known: KnownVisit, person: Person | None) -> Picture:
        if person is None:
            return Picture.NAMELESS
        if not person.choices.keeps_pictures:
            return Picture.NOT_AGREED
        if not (length := pictures_kept_for(self._household, person.consent)):
            return Picture.SWITCHED_OFF
        if dt_util.utcnow() - known.started_at >= length:
            return Picture.OVER
        return Picture.SHOWN if known.pictured else Picture.NONE

    # What happens

    @callback
    def _async_visit(self, visit: Visit, _timing: Timing) -> None:
        """Know of a visit that began, or turned out to be another one's."""
        self._visits.announce(self._as_known(visit, dt_util.utcnow()))
        self._async_say(visit.camera_id, visit.person_id)

    @callback
    def _async_seen_again(self, visit: Visit) -> None:
        """Know that a visit goes on."""
        known = self._visits.get(visit.visit_id)
        announced_at = dt_util.utcnow() if known is None else known.announced_at
        self._visits.go_on(self._as_known(visit, announced_at))
        self._async_say(visit.camera_id, visit.person_id)

    @callback
    def _async_confirmed(self, visit_id: str) -> None:
        """Know that the owner said that a visit was whose it was said to be."""
        if (known := self._visits.get(visit_id)) is not None:
            self._visits.go_on(replace(known, confirmed=True))
            self._async_say(known.camera_id, known.person_id)

    def _as_known(self, visit: Visit, announced_at: datetime) -> KnownVisit:
        before = self._visits.get(visit.visit_id)
        lasting = visit.person_id is None or keeps_visits(self._household, visit.person_id)
        known = KnownVisit.of_visit(
            visit, announced_at=announced_at, heard_at=dt_util.utcnow(), lasting=lasting
        )
        # It may be confirmed while it goes on.
        said = before is not None and before.person_id == visit.person_id and before.confirmed
        return replace(known, confirmed=said)

    @callback
    def _async_forgotten(self, person_id: str) -> None:
        """Know nothing more of somebody who is forgotten, or agrees to less."""
        self.turn += 1
        self._async_say(person_id, *self._visits.forget(person_id))

    async def _async_corrected(self, corrected: Corrected) -> None:
        """Refile a corrected visit under the right person, and the one before it where nobody known came."""
        self.turn += 1
        self._visits.correct(corrected)
        moved_to = None if corrected.moved is None else corrected.moved.person_id
        concerned = (corrected.camera_id, corrected.said, moved_to)
        self._async_say(*concerned)
        vault, camera_id = self._household.vault, corrected.camera_id
        await self._async_read(partial(vault.visits, camera_id=camera_id, limit=FIRST_OF_EACH))
        people = [each for each in (corrected.said, moved_to) if each is not None]
        await self._async_read(partial(_of_each, partial(vault.last_visits, limit=FIRST_OF_EACH), people))
        self._async_say(*concerned)

    @callback
    def async_restored(self, camera_id: str, decision: Decision, at: datetime, visit_id: str) -> None:
        """Know of the last visitor of a camera from before a start who had no name: they are in no vault."""
        if self._visits.restore(KnownVisit(visit_id, camera_id, decision, None, None, at, at, at)):
            self._async_say(camera_id)

    async def async_read(self) -> None:
        """Read the last visits from the vault. What happens meanwhile is known better already."""
        vault = self._household.vault
        await self._async_read(partial(vault.visits, limit=FIRST))
        for some in batched(list(self._household.people), PEOPLE_AT_ONCE):
            await self._async_read(partial(_of_each, partial(vault.visits, limit=FIRST_OF_EACH), some))

    async def _async_read_older(self) -> None:
        """Read the last visits of everybody at every camera, which may be older."""
        vault = self._household.vault
        for some in batched(list(self._household.people), PEOPLE_AT_ONCE):
            if self._failure is not None:
                break
            await self._async_read(partial(_of_each, partial(vault.last_visits, limit=EACH), some))
        known = {of for each in self._visits for of in (each.camera_id, each.person_id)}
        self._household.async_tell(SIGNAL_SHOWN, [each for each in known if each is not None])

    async def _async_read(self, read: Callable[[], list[VisitRecord]]) -> None:
        """Know of what is read from the vault."""
        while True:
            turn = self.turn
            try:
                records = await self._household.hass.async_add_executor_job(read)
            except VaultError as err:
                _LOGGER.debug("The last visits could not be read yet: %s", err)
                self._failure = err
                return
            if turn == self.turn:
                break
        self._failure = None
        # Not of those who could not be erased yet; nothing is shown of those who are held.
        kept = {*self._household.people, *self._household.roster.held}
        self._visits.add(KnownVisit.of_record(each) for each in records if each.person_id in kept)

    async def async_ready(self) -> None:
        """Read the last visits if that failed before; raise VaultError when it fails again."""
        if self._failure is not None:
            await self.async_read()
        if self._failure is not None:
            raise self._failure

    async def _async_people_changed(self) -> None:
        """Drop what is past its time: a longer one that is set later brings nothing back."""
        if self._failure is not None:
            await self.async_read()
        breath = Breath()
        for each in self._visits:
            await breath.async_take()
            if self._visits.get(each.visit_id) is not each:
                # Something else is known of it meanwhile.
                continue
            if (person := self._household.people.get(each.person_id or "")) is None or not each.lasting:
                continue
            if not may_show(self._household, each.person_id, each.started_at):
                self._visits.drop(each.visit_id)
            elif each.pictured and self._picture(each, person) is not Picture.SHOWN:
                self._visits.go_on(replace(each, pictured=False))
            else:
                continue
            self._async_say(each.camera_id, each.person_id)

    @callback
    def _async_say(self, *concerned: str | None) -> None:
        """Have what is shown of these cameras and people be read again."""
        for each in {Of.GOING_ON, *concerned}:
            if each is not None:
                self._household.async_send(SIGNAL_SHOWN, of=each)


def _of_each(read: Callable[[str], list[VisitRecord]], person_ids: Iterable[str]) -> list[VisitRecord]:
    """Return the visits that are read of each person. Blocks."""
    return [visit for person_id in person_ids for visit in read(person_id)]
