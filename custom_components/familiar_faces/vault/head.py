"""The vault's head: one sealed row that says how far everything in it has come.

It holds both ends of the audit log, a counter of changes, and the sums of `bound.py`. All of it is in one row, so
that no part can be put back to what it was while another stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
import sqlite3
from typing import Any

from .errors import VaultDamaged
from .sealed import seal_json, unseal_json

NO_LINK = bytes(32)
ROW = "audit_head"
"""Its name among `meta`; it held the log's ends alone before it held all of this."""
_PLACE = ("audit head",)


@dataclass(frozen=True, slots=True)
class Head:
    """Where the audit log starts and ends, and what everything else adds up to."""

    before: int = 0
    """Number of the last entry that was purged, 0 when none was."""
    before_link: bytes = NO_LINK
    last: int = 0
    last_link: bytes = NO_LINK
    changes: int = 0
    """How often rows were changed that `bound.py` watches over. It only grows."""
    sums: Mapping[str, int] = field(default_factory=dict)
    """By table; one that is not in it has no rows."""


def read_head(connection: sqlite3.Connection, key: bytes) -> Head:
    """Return the head; raise VaultDamaged. `key`: the one of the audit log."""
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (ROW,)).fetchone()
    if row is None:
        raise VaultDamaged("the audit head is gone")
    data: dict[str, Any] = unseal_json(key, row[0], _PLACE)
    return Head(
        data["before"],
        bytes.fromhex(data["before_link"]),
        data["last"],
        bytes.fromhex(data["last_link"]),
        # Not there before the fourth version of the store.
        data.get("changes", 0),
        {table: int(total, 16) for table, total in data.get("sums", {}).items()},
    )


def write_head(connection: sqlite3.Connection, key: bytes, head: Head) -> None:
    """Write the head in place of the one before."""
    data = {
        "before": head.before,
        "before_link": head.before_link.hex(),
        "last": head.last,
        "last_link": head.last_link.hex(),
        "changes": head.changes,
        "sums": {table: f"{total:x}" for table, total in head.sums.items()},
    }
    connection.execute(
        "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (ROW, seal_json(key, data, _PLACE)),
    )
