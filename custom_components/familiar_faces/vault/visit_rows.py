"""Rows of visits and their pictures. Works in a given transaction."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
import sqlite3

from .errors import ConsentMissing, UnknownPerson, UnknownVisit, VaultDamaged
from .keys import Keys
from .people_rows import consented, person_key
from .records import VisitRecord
from .sealed import seal, seal_json, unseal, unseal_json
from .times import from_stamp, to_stamp

_AT_ONCE = 1000
"""Rows that are in memory together."""

type VisitRow = tuple[str, str, int, bytes, int]

SELECT = (
    "SELECT visit_id, person_id, started_at, sealed, "
    "EXISTS (SELECT 1 FROM picture WHERE picture.visit_id = visit.visit_id) FROM visit"
)
"""What `opened_visit` takes."""


def insert_visit(
    connection: sqlite3.Connection, key: bytes, camera_tag: bytes, visit: VisitRecord, picture: bytes | None
) -> None:
    """Write a visit, with its picture when there is one, and that the person was seen."""
    started_at = to_stamp(visit.started_at)
    connection.execute(
        "INSERT INTO visit VALUES (?, ?, ?, ?, ?)",
        (visit.visit_id, visit.person_id, started_at, _sealed_visit(key, visit), camera_tag),
    )
    if picture is not None:
        sealed = seal(key, picture, ("picture", visit.visit_id, visit.person_id, started_at))
        connection.execute(
            "INSERT INTO picture VALUES (?, ?, ?, ?)",
            (visit.visit_id, visit.person_id, started_at, sealed),
        )
    mark_seen(connection, visit.person_id, visit.until)


def keep_visit(
    connection: sqlite3.Connection, keys: Keys, visit: VisitRecord, picture: bytes | None, now: datetime
) -> None:
    """Write a visit as far as the person agreed to it; raise UnknownPerson, ConsentMissing when they did not."""
    key, choices = consented(connection, keys, visit.person_id, now, visit.camera_id)
    if not choices.keeps_visits:
        raise ConsentMissing
    camera_tag = keys.camera_tag(visit.camera_id)
    insert_visit(connection, key, camera_tag, visit, picture if choices.keeps_pictures else None)


def update_visit(connection: sqlite3.Connection, key: bytes, visit: VisitRecord) -> None:
    """Write what else is known of a visit now."""
    connection.execute(
        "UPDATE visit SET sealed = ? WHERE visit_id = ?", (_sealed_visit(key, visit), visit.visit_id)
    )


def prolong_visit(
    connection: sqlite3.Connection,
    keys: Keys,
    visit_id: str,
    *,
    person_id: str,
    seen_at: datetime,
    similarity: float | None,
    template_id: str | None,
) -> None:
    """Write until when a person's visit goes on, and to which template it was more alike; raise VaultDamaged."""
    try:
        visit = read_visit(connection, keys, visit_id)
    except UnknownVisit:
        return
    if visit.person_id != person_id:
        return
    longer = replace(visit, last_seen_at=max(visit.until, seen_at))
    if (
        similarity is not None
        and not visit.confirmed
        and (visit.similarity is None or similarity > visit.similarity)
    ):
        longer = replace(longer, similarity=similarity, template_id=template_id)
    update_visit(connection, person_key(connection, keys, person_id), longer)


def delete_visit(connection: sqlite3.Connection, visit: VisitRecord) -> None:
    """Erase a visit that was not this person's, and that they were seen then."""
    connection.execute("DELETE FROM picture WHERE visit_id = ?", (visit.visit_id,))
    connection.execute("DELETE FROM visit WHERE visit_id = ?", (visit.visit_id,))
    # Without another visit it stays: what was known before is not written anywhere.
    connection.execute(
        "UPDATE person SET seen_at = ifnull((SELECT max(started_at) FROM visit WHERE person_id = ?1), seen_at) "
        "WHERE person_id = ?1",
        (visit.person_id,),
    )


def mark_seen(connection: sqlite3.Connection, person_id: str, seen_at: datetime) -> None:
    """Write that someone was seen, unless a later moment is known; raise UnknownPerson."""
    changed = connection.execute(
        "UPDATE person SET seen_at = max(ifnull(seen_at, ?1), ?1) WHERE person_id = ?2",
        (to_stamp(seen_at), person_id),
    )
    if changed.rowcount == 0:
        raise UnknownPerson


def read_visit(connection: sqlite3.Connection, keys: Keys, visit_id: str) -> VisitRecord:
    """Return a visit; raise UnknownVisit or VaultDamaged."""
    row = connection.execute(f"{SELECT} WHERE visit_id = ?", (visit_id,)).fetchone()
    if row is None:
        raise UnknownVisit
    return opened_visit(connection, keys, row, {})


def read_picture(connection: sqlite3.Connection, keys: Keys, visit_id: str) -> bytes | None:
    """Return the picture of a visit, None without one; raise UnknownVisit or VaultDamaged."""
    row = connection.execute(
        "SELECT visit.person_id, visit.started_at, picture.sealed FROM visit "
        "LEFT JOIN picture USING (visit_id) WHERE visit_id = ?",
        (visit_id,),
    ).fetchone()
    if row is None:
        raise UnknownVisit
    person_id, started_at, sealed = row
    if sealed is None:
        return None
    try:
        key = person_key(connection, keys, person_id)
    except UnknownPerson as err:
        raise VaultDamaged("a picture row belongs to nobody") from err
    return unseal(key, sealed, ("picture", visit_id, person_id, started_at))


def tag_cameras(connection: sqlite3.Connection, keys: Keys) -> None:
    """Write beside each visit what stands for its camera. One that cannot be read is at no camera."""
    known: dict[str, bytes] = {}
    last = -1 << 63
    while rows := connection.execute(
        "SELECT rowid, visit_id, person_id, started_at, sealed, 0 FROM visit WHERE rowid > ? "
        "ORDER BY rowid LIMIT ?",
        (last, _AT_ONCE),
    ).fetchall():
        last = rows[-1][0]
        tags: list[tuple[bytes, int]] = []
        for row_id, *row in rows:
            with suppress(VaultDamaged):
                visit = opened_visit(connection, keys, tuple(row), known)
                tags.append((keys.camera_tag(visit.camera_id), row_id))
        connection.executemany("UPDATE visit SET camera = ? WHERE rowid = ?", tags)


def _sealed_visit(key: bytes, visit: VisitRecord) -> bytes:
    data = {
        "camera_id": visit.camera_id,
        "confidence": visit.confidence,
        "frames": visit.frames,
        "template_id": visit.template_id,
        "similarity": visit.similarity,
        "confirmed": visit.confirmed,
        "last_seen_at": None if visit.last_seen_at is None else to_stamp(visit.last_seen_at),
    }
    return seal_json(key, data, ("visit", visit.visit_id, visit.person_id, to_stamp(visit.started_at)))


def opened_visit(
    connection: sqlite3.Connection, keys: Keys, row: VisitRow, known: dict[str, bytes]
) -> VisitRecord:
    """Return a visit by its row; raise VaultDamaged. `known`: people's keys, to which theirs is added."""
    visit_id, person_id, started_at, sealed, pictured = row
    if person_id not in known:
        try:
            known[person_id] = person_key(connection, keys, person_id)
        except UnknownPerson as err:
            raise VaultDamaged("a visit row belongs to nobody") from err
    data = unseal_json(known[person_id], sealed, ("visit", visit_id, person_id, started_at))
    return VisitRecord(
        visit_id=visit_id,
        person_id=person_id,
        camera_id=data["camera_id"],
        started_at=from_stamp(started_at),
        confidence=data["confidence"],
        frames=data["frames"],
        # Not in the rows that were written before visits could be corrected.
        template_id=data.get("template_id"),
        similarity=data.get("similarity"),
        confirmed=data.get("confirmed", False),
        # Not in those that were written before it was kept how long they lasted.
        last_seen_at=None if (seen_at := data.get("last_seen_at")) is None else from_stamp(seen_at),
        pictured=bool(pictured),
    )
