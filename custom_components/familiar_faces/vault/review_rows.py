"""The review inbox: pictures of people without a name, for hours or days, only when the owner switched it on.

A picture and nothing else: no template is ever made of somebody who did not agree.
"""

import base64
from dataclasses import dataclass
from datetime import datetime
import sqlite3
from typing import Any

from .audit import AuditLog
from .database import Database
from .erasure import Eraser
from .errors import AlreadyRecorded, UnknownVisit
from .keys import Keys
from .sealed import seal_json, unseal_json
from .times import from_stamp, to_stamp


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """A visit of somebody without a name."""

    visit_id: str
    camera_id: str
    """Id of the camera's config subentry."""
    decision: str
    """`stranger` or `unclear`."""
    at: datetime

    def __post_init__(self) -> None:
        """Refuse a visit of nowhere, or of somebody with a name."""
        if not self.visit_id or not self.camera_id:
            raise ValueError("a visit to review needs its id and its camera")
        if self.decision not in ("stranger", "unclear"):
            raise ValueError("only visits without a name are reviewed")


class Review:
    """The inbox of one store. A method that returned has its write on the disk."""

    def __init__(self, database: Database, keys: Keys, audit: AuditLog, eraser: Eraser) -> None:
        """Work on an open store."""
        self._database = database
        self._sealing = keys.review
        self._audit = audit
        self._eraser = eraser

    def add(self, item: ReviewItem, picture: bytes) -> None:
        """Keep the picture (JPEG) of a visit; raise AlreadyRecorded when there is one of it."""
        if not picture:
            raise ValueError("a picture is not empty")
        data = {
            "camera_id": item.camera_id,
            "decision": item.decision,
            "picture": base64.b64encode(picture).decode(),
        }
        at = to_stamp(item.at)
        sealed = seal_json(self._sealing, data, ("review", item.visit_id, at))
        with self._database.write() as connection:
            if connection.execute("SELECT 1 FROM review WHERE visit_id = ?", (item.visit_id,)).fetchone():
                raise AlreadyRecorded("a visit with this id")
            connection.execute("INSERT INTO review VALUES (?, ?, ?)", (item.visit_id, at, sealed))

    def items(self, limit: int = 100) -> list[ReviewItem]:
        """Return at most `limit` visits, newest first; raise VaultDamaged at a changed one."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT visit_id, at, sealed FROM review ORDER BY at DESC, rowid DESC LIMIT ?", (limit,)
            ).fetchall()
        return [self._open(*row)[0] for row in rows]

    def read(self, visit_id: str) -> tuple[ReviewItem, bytes]:
        """Return a visit with its picture (JPEG); raise UnknownVisit or VaultDamaged."""
        with self._database.read() as connection:
            return self._open(*_row(connection, visit_id))

    def picture(self, visit_id: str) -> bytes:
        """Return the picture (JPEG) of a visit; raise UnknownVisit or VaultDamaged."""
        with self._database.read() as connection:
            return self._open(*_row(connection, visit_id))[1]

    def discard(self, visit_id: str, now: datetime) -> None:
        """Erase one; raise UnknownVisit."""
        with self._database.write() as connection:
            _row(connection, visit_id)
            connection.execute("DELETE FROM review WHERE visit_id = ?", (visit_id,))
            self._eraser.drop_copies()
            self._audit.append(connection, "review_discarded", None, {"pictures": 1}, now)
        self._database.checkpoint()

    def discard_all(self, now: datetime) -> int:
        """Erase all of them, and return how many there were."""
        with self._database.write() as connection:
            count = connection.execute("DELETE FROM review").rowcount
            if count:
                self._eraser.drop_copies()
                self._audit.append(connection, "review_discarded", None, {"pictures": count}, now)
        self._database.checkpoint()
        return count

    def _open(self, visit_id: str, at: int, sealed: bytes) -> tuple[ReviewItem, bytes]:
        data: dict[str, Any] = unseal_json(self._sealing, sealed, ("review", visit_id, at))
        item = ReviewItem(visit_id, data["camera_id"], data["decision"], from_stamp(at))
        return item, base64.b64decode(data["picture"])


def _row(connection: sqlite3.Connection, visit_id: str) -> tuple[str, int, bytes]:
    row: tuple[str, int, bytes] | None = connection.execute(
        "SELECT visit_id, at, sealed FROM review WHERE visit_id = ?", (visit_id,)
    ).fetchone()
    if row is None:
        raise UnknownVisit
    return row
