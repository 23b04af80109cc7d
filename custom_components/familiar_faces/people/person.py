"""People and their consent."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
import re

import numpy as np
from numpy.typing import NDArray

from .choices import ANYWHERE, NOTHING_AGREED, Choices

Embedding = NDArray[np.float32]
"""A unit-length float32 vector: the dot product of two is their cosine."""

EXPIRING = timedelta(days=30)
"""How long before its end a consent is said to be expiring."""


RESERVED_NAMES = {"familiar", "stranger", "unclear", "unavailable", "unknown"}
"""What the last visitor is called who has no name."""


class ConsentMethod(StrEnum):
    """How a consent was given."""

    IN_PERSON = "in_person"
    ON_PAPER = "on_paper"
    OWN_DEVICE = "own_device"


class ConsentState(StrEnum):
    """Where a consent is in its life."""

    ACTIVE = "active"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Consent:
    """One yes, as it was given. Never changed afterwards but to be withdrawn; renewing makes a new one."""

    consent_id: str
    given_by: str
    """Who said yes: the person, or for a child the parent or guardian."""
    on_behalf_of_child: bool
    method: ConsentMethod
    given_at: datetime
    valid_until: datetime
    text_version: str
    """Which consent text was agreed to, as `<language>/<version>`."""
    recorded_at: datetime
    withdrawn_at: datetime | None = None
    choices: Choices = field(default_factory=Choices)
    """What was agreed to besides being recognised."""
    visits_for: timedelta | None = None
    """How long visits were agreed to be kept, when they are; None when that was not said."""
    pictures_for: timedelta | None = None
    text: str = ""
    """The very text that was agreed to; empty in consents of the first version of the text."""
    ended: bool = False
    """Whether it was seen to run out. It then never counts again, also when the clock is set back."""

    def __post_init__(self) -> None:
        """Refuse a consent that could never be told to be active."""
        moments = (self.given_at, self.valid_until, self.recorded_at)
        if any(moment.tzinfo is None for moment in moments):
            raise ValueError("a consent's times need a time zone")
        if self.valid_until <= self.given_at:
            raise ValueError("a consent ends after it was given")
        if not self.given_by.strip():
            raise ValueError("a consent names who gave it")

    @property
    def keeps_visits_for(self) -> timedelta | None:
        """Return how long visits may be kept at most; None for as long as is set."""
        return self.visits_for if self.choices.keeps_visits else timedelta(0)

    @property
    def keeps_pictures_for(self) -> timedelta | None:
        """Return how long pictures of visits may be kept at most; None for as long as is set."""
        return self.pictures_for if self.choices.keeps_pictures else timedelta(0)

    def state(self, now: datetime) -> ConsentState:
        """Return where this consent is in its life at `now`."""
        if self.withdrawn_at is not None:
            # Whatever the clock says: one that is set back makes no yes of a no.
            return ConsentState.WITHDRAWN
        if self.ended or now >= self.valid_until:
            return ConsentState.EXPIRED
        if now >= self.valid_until - EXPIRING:
            return ConsentState.EXPIRING
        return ConsentState.ACTIVE

    def allows_recognition(self, now: datetime) -> bool:
        """Return whether recognising this person is agreed to at `now`."""
        return self.given_at <= now and self.state(now) in (
            ConsentState.ACTIVE,
            ConsentState.EXPIRING,
        )

    def runs_out(self, now: datetime) -> bool:
        """Return whether it has run out by `now`, and that was not noted yet."""
        return not self.ended and self.state(now) is ConsentState.EXPIRED

    def withdrawn(self, now: datetime) -> Consent:
        """Return this consent, withdrawn at `now`."""
        return replace(self, withdrawn_at=now)


@dataclass(frozen=True, slots=True)
class Template:
    """An embedding of a consenting person, kept to compare with; one reference photo made it."""

    template_id: str
    embedding: Embedding
    model: str
    """Name of the embedding space; see `engine.protocol.Faces.model`."""
    photo_digest: str
    """SHA-256 of the photo as it was given, to tell the same photo given twice."""
    added_at: datetime
    usable: bool = True
    """Whether it takes part in comparisons."""
    guard: float | None = None
    """How similar to the person a face has to be, at least, that is nearest to this template; see `corrections`."""
    camera_id: str | None = None
    """The camera whose picture it was made of; None for a photo of any other kind."""


@dataclass(frozen=True, slots=True)
class Person:
    """Someone with a name and a consent."""

    person_id: str
    name: str
    consents: tuple[Consent, ...] = ()
    """Oldest first."""
    templates: tuple[Template, ...] = field(default=(), repr=False)
    linked_entity: str | None = None
    """The Home Assistant `person.*` that is the same individual, when the owner said so."""
    former_names: tuple[str, ...] = field(default=(), repr=False)
    """What they were called before, to look for that too when they are forgotten."""
    called: str | None = field(default=None, repr=False)
    """What they called themselves, when somebody here had that name and theirs got a number behind it."""

    @property
    def own_name(self) -> str:
        """Return their name as they may see it: "Anna 2" would tell them that there is an Anna."""
        return self.called if self.called is not None and self._numbered(self.name) else self.name

    @property
    def own_former_names(self) -> tuple[str, ...]:
        """Return what they were called before, as they may see it."""
        return tuple(each for each in self.former_names if not self._numbered(each))

    def _numbered(self, name: str) -> bool:
        return self.called is not None and re.fullmatch(rf"{re.escape(self.called)} \d+", name) is not None

    @property
    def consent(self) -> Consent | None:
        """Return the consent that counts: the newest."""
        return self.consents[-1] if self.consents else None

    @property
    def choices(self) -> Choices:
        """Return what the consent that counts says besides."""
        return NOTHING_AGREED if self.consent is None else self.consent.choices

    def may_be_recognised(self, now: datetime, camera_id: str = ANYWHERE) -> bool:
        """Return whether the consent on record allows recognising this person at `now`, at a camera."""
        return (
            self.consent is not None
            and self.consent.allows_recognition(now)
            and self.consent.choices.at(camera_id)
        )


def narrowed(before: Person, after: Person) -> bool:
    """Return whether somebody agrees to less than before, so that what is shown of them has to go."""
    old, new = before.choices, after.choices
    fewer = new.cameras is not None and (old.cameras is None or not old.cameras <= new.cameras)
    return fewer or (old.keeps_visits and not new.keeps_visits) or (old.announced and not new.announced)
