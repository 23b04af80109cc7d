"""What the tests of the vault make: consents, photos, embeddings, people and visits."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
import hashlib
from pathlib import Path
import random
import sqlite3

import numpy as np

from custom_components.familiar_faces.people.person import Consent, ConsentMethod, Embedding, Person, Template
from custom_components.familiar_faces.vault import people_rows
from custom_components.familiar_faces.vault.head import read_head, write_head
from custom_components.familiar_faces.vault.records import VisitRecord
from custom_components.familiar_faces.vault.sealed import seal_json, unseal_json
from custom_components.familiar_faces.vault.store import Vault

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
MODEL = "sface"

MARIA = "9f6c1d52e0b84e7a"
OTTO = "51b7e2a94cf03d68"


def a_consent(
    consent_id: str = "consent-1",
    *,
    given_by: str = "Maria Gantenbein",
    given_at: datetime = NOW - DAY,
    lasts: timedelta = timedelta(days=365),
) -> Consent:
    """Make a consent."""
    return Consent(
        consent_id=consent_id,
        given_by=given_by,
        on_behalf_of_child=False,
        method=ConsentMethod.ON_PAPER,
        given_at=given_at,
        valid_until=given_at + lasts,
        text_version="en/1",
        recorded_at=given_at,
    )


def an_embedding(seed: int) -> Embedding:
    """Make a unit vector of 128 float32."""
    vector = np.random.default_rng(seed).standard_normal(128).astype(np.float32)
    return vector / np.float32(np.linalg.norm(vector))


def a_photo(seed: int, size: int = 6000) -> bytes:
    """Make bytes that start like a JPEG and are nowhere else."""
    return b"\xff\xd8\xff\xe0" + random.Random(seed).randbytes(size)


def digest(photo: bytes) -> str:
    """Return the SHA-256 of a photo."""
    return hashlib.sha256(photo).hexdigest()


def a_visit(
    visit_id: str = "visit-1",
    person_id: str = MARIA,
    *,
    camera_id: str = "01JFRONTDOORCAMERA00000000",
    started_at: datetime = NOW,
) -> VisitRecord:
    """Make a visit."""
    return VisitRecord(visit_id, person_id, camera_id, started_at, confidence=0.973, frames=5)


def add_reference(vault: Vault, person_id: str, seed: int, now: datetime = NOW) -> Template:
    """Add the reference photo and template of a seed."""
    photo = a_photo(seed)
    return vault.add_reference(
        person_id,
        photo=photo,
        embedding=an_embedding(seed),
        model=MODEL,
        photo_digest=digest(photo),
        now=now,
    )


def enrol(
    vault: Vault,
    person_id: str = MARIA,
    name: str = "Maria Gantenbein",
    *,
    seeds: tuple[int, ...] = (1,),
    consent: Consent | None = None,
    now: datetime = NOW,
) -> Person:
    """Enrol someone whole."""
    consent = consent or a_consent(f"consent-of-{person_id}", given_by=name)
    vault.begin_enrolment(person_id, name, None, consent, now)
    for seed in seeds:
        add_reference(vault, person_id, seed, now)
    vault.finish_enrolment(person_id, now)
    return vault.person(person_id)


def bytes_of(folder: Path) -> bytes:
    """Return every byte of every file under a folder."""
    return b"\0".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def drop_fifth_version(connection: sqlite3.Connection) -> None:
    """Take out of a store what its fifth version added."""
    connection.execute("DROP TABLE counts")


def drop_fourth_version(vault: Vault, connection: sqlite3.Connection) -> None:
    """Take out of an open store what its fourth version added; it notes nothing that it changes from then on."""
    vault._database.before_commit = None
    for kind, name in connection.execute("SELECT type, name FROM temp.sqlite_schema").fetchall():
        if kind == "trigger":
            connection.execute(f"DROP TRIGGER {name}")
    connection.execute("DROP TABLE person_head")
    head = read_head(connection, vault._keys.audit)
    write_head(connection, vault._keys.audit, replace(head, changes=0, sums={}))


def drop_third_version(connection: sqlite3.Connection) -> None:
    """Take out of a store what its third version added."""
    for index in ("visit_camera", "visit_person_camera", "picture_person", "photo_person", "consent_kept"):
        connection.execute(f"DROP INDEX {index}")
    connection.execute("ALTER TABLE visit DROP COLUMN camera")
    connection.execute("CREATE INDEX picture_time ON picture (started_at)")


def make_first_version(vault: Vault, person_id: str) -> None:
    """Make an open store one of the first version, in which one person is: close it afterwards.

    Without the newer tables and columns, and with a consent that says less.
    """
    with vault._database.write() as connection:
        key = people_rows.person_key(connection, vault._keys, person_id)
        rows = connection.execute(
            "SELECT consent_id, number, recorded_at, valid_until, withdrawn_at, visits_for, pictures_for, sealed "
            "FROM consent"
        )
        ((consent_id, number, *times, sealed),) = rows.fetchall()
        data = unseal_json(key, sealed, ("consent", consent_id, person_id, number, *times))
        place = ("consent", consent_id, person_id, number, *times[:3])
        drop_fifth_version(connection)
        drop_fourth_version(vault, connection)
        for newer in ("text", "cameras", "keeping", "pictures"):
            del data[newer]
        connection.execute("UPDATE consent SET sealed = ?", (seal_json(key, data, place),))
        for table in ("invitation", "link", "review"):
            connection.execute(f"DROP TABLE {table}")
        drop_third_version(connection)
        for column in ("pending", "receipt"):
            connection.execute(f"ALTER TABLE tombstone DROP COLUMN {column}")
        for column in ("visits_for", "pictures_for"):
            connection.execute(f"ALTER TABLE consent DROP COLUMN {column}")
        connection.execute("PRAGMA user_version = 1")
