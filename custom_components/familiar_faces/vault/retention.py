"""How long things are kept, and what is due. Off is a length of zero."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
import sqlite3

from .times import from_stamp, span, to_stamp

MONTH = timedelta(days=365) / 12
"""A month of a retention period: twelve make 365 days, whatever the calendar says."""

_NOTHING = timedelta(0)
_SHORTEST = timedelta(days=30)
LONGEST_REVIEW = timedelta(days=30)
"""How long a picture of somebody without a name is kept at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long each kind of thing is kept. Something is due at the very moment its time is over."""

    consent: timedelta = 12 * MONTH
    """How long a new consent lasts when nothing else is agreed to."""
    child_consent: timedelta = 6 * MONTH
    visits: timedelta = timedelta(days=30)
    pictures: timedelta = timedelta(days=7)
    """Pictures of visits; they never outlive their visit."""
    unseen: timedelta = 12 * MONTH
    """After how long a person who was neither seen nor gave a new consent is forgotten."""
    review: timedelta = _NOTHING
    """Pictures of people without a name; off unless the owner says otherwise."""
    audit: timedelta = 36 * MONTH
    counts: timedelta = timedelta(weeks=13)
    """Counts of visits for each camera and week, from the beginning of that week."""
    invitation: timedelta = timedelta(hours=24)
    """How long a new invitation is open, and an enrolment that it began may take."""
    after_expiry: timedelta = timedelta(days=14)
    """After how long a person whose consent ran out is forgotten; recognition ends at once."""
    after_withdrawal: timedelta = timedelta(days=14)
    """After how long at the latest a person who withdrew is forgotten; recognition ends at once."""

    def __post_init__(self) -> None:
        """Refuse a period that is out of its range."""
        for name, shortest, longest in (
            ("consent", _SHORTEST, 36 * MONTH),
            ("child_consent", _SHORTEST, 36 * MONTH),
            ("visits", _NOTHING, timedelta(days=365)),
            ("pictures", _NOTHING, timedelta(days=90)),
            ("unseen", _SHORTEST, 36 * MONTH),
            ("review", _NOTHING, LONGEST_REVIEW),
            ("invitation", timedelta(hours=1), timedelta(days=7)),
            ("audit", 12 * MONTH, 60 * MONTH),
            ("counts", timedelta(weeks=1), timedelta(weeks=53)),
            ("after_expiry", _NOTHING, timedelta(days=14)),
            ("after_withdrawal", _NOTHING, timedelta(days=14)),
        ):
            if not shortest <= getattr(self, name) <= longest:
                raise ValueError(f"{name} is kept between {shortest} and {longest}")


_AGREED = {"visit": "visits_for", "picture": "pictures_for"}
"""Where a consent says how long rows of these tables are kept."""


def kept_for(table: str, person: str = "person.person_id") -> str:
    """Return how long a person's rows of a table are kept, in SQL; `:kept` is how long the owner has them kept.

    A person may have agreed to less, and a longer period that is set later does not count for them.
    """
    return (
        f"min(:kept, ifnull((SELECT {_AGREED[table]} FROM consent "  # noqa: S608
        f"WHERE consent.person_id = {person} ORDER BY number DESC LIMIT 1), :kept))"
    )


def is_due(table: str, person: str = "person.person_id") -> str:
    """Return whether a row of a table is a person's, and due at `:now`, in SQL."""
    return f"{table}.person_id = {person} AND started_at <= :now - {kept_for(table, person)}"


def cutoff(now: datetime, kept: timedelta) -> int:
    """Return the stamp at and before which things kept this long are due."""
    return to_stamp(now) - span(kept)


def person_due(connection: sqlite3.Connection, now: datetime, retention: Retention) -> tuple[str, str] | None:
    """Return someone who is to be forgotten by now, with the reason, None when nobody is."""
    for due_at, reason, person_id in _people(connection, retention):
        if due_at <= to_stamp(now):
            return person_id, reason
    return None


def next_due(connection: sqlite3.Connection, now: datetime, retention: Retention) -> datetime | None:
    """Return when the next thing falls due, `now` when something is, None when nothing is kept."""
    moments = [due_at for due_at, _, _ in _people(connection, retention)]
    for table, kept in (("visit", retention.visits), ("picture", retention.pictures)):
        # The oldest of each person is due before their others. Asked after every visit, of which there may be many.
        oldest = f"(SELECT min(started_at) FROM {table} WHERE {table}.person_id = person.person_id)"  # noqa: S608
        statement = f"SELECT min({oldest} + {kept_for(table)}) FROM person"  # noqa: S608
        (due,) = connection.execute(statement, {"kept": span(kept)}).fetchone()
        if due is not None:
            moments.append(due)
    for statement, kept in (
        ("SELECT min(at) FROM review", retention.review),
        ("SELECT min(expires_at) FROM invitation", _NOTHING),
        ("SELECT min(created_at) FROM person WHERE state = 'enrolling'", retention.invitation),
        ("SELECT min(forgotten_at) FROM tombstone WHERE pending IS NULL", retention.audit),
        ("SELECT min(at) FROM audit", retention.audit),
        ("SELECT min(week) FROM counts", retention.counts),
    ):
        (oldest,) = connection.execute(statement).fetchone()
        if oldest is not None:
            moments.append(oldest + span(kept))
    return max(from_stamp(min(moments)), now) if moments else None


def _people(connection: sqlite3.Connection, retention: Retention) -> Iterator[tuple[int, str, str]]:
    """Yield when each person is to be forgotten, why, and who; only plain columns are needed."""
    rows = connection.execute(
        "SELECT person.person_id, created_at, seen_at, recorded_at, valid_until, withdrawn_at, visits_for "
        "FROM person LEFT JOIN consent ON consent.person_id = person.person_id AND number = "
        "(SELECT max(number) FROM consent WHERE consent.person_id = person.person_id)"
    ).fetchall()
    for person_id, created_at, seen_at, recorded_at, valid_until, withdrawn_at, visits_for in rows:
        # Someone without any consent on record is treated as one whose consent ran out.
        ends_at = created_at if valid_until is None else valid_until
        last_sign = max(created_at, seen_at or created_at, recorded_at or created_at)
        moments = [(ends_at + span(retention.after_expiry), "expired")]
        if visits_for != 0 and retention.visits:
            # Without kept visits, nobody knows when a person was last seen.
            moments.append((last_sign + span(retention.unseen), "unseen"))
        if withdrawn_at is not None:
            moments.append((withdrawn_at + span(retention.after_withdrawal), "withdrawn"))
        yield *min(moments), person_id
