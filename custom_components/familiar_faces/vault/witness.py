"""Whether this vault is older than what was here before, and which people in it should be gone.

A backup brings a whole older vault back, which no log inside of it can show. So a mark of how far the audit log
has come is kept in another place (`read_mark`, `write_mark`), one that backups leave out and that a restore
empties. A vault that does not hold that mark, or whose mark is gone, is an older one: everybody in it is held,
which is to say not recognised, until the owner has said who of them may be kept. So are they when rows were put
back one by one (`bound.py`).

The mark is signed with the vault's key. Only a mark that this vault once wrote can take its place, and then only
together with the vault of that time: who has the whole disk can put both back, which nothing on it can show.
"""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
import hashlib
import hmac
import json
from pathlib import Path
import sqlite3

from .audit import AuditLog
from .bound import Binding
from .database import Database
from .erasure import Eraser
from .errors import VaultTampered
from .files import telling_unwritable, write_whole
from .head import read_head
from .keys import Keys
from .records import EnrolmentState

_WATCHED = "witnessed"
_HELD = "held"
UNSIGNED = "unsigned mark"
"""Noted by the step from a version that did not sign marks, until the first signed one is written."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a vault has come: the number of its newest audit entry, that entry's link, and its changes."""

    number: int
    link: str
    """Hexadecimal. It is made with the vault's key and tells nothing to others."""
    changes: int = 0
    """See `Head.changes`."""
    signature: str = ""
    """Hexadecimal; empty in what was written before marks were signed."""

    def signed(self, key: bytes) -> Mark:
        """Return this mark with its signature."""
        return replace(self, signature=self._signature(key))

    def is_signed(self, key: bytes) -> bool:
        """Return whether the vault with this key wrote this mark."""
        return hmac.compare_digest(self.signature.encode(), self._signature(key).encode())

    def _signature(self, key: bytes) -> str:
        said = json.dumps([self.number, self.link, self.changes]).encode()
        return hmac.digest(key, said, hashlib.sha256).hex()


def read_mark(path: Path) -> Mark | None:
    """Return the mark in a file, None when there is none to be read."""
    try:
        data = json.loads(path.read_bytes())
        return Mark(
            int(data["number"]),
            str(data["link"]),
            int(data.get("changes", 0)),
            str(data.get("signature", "")),
        )
    except OSError, ValueError, KeyError, TypeError, AttributeError:
        return None


def write_mark(path: Path, mark: Mark) -> None:
    """Write a mark so that it is there whole; raise VaultUnwritable."""
    with telling_unwritable():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, json.dumps(asdict(mark)).encode())


class Witness:
    """The comparison of one store with its mark. A method that returned has its write on the disk."""

    def __init__(self, database: Database, keys: Keys, audit: AuditLog, eraser: Eraser) -> None:
        """Work on an open store."""
        self._database = database
        self._keys = keys
        self._binding = Binding(keys)
        self._audit = audit
        self._eraser = eraser

    def mark(self) -> Mark:
        """Return how far the vault has come."""
        with self._database.read() as connection:
            head = read_head(connection, self._keys.audit)
        return Mark(head.last, head.last_link.hex(), head.changes).signed(self._keys.mark)

    def older_than(self, mark: Mark | None) -> bool:
        """Return whether this vault is not the one that wrote the mark, or an older copy of it, or of parts of it.

        Without a mark, a vault that never had one is not.
        """
        with self._database.read() as connection:
            try:
                self._binding.check(connection)
            except VaultTampered:
                return True
            return not self.agrees(connection, mark)

    def agrees(self, connection: sqlite3.Connection, mark: Mark | None) -> bool:
        """Return whether a mark is one that this vault wrote, and has not fallen behind since."""
        if mark is None:
            return _read(connection, _WATCHED) is None
        unsigned = not mark.signature and _read(connection, UNSIGNED) is not None
        if not unsigned and not mark.is_signed(self._keys.mark):
            return False
        if mark.changes > read_head(connection, self._keys.audit).changes:
            return False
        return self._audit.holds(connection, mark.number, mark.link)

    def watch(self) -> None:
        """Note that there is a mark of this vault from now on; called once it has been written."""
        with self._database.write() as connection:
            if _read(connection, _WATCHED) is None:
                connection.execute("INSERT INTO meta VALUES (?, ?)", (_WATCHED, b"1"))
            connection.execute("DELETE FROM meta WHERE name = ?", (UNSIGNED,))

    def hold_everybody(self, now: datetime) -> frozenset[str]:
        """Hold all who are enrolled, and return their ids.

        What may have been used up, closed or discarded since then does not come back: open invitations are
        closed, and pictures of people without a name erased.
        """
        with self._database.write() as connection:
            rows = connection.execute(
                "SELECT person_id FROM person WHERE state = ?", (EnrolmentState.ENROLLED,)
            ).fetchall()
            held = sorted(person_id for (person_id,) in rows)
            _write(connection, held)
            invitations = connection.execute("DELETE FROM invitation").rowcount
            pictures = connection.execute("DELETE FROM review").rowcount
            self._eraser.drop_copies()
            details = {"people": len(held), "invitations": invitations, "review": pictures}
            self._audit.append(connection, "restored", None, details, now)
            # Anyone who was put back on their own is among the held, so the owner is asked about them too.
            self._binding.accept(connection)
        self._database.checkpoint()
        return frozenset(held)

    def held(self) -> frozenset[str]:
        """Return the ids of those who are held."""
        with self._database.read() as connection:
            return _held(connection)

    def release(self, person_id: str, now: datetime) -> None:
        """Let somebody who is held be recognised again; nothing happens to anybody else."""
        with self._database.write() as connection:
            held = _held(connection)
            if person_id not in held:
                return
            _write(connection, sorted(held - {person_id}))
            self._audit.append(connection, "kept_after_restore", person_id, {}, now)


def _held(connection: sqlite3.Connection) -> frozenset[str]:
    value = _read(connection, _HELD)
    if value is None:
        return frozenset()
    rows = connection.execute("SELECT person_id FROM person").fetchall()
    return frozenset(json.loads(value)) & {person_id for (person_id,) in rows}


def _read(connection: sqlite3.Connection, name: str) -> bytes | None:
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return None if row is None else bytes(row[0])


def _write(connection: sqlite3.Connection, held: list[str]) -> None:
    connection.execute(
        "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (_HELD, json.dumps(held).encode()),
    )
