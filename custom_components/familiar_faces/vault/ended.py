"""Consents that have ended: noted for good, because the clock may be set back. Works in a transaction."""

import sqlite3

_PREFIX = "ended/"


def end(connection: sqlite3.Connection, person_id: str, stamp: int) -> int:
    """Note those consents of somebody that have run out at a stamp; return how many are new."""
    return connection.execute(
        "INSERT OR IGNORE INTO meta SELECT 'ended/' || consent_id, x'31' FROM consent "
        "WHERE person_id = ? AND valid_until <= ?",
        (person_id, stamp),
    ).rowcount


def ended_of(connection: sqlite3.Connection, person_id: str) -> frozenset[str]:
    """Return the ids of somebody's consents that have run out."""
    rows = connection.execute(
        "SELECT name FROM meta WHERE name IN (SELECT 'ended/' || consent_id FROM consent WHERE person_id = ?)",
        (person_id,),
    )
    return frozenset(name.removeprefix(_PREFIX) for (name,) in rows)


def drop(connection: sqlite3.Connection, person_id: str) -> None:
    """Erase what is noted of somebody's consents; called while these are still there."""
    connection.execute(
        "DELETE FROM meta WHERE name IN (SELECT 'ended/' || consent_id FROM consent WHERE person_id = ?)",
        (person_id,),
    )
