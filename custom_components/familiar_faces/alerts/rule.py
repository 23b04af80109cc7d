"""An alert: who it is about, where and when, and who is notified how. Pure."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any, Self

from ..visits.visit import Decision, Visit

CONF_WHO = "who"
CONF_PEOPLE = "people"
CONF_CAMERAS = "cameras"
CONF_AFTER = "after"
CONF_BEFORE = "before"
CONF_WEEKDAYS = "weekdays"
CONF_HOME = "home"
CONF_RECIPIENTS = "recipients"
CONF_EARLY = "early"
CONF_PICTURE = "picture"
CONF_EVERY = "every"
CONF_CRITICAL = "critical"
CONF_ANSWERS = "answers"

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""In the order of `datetime.weekday`."""
MAX_EVERY = 24 * 60
"""Minutes that an alert may keep quiet between two notifications, at most."""


class Who(StrEnum):
    """Who an alert is about, besides the people who are chosen by name."""

    FAMILIAR = "familiar"
    """Any familiar person."""
    STRANGER = "stranger"
    UNCLEAR = "unclear"


class Home(StrEnum):
    """Who has to be at home."""

    ANY = "any"
    """No matter who it is."""
    SOMEBODY = "somebody"
    NOBODY = "nobody"


class Pictures(StrEnum):
    """The visitors shown in a notification's picture."""

    NONE = "none"
    FAMILIAR = "familiar"
    """Familiar people who agreed to pictures."""
    EVERYBODY = "everybody"
    """Also those without a name."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What an alert says."""

    alert_id: str
    """The id of its subentry."""
    title: str
    who: frozenset[Who]
    people: frozenset[str]
    """Ids of people who are chosen by name."""
    recipients: tuple[str, ...]
    """The keys of those who are told, see `recipients.Recipient`."""
    cameras: frozenset[str] | None = None
    """Ids of the cameras' subentries; None for every camera. Empty when those that were chosen are all gone."""
    after: time | None = None
    before: time | None = None
    weekdays: frozenset[str] = frozenset(WEEKDAYS)
    home: Home = Home.ANY
    early: bool = False
    """Whether somebody is told of before it is known who it is."""
    pictures: Pictures = Pictures.FAMILIAR
    every: timedelta = timedelta(0)
    """How long it keeps quiet about the same individual after having told of them."""
    critical: bool = False
    answers: bool = True
    """Whether its recipients may say whether it was right."""

    @classmethod
    def from_data(cls, alert_id: str, title: str, data: Mapping[str, Any]) -> Self:
        """Return the rule that a subentry holds; raise ValueError or TypeError for what is no rule.

        What is damaged, or was written by a newer version, must not come to mean somebody or somewhere else.
        """
        after, before = data.get(CONF_AFTER), data.get(CONF_BEFORE)
        return cls(
            alert_id=alert_id,
            title=title,
            who=frozenset(Who(each) for each in _texts(data.get(CONF_WHO, ()))),
            people=frozenset(_texts(data.get(CONF_PEOPLE, ()))),
            recipients=tuple(_texts(data.get(CONF_RECIPIENTS, ()))),
            cameras=None if data.get(CONF_CAMERAS) is None else frozenset(_texts(data[CONF_CAMERAS])),
            after=time.fromisoformat(after) if after else None,
            before=time.fromisoformat(before) if before else None,
            weekdays=frozenset(_texts(data.get(CONF_WEEKDAYS) or WEEKDAYS)),
            home=Home(data.get(CONF_HOME, Home.ANY)),
            early=bool(data.get(CONF_EARLY, False)),
            pictures=Pictures(data.get(CONF_PICTURE, Pictures.FAMILIAR)),
            every=timedelta(minutes=data.get(CONF_EVERY, 0)),
            critical=bool(data.get(CONF_CRITICAL, False)),
            answers=bool(data.get(CONF_ANSWERS, True)),
        )

    @property
    def about_nobody(self) -> bool:
        """Return whether nobody, or no camera, is left that it could be about."""
        return not (self.who or self.people) or self.cameras == frozenset()

    def at(self, camera_id: str) -> bool:
        """Return whether it is about a camera."""
        return self.cameras is None or camera_id in self.cameras

    def about(self, visit: Visit) -> bool:
        """Return whether it is about a visitor like this one."""
        if not self.at(visit.camera_id):
            return False
        if visit.decision is Decision.FAMILIAR:
            return Who.FAMILIAR in self.who or visit.person_id in self.people
        return Who(visit.decision) in self.who

    def shows(self, visit: Visit) -> bool:
        """Return whether it may show a picture of a visitor, as far as the owner has a say in it."""
        if visit.decision is Decision.FAMILIAR:
            return self.pictures is not Pictures.NONE
        return self.pictures is Pictures.EVERYBODY

    def counts(self, local: datetime, somebody_home: bool) -> bool:
        """Return whether it counts at a moment, given in local time.

        A time after midnight belongs to the weekday before when the period began then.
        """
        if self.home is not Home.ANY and somebody_home is not (self.home is Home.SOMEBODY):
            return False
        now, day = local.time().replace(tzinfo=None), local.weekday()
        after, before = self.after or time.min, self.before
        if before is None or after < before:
            inside = now >= after and (before is None or now < before)
        elif now < before:
            inside, day = True, day - 1
        else:
            inside = now >= after
        return inside and WEEKDAYS[day % 7] in self.weekdays


def without_the_gone(data: Mapping[str, Any], known: Container[str]) -> dict[str, Any]:
    """Return what a subentry holds, without the people and cameras whose ids are not among the known ones.

    An alert whose cameras are all gone is about none: it must not be about every camera all at once.
    """
    left = dict(data)
    for key in (CONF_PEOPLE, CONF_CAMERAS):
        if isinstance(ids := left.get(key), (list, tuple)):
            left[key] = [each for each in ids if isinstance(each, str) and each in known]
    return left


def _texts(value: object) -> Sequence[str]:
    """Return what has to be a list of texts; raise TypeError for anything else."""
    if not isinstance(value, (list, tuple)) or not all(isinstance(each, str) for each in value):
        raise TypeError(f"not a list of texts: {type(value).__name__}")
    return value
