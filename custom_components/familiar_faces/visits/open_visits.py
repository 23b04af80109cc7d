"""Visits that still go on: which looks belong together, and when they are forgotten."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import uuid4

import numpy as np

from ..engine.protocol import Embedding
from .visit import Decision, Sighting, UnclearReason, Verdict, Visit, evidence_weight

GAP = timedelta(seconds=30)
"""How long an individual may be out of sight before their next look is another visit."""

AHEAD = timedelta(minutes=2)
"""How far in the future a visit may lie, when frames of a stream are dated; one further off is over: the clock was set back."""

JOIN = 0.5
"""Cosine from which two looks show the same individual.

One in 100,000 pairs of different people of the LFW development set lies above 0.49; two clips of one person
at a door never lay below 0.79, clips of two people never above 0.41.
"""


class Change(StrEnum):
    """What a sighting did to the visits of its camera."""

    OPENED = "opened"
    """A new visit: to be announced."""
    UPGRADED = "upgraded"
    """A visit that was unclear or a stranger's turned out to be familiar: to be announced once more."""
    CONTINUED = "continued"
    """A visit that was announced already goes on: not to be announced."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A visit, and what just happened to it."""

    visit: Visit
    change: Change


@dataclass(slots=True, eq=False)
class _Open:
    """A visit that goes on, with what it takes to know its individual again. Lives in memory only."""

    visit: Visit
    frames: dict[str, int] = field(default_factory=dict)
    """How many frames each of its sightings had when last heard of."""
    seen_at: frozenset[datetime] = frozenset()
    """The frames of its newest sighting, to tell individuals apart who were seen at once."""
    embedding: Embedding | None = field(default=None, repr=False)
    """The usable faces of its newest sighting that had any, fused."""
    portrait_weight: float = 0.0

    def take(self, sighting: Sighting, verdict: Verdict) -> bool:
        """Note what is new of a sighting that belongs here; return whether that made the visit familiar."""
        self.frames[sighting.sighting_id] = sighting.frames
        self.seen_at = frozenset(sighting.seen_at)
        if sighting.embedding is not None:
            self.embedding = sighting.embedding
        self.visit = replace(
            self.visit,
            last_seen_at=max(self.visit.last_seen_at, sighting.seen_at[-1]),
            frames=sum(self.frames.values()),
        )
        if verdict.decision is not Decision.FAMILIAR:
            return False
        upgraded = self.visit.decision is not Decision.FAMILIAR
        surer = _is_of(self, verdict) and (verdict.confidence or 0.0) > (self.visit.confidence or 0.0)
        if upgraded or surer:
            self.visit = self.visit.decided(verdict)
        elif _is_of(self, verdict) and (verdict.similarity or -1.0) > (self.visit.similarity or -1.0):
            # How alike they were at most: what a correction has to keep from being said again.
            self.visit = replace(self.visit, similarity=verdict.similarity, template_id=verdict.template_id)
        self._take_portrait(sighting, verdict)
        return upgraded

    def _take_portrait(self, sighting: Sighting, verdict: Verdict) -> None:
        """Keep the best picture of a familiar person."""
        face = sighting.best_face
        if face is None or face.portrait is None or not _is_of(self, verdict):
            return
        if (weight := evidence_weight(face)) > self.portrait_weight:
            self.portrait_weight = weight
            self.visit = replace(self.visit, portrait=face.portrait)


class OpenVisits:
    """The visits that go on, of all cameras.

    One visit gives one event however many looks it had: a look belongs to a visit of its camera that was
    seen less than `GAP` ago when it shows the same person or, without a name, a similar face. A later look
    is another visit, of the same person too.

    A visit's first decision stands, with one exception: a visit that was unclear or a stranger's becomes
    familiar when its individual is recognised within the gap. It keeps its id and start, and its outcome is
    `UPGRADED`, once. A familiar visit never changes its name.

    The faces of strangers are held here and nowhere else, and only until `expire`.
    """

    def __init__(self, gap: timedelta = GAP) -> None:
        """Start without any visit."""
        self._gap = gap
        self._open: list[_Open] = []

    @property
    def visits(self) -> tuple[Visit, ...]:
        """Return the visits that go on, oldest first."""
        return tuple(each.visit for each in self._open)

    def of_person(self, person_id: str) -> Visit | None:
        """Return the visit of a person that goes on, the one seen last; None without any."""
        latest = _latest([each for each in self._open if each.visit.person_id == person_id])
        return None if latest is None else latest.visit

    def companions(self, visit_id: str) -> tuple[str, ...]:
        """Return the ids of the visits at other cameras that show the same individual.

        Somebody without a name is compared with others without one only: anyone who agreed to be recognised at
        one camera is not recognised at another one by what is known of them from there.
        """
        mine = next((each for each in self._open if each.visit.visit_id == visit_id), None)
        if mine is None:
            return ()
        others = [each for each in self._open if each.visit.camera_id != mine.visit.camera_id]
        return tuple(each.visit.visit_id for each in others if _show_one(mine, each))

    def settle(self, camera_id: str, sighting: Sighting, verdict: Verdict) -> Outcome:
        """Return the visit to which a decided sighting belongs, and what it did to it.

        May be called again for the same sighting when more of it was seen.
        """
        here = [each for each in self._open if self._goes_on(each, camera_id, sighting)]
        mine = next((each for each in here if sighting.sighting_id in each.frames), None)
        if mine is None:
            at_once = [each for each in here if not each.seen_at.isdisjoint(sighting.seen_at)]
            if any(_is_of(each, verdict) for each in at_once):
                # One person is not at two places in a frame, so one of the two names is wrong.
                verdict = Verdict(Decision.UNCLEAR, reason=UnclearReason.TOO_ALIKE)
            before = [each for each in here if each not in at_once]
            if sighting.embedding is None and (nearest := _latest(before)) is not None:
                return self._pass_over(nearest, sighting, verdict)
            mine = _find(before, sighting, verdict)
        if mine is None:
            mine = self._begin(camera_id, sighting, verdict)
            mine.take(sighting, verdict)
            return Outcome(mine.visit, Change.OPENED)
        picture = verdict.reason is UnclearReason.MAY_BE_A_PICTURE
        if picture and mine.visit.decision is Decision.FAMILIAR:
            # A picture of somebody does not say that they are still there.
            return Outcome(mine.visit, Change.CONTINUED)
        upgraded = mine.take(sighting, verdict)
        return Outcome(mine.visit, Change.UPGRADED if upgraded else Change.CONTINUED)

    def expire(self, now: datetime) -> tuple[Visit, ...]:
        """Forget every visit whose gap has passed, and return those visits as they ended."""
        over = [each for each in self._open if not -AHEAD <= now - each.visit.last_seen_at <= self._gap]
        self._open = [each for each in self._open if each not in over]
        return tuple(each.visit for each in over)

    def leave(self, camera_id: str) -> None:
        """Forget the visits of a camera that is no longer watched."""
        self._open = [each for each in self._open if each.visit.camera_id != camera_id]

    def drop(self, visit_id: str) -> None:
        """Forget a visit that was not whose it was said to be, so that it does not go on."""
        self._open = [each for each in self._open if each.visit.visit_id != visit_id]

    def forget(self, person_id: str) -> None:
        """Forget a person's visits at once: the consent ended, or the person was removed."""
        self._open = [each for each in self._open if each.visit.person_id != person_id]

    def _goes_on(self, each: _Open, camera_id: str, sighting: Sighting) -> bool:
        """Return whether a visit was still going on at this camera when the sighting began."""
        since = sighting.seen_at[0] - each.visit.last_seen_at
        return each.visit.camera_id == camera_id and -AHEAD <= since <= self._gap

    def _pass_over(self, nearest: _Open, sighting: Sighting, verdict: Verdict) -> Outcome:
        """Take faces that nobody can be told by as part of the visit that was seen last.

        They are most likely somebody who turned away, so they are no event of their own; but they do not
        prolong the visit of a person, as that might be somebody else.
        """
        if nearest.embedding is None:
            nearest.take(sighting, verdict)
        return Outcome(nearest.visit, Change.CONTINUED)

    def _begin(self, camera_id: str, sighting: Sighting, verdict: Verdict) -> _Open:
        """Open a visit."""
        visit = Visit(
            visit_id=uuid4().hex,
            camera_id=camera_id,
            decision=verdict.decision,
            started_at=sighting.seen_at[0],
            last_seen_at=sighting.seen_at[-1],
            frames=0,
        )
        opened = _Open(visit.decided(verdict))
        self._open.append(opened)
        return opened


def _find(visits: list[_Open], sighting: Sighting, verdict: Verdict) -> _Open | None:
    """Return which of the visits the sighting continues.

    The same person's comes first. A person who is named does not continue another person's visit, however
    similar; anybody else does when the face is similar enough. A visit that had no usable face yet goes on
    as somebody came closer; not as a stranger's, who would then never be announced.
    """
    if verdict.decision is Decision.FAMILIAR:
        named = next((each for each in visits if _is_of(each, verdict)), None)
        if named is not None:
            return named
        visits = [each for each in visits if each.visit.decision is not Decision.FAMILIAR]
    embedding = sighting.embedding
    if embedding is None:
        return None
    likeness = [
        (float(np.dot(each.embedding, embedding)), index)
        for index, each in enumerate(visits)
        if each.embedding is not None
    ]
    cosine, index = max(likeness, default=(-1.0, 0))
    if cosine >= JOIN:
        return visits[index]
    if verdict.decision is Decision.STRANGER:
        return None
    return _latest([each for each in visits if each.embedding is None])


def _is_of(each: _Open, verdict: Verdict) -> bool:
    """Return whether a visit is of the person that a verdict names."""
    return verdict.person_id is not None and each.visit.person_id == verdict.person_id


def _show_one(one: _Open, other: _Open) -> bool:
    """Return whether visits at two cameras are of one individual."""
    if one.visit.person_id is not None or other.visit.person_id is not None:
        return one.visit.person_id == other.visit.person_id
    if one.embedding is None or other.embedding is None:
        return False
    return float(np.dot(one.embedding, other.embedding)) >= JOIN


def _latest(visits: list[_Open]) -> _Open | None:
    """Return the visit that was seen last."""
    return max(visits, key=lambda each: each.visit.last_seen_at, default=None)
