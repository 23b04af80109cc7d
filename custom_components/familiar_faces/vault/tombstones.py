"""What is left of a forgotten person: an id, a receipt, and the open work until all is done.

Erasing in the vault is one transaction. What Home Assistant keeps of the person goes afterwards and takes a
while; what has to be looked for is sealed in the tombstone until then, so that a start after a crash goes on.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
import sqlite3
from typing import Any

from .audit import AuditLog
from .database import Database
from .errors import UnknownPerson, VaultDamaged
from .keys import Keys
from .records import Detail, Receipt, Unfinished
from .sealed import seal_json, unseal_json
from .times import from_stamp, to_stamp

_COUNTS = ("templates", "photos", "visits", "pictures", "consents", "invitations")


class Tombstones:
    """The tombstones of one store."""

    def __init__(self, database: Database, keys: Keys, audit: AuditLog) -> None:
        """Work on an open store."""
        self._database = database
        self._sealing = keys.tombstone
        self._audit = audit

    def insert(
        self,
        connection: sqlite3.Connection,
        receipt: Receipt,
        names: tuple[str, ...],
        also: Iterable[str] = (),
    ) -> None:
        """Write a tombstone in the transaction that erases; without a name there is nothing left to do."""
        pending = self._sealed_pending(receipt.person_id, names, (), also) if names else None
        if pending is None:
            receipt = replace(receipt, finished_at=receipt.forgotten_at)
        connection.execute(
            "INSERT INTO tombstone VALUES (?, ?, ?, ?)",
            (receipt.person_id, to_stamp(receipt.forgotten_at), pending, self._sealed_receipt(receipt)),
        )

    def read(self, connection: sqlite3.Connection, person_id: str) -> Receipt | None:
        """Return the receipt of somebody who was forgotten, None of anybody else."""
        row = connection.execute(
            "SELECT forgotten_at, receipt FROM tombstone WHERE person_id = ?", (person_id,)
        ).fetchone()
        return None if row is None else self._opened_receipt(person_id, *row)

    def note_verified(self, connection: sqlite3.Connection, person_id: str, *, verified: bool) -> None:
        """Write on the receipt whether looking again found nothing."""
        receipt = self.read(connection, person_id)
        if receipt is not None and receipt.verified != verified:
            self._update(connection, replace(receipt, verified=verified))

    def _update(self, connection: sqlite3.Connection, receipt: Receipt) -> None:
        connection.execute(
            "UPDATE tombstone SET receipt = ? WHERE person_id = ?",
            (self._sealed_receipt(receipt), receipt.person_id),
        )

    def unfinished(self) -> list[Unfinished]:
        """Return the people who may have left something outside of the vault, oldest first."""
        found: list[Unfinished] = []
        with self._database.read() as connection:
            for person_id, pending in connection.execute(
                "SELECT person_id, pending FROM tombstone WHERE pending IS NOT NULL ORDER BY forgotten_at"
            ).fetchall():
                (name, *former), entity_ids, also = self._opened_pending(person_id, pending)
                found.append(Unfinished(person_id, name, entity_ids, tuple(former), also))
        return found

    def receipts(self, limit: int) -> list[Receipt]:
        """Return the newest receipts, at most `limit`; damaged ones without what they said."""
        found: list[Receipt] = []
        with self._database.read() as connection:
            for person_id, forgotten_at, sealed in connection.execute(
                "SELECT person_id, forgotten_at, receipt FROM tombstone ORDER BY forgotten_at DESC LIMIT ?",
                (limit,),
            ).fetchall():
                try:
                    found.append(self._opened_receipt(person_id, forgotten_at, sealed))
                except VaultDamaged:
                    found.append(self._opened_receipt(person_id, forgotten_at, None))
        return found

    def note_entities(self, person_id: str, entity_ids: Iterable[str]) -> None:
        """Add to what has to be done of somebody who is being forgotten; raise UnknownPerson."""
        with self._database.write() as connection:
            self._add(connection, person_id, entity_ids=entity_ids)

    def add_places(self, connection: sqlite3.Connection, person_id: str, also: Iterable[str]) -> None:
        """Add places of others in a transaction of the caller; raise UnknownPerson."""
        if places := tuple(also):
            self._add(connection, person_id, also=places)

    def _add(
        self,
        connection: sqlite3.Connection,
        person_id: str,
        *,
        entity_ids: Iterable[str] = (),
        also: Iterable[str] = (),
    ) -> None:
        row = connection.execute("SELECT pending FROM tombstone WHERE person_id = ?", (person_id,)).fetchone()
        if row is None:
            raise UnknownPerson
        if row[0] is None:
            return
        names, known, chosen = self._opened_pending(person_id, row[0])
        pending = self._sealed_pending(
            person_id, names, sorted({*known, *entity_ids}), sorted({*chosen, *also})
        )
        connection.execute("UPDATE tombstone SET pending = ? WHERE person_id = ?", (pending, person_id))

    def note_reached(self, person_id: str, reached: Mapping[str, Detail]) -> None:
        """Write on the receipt how far it came outside of the vault, while it is not finished; raise UnknownPerson."""
        with self._database.write() as connection:
            receipt = self.read(connection, person_id)
            if receipt is None:
                raise UnknownPerson
            if receipt.finished_at is None and receipt.reached != reached:
                self._update(connection, replace(receipt, reached=dict(reached)))

    def finish(self, person_id: str, reached: Mapping[str, Detail], now: datetime) -> Receipt:
        """Write that all is done, and what came of it; a second time changes nothing. Raise UnknownPerson."""
        with self._database.write() as connection:
            receipt = self.read(connection, person_id)
            if receipt is None:
                raise UnknownPerson
            if receipt.finished_at is not None:
                return receipt
            receipt = replace(receipt, reached=dict(reached), finished_at=now)
            connection.execute("UPDATE tombstone SET pending = NULL WHERE person_id = ?", (person_id,))
            self._update(connection, receipt)
            self._audit.append(connection, "forgotten_everywhere", person_id, reached, now)
        # The name was in what had to be done: not in the write-ahead log either.
        self._database.checkpoint()
        return receipt

    def _sealed_pending(
        self, person_id: str, names: tuple[str, ...], entity_ids: Iterable[str], also: Iterable[str] = ()
    ) -> bytes:
        data = {"name": names[0], "former": names[1:], "entity_ids": list(entity_ids), "also": list(also)}
        return seal_json(self._sealing, data, ("pending", person_id))

    def _opened_pending(
        self, person_id: str, sealed: bytes
    ) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        """Return the names, the last one first, the entities, and the places of others."""
        try:
            data: dict[str, Any] = unseal_json(self._sealing, sealed, ("pending", person_id))
        except VaultDamaged:
            # What is left is still searched by the id.
            return ("",), (), ()
        return (data["name"], *data.get("former", ())), tuple(data["entity_ids"]), tuple(data.get("also", ()))

    def _sealed_receipt(self, receipt: Receipt) -> bytes:
        data: dict[str, Any] = {count: getattr(receipt, count) for count in _COUNTS}
        data["verified"] = receipt.verified
        data["reached"] = dict(receipt.reached)
        data["finished_at"] = None if receipt.finished_at is None else to_stamp(receipt.finished_at)
        place = ("receipt", receipt.person_id, to_stamp(receipt.forgotten_at))
        return seal_json(self._sealing, data, place)

    def _opened_receipt(self, person_id: str, forgotten_at: int, sealed: bytes | None) -> Receipt:
        data: dict[str, Any] = dict.fromkeys(_COUNTS, 0)
        if sealed is not None:
            data |= unseal_json(self._sealing, sealed, ("receipt", person_id, forgotten_at))
        finished_at = data.get("finished_at")
        return Receipt(
            person_id=person_id,
            forgotten_at=from_stamp(forgotten_at),
            **{count: data[count] for count in _COUNTS},
            verified=data.get("verified", False),
            reached=data.get("reached", {}),
            finished_at=None if finished_at is None else from_stamp(finished_at),
        )
