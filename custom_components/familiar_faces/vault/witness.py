"""Whether this vault is older than what was here before, and whom it may hold that should be gone.

A backup brings a whole older vault back, which no log inside of it can show. So a mark of how far the audit log
has come is kept in another place (`read_mark`, `write_mark`), one that backups leave out and that a restore
empties. A vault that does not hold that mark, or whose mark is gone, is an older one: everybody in it is held,
which is to say not recognised, until the owner has said who of them may be kept.
"""

from dataclasses import dataclass
from datetime import datetime
import json
from pathlib import Path
import sqlite3

from .audit import AuditLog
from .database import Database
from .erasure import Eraser
from .files import telling_unwritable, write_whole
from .records import EnrolmentState

_WATCHED = "witnessed"
_HELD = "held"


@dataclass(frozen=True, slots=True)
class Mark:
    """How far an audit log has come: the number of its newest entry, and that entry's link in the chain."""

    number: int
    link: str
    """Hexadecimal. It is made with the vault's key and tells nothing to others."""


def read_mark(path: Path) -> Mark | None:
    """Return the mark in a file, None when there is none to be read."""
    try:
        data = json.loads(path.read_bytes())
        return Mark(int(data["number"]), str(data["link"]))
    except OSError, ValueError, KeyError, TypeError:
        return None


def write_mark(path: Path, mark: Mark) -> None:
    """Write a mark so that it is there whole; raise VaultUnwritable."""
    with telling_unwritable():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, json.dumps({"number": mark.number, "link": mark.link}).encode())


class Witness:
    """The comparison of one store with its mark. A method that returned has its write on the disk."""

    def __init__(self, database: Database, audit: AuditLog, eraser: Eraser) -> None:
        """Work on an open store."""
        self._database = database
        self._audit = audit
        self._eraser = eraser

    def mark(self) -> Mark:
        """Return how far the log has come."""
        with self._database.read() as connection:
            return Mark(*self._audit.newest(connection))

    def older_than(self, mark: Mark | None) -> bool:
        """Return whether this vault is not the one that wrote the mark, or an older copy of it.

        Without a mark, a vault that never had one is not.
        """
        with self._database.read() as connection:
            if mark is None:
                return _read(connection, _WATCHED) is not None
            return not self._audit.holds(connection, mark.number, mark.link)

    def watch(self) -> None:
        """Note that there is a mark of this vault from now on; called once it has been written."""
        with self._database.write() as connection:
            if _read(connection, _WATCHED) is None:
                connection.execute("INSERT INTO meta VALUES (?, ?)", (_WATCHED, b"1"))

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
