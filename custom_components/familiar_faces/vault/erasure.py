"""Erasing for good: people with their keys, and what has been kept long enough."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
import logging
from pathlib import Path
import sqlite3

from . import ended, people_rows
from .audit import AuditLog
from .database import Database
from .errors import UnknownPerson, VaultDamaged, VaultError
from .files import copies, shred
from .keys import Keys
from .records import EnrolmentState, Purged, Receipt
from .retention import LONGEST_REVIEW, Retention, cutoff, is_due, person_due
from .times import from_stamp, span, to_stamp, week_of
from .tombstones import Tombstones

_LOGGER = logging.getLogger(__name__)

_OF_A_PERSON = {
    "links": "link",
    "invitations": "invitation",
    "pictures": "picture",
    "visits": "visit",
    "photos": "photo",
    "templates": "template",
    "consents": "consent",
    "people": "person",
}
"""Every table with rows of a person, those that hang on others first."""
_DELETE = {what: f"DELETE FROM {table} WHERE person_id = ?" for what, table in _OF_A_PERSON.items()}  # noqa: S608
_ANY_LEFT = " OR ".join(
    f"EXISTS (SELECT 1 FROM {table} WHERE person_id = ?1)"  # noqa: S608
    for table in _OF_A_PERSON.values()
)

_BATCH = 50
"""Visits or pictures a transaction: a visit that comes in meanwhile waits only this long."""
_AUDIT_BATCH = 1000


@dataclass(frozen=True, slots=True)
class _Erased:
    """A person whose erasure is committed but not yet looked for again."""

    receipt: Receipt
    wrapped_key: bytes | None
    """None when the person was erased earlier."""


class _Due:
    """The visits, or those with pictures, that are due at a moment: person after person, by the indices alone."""

    def __init__(self, table: str, now: datetime, kept: timedelta) -> None:
        """Begin with nobody; `kept`: how long the owner has them kept."""
        self._of_anybody = (
            f"SELECT person_id FROM person WHERE EXISTS (SELECT 1 FROM {table} WHERE {is_due(table)})"  # noqa: S608
        )
        # What they agree to is asked of each part again: they may have agreed to more meanwhile.
        self._of_person = (
            f"SELECT visit_id FROM {table} WHERE {is_due(table, ':person')} ORDER BY started_at LIMIT :limit"  # noqa: S608
        )
        self._values: dict[str, str | int] = {"now": to_stamp(now), "kept": span(kept)}
        self._people: list[str] | None = None

    def next(self, connection: sqlite3.Connection) -> list[tuple[str]]:
        """Return the ids of the next ones; none when all are done."""
        if self._people is None:
            self._people = [row[0] for row in connection.execute(self._of_anybody, self._values)]
        ids: list[tuple[str]] = []
        while self._people and len(ids) < _BATCH:
            values = self._values | {"person": self._people[-1], "limit": _BATCH - len(ids)}
            ids += connection.execute(self._of_person, values).fetchall()
            if len(ids) < _BATCH:
                self._people.pop()
        return ids


class Eraser:
    """Erases from one store. Each transaction writes its own audit entry."""

    def __init__(self, folder: Path, database: Database, keys: Keys, audit: AuditLog) -> None:
        """Work on an open store and the copies beside it."""
        self._folder = folder
        self._database = database
        self._keys = keys
        self._audit = audit
        self.tombstones = Tombstones(database, keys, audit)

    def forget(
        self, person_ids: Iterable[str], now: datetime, reason: str, also: Iterable[str] = ()
    ) -> list[Receipt]:
        """Forget people; raise UnknownPerson at the first who never was there.

        `also`: places of others to clear of their names, noted in the same transaction.
        """
        erased: list[_Erased] = []
        for person_id in person_ids:
            with self._database.write() as connection:
                erased.append(self._forget(connection, person_id, now, reason, also))
        return self._look_again(erased)

    def abandon(
        self, older: datetime | None, now: datetime, linked_older: datetime | None = None
    ) -> list[str]:
        """Erase people whose enrolment never ended, begun at `older` or before; return their ids.

        Those with a link of their own only when it was begun at `linked_older` or before, when that is given.
        They get no tombstone: they were never here, and the same enrolment may start again.
        """
        with self._database.write() as connection:
            rows = connection.execute(
                "SELECT person_id FROM person WHERE state = ?1 AND created_at <= ifnull(?2, created_at) "
                "AND (created_at <= ifnull(?3, created_at) "
                "OR NOT EXISTS (SELECT 1 FROM link WHERE link.person_id = person.person_id)) "
                "ORDER BY created_at",
                (
                    EnrolmentState.ENROLLING,
                    None if older is None else to_stamp(older),
                    None if linked_older is None else to_stamp(linked_older),
                ),
            ).fetchall()
            for (person_id,) in rows:
                self._erase(connection, person_id, now)
                self._audit.append(connection, "enrolment_abandoned", person_id, {}, now)
        if rows:
            self._database.checkpoint()
        return [person_id for (person_id,) in rows]

    def purge(self, now: datetime, retention: Retention) -> Purged:
        """Erase all that is due. A purge that dies half-way has erased a part; the next does the rest."""
        due_pictures = _Due("picture", now, retention.pictures)
        pictures = self._in_batches(partial(_delete_pictures, due=due_pictures), now)
        due_visits = _Due("visit", now, retention.visits)
        visits = self._in_batches(partial(_delete_visits, due=due_visits), now)
        review = self._in_batches(partial(_delete_review, until=cutoff(now, retention.review)), now)
        self._in_batches(partial(_delete_counts, until=cutoff(now, retention.counts)), now)
        invitations = self._invitations(now)
        # Anyone who began on their own phone and never came back.
        self.abandon(now - retention.invitation, now)
        people: list[_Erased] = []
        while True:
            with self._database.write() as connection:
                due = person_due(connection, now, retention)
                if due is None:
                    break
                people.append(self._forget(connection, due[0], now, due[1]))
        entries = self._entries(cutoff(now, retention.audit), now)
        return Purged(
            visits["visits"],
            pictures["pictures"] + visits["pictures"],
            tuple(self._look_again(people)),
            entries["audit_entries"],
            invitations=invitations,
            review=review["review"],
        )

    def forgotten_at(self, connection: sqlite3.Connection, person_id: str) -> datetime | None:
        """Return when someone was forgotten, None when nobody with this id was."""
        row = connection.execute(
            "SELECT forgotten_at FROM tombstone WHERE person_id = ?", (person_id,)
        ).fetchone()
        return None if row is None else from_stamp(row[0])

    def drop_copies(self) -> None:
        """Erase the copies made before migrations: they hold what is about to be erased.

        Called before the erasure is committed, since nobody would come back for them after a crash.
        """
        for copy in copies(self._folder):
            shred(copy)

    def _forget(
        self,
        connection: sqlite3.Connection,
        person_id: str,
        now: datetime,
        reason: str,
        also: Iterable[str] = (),
    ) -> _Erased:
        before = self.tombstones.read(connection, person_id)
        if before is not None:
            self.tombstones.add_places(connection, person_id, also)
            return _Erased(replace(before, verified=False), None)
        names = self._names_to_look_for(connection, person_id)
        _delete_counts_with(connection, person_id)
        erased = self._erase(connection, person_id, now)
        receipt = erased.receipt
        self.tombstones.insert(connection, receipt, names, also)
        self._audit.append(
            connection,
            "forgotten",
            person_id,
            {"reason": reason, **receipt.erased},
            now,
        )
        return erased

    def _names_to_look_for(self, connection: sqlite3.Connection, person_id: str) -> tuple[str, ...]:
        """Return what to look for outside of the vault; nothing when nobody could have been shown there yet."""
        state = people_rows.person_state(connection, person_id)
        if state is not EnrolmentState.ENROLLED:
            return ()
        try:
            return people_rows.read_names(connection, self._keys, person_id)
        except VaultDamaged:
            return ("",)

    def _erase(self, connection: sqlite3.Connection, person_id: str, now: datetime) -> _Erased:
        """Delete someone's key and rows. Needs no key, so a damaged person can be forgotten too."""
        row = connection.execute(
            "SELECT wrapped_key FROM person WHERE person_id = ?", (person_id,)
        ).fetchone()
        if row is None:
            raise UnknownPerson
        ended.drop(connection, person_id)
        count = {
            what: connection.execute(statement, (person_id,)).rowcount for what, statement in _DELETE.items()
        }
        # Strangers, too: where nobody is left, nobody is looked for.
        connection.execute("DELETE FROM counts WHERE NOT EXISTS (SELECT 1 FROM person)")
        self.drop_copies()
        receipt = Receipt(
            person_id=person_id,
            forgotten_at=now,
            templates=count["templates"],
            photos=count["photos"],
            visits=count["visits"],
            pictures=count["pictures"],
            consents=count["consents"],
            invitations=count["links"] + count["invitations"],
            verified=False,
        )
        return _Erased(receipt, row[0])

    def _look_again(self, erased: list[_Erased]) -> list[Receipt]:
        """Empty the write-ahead log, then search for what was erased, and say on the receipts what came out."""
        if not self._database.checkpoint():
            return [each.receipt for each in erased]
        keys_found = self._database.holding(each.wrapped_key for each in erased if each.wrapped_key)
        receipts: list[Receipt] = []
        with self._database.read() as connection:
            for each in erased:
                (rows_left,) = connection.execute(f"SELECT {_ANY_LEFT}", (each.receipt.person_id,)).fetchone()
                gone = not rows_left and each.wrapped_key not in keys_found and not copies(self._folder)
                receipts.append(replace(each.receipt, verified=gone))
        self._note(receipts)
        return receipts

    def _note(self, receipts: list[Receipt]) -> None:
        """Write on the tombstones what came of looking again, for those who ask later."""
        try:
            with self._database.write() as connection:
                for receipt in receipts:
                    self.tombstones.note_verified(connection, receipt.person_id, verified=receipt.verified)
        except VaultError as err:
            # The erasure stands; the receipt that is kept says less than the one that is returned.
            _LOGGER.warning("A receipt could not be brought up to date: %s", err)

    def _in_batches(
        self, delete: Callable[[sqlite3.Connection], Mapping[str, int]], now: datetime
    ) -> Counter[str]:
        """Delete what is due, a part in each transaction, and return how much of what it was.

        `delete` deletes the next part and says how much that was.
        """
        total: Counter[str] = Counter()
        while True:
            with self._database.write() as connection:
                gone = delete(connection)
                if not any(gone.values()):
                    return total
                self.drop_copies()
                self._audit.append(connection, "purged", None, gone, now)
            total.update(gone)

    def _invitations(self, now: datetime) -> int:
        with self._database.write() as connection:
            count = connection.execute(
                "DELETE FROM invitation WHERE expires_at <= ?", (to_stamp(now),)
            ).rowcount
            if count:
                self._audit.append(connection, "purged", None, {"invitations": count}, now)
        return count

    def _entries(self, until: int, now: datetime) -> Counter[str]:
        with self._database.write() as connection:
            connection.execute("DELETE FROM tombstone WHERE forgotten_at <= ? AND pending IS NULL", (until,))
        return self._in_batches(
            lambda connection: {"audit_entries": self._audit.drop_until(connection, until, _AUDIT_BATCH)}, now
        )


def _delete_pictures(connection: sqlite3.Connection, *, due: _Due) -> dict[str, int]:
    ids = due.next(connection)
    connection.executemany("DELETE FROM picture WHERE visit_id = ?", ids)
    return {"pictures": len(ids)}


def _delete_visits(connection: sqlite3.Connection, *, due: _Due) -> dict[str, int]:
    if not (ids := due.next(connection)):
        return {}
    pictures = connection.executemany("DELETE FROM picture WHERE visit_id = ?", ids).rowcount
    connection.executemany("DELETE FROM visit WHERE visit_id = ?", ids)
    return {"visits": len(ids), "pictures": pictures}


def _delete_review(connection: sqlite3.Connection, *, until: int) -> dict[str, int]:
    gone = connection.execute(
        "DELETE FROM review WHERE visit_id IN (SELECT visit_id FROM review WHERE at <= ? ORDER BY at LIMIT ?)",
        (until, _BATCH),
    )
    return {"review": gone.rowcount}


def _delete_counts_with(connection: sqlite3.Connection, person_id: str) -> None:
    """Delete the weeks in which somebody may have been counted, at every camera.

    Numbers name nobody. But less the visits of the others, which are kept, they may say how often one person came.
    """
    row = connection.execute("SELECT created_at FROM person WHERE person_id = ?", (person_id,)).fetchone()
    if row is not None:
        # A visit in the review inbox can be named for somebody who was added after it.
        since = week_of(from_stamp(row[0]) - LONGEST_REVIEW)
        connection.execute("DELETE FROM counts WHERE week >= ?", (to_stamp(since),))


def _delete_counts(connection: sqlite3.Connection, *, until: int) -> dict[str, int]:
    return {"counts": connection.execute("DELETE FROM counts WHERE week <= ?", (until,)).rowcount}
