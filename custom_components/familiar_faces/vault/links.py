"""Links for people without an account: invitations to agree, and one's own link to what is kept.

A link's token is 32 random bytes. Only a hash of it is stored, so that nobody who reads the store can follow a
link. It is made with the vault's key, of the token and of everything else in its row: nobody without the key can
put in a link of their own, give one to somebody else, or let one last longer. That an old one is put back shows in
the sums of `bound.py`. Every stored hash is compared, each in constant time.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
import hashlib
import hmac
import json
import secrets
import sqlite3

from ..people.person import Consent
from . import people_rows
from .audit import AuditLog
from .bound import Binding
from .checks import about, check_text
from .database import Database
from .erasure import Eraser
from .errors import AlreadyRecorded, InvitationClosed, UnknownPerson
from .keys import Keys
from .times import from_stamp, to_stamp

_TOKEN = 32
"""Bytes of randomness in a link."""
_LONGEST = 64
"""Characters of the longest text that is looked at as a token; a real one has 43."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link with which somebody may agree, once."""

    invitation_id: str
    person_id: str | None
    """The person it is for when they are here already; None for somebody new."""
    created_at: datetime
    expires_at: datetime


class Links:
    """The links of one store. A method that returned has its write on the disk."""

    def __init__(self, database: Database, keys: Keys, audit: AuditLog, eraser: Eraser) -> None:
        """Work on an open store."""
        self._database = database
        self._keys = keys
        self._audit = audit
        self._eraser = eraser
        self._binding = Binding(keys)

    def invite(self, *, person_id: str | None, expires_at: datetime, now: datetime) -> tuple[Invitation, str]:
        """Make an invitation and return it with its token, which is known to nobody afterwards.

        Those for the same person are closed by it. Raise UnknownPerson.
        """
        if expires_at <= now:
            raise ValueError("an invitation ends later than now")
        token = secrets.token_urlsafe(_TOKEN)
        invitation = Invitation(secrets.token_hex(8), person_id, now, expires_at)
        with self._database.write() as connection:
            if person_id is not None:
                if people_rows.person_state(connection, person_id) is None:
                    raise UnknownPerson
                connection.execute("DELETE FROM invitation WHERE person_id = ?", (person_id,))
            connection.execute(
                "INSERT INTO invitation VALUES (?, ?, ?, ?, ?)",
                (
                    invitation.invitation_id,
                    person_id,
                    self._hash_of_invitation(
                        token, invitation.invitation_id, person_id, to_stamp(now), to_stamp(expires_at)
                    ),
                    to_stamp(now),
                    to_stamp(expires_at),
                ),
            )
            details = {
                "invitation_id": invitation.invitation_id,
                "expires_at": expires_at.astimezone(UTC).isoformat(),
            }
            self._audit.append(connection, "invitation_made", person_id, details, now)
        return invitation, token

    def invitations(self, now: datetime) -> list[Invitation]:
        """Return the invitations that are open, oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT invitation_id, person_id, created_at, expires_at FROM invitation "
                "WHERE expires_at > ? ORDER BY created_at, rowid",
                (to_stamp(now),),
            ).fetchall()
        return [_invitation(row) for row in rows]

    def invitation(self, token: str, now: datetime) -> Invitation | None:
        """Return the invitation that a token opens, None when it opens none.

        Raise VaultTampered when invitations were put in, put back or taken away by something else.
        """
        with self._database.read() as connection:
            return self._open_invitation(connection, token, now)

    def close(self, invitation_id: str, now: datetime) -> bool:
        """Close an invitation; return whether it was there."""
        with self._database.write() as connection:
            gone = connection.execute(
                "DELETE FROM invitation WHERE invitation_id = ?", (invitation_id,)
            ).rowcount
            if gone:
                details = {"invitation_id": invitation_id}
                self._audit.append(connection, "invitation_closed", None, details, now)
        # Into the file: what was closed stays so, also when the log is lost.
        self._database.checkpoint()
        return bool(gone)

    def accept(self, token: str, *, person_id: str, name: str, consent: Consent, now: datetime) -> str:
        """Use an invitation: put the consent on record, and return the token of the person's own link.

        Somebody new is being enrolled from then on, with the id `person_id` and this name. For somebody who
        is here already the invitation says who it is, and both are passed over. All of it is one
        transaction. Raise InvitationClosed when the token opens no invitation.
        """
        check_text(person_id, "an id")
        check_text(name, "a name")
        own = secrets.token_urlsafe(_TOKEN)
        with self._database.write() as connection:
            invitation = self._open_invitation(connection, token, now)
            if invitation is None:
                raise InvitationClosed
            if invitation.person_id is None:
                if people_rows.person_state(connection, person_id) or self._eraser.forgotten_at(
                    connection, person_id
                ):
                    raise AlreadyRecorded("a person with this id")
                key = people_rows.insert_person(
                    connection, self._keys, person_id, name=name, linked_entity=None, now=now
                )
            else:
                person_id = invitation.person_id
                key = people_rows.sound_key(connection, self._keys, person_id)
            people_rows.record_consent(connection, key, person_id, consent)
            self._eraser.drop_copies()
            connection.execute("DELETE FROM invitation WHERE invitation_id = ?", (invitation.invitation_id,))
            self._write_link(connection, person_id, own, now)
            details = {"invitation_id": invitation.invitation_id}
            self._audit.append(connection, "invitation_used", person_id, details, now)
            self._audit.append(connection, "consent_recorded", person_id, about(consent), now)
        # What the consent no longer allows is erased; not in the write-ahead log either.
        self._database.checkpoint()
        return own

    def new_link(self, person_id: str, now: datetime) -> str:
        """Return the token of a new own link for a person; the one before opens nothing more. Raise UnknownPerson."""
        token = secrets.token_urlsafe(_TOKEN)
        with self._database.write() as connection:
            if people_rows.person_state(connection, person_id) is None:
                raise UnknownPerson
            self._write_link(connection, person_id, token, now)
            self._audit.append(connection, "link_made", person_id, {}, now)
        # As when one is closed: the one before is.
        self._database.checkpoint()
        return token

    def person_of(self, token: str) -> str | None:
        """Return the id of the person whose own link has this token, None when nobody's has."""
        found = None
        with self._database.read() as connection:
            for person_id, stored, created_at in connection.execute(
                "SELECT person_id, token_hash, created_at FROM link"
            ):
                # Looks at every row, so that time tells nothing of where it lies.
                if hmac.compare_digest(self._hash_of_link(token, person_id, created_at), stored):
                    found = person_id
        return found

    def _write_link(self, connection: sqlite3.Connection, person_id: str, token: str, now: datetime) -> None:
        stored = self._hash_of_link(token, person_id, to_stamp(now))
        connection.execute("DELETE FROM link WHERE person_id = ?", (person_id,))
        connection.execute("INSERT INTO link VALUES (?, ?, ?)", (person_id, stored, to_stamp(now)))

    def _open_invitation(
        self, connection: sqlite3.Connection, token: str, now: datetime
    ) -> Invitation | None:
        self._binding.check(connection, ("invitation",))
        found: Invitation | None = None
        for invitation_id, person_id, stored, created_at, expires_at in connection.execute(
            "SELECT invitation_id, person_id, token_hash, created_at, expires_at FROM invitation"
        ):
            given = self._hash_of_invitation(token, invitation_id, person_id, created_at, expires_at)
            if hmac.compare_digest(given, stored):
                found = _invitation((invitation_id, person_id, created_at, expires_at))
        return None if found is None or found.expires_at <= now else found

    def _hash_of_link(self, token: str, person_id: str, created_at: int) -> bytes:
        return _bound_hash(self._keys, _hash(token), "link", person_id, created_at)

    def _hash_of_invitation(
        self, token: str, invitation_id: str, person_id: str | None, created_at: int, expires_at: int
    ) -> bytes:
        return _bound_hash(
            self._keys, _hash(token), "invitation", invitation_id, person_id, created_at, expires_at
        )


def bind_tokens(connection: sqlite3.Connection, keys: Keys) -> None:
    """Bind the hashes of a store of before to its key: until then they were the tokens' SHA-256 alone."""
    for person_id, hashed, created_at in connection.execute(
        "SELECT person_id, token_hash, created_at FROM link"
    ).fetchall():
        bound = _bound_hash(keys, hashed, "link", person_id, created_at)
        connection.execute("UPDATE link SET token_hash = ? WHERE person_id = ?", (bound, person_id))
    for *place, hashed in connection.execute(
        "SELECT invitation_id, person_id, created_at, expires_at, token_hash FROM invitation"
    ).fetchall():
        bound = _bound_hash(keys, hashed, "invitation", *place)
        connection.execute("UPDATE invitation SET token_hash = ? WHERE invitation_id = ?", (bound, place[0]))


def _invitation(row: tuple[str, str | None, int, int]) -> Invitation:
    invitation_id, person_id, created_at, expires_at = row
    return Invitation(invitation_id, person_id, from_stamp(created_at), from_stamp(expires_at))


def _bound_hash(keys: Keys, hashed: bytes, *place: str | int | None) -> bytes:
    """Return what is stored of a token for its row."""
    return hmac.digest(keys.links, hashed + json.dumps(place).encode(), hashlib.sha256)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token[:_LONGEST].encode(errors="surrogatepass")).digest()
