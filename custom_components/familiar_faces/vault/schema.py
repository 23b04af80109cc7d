"""Tables of the store, and the way from an older version of them."""

from collections.abc import Callable
from pathlib import Path
import re
import sqlite3

from . import links, people_rows, visit_rows
from .audit import AuditLog
from .bound import Binding
from .database import Database
from .errors import (
    VaultDamaged,
    VaultError,
    VaultKeyMissing,
    VaultKeyWrong,
    VaultMigrationFailed,
    VaultMissing,
    VaultTampered,
    VaultTooNew,
)
from .files import COPY, KEY
from .head import read_head
from .keys import Keys, create_keys, load_keys
from .witness import UNSIGNED

VERSION = 5

type Migration = Callable[[sqlite3.Connection, Keys], None]

_LINKS_AND_REVIEW = (
    """CREATE TABLE invitation (
        invitation_id TEXT PRIMARY KEY,
        person_id TEXT REFERENCES person ON DELETE CASCADE,
        token_hash BLOB NOT NULL UNIQUE,
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE link (
        person_id TEXT PRIMARY KEY REFERENCES person ON DELETE CASCADE,
        token_hash BLOB NOT NULL UNIQUE,
        created_at INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE review (
        visit_id TEXT PRIMARY KEY,
        at INTEGER NOT NULL,
        sealed BLOB NOT NULL
    ) STRICT""",
    "CREATE INDEX review_time ON review (at)",
)

_KEPT_INDICES = (
    # By each of what visits are sought by, in the order of time.
    "CREATE INDEX visit_camera ON visit (camera, started_at)",
    "CREATE INDEX visit_person_camera ON visit (person_id, camera, started_at)",
    "CREATE INDEX picture_person ON picture (person_id, started_at)",
    "CREATE INDEX photo_person ON photo (person_id)",
    # All that retention asks of a consent: the text that was agreed to lies between, on pages of its own.
    """CREATE INDEX consent_kept ON consent (
        person_id, number, recorded_at, valid_until, withdrawn_at, visits_for, pictures_for
    )""",
)

_PERSON_HEAD = """CREATE TABLE person_head (
    person_id TEXT PRIMARY KEY REFERENCES person ON DELETE CASCADE,
    sequence INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT"""

_COUNTS = """CREATE TABLE counts (
    camera BLOB NOT NULL,
    week INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (camera, week)
) STRICT, WITHOUT ROWID"""

_TRIGGER = "audit_is_append_only"

# Times are microseconds since 1970. They are plain so that what is due can be erased even when a
# person's key is damaged. None can be changed unseen: each is bound into the encryption of its row, or,
# with states and ids, into the sums of `bound.py`.
_TABLES = (
    """CREATE TABLE meta (
        name TEXT PRIMARY KEY,
        value BLOB NOT NULL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE person (
        person_id TEXT PRIMARY KEY,
        state TEXT NOT NULL CHECK (state IN ('enrolling', 'enrolled')),
        created_at INTEGER NOT NULL,
        seen_at INTEGER,
        wrapped_key BLOB NOT NULL,
        sealed BLOB NOT NULL
    ) STRICT""",
    """CREATE TABLE consent (
        consent_id TEXT PRIMARY KEY,
        person_id TEXT NOT NULL REFERENCES person ON DELETE CASCADE,
        number INTEGER NOT NULL,
        recorded_at INTEGER NOT NULL,
        valid_until INTEGER NOT NULL,
        withdrawn_at INTEGER,
        sealed BLOB NOT NULL,
        visits_for INTEGER,
        pictures_for INTEGER,
        UNIQUE (person_id, number)
    ) STRICT""",
    """CREATE TABLE template (
        template_id TEXT PRIMARY KEY,
        person_id TEXT NOT NULL REFERENCES person ON DELETE CASCADE,
        added_at INTEGER NOT NULL,
        sealed BLOB NOT NULL
    ) STRICT""",
    "CREATE INDEX template_person ON template (person_id)",
    """CREATE TABLE photo (
        template_id TEXT PRIMARY KEY REFERENCES template ON DELETE CASCADE,
        person_id TEXT NOT NULL,
        sealed BLOB NOT NULL
    ) STRICT""",
    """CREATE TABLE visit (
        visit_id TEXT PRIMARY KEY,
        person_id TEXT NOT NULL REFERENCES person ON DELETE CASCADE,
        started_at INTEGER NOT NULL,
        sealed BLOB NOT NULL,
        camera BLOB NOT NULL DEFAULT x''
    ) STRICT""",
    "CREATE INDEX visit_time ON visit (started_at)",
    "CREATE INDEX visit_person ON visit (person_id, started_at)",
    """CREATE TABLE picture (
        visit_id TEXT PRIMARY KEY REFERENCES visit ON DELETE CASCADE,
        person_id TEXT NOT NULL,
        started_at INTEGER NOT NULL,
        sealed BLOB NOT NULL
    ) STRICT""",
    """CREATE TABLE tombstone (
        person_id TEXT PRIMARY KEY,
        forgotten_at INTEGER NOT NULL,
        pending BLOB,
        receipt BLOB
    ) STRICT, WITHOUT ROWID""",
    *_LINKS_AND_REVIEW,
    *_KEPT_INDICES,
    _PERSON_HEAD,
    _COUNTS,
    """CREATE TABLE audit (
        number INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        sealed BLOB NOT NULL,
        link BLOB NOT NULL
    ) STRICT""",
    f"""CREATE TRIGGER {_TRIGGER} BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
)
_NAMES = {match[1] for each in _TABLES if (match := re.match(r"CREATE TABLE (\w+)", each))}


def _links_and_review(connection: sqlite3.Connection, keys: Keys) -> None:
    """Add invitations, own links, the review inbox, and what tombstones hold since."""
    for statement in _LINKS_AND_REVIEW:
        connection.execute(statement)
    for column in ("pending", "receipt"):
        connection.execute(f"ALTER TABLE tombstone ADD COLUMN {column} BLOB")
    for column in ("visits_for", "pictures_for"):
        connection.execute(f"ALTER TABLE consent ADD COLUMN {column} INTEGER")
    people_rows.seal_first_consents(connection, keys)


def _indices(connection: sqlite3.Connection, keys: Keys) -> None:
    """Have visits be found by their camera, and whatever is asked often without reading all rows."""
    connection.execute("ALTER TABLE visit ADD COLUMN camera BLOB NOT NULL DEFAULT x''")
    visit_rows.tag_cameras(connection, keys)
    connection.execute("DROP INDEX picture_time")
    for statement in _KEPT_INDICES:
        connection.execute(statement)


def _bound(connection: sqlite3.Connection, keys: Keys) -> None:
    """Bind together what lies there, and the links to the vault's key. The mark of before has no signature."""
    if read_head(connection, keys.audit).sums:
        # All of it was bound before: a version that was set back would have it be believed once more.
        raise VaultTampered("the version")
    connection.execute(_PERSON_HEAD)
    links.bind_tokens(connection, keys)
    connection.execute("INSERT INTO meta VALUES (?, ?)", (UNSIGNED, b"1"))
    Binding(keys).bind_all(connection)


def _counts(connection: sqlite3.Connection, keys: Keys) -> None:
    """Have visits be counted for each camera and week, from now on."""
    connection.execute(_COUNTS)


MIGRATIONS: dict[int, Migration] = {1: _links_and_review, 2: _indices, 3: _bound, 4: _counts}
"""The step away from each older version. A step does not commit: all of them are one transaction."""


def open_store(folder: Path, database: Database, *, expected: bool = False) -> Keys:
    """Bring a store and its key file together, making both when there is neither; return the keys.

    With `expected` nothing is made: raise VaultMissing when there is no store.
    """
    keys = load_keys(folder / KEY)
    with database.read() as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if version == 0:
        if tables:
            raise VaultDamaged("the file is not a vault")
        if expected:
            raise VaultMissing
        # The key goes first: a store without its key can be told from a new one, not the reverse.
        keys = keys or create_keys(folder / KEY)
        with database.write() as connection:
            _create(connection, keys)
        # The file alone tells a vault from a new one, also when its log is lost.
        database.checkpoint()
        return keys
    if keys is None:
        raise VaultKeyMissing
    if version > VERSION:
        raise VaultTooNew
    with database.read() as connection:
        row = connection.execute("SELECT value FROM meta WHERE name = 'fingerprint'").fetchone()
    if row is None:
        raise VaultDamaged("the file is not a vault")
    if not keys.fits(row[0]):
        raise VaultKeyWrong
    if version < VERSION:
        _migrate(folder, database, keys, version)
    with database.read() as connection:
        AuditLog(keys).check_head(connection)
        _check_schema(connection)
    return keys


def _check_schema(connection: sqlite3.Connection) -> None:
    """Raise VaultTampered when the file brings statements of its own, which could undo what is written."""
    rows = connection.execute("SELECT type, name FROM sqlite_schema WHERE type != 'index'").fetchall()
    tables = {name for kind, name in rows if kind == "table"}
    if {(kind, name) for kind, name in rows if kind != "table"} - {("trigger", _TRIGGER)} or _NAMES - tables:
        raise VaultTampered("the schema")


def _create(connection: sqlite3.Connection, keys: Keys) -> None:
    for statement in _TABLES:
        connection.execute(statement)
    connection.execute("INSERT INTO meta VALUES ('fingerprint', ?)", (keys.fingerprint,))
    AuditLog(keys).start(connection)
    Binding(keys).bind_all(connection)
    connection.execute(f"PRAGMA user_version = {VERSION}")


def _migrate(folder: Path, database: Database, keys: Keys, version: int) -> None:
    """Copy the store, then bring it up to date in one transaction.

    The copy stays until something is next erased: it would hold that too.
    """
    database.copy_to(folder / f"{COPY}{version}")
    try:
        with database.write() as connection:
            for step in range(version, VERSION):
                MIGRATIONS[step](connection, keys)
            connection.execute(f"PRAGMA user_version = {VERSION}")
    except VaultError:
        raise
    except Exception as err:
        raise VaultMigrationFailed(f"from version {version} to {VERSION}") from err
