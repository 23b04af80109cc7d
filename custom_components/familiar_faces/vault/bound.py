"""Rows that belong together stay together: none is put in, put back or taken away unseen without the key.

Encryption keeps a row from being changed or moved. It does not show that a newer row is gone, or that an older one
is back. So each row that somebody's rights rest on has a secret number, made of all its columns under the vault's
key, and the numbers are added up (modulo 2**256):

- for each person, over their own row, their consents, templates and link: kept under seal in `person_head`, and
  compared whenever the person is read;
- over all `person_head` rows, invitations, tombstones and `meta`: kept in the vault's head, and compared when all
  people are read, when an invitation is looked up, at the start and by `verify_audit`.

A sum is never made again of what lies there, it only follows what this program changes: a difference stays until the
person is forgotten or the owner has answered about a restored vault. Triggers of this connection alone note each
change, so that no way of writing can be left out; what they note is added up before the transaction is committed.

Not in it are visits, pictures, photos, counts and the review inbox: an old one that is put back opens, and goes in its
time.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
import hmac
import sqlite3

from .errors import VaultDamaged, VaultTampered
from .head import ROW, read_head, write_head
from .keys import Keys
from .sealed import seal_json, unseal_json

_OF_A_PERSON = {
    "person": ("person_id", "state", "created_at", "seen_at", "wrapped_key", "sealed"),
    "consent": (
        "person_id",
        "consent_id",
        "number",
        "recorded_at",
        "valid_until",
        "withdrawn_at",
        "visits_for",
        "pictures_for",
        "sealed",
    ),
    "template": ("person_id", "template_id", "added_at", "sealed"),
    "link": ("person_id", "token_hash", "created_at"),
}
"""All columns, the person's id first."""
_OF_ALL = {
    "person_head": ("person_id", "sequence", "sealed"),
    "invitation": ("invitation_id", "person_id", "token_hash", "created_at", "expires_at"),
    "tombstone": ("person_id", "forgotten_at", "pending", "receipt"),
    "meta": ("name", "value"),
}
_ALL = {**_OF_A_PERSON, **_OF_ALL}
_BUT = {"meta": f"name != '{ROW}'"}
"""The head itself is the one row that holds the sums."""
_MODULUS = 1 << 256

type Value = str | int | bytes | None


class Binding:
    """Keeps the sums of one open store. Each method works in the transaction it is given."""

    def __init__(self, keys: Keys) -> None:
        """Use the keys that the key file opens."""
        self._keys = keys

    def attach(self, connection: sqlite3.Connection) -> None:
        """Have this connection note what it changes. Needs the tables; changes nothing in the file."""
        connection.create_function("number_of", -1, self._number, deterministic=True)
        connection.execute(
            "CREATE TEMP TABLE moved (sign INTEGER, kind TEXT, of_whom TEXT, number BLOB) STRICT"
        )
        for table, columns in _ALL.items():
            for event, rows in (("INSERT", "+NEW"), ("DELETE", "-OLD"), ("UPDATE", "-OLD +NEW")):
                notes = "; ".join(_note(table, columns, row[0], row[1:]) for row in rows.split())
                # Names and columns are the ones above.
                connection.execute(
                    f"CREATE TEMP TRIGGER bound_{table}_{event} AFTER {event} ON main.{table} BEGIN {notes}; END"
                )

    def settle(self, connection: sqlite3.Connection) -> None:
        """Add up what was changed since the transaction began; called before it is committed."""
        people: Counter[str] = Counter()
        for sign, of_whom, number in connection.execute(
            "SELECT sign, of_whom, number FROM moved WHERE of_whom IS NOT NULL"
        ):
            people[of_whom] += sign * int.from_bytes(number, "big")
        for person_id, change in people.items():
            self._follow(connection, person_id, change)
        sums: Counter[str] = Counter()
        for sign, kind, number in connection.execute(
            "SELECT sign, kind, number FROM moved WHERE of_whom IS NULL"
        ):
            sums[kind] += sign * int.from_bytes(number, "big")
        if people or sums:
            connection.execute("DELETE FROM moved")
        if not sums:
            return
        head = read_head(connection, self._keys.audit)
        added = {kind: (head.sums.get(kind, 0) + change) % _MODULUS for kind, change in sums.items()}
        changes = head.changes + 1
        write_head(connection, self._keys.audit, replace(head, changes=changes, sums={**head.sums, **added}))

    def bind_all(self, connection: sqlite3.Connection) -> None:
        """Make every sum of what lies there now. Only for a store that had none: this believes all of it."""
        for (person_id,) in connection.execute("SELECT person_id FROM person").fetchall():
            total = self._total_of(connection, person_id)
            self._write_of(connection, person_id, 1, total)
        self.accept(connection)

    def accept(self, connection: sqlite3.Connection) -> None:
        """Go on from the rows that are there: the owner is asked about everybody. People's own sums stay."""
        self._settle_if_attached(connection)
        head = read_head(connection, self._keys.audit)
        sums = {table: self._total(connection, table) for table in _OF_ALL}
        write_head(connection, self._keys.audit, replace(head, changes=head.changes + 1, sums=sums))

    def _settle_if_attached(self, connection: sqlite3.Connection) -> None:
        """Add up what this transaction changed so far, if there is one and the connection notes it yet."""
        if not connection.in_transaction:
            return
        if connection.execute("SELECT 1 FROM temp.sqlite_schema WHERE name = 'moved'").fetchone():
            self.settle(connection)

    def check_person(self, connection: sqlite3.Connection, person_id: str) -> None:
        """Raise VaultDamaged when rows of somebody are not the ones that were written."""
        self._settle_if_attached(connection)
        try:
            _, total = self._read_of(connection, person_id)
        except VaultDamaged as err:
            raise VaultDamaged("the head of a person was changed") from err
        if total != self._total_of(connection, person_id):
            raise VaultDamaged("rows of a person were put in, put back or taken away")

    def check(self, connection: sqlite3.Connection, tables: Iterable[str] = _OF_ALL) -> None:
        """Raise VaultTampered when rows of these tables are not the ones that were written.

        Every person's own rows are `check_person`'s affair; with all tables, nobody is missing or put back.
        """
        self._settle_if_attached(connection)
        head = read_head(connection, self._keys.audit)
        for table in tables:
            if head.sums.get(table, 0) != self._total(connection, table):
                raise VaultTampered(f"rows of {table}")

    def _follow(self, connection: sqlite3.Connection, person_id: str, change: int) -> None:
        """Add a change to somebody's sum. With a removed person, the head went as well."""
        if not connection.execute("SELECT 1 FROM person WHERE person_id = ?", (person_id,)).fetchone():
            return
        try:
            sequence, total = self._read_of(connection, person_id)
        except VaultDamaged:
            if connection.execute("SELECT 1 FROM person_head WHERE person_id = ?", (person_id,)).fetchone():
                # It stays as damaged as it is, and so does the person.
                return
            sequence, total = 0, 0
        self._write_of(connection, person_id, sequence + 1, (total + change) % _MODULUS)

    def _read_of(self, connection: sqlite3.Connection, person_id: str) -> tuple[int, int]:
        """Return how often somebody's rows were changed, and their sum; raise VaultDamaged."""
        row = connection.execute(
            "SELECT sequence, sealed FROM person_head WHERE person_id = ?", (person_id,)
        ).fetchone()
        if row is None:
            raise VaultDamaged("the head of a person is gone")
        sequence, sealed = row
        data = unseal_json(self._keys.heads, sealed, ("person head", person_id, sequence))
        return sequence, int(data["sum"], 16)

    def _write_of(self, connection: sqlite3.Connection, person_id: str, sequence: int, total: int) -> None:
        sealed = seal_json(self._keys.heads, {"sum": f"{total:x}"}, ("person head", person_id, sequence))
        connection.execute(
            "INSERT INTO person_head VALUES (?1, ?2, ?3) "
            "ON CONFLICT (person_id) DO UPDATE SET sequence = ?2, sealed = ?3",
            (person_id, sequence, sealed),
        )

    def _total_of(self, connection: sqlite3.Connection, person_id: str) -> int:
        total = 0
        for table, columns in _OF_A_PERSON.items():
            rows = connection.execute(
                f"SELECT {', '.join(columns)} FROM {table} WHERE person_id = ?",  # noqa: S608 - names from above
                (person_id,),
            )
            total += sum(self._value(table, row) for row in rows)
        return total % _MODULUS

    def _total(self, connection: sqlite3.Connection, table: str) -> int:
        rows = connection.execute(
            f"SELECT {', '.join(_OF_ALL[table])} FROM {table} WHERE {_BUT.get(table, 'TRUE')}"  # noqa: S608 - as above
        )
        return sum(self._value(table, row) for row in rows) % _MODULUS

    def _value(self, table: str, row: tuple[Value, ...]) -> int:
        return int.from_bytes(self._number(table, *row), "big")

    def _number(self, *values: Value) -> bytes:
        """Return a row's number: its table, then its columns."""
        return hmac.digest(self._keys.rows, b"".join(map(_encoded, values)), "sha256")


def _encoded(value: Value) -> bytes:
    """Return a column so that no two rows read alike."""
    match value:
        case None:
            return b"n"
        case int():
            kind, data = b"i", str(value).encode()
        case str():
            kind, data = b"t", value.encode()
        case bytes():
            kind, data = b"b", value
    return kind + len(data).to_bytes(8, "big") + data


def _note(table: str, columns: tuple[str, ...], sign: str, row: str) -> str:
    """Return the statement that notes a row before or after a change."""
    values = ", ".join(f"{row}.{column}" for column in columns)
    of_whom = f"{row}.person_id" if table in _OF_A_PERSON else "NULL"
    but = f" WHERE {row}.{_BUT[table]}" if table in _BUT else ""
    return f"INSERT INTO moved SELECT {sign}1, '{table}', {of_whom}, number_of('{table}', {values}){but}"
