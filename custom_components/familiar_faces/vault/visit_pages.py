"""Visits by person, camera and time: one page after the other, newest first, by the indices alone."""

from collections.abc import Iterable, Iterator
from heapq import nlargest
from itertools import product
import json
import logging
import sqlite3

from .errors import VaultDamaged
from .keys import Keys
from .records import CountOf, SoughtVisits, VisitCursor, VisitPage, VisitRecord
from .times import from_stamp, to_stamp
from .visit_rows import SELECT, VisitRow, opened_visit

_LOGGER = logging.getLogger(__name__)

MOST_STREAMS = 250
"""Of so many people at so many cameras each is looked for by an index of its own, which takes about 10 microseconds.
Of more of them somebody came lately, so all visits are gone through instead, and those of the others left out."""
_NEWEST = VisitCursor((1 << 63) - 1, (1 << 63) - 1)
_OLDEST = -(1 << 63)

type Query = tuple[str, dict[str, str | bytes | int]]
"""SQL, and what its names stand for."""


def read_page(
    connection: sqlite3.Connection,
    keys: Keys,
    sought: SoughtVisits,
    *,
    limit: int,
    after: VisitCursor | None = None,
) -> VisitPage:
    """Return at most `limit` visits that began before `after`. A damaged one is left out and logged."""
    visits: list[VisitRecord] = []
    known: dict[str, bytes] = {}
    while len(visits) < limit:
        wanted = limit - len(visits)
        found = _newest(connection, keys, sought, limit=wanted, after=after)
        rows = [connection.execute(f"{SELECT} WHERE rowid = ?", (cursor.row,)).fetchone() for cursor in found]
        visits += [
            visit
            for visit in _opened(connection, keys, rows, known)
            # What stands in the clear may have been changed.
            if sought.camera_ids is None or visit.camera_id in sought.camera_ids
        ]
        if found:
            after = found[-1]
        if len(found) < wanted:
            return VisitPage(tuple(visits), None)
    return VisitPage(tuple(visits), after)


def read_last(connection: sqlite3.Connection, keys: Keys, person_id: str, limit: int) -> list[VisitRecord]:
    """Return a person's last visits to each camera, at most `limit` of each. A damaged one is left out and logged."""
    visits: list[VisitRecord] = []
    tag, known = b"", dict[str, bytes]()
    while True:
        row = connection.execute(
            "SELECT min(camera) FROM visit WHERE person_id = ? AND camera > ?", (person_id, tag)
        ).fetchone()
        if (tag := row[0]) is None:
            return visits
        rows = connection.execute(
            f"{SELECT} WHERE person_id = ? AND camera = ? ORDER BY started_at DESC, rowid DESC LIMIT ?",
            (person_id, tag, limit),
        ).fetchall()
        visits += _opened(connection, keys, rows, known)


def _newest(
    connection: sqlite3.Connection,
    keys: Keys,
    sought: SoughtVisits,
    *,
    limit: int,
    after: VisitCursor | None,
) -> list[VisitCursor]:
    """Return where the newest visits are, newest first."""
    found = [
        VisitCursor(*row)
        for sql, values in queries(keys, sought, limit=limit, after=after)
        for row in connection.execute(sql, values)
    ]
    return nlargest(limit, found)


def queries(
    keys: Keys, sought: SoughtVisits, *, limit: int, after: VisitCursor | None = None
) -> Iterator[Query]:
    """Yield what finds the visits: each query gives the newest of its own, and no visit is found by two."""
    before = _NEWEST if sought.before is None else VisitCursor(to_stamp(sought.before), _OLDEST)
    last = min(before, after or _NEWEST)
    values: dict[str, str | bytes | int] = {
        "since": _OLDEST if sought.since is None else to_stamp(sought.since),
        "at": last.started_at,
        "row": last.row,
        "limit": limit,
    }
    people = None if sought.person_ids is None else sorted(sought.person_ids)
    cameras = None if sought.camera_ids is None else sorted(map(keys.camera_tag, sought.camera_ids))
    if people == [] or cameras == []:
        return
    if len(people or "1") * len(cameras or "1") > MOST_STREAMS:
        # In the order of time: neither condition may choose another index.
        conditions = []
        if people is not None:
            conditions.append("+person_id IN (SELECT value FROM json_each(:people))")
            values["people"] = json.dumps(people)
        if cameras is not None:
            conditions.append("hex(camera) IN (SELECT value FROM json_each(:cameras))")
            values["cameras"] = json.dumps([each.hex().upper() for each in cameras])
        yield _query(conditions), values
        return
    of_each = [
        *([] if people is None else ["person_id = :person"]),
        *([] if cameras is None else ["camera = :camera"]),
    ]
    sql = _query(of_each)
    for person_id, camera in product(people or ("",), cameras or (b"",)):
        yield sql, values | {"person": person_id, "camera": camera}


def count_of(connection: sqlite3.Connection, person_id: str) -> CountOf:
    """Return how many visits and pictures are kept of somebody."""
    visits, oldest, pictures = connection.execute(
        "SELECT count(*), min(started_at), (SELECT count(*) FROM picture WHERE person_id = :person) "
        "FROM visit WHERE person_id = :person",
        {"person": person_id},
    ).fetchone()
    return CountOf(visits, pictures, None if oldest is None else from_stamp(oldest))


def _query(conditions: list[str]) -> str:
    # The row tells apart what began at the same moment, and is the last part of every index.
    within = ["started_at >= :since", "(started_at, rowid) < (:at, :row)"]
    return (
        f"SELECT started_at, rowid FROM visit WHERE {' AND '.join([*conditions, *within])} "  # noqa: S608
        "ORDER BY started_at DESC, rowid DESC LIMIT :limit"
    )


def _opened(
    connection: sqlite3.Connection, keys: Keys, rows: Iterable[VisitRow], known: dict[str, bytes]
) -> Iterator[VisitRecord]:
    """Yield the visits of rows, without those that are damaged."""
    for row in rows:
        try:
            yield opened_visit(connection, keys, row, known)
        except VaultDamaged as err:
            _LOGGER.warning("Visit %s of person %s cannot be read: %s", row[0], row[1], err)
