"""What a recipient is notified about in an episode. Pure: the same question always has the same answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from ..visits.visit import Decision
from .episode import Episode, Seen
from .rule import Pictures, Rule

SELF_FRAMES = 3
"""After so many frames without a name, a recipient who could be the visitor is notified of "someone".

A name takes two good frames; a third one allows for a poor one.
"""
PATIENCE = timedelta(seconds=2)
"""How long a first notification waits for a picture, or for a name when the recipient could be the visitor."""


class Kind(StrEnum):
    """What is said of an individual."""

    FAMILIAR = "familiar"
    STRANGER = "stranger"
    UNCLEAR = "unclear"
    SOMEONE = "someone"
    """Nobody is decided yet, or nobody could be."""
    CORRECTED = "corrected"
    """It was not who it was said to be."""


@dataclass(frozen=True, slots=True)
class Part:
    """One individual as a recipient is told of them."""

    kind: Kind
    camera_id: str
    individual: str
    """The person's id, or an id of somebody without a name."""
    name: str | None = None
    """Whose name is said: of a familiar person, or whose visit it was not."""
    visit_id: str | None = None

    @property
    def known_as(self) -> set[str]:
        """Return by what it is known whether somebody was told of already."""
        return {self.individual} if self.visit_id is None else {self.individual, self.visit_id}

    @property
    def topic(self) -> str:
        """Return what counts as telling the same again: a person, or a kind of visitor."""
        return self.individual if self.kind is Kind.FAMILIAR else str(self.kind)


@dataclass(frozen=True, slots=True)
class Telling:
    """What a recipient is to know now."""

    parts: tuple[Part, ...]
    picture: bytes | None = field(default=None, repr=False)
    """A JPEG."""
    critical: bool = False
    answers: bool = False
    alerts: frozenset[str] = frozenset()
    """Ids of the alerts that caused this."""

    @property
    def words(self) -> tuple[object, ...]:
        """Return what makes it read differently."""
        return (tuple((each.kind, each.camera_id, each.name) for each in self.parts), self.picture is None)


@dataclass(frozen=True, slots=True)
class Reader:
    """What counts for one recipient."""

    own: frozenset[str]
    """The ids of the recipient's own person, who is never notified about; several if enrolled twice."""
    may_come: Callable[[str], bool]
    """Whether the visitor could be the recipient, or a person who chose silence."""
    mutes: Callable[[str, str | None], bool]
    """Whether they do not want to be told now: of a camera, or of a person there."""
    quiet: Callable[[Rule, str, Episode], bool]
    """Whether an alert has told them of this topic too short a time ago, in another episode."""


def tell(rules: Sequence[Rule], episode: Episode, reader: Reader, now: datetime) -> Telling | None:
    """Return what a recipient of these alerts is to know; None for nothing."""
    rules = [rule for rule in rules if episode.counting.get(rule.alert_id, False)]
    parts: list[Part] = []
    because: dict[str, Rule] = {}
    picture: bytes | None = None
    for visits in episode.individuals():
        # A visitor at a camera now that no alert is about was still at the other one.
        covered = ((seen, _covering(rules, seen, episode, reader)) for seen in visits)
        found = next(((seen, covering) for seen, covering in covered if covering is not None), None)
        if found is None:
            continue
        seen, (part, alerts) = found
        parts.append(part)
        because |= {rule.alert_id: rule for rule in alerts}
        if seen.portrait is not None and any(rule.shows(seen.visit) for rule in alerts):
            picture = seen.portrait
    camera_id = episode.unseen if episode.seen else episode.someone
    if camera_id is not None and (early := _early(rules, episode, camera_id, reader, now)):
        parts.append(Part(Kind.SOMEONE, camera_id, Kind.SOMEONE))
        because |= {rule.alert_id: rule for rule in early}
        if not episode.seen and any(rule.pictures is Pictures.EVERYBODY for rule in early):
            picture = episode.frame
    if not parts:
        return None
    return Telling(
        parts=tuple(parts),
        picture=picture,
        critical=any(rule.critical for rule in because.values()),
        answers=any(rule.answers for rule in because.values()),
        alerts=frozenset(because),
    )


def _covering(
    rules: Sequence[Rule], seen: Seen, episode: Episode, reader: Reader
) -> tuple[Part, list[Rule]] | None:
    """Return how somebody is told of, and the alerts that ask for it; None when none does."""
    visit, before = seen.visit, seen.before
    if visit.person_id in reader.own:
        return None
    if reader.mutes(visit.camera_id, visit.person_id):
        return None
    if before is not None and (
        before.person_id in reader.own or reader.mutes(before.camera_id, before.person_id)
    ):
        # Who was not told the wrong name is not told that it was wrong.
        before = None
    if before is not None and visit.person_id is None:
        # Anyone who was told the wrong name is told so.
        part = Part(Kind.CORRECTED, visit.camera_id, seen.individual, before.name, visit.visit_id)
    else:
        part = Part(_KINDS[visit.decision], visit.camera_id, seen.individual, visit.name, visit.visit_id)
    alerts = [
        rule
        for rule in rules
        if (rule.about(visit) or (before is not None and rule.about(before)))
        and not reader.quiet(rule, part.topic, episode)
    ]
    return (part, alerts) if alerts else None


def _early(
    rules: Sequence[Rule], episode: Episode, camera_id: str, reader: Reader, now: datetime
) -> list[Rule]:
    """Return the alerts that tell that someone is there, before or without knowing who."""
    if reader.mutes(camera_id, None):
        return []
    if any(seen.visit.person_id in reader.own for seen in episode.seen.values()):
        # Most likely they rang once more themselves.
        return []
    waited = now - episode.began_at >= PATIENCE or not episode.looking
    if reader.may_come(camera_id) and episode.frames < SELF_FRAMES and not waited:
        return []
    return [
        rule
        for rule in rules
        if rule.early
        and not rule.about_nobody
        and rule.at(camera_id)
        and not reader.quiet(rule, camera_id, episode)
        # A picture that comes a moment later would make it a second notification.
        and (rule.pictures is not Pictures.EVERYBODY or episode.frame is not None or waited)
    ]


_KINDS = {
    Decision.FAMILIAR: Kind.FAMILIAR,
    Decision.STRANGER: Kind.STRANGER,
    Decision.UNCLEAR: Kind.UNCLEAR,
}
