"""The audit log: what was done and when, encrypted, each entry chained to the one before.

A link is HMAC-SHA256 over the link before, the entry's number, time and ciphertext, so that nobody
without the key file can change, drop, add or move an entry unseen. The head says where the chain
starts and ends, which shows entries cut from either end. What no log in one place can show is a
whole older copy of the vault put in its place; `witness.py` keeps a mark in another place for that.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
import hashlib
import hmac
import re
import sqlite3

from .errors import VaultDamaged, VaultTampered
from .head import Head, read_head, write_head
from .keys import Keys
from .records import AuditEntry, AuditVerdict, Detail
from .sealed import seal_json, unseal_json
from .times import from_stamp, to_stamp

_MOST = 2**63 - 1
"""A number that no entry reaches."""
_KIND = re.compile(r"[a-z][a-z0-9_]{0,63}")


class AuditLog:
    """The log of one store. Each method works in the transaction it is given."""

    def __init__(self, keys: Keys) -> None:
        """Use the keys that the key file opens: the log outlives every person's own."""
        self._sealing = keys.audit
        self._chaining = keys.chain

    def start(self, connection: sqlite3.Connection) -> None:
        """Write the head of an empty log."""
        self._save_head(connection, Head())

    def check_head(self, connection: sqlite3.Connection) -> None:
        """Raise VaultDamaged when the log's head cannot be read."""
        self._head(connection)

    def append(
        self,
        connection: sqlite3.Connection,
        kind: str,
        person_id: str | None,
        details: Mapping[str, Detail],
        now: datetime,
    ) -> None:
        """Add an entry. `details` must hold no name: nothing removes it when the person is forgotten.

        Raise VaultTampered when the log's head is older than its entries.
        """
        if not _KIND.fullmatch(kind):
            raise ValueError("an audit entry's kind is lower-case letters, digits and underscores")
        for name, value in details.items():
            if not isinstance(name, str) or not isinstance(value, str | int | float | bool | None):
                raise TypeError("an audit entry's details are text, numbers, yes or no")
        head = self._head(connection)
        number, at = head.last + 1, to_stamp(now)
        entry = {"kind": kind, "person_id": person_id, "details": dict(details)}
        sealed = seal_json(self._sealing, entry, ("audit", number, at))
        link = self._link(head.last_link, number, at, sealed)
        if connection.execute("SELECT 1 FROM audit WHERE number >= ?", (number,)).fetchone():
            raise VaultTampered("the audit log goes on after its end")
        connection.execute("INSERT INTO audit VALUES (?, ?, ?, ?)", (number, at, sealed, link))
        self._save_head(connection, replace(head, last=number, last_link=link))

    def entries(
        self, connection: sqlite3.Connection, person_id: str | None, limit: int, before: int | None = None
    ) -> tuple[AuditEntry, ...]:
        """Return the newest entries first, of one person when asked; raise VaultDamaged on a changed one.

        `before`: only those with a lower number.
        """
        found: list[AuditEntry] = []
        for number, at, sealed in connection.execute(
            "SELECT number, at, sealed FROM audit WHERE number < ? ORDER BY number DESC",
            (_MOST if before is None else before,),
        ):
            if len(found) >= limit:
                break
            entry = self._open(number, at, sealed)
            if person_id is None or entry.person_id == person_id:
                found.append(entry)
        return tuple(found)

    def holds(self, connection: sqlite3.Connection, number: int, link: str) -> bool:
        """Return whether an entry was ever written here, as far as that can be told of one that is purged."""
        head = self._head(connection)
        if number > head.last:
            return False
        row = connection.execute("SELECT link FROM audit WHERE number = ?", (number,)).fetchone()
        if row is None:
            return number < head.before or (number == head.before and link == head.before_link.hex())
        return bool(bytes(row[0]).hex() == link)

    def verify(self, connection: sqlite3.Connection) -> AuditVerdict:
        """Follow the whole chain and say where it first breaks."""
        rows = connection.execute("SELECT number, at, sealed, link FROM audit ORDER BY number").fetchall()
        try:
            head = self._head(connection)
        except VaultDamaged:
            return AuditVerdict(ok=False, entries=len(rows), first_bad=0)
        expected, link = head.before + 1, head.before_link
        for number, at, sealed, stored in rows:
            if number != expected or number > head.last:
                return AuditVerdict(ok=False, entries=len(rows), first_bad=min(number, expected))
            link = self._link(link, number, at, sealed)
            try:
                self._open(number, at, sealed)
            except VaultDamaged:
                return AuditVerdict(ok=False, entries=len(rows), first_bad=number)
            if not hmac.compare_digest(link, stored):
                return AuditVerdict(ok=False, entries=len(rows), first_bad=number)
            expected += 1
        if not hmac.compare_digest(link, head.last_link):
            return AuditVerdict(ok=False, entries=len(rows), first_bad=min(expected, head.last))
        return AuditVerdict(ok=True, entries=len(rows), first_bad=None)

    def drop_until(self, connection: sqlite3.Connection, cutoff: int, limit: int) -> int:
        """Erase the oldest entries, up to the last one written at `cutoff` or before; return how many.

        Only ever from the start, so that the rest stays one chain: an entry with a later time that
        stands before one that is due was written by a clock that was wrong.
        """
        head = self._head(connection)
        row = connection.execute(
            "SELECT number, link FROM audit WHERE number <= "
            "min((SELECT max(number) FROM audit WHERE at <= ?), ?) ORDER BY number DESC LIMIT 1",
            (cutoff, head.before + limit),
        ).fetchone()
        if row is None:
            return 0
        number, link = row
        dropped = connection.execute("DELETE FROM audit WHERE number <= ?", (number,)).rowcount
        self._save_head(connection, replace(head, before=number, before_link=link))
        return dropped

    def _link(self, before: bytes, number: int, at: int, sealed: bytes) -> bytes:
        place = number.to_bytes(8, "big") + at.to_bytes(8, "big", signed=True)
        return hmac.digest(self._chaining, before + place + sealed, hashlib.sha256)

    def _open(self, number: int, at: int, sealed: bytes) -> AuditEntry:
        entry = unseal_json(self._sealing, sealed, ("audit", number, at))
        return AuditEntry(number, from_stamp(at), entry["kind"], entry["person_id"], entry["details"])

    def _head(self, connection: sqlite3.Connection) -> Head:
        return read_head(connection, self._sealing)

    def _save_head(self, connection: sqlite3.Connection, head: Head) -> None:
        write_head(connection, self._sealing, head)
