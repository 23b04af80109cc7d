"""The last visits that are known, in memory, whether they may be shown or not. Names nobody, holds no face. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from ..vault.records import Corrected, VisitRecord
from ..visits.visit import Decision, Visit

EACH = 2
"""Visits that are known of each person, and of each kind of visitor without a name, at each camera: the last one,
and the one before it for when the last is left out."""
AT_HAND = 100
"""Kept visits that are known besides: the logbook describes on the event loop, where the vault cannot be read."""


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
    """The last visits, per camera and person."""

    def __init__(self) -> None:
        """Know of none."""
        self._known: dict[str, KnownVisit] = {}
        self._last_at: dict[str, str | None] = {}
        """The id of the visit that is shown as the last one of each camera; None where there is none any more."""

    def __iter__(self) -> Iterator[KnownVisit]:
        """Return all of them, in no order."""
        return iter(list(self._known.values()))

    def get(self, visit_id: str | None) -> KnownVisit | None:
        """Return a visit by its id."""
        return None if visit_id is None else self._known.get(visit_id)

    def of_person(self, person_id: str) -> list[KnownVisit]:
        """Return a person's visits."""
        return [each for each in self if each.person_id == person_id]

    def at_camera(self, camera_id: str) -> list[KnownVisit]:
        """Return the visits to a camera."""
        return [each for each in self if each.camera_id == camera_id]

    def last_at(self, camera_id: str) -> KnownVisit | None:
        """Return the last visit to a camera that was to be kept; none when that was taken away."""
        return self.get(self._last_at.get(camera_id))

    def announce(self, visit: KnownVisit) -> None:
        """Know of a visit that began, or turned out to be another one's."""
        self._known[visit.visit_id] = visit
        if visit.lasting:
            self._last_at[visit.camera_id] = visit.visit_id
        elif self._last_at.get(visit.camera_id) == visit.visit_id:
            # Shown as somebody without a name so far, which was wrong.
            self._last_at[visit.camera_id] = None
        self._prune()

    def go_on(self, visit: KnownVisit) -> None:
        """Know how a visit goes on."""
        self._known[visit.visit_id] = visit
        self._prune()

    def drop(self, visit_id: str) -> None:
        """Know nothing more of a visit; no earlier one is shown in its place."""
        self._known.pop(visit_id, None)
        self._last_at = {key: None if each == visit_id else each for key, each in self._last_at.items()}

    def forget(self, person_id: str) -> set[str]:
        """Know nothing more of a person; return the ids of the cameras that they were at."""
        gone = self.of_person(person_id)
        for each in gone:
            self.drop(each.visit_id)
        return {each.camera_id for each in gone}

    def correct(self, corrected: Corrected) -> None:
        """Know a visit under whose it really was, or not at all."""
        wrong, moved = corrected.visit, corrected.moved
        known = self._known.pop(wrong.visit_id, None)
        if moved is not None:
            heard_at = None if known is None else known.heard_at
            self._known[moved.visit_id] = replace(KnownVisit.of_record(moved), heard_at=heard_at)
        if self._last_at.get(wrong.camera_id) == wrong.visit_id:
            self._last_at[wrong.camera_id] = None if moved is None else moved.visit_id

    def add(self, visits: Iterable[KnownVisit]) -> None:
        """Know of visits from before a start. What is known of them already is known better."""
        for visit in sorted(visits, key=lambda each: each.started_at, reverse=True):
            self._known.setdefault(visit.visit_id, visit)
            self._last_at.setdefault(visit.camera_id, visit.visit_id)
        self._prune()

    def restore(self, visit: KnownVisit) -> bool:
        """Know of the last visitor of a camera from before a start, who had no name; return whether that is news."""
        if any(each.announced_at >= visit.announced_at for each in self.at_camera(visit.camera_id)):
            return False
        self.announce(visit)
        return True

    def _prune(self) -> None:
        """Know of no more than is asked for: of strangers two visits to each camera."""
        latest = sorted(self._known.values(), key=lambda each: each.last_seen_at, reverse=True)
        newest: dict[str | None, datetime] = {}
        for each in latest:
            for of in (each.camera_id, each.person_id):
                newest[of] = max(newest.get(of, each.announced_at), each.announced_at)
        alike: Counter[tuple[Decision, str, str | None]] = Counter()
        at_hand, known = 0, {}
        for each in latest:
            alike[each.decision, each.camera_id, each.person_id] += 1
            wanted = alike[each.decision, each.camera_id, each.person_id] <= EACH
            if not each.lasting:
                # Live until the next visit here, and of this person.
                wanted = each.announced_at >= min(newest[each.camera_id], newest[each.person_id])
            elif each.person_id is not None and at_hand < AT_HAND:
                at_hand += 1
                wanted = True
            if wanted:
                known[each.visit_id] = each
        self._known = known
