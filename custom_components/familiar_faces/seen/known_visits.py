"""The last visits that are known, in memory, whether they may be shown or not. Names nobody, holds no face. Pure."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ..vault.records import Corrected, VisitRecord
from ..visits.visit import Decision, Visit

EACH = 2
"""Visits that are known of each person, and of each kind of visitor without a name, at each camera: the last one,
and the one before it for when the last is left out."""
AT_HAND = 100
"""Kept visits that are known besides: the logbook describes on the event loop, where the vault cannot be read."""


type _Alike = tuple[Decision, str, str | None]
"""The kind, the camera and the person of visits."""


@dataclass(frozen=True, slots=True)
class KnownVisit:
    """A visit that was announced."""

    visit_id: str
    camera_id: str
    decision: Decision
    person_id: str | None
    confidence: float | None
    started_at: datetime
    last_seen_at: datetime
    announced_at: datetime
    """When it was said who it is; of what was known before a start, when the visit began."""
    lasting: bool = True
    """Whether it was to be kept when it was announced. One that was not is known until the next one comes."""
    pictured: bool = False
    heard_at: datetime | None = None
    """When it was last heard of; None of what was known before a start."""
    confirmed: bool = False
    """Whether the owner said that it was this person."""

    @classmethod
    def of_record(cls, record: VisitRecord) -> KnownVisit:
        """Return what is known of a kept visit."""
        return cls(
            visit_id=record.visit_id,
            camera_id=record.camera_id,
            decision=Decision.FAMILIAR,
            person_id=record.person_id,
            confidence=record.confidence,
            started_at=record.started_at,
            last_seen_at=record.until,
            announced_at=record.started_at,
            pictured=record.pictured,
            confirmed=record.confirmed,
        )

    @classmethod
    def of_visit(
        cls, visit: Visit, *, announced_at: datetime, heard_at: datetime, lasting: bool
    ) -> KnownVisit:
        """Return what is known of a visit that goes on."""
        return cls(
            visit_id=visit.visit_id,
            camera_id=visit.camera_id,
            decision=visit.decision,
            person_id=visit.person_id,
            confidence=visit.confidence,
            started_at=visit.started_at,
            last_seen_at=visit.last_seen_at,
            announced_at=announced_at,
            lasting=lasting,
            pictured=visit.portrait is not None,
            heard_at=heard_at,
        )


class KnownVisits:
    """The last visits, per camera and person: whatever is asked of one of them is found without the others."""

    def __init__(self) -> None:
        """Know of none."""
        self._known: dict[str, KnownVisit] = {}
        self._last_at: dict[str, str | None] = {}
        """The id of the visit that is shown as the last one of each camera; None where it is gone."""
        self._of_person: defaultdict[str | None, set[str]] = defaultdict(set)
        self._at_camera: defaultdict[str, set[str]] = defaultdict(set)
        self._alike: defaultdict[_Alike, set[str]] = defaultdict(set)
        self._passing: set[str] = set()
        """Those that were not to be kept."""
        self._kept: list[tuple[datetime, str]] = []
        """When people were last seen in each of the visits that were to be kept, and its id; in this order."""

    def __iter__(self) -> Iterator[KnownVisit]:
        """Return all of them, in no order."""
        return iter(list(self._known.values()))

    def get(self, visit_id: str | None) -> KnownVisit | None:
        """Return a visit by its id."""
        return None if visit_id is None else self._known.get(visit_id)

    def of_person(self, person_id: str) -> list[KnownVisit]:
        """Return a person's visits."""
        return [self._known[each] for each in self._of_person.get(person_id, ())]

    def at_camera(self, camera_id: str) -> list[KnownVisit]:
        """Return the visits to a camera."""
        return [self._known[each] for each in self._at_camera.get(camera_id, ())]

    def last_at(self, camera_id: str) -> KnownVisit | None:
        """Return the last visit to a camera that was to be kept; none when that was taken away."""
        return self.get(self._last_at.get(camera_id))

    def announce(self, visit: KnownVisit) -> None:
        """Know of a visit that began, or turned out to be another one's."""
        self._put(visit)
        if visit.lasting:
            self._last_at[visit.camera_id] = visit.visit_id
        elif self._last_at.get(visit.camera_id) == visit.visit_id:
            # Shown as somebody without a name so far, which was wrong.
            self._last_at[visit.camera_id] = None
        self._prune(visit)

    def go_on(self, visit: KnownVisit) -> None:
        """Know how a visit goes on."""
        self._put(visit)
        self._prune(visit)

    def drop(self, visit_id: str) -> None:
        """Know nothing more of a visit; no earlier one is shown in its place."""
        self._take(visit_id)
        self._last_at = {key: None if each == visit_id else each for key, each in self._last_at.items()}

    def forget(self, person_id: str) -> set[str]:
        """Know nothing more of a person; return the ids of the cameras that they were at."""
        gone = self.of_person(person_id)
        for each in gone:
            self.drop(each.visit_id)
        return {each.camera_id for each in gone}

    def correct(self, corrected: Corrected) -> None:
        """Refile a corrected visit under the right person, or drop it."""
        moved = corrected.moved
        known = self._take(corrected.visit_id)
        if moved is not None:
            heard_at = None if known is None else known.heard_at
            self._put(replace(KnownVisit.of_record(moved), heard_at=heard_at))
        if self._last_at.get(corrected.camera_id) == corrected.visit_id:
            self._last_at[corrected.camera_id] = None if moved is None else moved.visit_id

    def add(self, visits: Iterable[KnownVisit]) -> None:
        """Know of visits from before a start. What is known of them already is known better."""
        for visit in sorted(visits, key=lambda each: each.started_at, reverse=True):
            last_id = self._last_at.setdefault(visit.camera_id, visit.visit_id)
            if visit.visit_id not in self._known:
                self._put(visit)
                last = None if last_id is None else self._known.get(last_id)
                if last is not None and last.heard_at is None and last.started_at < visit.started_at:
                    # They are read in parts, and the newest need not be in the first one.
                    self._last_at[visit.camera_id] = visit.visit_id
                self._prune(visit)

    def restore(self, visit: KnownVisit) -> bool:
        """Know of the last visitor of a camera from before a start, who had no name; return whether that is news."""
        if any(each.announced_at >= visit.announced_at for each in self.at_camera(visit.camera_id)):
            return False
        self.announce(visit)
        return True

    def _put(self, visit: KnownVisit) -> None:
        self._take(visit.visit_id)
        self._known[visit.visit_id] = visit
        self._of_person[visit.person_id].add(visit.visit_id)
        self._at_camera[visit.camera_id].add(visit.visit_id)
        self._alike[_alike(visit)].add(visit.visit_id)
        if not visit.lasting:
            self._passing.add(visit.visit_id)
        elif visit.person_id is not None:
            insort(self._kept, (visit.last_seen_at, visit.visit_id))

    def _take(self, visit_id: str) -> KnownVisit | None:
        if (visit := self._known.pop(visit_id, None)) is None:
            return None
        for index, key in (
            (self._of_person, visit.person_id),
            (self._at_camera, visit.camera_id),
            (self._alike, _alike(visit)),
        ):
            _leave(index, key, visit_id)
        self._passing.discard(visit_id)
        if visit.lasting and visit.person_id is not None:
            del self._kept[bisect_left(self._kept, (visit.last_seen_at, visit_id))]
        return visit

    def _prune(self, news: KnownVisit) -> None:
        """Know of no more than is asked for, of strangers two visits to each camera, after something was heard."""
        superfluous = {each.visit_id for each in self._last_first(_alike(news))[EACH:]}
        # The one that was at hand until now.
        superfluous |= {visit_id for _, visit_id in self._kept[-AT_HAND - 1 : -AT_HAND]}
        for visit_id in superfluous - self._passing:
            visit = self._known[visit_id]
            at_hand = visit.person_id is not None and bisect_left(
                self._kept, (visit.last_seen_at, visit_id)
            ) >= (len(self._kept) - AT_HAND)
            if not at_hand and visit not in self._last_first(_alike(visit))[:EACH]:
                self._take(visit_id)
        for visit_id in list(self._passing):
            visit = self._known[visit_id]
            if news.camera_id != visit.camera_id and news.person_id != visit.person_id:
                continue
            # Live until the next visit here, and of this person.
            here, theirs = self._at_camera[visit.camera_id], self._of_person[visit.person_id]
            if visit.announced_at < min(self._newest(here), self._newest(theirs)):
                self._take(visit_id)

    def _last_first(self, alike: _Alike) -> list[KnownVisit]:
        return sorted(
            (self._known[each] for each in self._alike.get(alike, ())),
            key=lambda each: each.last_seen_at,
            reverse=True,
        )

    def _newest(self, visit_ids: Iterable[str]) -> datetime:
        return max(self._known[each].announced_at for each in visit_ids)


def _alike(visit: KnownVisit) -> _Alike:
    return visit.decision, visit.camera_id, visit.person_id


def _leave(index: dict[Any, set[str]], key: object, visit_id: str) -> None:
    index[key].discard(visit_id)
    if not index[key]:
        del index[key]
