"""An episode: what happens at the cameras at one time, and becomes one notification a recipient. Pure.

Looks and visits belong to the episode that goes on at their camera. Visits of one individual at several
cameras are one episode too, wherever it began. In memory only.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import uuid4

from ..visits.open_visits import GAP
from ..visits.visit import Decision, UnclearReason, Visit

MOST = 200
"""How many episodes are remembered, so that their notifications can still be changed or taken back."""
REMEMBERED = timedelta(hours=24)
LONGEST = timedelta(minutes=5)
"""How long after its beginning newcomers join an episode, so that where somebody always is, such as at a party in
the garden, no notification goes on for hours and says that those are there who left long ago."""


@dataclass(slots=True, eq=False)
class Seen:
    """A visit that was announced."""

    visit: Visit
    portrait: bytes | None = field(default=None, repr=False)
    """The individual's picture (JPEG), where one may be shown at all."""
    individual: str = ""
    """The person's id, or of somebody without a name the first visit that showed them."""
    before: Visit | None = field(default=None, repr=False)
    """The visit under the name that was taken away from it."""


@dataclass(slots=True, eq=False)
class Episode:
    """What happens at one time."""

    began_at: datetime
    last_at: datetime
    cameras: list[str] = field(default_factory=list)
    """Ids, in the order in which they came to it."""
    episode_id: str = field(default_factory=lambda: uuid4().hex)
    someone: str | None = None
    """The camera at which somebody rang or a face was seen; None when nothing says that anybody is there."""
    rang: bool = False
    """Whether somebody rang, and was not only seen."""
    unseen: str | None = None
    """The camera where a visitor rang and no look showed them, after others had been seen."""
    frame: bytes | None = field(default=None, repr=False)
    """The first frame of the look that began it (JPEG), until somebody in it is decided."""
    frames: int = 0
    """How many frames of a look were compared so far."""
    looking: set[str] = field(default_factory=set)
    """The cameras at which a look is being taken."""
    seen: dict[str, Seen] = field(default_factory=dict)
    """The visits by their ids, oldest first."""
    counting: dict[str, bool] = field(default_factory=dict)
    """Whether an alert counts for this episode: asked once, when it begins to concern the alert."""

    @property
    def tag(self) -> str:
        """Return what its notifications are known by."""
        return f"familiar_faces_{self.episode_id[:16]}"

    def individuals(self) -> list[list[Seen]]:
        """Return the visits of each individual, newest first; the individuals in the order they appeared in."""
        theirs: dict[str, list[Seen]] = {}
        for seen in self.seen.values():
            theirs.setdefault(seen.individual, []).insert(0, seen)
        return [
            sorted(visits, key=lambda each: each.visit.started_at, reverse=True) for visits in theirs.values()
        ]

    def correct(self, visit_id: str, moved: Visit | None) -> None:
        """Take a name away from one of its visits, or give it the right one."""
        before = self.seen[visit_id].visit
        visit = moved or replace(
            before,
            decision=Decision.UNCLEAR,
            reason=UnclearReason.NOT_SURE,
            person_id=None,
            name=None,
            confidence=None,
            template_id=None,
            similarity=None,
            portrait=None,
        )
        # The picture was shown as somebody's who is not in it.
        before = replace(before, portrait=None)
        self.seen[visit_id] = Seen(visit, None, visit.person_id or visit_id, before)


class Episodes:
    """The episodes that go on, and those of the last day."""

    def __init__(self, gap: timedelta = GAP) -> None:
        """Know of none."""
        self._gap = gap
        self._all: list[Episode] = []

    def __iter__(self) -> Iterator[Episode]:
        """Return them, newest first."""
        return iter(reversed(self._all))

    def current(self, camera_id: str, now: datetime) -> Episode | None:
        """Return the episode that goes on at a camera."""
        for episode in reversed(self._all):
            if camera_id in episode.cameras and (
                camera_id in episode.looking or now - episode.last_at <= self._gap
            ):
                return episode
        return None

    def at(self, camera_id: str, now: datetime) -> Episode:
        """Return the episode that goes on at a camera, where somebody is; a new one when there is none."""
        episode = self.current(camera_id, now)
        if episode is None:
            episode = Episode(began_at=now, last_at=now, cameras=[camera_id])
            self._all.append(episode)
            self._forget_old(now)
        episode.last_at = max(episode.last_at, now)
        return episode

    def over(self, camera_id: str) -> None:
        """Take note that no look is being taken at a camera."""
        for episode in self._all:
            episode.looking.discard(camera_id)

    def of_visit(self, visit_id: str) -> Episode | None:
        """Return the episode of a visit."""
        return next((each for each in self._all if visit_id in each.seen), None)

    def settle(
        self, visit: Visit, portrait: bytes | None, companions: Collection[str], now: datetime
    ) -> tuple[Episode, list[Episode]]:
        """Take note of a visit, and return its episode and those that became part of it.

        `companions`: the ids of visits at other cameras that show the same individual.
        """
        known = self.of_visit(visit.visit_id)
        here = known or self._open_to_newcomers(visit.camera_id, now)
        here.last_at = max(here.last_at, now)
        merged = []
        for companion in companions:
            there = self.of_visit(companion)
            if there is not None and there is not here:
                here, other = self._merge(*sorted((here, there), key=lambda each: each.began_at))
                merged.append(other)
        before = here.seen.get(visit.visit_id)
        seen = Seen(visit, portrait, visit.person_id or visit.visit_id)
        if before is not None and before.visit.person_id == visit.person_id:
            # One picture a visit: a better one a moment later is no news.
            seen = Seen(visit, before.portrait or portrait, before.individual, before.before)
        elif visit.person_id is None:
            alike = (here.seen[each] for each in companions if each in here.seen)
            seen.individual = next((each.individual for each in alike), visit.visit_id)
        here.seen[visit.visit_id] = seen
        if here.unseen == visit.camera_id:
            here.unseen = None
        # Anyone who is decided is no longer just someone; others in the frame may not be shown with them.
        here.frame = None
        return here, merged

    def forget(self, person_id: str) -> list[Episode]:
        """Drop a person's visits, and return the episodes that told of them."""
        told = []
        for episode in self._all:
            theirs = [key for key, seen in episode.seen.items() if seen.visit.person_id == person_id]
            for visit_id in theirs:
                del episode.seen[visit_id]
            for seen in episode.seen.values():
                if seen.before is not None and seen.before.person_id == person_id:
                    seen.before = None
                    theirs.append(seen.visit.visit_id)
            if theirs:
                # That somebody was there was said because of them.
                episode.someone = None if not episode.looking else episode.someone
                told.append(episode)
        return told

    @property
    def pictured(self) -> bool:
        """Return whether any picture is held."""
        return any(
            episode.frame is not None
            or any(seen.portrait or seen.visit.portrait for seen in episode.seen.values())
            for episode in self._all
        )

    def rename(self, names: Mapping[str, str]) -> None:
        """Speak of people by the names that they have now; `names`: by their ids."""
        for episode in self._all:
            for seen in episode.seen.values():
                seen.visit = _called(seen.visit, names)
                if seen.before is not None:
                    seen.before = _called(seen.before, names)

    def drop_pictures(self, before: datetime) -> None:
        """Forget the pictures of those who were not seen since a moment, no matter who else came to their episode."""
        for episode in self._all:
            if episode.began_at < before:
                episode.frame = None
            for seen in episode.seen.values():
                if seen.visit.last_seen_at < before:
                    seen.portrait = None
                    seen.visit = replace(seen.visit, portrait=None)

    def _open_to_newcomers(self, camera_id: str, now: datetime) -> Episode:
        """Return the episode at a camera that a new visit belongs to."""
        before = self.at(camera_id, now)
        if now - before.began_at <= LONGEST:
            return before
        episode = Episode(began_at=now, last_at=now, cameras=[camera_id], frames=before.frames)
        if camera_id in before.looking:
            before.looking.discard(camera_id)
            episode.looking.add(camera_id)
        self._all.append(episode)
        self._forget_old(now)
        return episode

    def _merge(self, first: Episode, second: Episode) -> tuple[Episode, Episode]:
        first.cameras += [each for each in second.cameras if each not in first.cameras]
        first.last_at = max(first.last_at, second.last_at)
        first.looking |= second.looking
        first.seen |= second.seen
        first.someone = first.someone or second.someone
        first.rang |= second.rang
        first.unseen = first.unseen or second.unseen
        first.counting = {**second.counting, **first.counting}
        self._all.remove(second)
        # What is asked about it later is about nobody.
        second.seen, second.someone, second.frame = {}, None, None
        return first, second

    def _forget_old(self, now: datetime) -> None:
        self._all = [each for each in self._all if now - each.last_at < REMEMBERED][-MOST:]


def _called(visit: Visit, names: Mapping[str, str]) -> Visit:
    """Return a visit with its person's name as it is now."""
    name = names.get(visit.person_id or "", visit.name)
    return visit if name == visit.name else replace(visit, name=name)
