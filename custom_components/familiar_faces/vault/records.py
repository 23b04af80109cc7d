"""What the vault takes and gives besides people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
import math
from typing import NamedTuple

type Detail = str | int | float | bool | None


class EnrolmentState(StrEnum):
    """How far someone's enrolment is."""

    ENROLLING = "enrolling"
    ENROLLED = "enrolled"


@dataclass(frozen=True, slots=True)
class VisitRecord:
    """A visit of a familiar person. There is no other kind: a stranger has no place in the vault."""

    visit_id: str
    person_id: str
    camera_id: str
    """Id of the camera's config subentry."""
    started_at: datetime
    confidence: float
    """How sure the decision was, 0 to 1; 1 when the owner said who it was."""
    frames: int
    """How many frames the decision rests on."""
    template_id: str | None = None
    """The template that the face resembled most; None when the owner said who it was."""
    similarity: float | None = None
    """Cosine of the face with the person's centroid, -1 to 1; None when the owner said who it was."""
    confirmed: bool = False
    """Whether the owner said that it was this person."""
    last_seen_at: datetime | None = None
    """When they were last seen in it; None in what was written before that was kept."""
    pictured: bool = field(default=False, compare=False)
    """Whether a picture is kept with it, as it was read."""

    @property
    def until(self) -> datetime:
        """Return when they were last seen, never before the visit began."""
        return self.started_at if self.last_seen_at is None else max(self.started_at, self.last_seen_at)

    def __post_init__(self) -> None:
        """Refuse a visit of nobody, nowhere or at no time."""
        for name in ("visit_id", "person_id", "camera_id"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value:
                raise ValueError(f"a visit needs its {name}")
        if any(each is not None and each.tzinfo is None for each in (self.started_at, self.last_seen_at)):
            raise ValueError("a visit's time needs a time zone")
        if not (math.isfinite(self.confidence) and 0 <= self.confidence <= 1):
            raise ValueError("a visit's confidence is between 0 and 1")
        # A cosine of float32 vectors may be rounded to a little over 1.
        if self.similarity is not None and not abs(self.similarity) <= 1.001:
            raise ValueError("a visit's similarity is between -1 and 1")


@dataclass(frozen=True, slots=True)
class Corrected:
    """What followed from a correction: of a wrong name, or of a visit without a name."""

    visit_id: str
    camera_id: str
    said: str | None
    """The id of whose it was said to be: theirs is erased, with its picture. None when it had no name."""
    moved: VisitRecord | None
    """As it is kept of the person it really was, None when the owner did not say or it is not to be kept."""
    template_id: str | None = None
    """The template that caused the match, None when that is not known or the template is gone."""
    set_aside: bool = False
    """Whether that template is no longer compared with."""
    guard: float | None = None
    """How similar to the person a face has to be, from now on, that is like the one named wrongly."""

    def concerns(self, person_id: str) -> bool:
        """Return whether a person has a visit less now, or one more."""
        return person_id == self.said or (self.moved is not None and person_id == self.moved.person_id)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was erased of one person."""

    person_id: str
    forgotten_at: datetime
    templates: int
    photos: int
    visits: int
    pictures: int
    consents: int
    verified: bool
    """Whether looking again found neither a row of this person nor their wrapped key in the file.

    False also when the store could not be looked through yet, as on a full disk; the erasure itself
    stands, and opening the vault or purging it finishes the clean-up.
    """
    invitations: int = 0
    """How many invitations and personal links were closed."""
    reached: Mapping[str, Detail] = field(default_factory=dict)
    """What was erased outside of the vault, and what could not be reached; see `finish_forgetting`."""
    finished_at: datetime | None = None
    """When all of it was done; None while something outside of the vault is left to do."""

    @property
    def erased(self) -> dict[str, int]:
        """Return how much of each kind was erased from the vault."""
        return {
            "templates": self.templates,
            "photos": self.photos,
            "visits": self.visits,
            "pictures": self.pictures,
            "consents": self.consents,
            "invitations": self.invitations,
        }

    @property
    def everywhere(self) -> bool:
        """Return whether looking again found nothing, neither in the vault nor anywhere else that can be reached."""
        return self.verified and self.finished_at is not None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Someone who is erased from the vault, and perhaps not yet from everywhere else."""

    person_id: str
    name: str
    """What they were called, to look for it; empty when it could not be read."""
    entity_ids: tuple[str, ...]
    """Their entities, as far as they were noted."""
    former_names: tuple[str, ...] = ()
    """What they were called before, to look for that too."""
    also: tuple[str, ...] = ()
    """Places of others that the owner has cleared of the name."""


class VisitCursor(NamedTuple):
    """Where a page of visits ended: the next one begins with the visit before. Good for as long as the vault is."""

    started_at: int
    row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SoughtVisits:
    """Which kept visits are sought; None stands for any, an empty set for none."""

    person_ids: frozenset[str] | None = None
    camera_ids: frozenset[str] | None = None
    since: datetime | None = None
    """When they began at the earliest."""
    before: datetime | None = None
    """Before when they began."""


@dataclass(frozen=True, slots=True)
class VisitPage:
    """Some visits, newest first."""

    visits: tuple[VisitRecord, ...]
    after: VisitCursor | None
    """Where the next page begins; None when these were the last."""


@dataclass(frozen=True, slots=True)
class CountOf:
    """How much is kept of one person's visits."""

    visits: int
    pictures: int
    oldest: datetime | None
    """When the first of these visits began."""


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge erased."""

    visits: int
    pictures: int
    """Pictures, those that went with their visits included."""
    people: tuple[Receipt, ...]
    audit_entries: int
    invitations: int = 0
    review: int = 0
    """Pictures of the review inbox."""


@dataclass(frozen=True, slots=True)
class StoredItems:
    """How much is kept."""

    people: int
    templates: int
    photos: int
    visits: int
    pictures: int
    consents: int
    invitations: int
    review: int
    """Pictures in the review inbox."""
    audit_entries: int
    bytes: int
    """Size of the vault's files."""


class Counted(StrEnum):
    """What is counted for each camera and week. Other kinds follow a colon: what was wrong, or how long it took."""

    NAMED = "named"
    """A familiar person came whose visits are kept."""
    CONFIRMED = "confirmed"
    """Somebody said that such a name was right."""
    CORRECTED = "corrected"
    """Somebody said that such a name was wrong."""
    MISSED = "missed"
    """Somebody gave a name to a visit that had none."""
    STRANGER = "stranger"
    UNCLEAR = "unclear"
    """With its reason, and what was wrong with the faces."""
    TOOK = "took"
    """With the upper bound in milliseconds until the name was there, see `TOOK_MS`."""


TOOK_MS = (250, 500, 750, 1000, 1500, 2000, 3000, 4000, 6000, 8000, 12000, 20000, 60000)
"""Bounds between which the times to a name are counted; none tells a visit from another."""


def took(ms: float) -> str:
    """Return the kind that counts a time to a name."""
    return f"{Counted.TOOK}:{next((each for each in TOOK_MS if ms <= each), TOOK_MS[-1])}"


@dataclass(frozen=True, slots=True)
class Oldest:
    """Since when things are kept: the oldest of each kind, None where there is none."""

    visit: datetime | None
    picture: datetime | None
    review: datetime | None
    audit_entry: datetime | None
    links: int
    """How many personal links open something."""
    weeks: int
    """How many weeks of cameras have counts."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the audit log. Never a name: the entry outlives the person."""

    number: int
    at: datetime
    kind: str
    person_id: str | None
    details: Mapping[str, Detail]


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """Whether the audit log, and what people's rights rest on besides it, is as it was written."""

    ok: bool
    entries: int
    first_bad: int | None
    """Number of the first entry that was changed, dropped, added or moved; 0 when the log's head is damaged."""
    rows_ok: bool = True
    """Whether no row of consents, people, links, invitations and receipts was put in, put back or taken away."""
    mark_ok: bool = True
    """Whether the vault is not older than the mark that lies outside of it, and that mark is its own."""
