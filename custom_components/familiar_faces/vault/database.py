"""The SQLite file: one connection, one lock, whole transactions, and the vault's own errors."""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
import os
from pathlib import Path
import sqlite3
import threading

from .errors import VaultClosed, VaultDamaged, VaultInUse, VaultUnwritable
from .files import make_private, sync_folder, telling_unwritable

_BUSY_SECONDS = 2.0
_CHUNK = 1 << 20
_AUTOCHECKPOINT_PAGES = 1000
"""SQLite's own default."""

_SETTINGS = (
    "journal_mode = WAL",
    # A commit that was answered is on the disk, not on its way there.
    "synchronous = FULL",
    # What is deleted is overwritten with zeros where it lay. For the same reason the file is never
    # vacuumed: pages cut from its end would leave their old content on the disk.
    "secure_delete = ON",
    "foreign_keys = ON",
    "temp_store = MEMORY",
    "trusted_schema = OFF",
    "cell_size_check = ON",
)
_UNREADABLE = (
    sqlite3.SQLITE_IOERR_READ,
    sqlite3.SQLITE_IOERR_SHORT_READ,
    sqlite3.SQLITE_IOERR_CORRUPTFS,
)


@contextmanager
def telling_sqlite() -> Iterator[None]:
    """Turn what SQLite says about disk and file into the vault's errors; leave our own mistakes alone."""
    try:
        yield
    except sqlite3.Error as err:
        code = getattr(err, "sqlite_errorcode", 0)
        name = getattr(err, "sqlite_errorname", type(err).__name__)
        primary = code & 0xFF
        if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT):
            raise VaultDamaged(name) from err
        if code in _UNREADABLE:
            raise VaultDamaged(name) from err
        if primary in (
            sqlite3.SQLITE_FULL,
            sqlite3.SQLITE_READONLY,
            sqlite3.SQLITE_CANTOPEN,
            sqlite3.SQLITE_IOERR,
            sqlite3.SQLITE_PERM,
        ):
            raise VaultUnwritable(name) from err
        if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise VaultInUse(name) from err
        raise


class Database:
    """An open store. Every method may be called from any thread."""

    def __init__(self, path: Path) -> None:
        """Open or make the file and check all of it.

        Raise VaultDamaged when it is not sound, VaultUnwritable when it cannot be written.
        """
        self._path = path
        self._lock = threading.RLock()
        self._file_held = False
        with telling_unwritable():
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.close(descriptor)
            make_private(path)
            # Kept until the connection is closed: closing any descriptor of the file in this process
            # would drop SQLite's own locks on it (sqlite.org/howtocorrupt.html, 2.2).
            self._raw = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._connection: sqlite3.Connection | None = None
        try:
            with telling_sqlite():
                self._connection = sqlite3.connect(
                    path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
                )
                for setting in _SETTINGS:
                    self._connection.execute(f"PRAGMA {setting}")
                _check_whole(self._connection)
                # Finishes what a killed process left in the write-ahead log, erasures above all.
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        with self._lock:
            if self._connection is not None:
                with suppress(sqlite3.Error):  # A full disk: the log stays and the next opening reads it.
                    self._connection.close()
                self._connection = None
            if self._raw >= 0:
                os.close(self._raw)
                self._raw = -1

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Give the connection to read with, alone."""
        with self._lock, telling_sqlite():
            yield self._alive()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Give the connection for one transaction: all of it is on the disk afterwards, or nothing is."""
        with self._lock, telling_sqlite():
            connection = self._alive()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                raise

    def hold_file(self, *, held: bool) -> None:
        """Write into the write-ahead log only, so that the file can be copied; or into both again.

        A copy of the file, and of the log whenever that was read, is then a whole store: SQLite passes over a
        last transaction that is not there in full (sqlite.org/walformat.html, 4.4).
        """
        with self._lock, telling_sqlite():
            connection = self._alive()
            if held:
                # From now on the file holds all that was written.
                self.checkpoint()
            connection.execute(f"PRAGMA wal_autocheckpoint = {0 if held else _AUTOCHECKPOINT_PAGES}")
            self._file_held = held
            if not held:
                self.checkpoint()

    def checkpoint(self) -> bool:
        """Move the write-ahead log into the file and empty it; return whether that could be done."""
        with self._lock:
            if self._file_held:
                return False
            try:
                row = self._alive().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except sqlite3.Error:
                return False
            return bool(row[0] == 0)

    def holding(self, needles: Iterable[bytes]) -> set[bytes]:
        """Return which byte strings lie anywhere in the file, freed pages included."""
        left = set(needles)
        found: set[bytes] = set()
        overlap = max(map(len, left), default=1) - 1
        with self._lock, telling_unwritable():
            self._alive()
            offset = 0
            tail = b""
            while left and (chunk := os.pread(self._raw, _CHUNK, offset)):
                window = tail + chunk
                found |= {needle for needle in left if needle in window}
                left -= found
                offset += len(chunk)
                tail = window[-overlap:] if overlap else b""
        return found

    def copy_to(self, target: Path) -> None:
        """Write a private copy of the store that is there whole or not at all."""
        draft = target.with_name(f"{target.name}.new")
        with self._lock, telling_unwritable(), telling_sqlite():
            draft.unlink(missing_ok=True)
            os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            with closing(sqlite3.connect(draft)) as copy:
                self._alive().backup(copy)
                # The copy is one file: without this it would want a write-ahead log beside it.
                copy.execute("PRAGMA journal_mode = DELETE")
            with draft.open("rb+") as file:
                os.fsync(file.fileno())
            draft.replace(target)
            sync_folder(target.parent)

    def _alive(self) -> sqlite3.Connection:
        if self._connection is None:
            raise VaultClosed
        return self._connection


def _check_whole(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA integrity_check(1)").fetchall() != [("ok",)]:
        raise VaultDamaged("the integrity check failed")
