"""Counts of visits for each camera and week: how well it works here. No more of anybody than these numbers.

A row has no moment but the Monday of its week, and nothing that leads to a visit or a person. The weeks of a camera go
with it, and those in which somebody who is forgotten may have been counted go with them: where few people come, a
number without the visits of the others says how often one came.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
import sqlite3

from .database import Database
from .erasure import Eraser
from .errors import VaultDamaged
from .keys import Keys
from .sealed import seal_json, unseal_json
from .times import from_stamp, to_stamp, week_of

MOST_KINDS = 100
"""Kinds that a week counts at most."""
LONGEST_KIND = 60


def add(
    connection: sqlite3.Connection, keys: Keys, camera_id: str, at: datetime, counts: Mapping[str, int]
) -> None:
    """Add to what is counted of a camera's week; raise ValueError for what is no count."""
    if not all(kind and len(kind) <= LONGEST_KIND and number > 0 for kind, number in counts.items()):
        raise ValueError("a count has a kind and is more than nothing")
    camera, week = keys.camera_tag(camera_id), to_stamp(week_of(at))
    row = connection.execute(
        "SELECT sealed FROM counts WHERE camera = ? AND week = ?", (camera, week)
    ).fetchone()
    total: Counter[str] = Counter()
    if row is not None:
        try:
            total.update(_open(keys, camera, week, row[0]))
        except VaultDamaged:
            # It begins again: a number that is damaged is worth less than the next visit.
            total.clear()
    total.update(counts)
    if len(total) > MOST_KINDS:
        raise ValueError("these are too many kinds")
    sealed = seal_json(keys.counts, dict(total), ("counts", camera.hex(), week))
    connection.execute(
        "INSERT INTO counts VALUES (?1, ?2, ?3) ON CONFLICT (camera, week) DO UPDATE SET sealed = ?3",
        (camera, week, sealed),
    )


class Counts:
    """The counts of one store. A method that returned has its write on the disk."""

    def __init__(self, database: Database, keys: Keys, eraser: Eraser) -> None:
        """Work on an open store."""
        self._database = database
        self._keys = keys
        self._eraser = eraser

    def add(self, counted: Mapping[tuple[str, datetime], Mapping[str, int]]) -> None:
        """Add what was counted, by the camera's id and a moment of the week."""
        with self._database.write() as connection:
            for (camera_id, at), counts in counted.items():
                add(connection, self._keys, camera_id, at, counts)

    def read(self, camera_ids: Iterable[str]) -> dict[str, dict[datetime, dict[str, int]]]:
        """Return what is counted of cameras, by the beginning of each week; a damaged week is left out."""
        found: dict[str, dict[datetime, dict[str, int]]] = {}
        with self._database.read() as connection:
            for camera_id in camera_ids:
                camera = self._keys.camera_tag(camera_id)
                rows = connection.execute(
                    "SELECT week, sealed FROM counts WHERE camera = ? ORDER BY week", (camera,)
                ).fetchall()
                weeks = found.setdefault(camera_id, {})
                for week, sealed in rows:
                    try:
                        weeks[from_stamp(week)] = _open(self._keys, camera, week, sealed)
                    except VaultDamaged:
                        continue
        return found

    def keep_only(self, camera_ids: Iterable[str]) -> int:
        """Erase the weeks of all other cameras; return how many there were."""
        kept = {self._keys.camera_tag(each) for each in camera_ids}
        with self._database.read() as connection:
            there = {camera for (camera,) in connection.execute("SELECT DISTINCT camera FROM counts")}
        if not (gone := there - kept):
            return 0
        with self._database.write() as connection:
            number = connection.executemany(
                "DELETE FROM counts WHERE camera = ?", [(each,) for each in gone]
            ).rowcount
            self._eraser.drop_copies()
        self._database.checkpoint()
        return number


def _open(keys: Keys, camera: bytes, week: int, sealed: bytes) -> dict[str, int]:
    data = unseal_json(keys.counts, sealed, ("counts", camera.hex(), week))
    return {str(kind): int(number) for kind, number in data.items()}
