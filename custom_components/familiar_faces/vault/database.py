"""The SQLite file: one connection, one lock, whole transactions, and the vault's own errors."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
import os
from pathlib import Path
import sqlite3
import threading

from .errors import (
    VaultClosed,
    VaultDamaged,
    VaultError,
    VaultInUse,
    VaultReplaced,
    VaultTampered,
    VaultUnwritable,
)
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


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the files looked like when this program last wrote them: device and inode, size, time of change."""

    file: tuple[int, int, int, int]
    log: tuple[int, int] | None
    """None while there is no write-ahead log."""
    commits: int
    """SQLite's count of what other connections committed."""


class Database:
    """An open store. Every method may be called from any thread.

    Nobody else writes its files: the folder is locked. Whether somebody did anyway is looked at before each
    use and after each commit, since what is then read or confirmed would be something else.
    """

    def __init__(self, path: Path) -> None:
        """Open or make the file and check all of it.

        Raise VaultDamaged when it is not sound, VaultUnwritable when it cannot be written.
        """
        self._path = path
        self._lock = threading.RLock()
        self._file_held = False
        self._seen: _Seen | None = None
        self._trouble: VaultError | None = None
        self.before_commit: Callable[[sqlite3.Connection], None] | None = None
        """Called with the connection in each transaction, as its last part."""
        self.same_content: Callable[[sqlite3.Connection, sqlite3.Connection], bool] | None = None
        """Called with this connection and a fresh one when the file was touched; whether both hold the same."""
        self.on_trouble: Callable[[VaultError | None], object] | None = None
        """Called from any thread when the store can no longer be written, and with None when it can again."""
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
                self._note_files()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        with self._lock:
            if self._connection is not None:
                if isinstance(self._trouble, VaultReplaced):
                    # The files that lie there now are not ours to write or to delete.
                    self._connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, True)
                with suppress(sqlite3.Error):  # A full disk: the log stays and the next opening reads it.
                    self._connection.close()
                self._connection = None
            if self._raw >= 0:
                os.close(self._raw)
                self._raw = -1

    @property
    def trouble(self) -> VaultError | None:
        """Return why nothing can be written, None as long as that is not known."""
        return self._trouble

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Give the connection to read with, alone; raise VaultReplaced when the files are no longer ours."""
        with self._lock, self._telling_trouble(), telling_sqlite():
            self._check_files()
            yield self._alive()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Give the connection for one transaction: all of it is on the disk afterwards, or nothing is."""
        with self._lock, self._telling_trouble(), telling_sqlite():
            connection = self._alive()
            self._check_files()
            connection.execute("BEGIN IMMEDIATE")
            before = connection.total_changes
            try:
                yield connection
                if self.before_commit is not None:
                    self.before_commit(connection)
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                raise
            self._check_files(committed=True)
            # What changed nothing was not written either.
            if isinstance(self._trouble, VaultUnwritable) and connection.total_changes != before:
                self._tell(None)

    @contextmanager
    def _telling_trouble(self) -> Iterator[None]:
        """Tell the owner at once of what concerns everybody."""
        try:
            yield
        except (VaultReplaced, VaultTampered, VaultUnwritable) as err:
            self._tell(err)
            raise

    def _tell(self, trouble: VaultError | None) -> None:
        if isinstance(self._trouble, VaultReplaced):
            # Nothing but opening it again changes that.
            return
        told, self._trouble = self._trouble, trouble
        if type(told) is not type(trouble) and self.on_trouble is not None:
            self.on_trouble(trouble)

    def _check_files(self, *, committed: bool = False) -> None:
        """Raise VaultReplaced when the files are not the ones that this program wrote.

        `committed`: just now this program may have moved its log into the file, so only which files they are counts.
        """
        seen, now = self._seen, self._look()
        if seen is None or now is None:
            raise VaultReplaced("a file is gone")
        if now.commits != seen.commits:
            raise VaultReplaced("another program wrote to it")
        if seen.log is not None and now.log != seen.log:
            raise VaultReplaced("the log of changes is another one")
        if now.file[:2] != seen.file[:2]:
            raise VaultReplaced("the file is another one")
        if not committed and now.file != seen.file and not self._holds_the_same():
            raise VaultReplaced("the file was written over")
        self._seen = now

    def _holds_the_same(self) -> bool:
        """Return whether a file that was touched holds what it did: some file systems change the time later."""
        if self.same_content is None:
            return False
        try:
            with closing(sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)) as fresh:
                # What this connection has read before is in its memory; the fresh one reads the file.
                return self.same_content(self._alive(), fresh)
        except sqlite3.Error:
            return False

    def _note_files(self) -> None:
        self._seen = self._look()

    def _look(self) -> _Seen | None:
        (commits,) = self._alive().execute("PRAGMA data_version").fetchone()
        try:
            file = self._path.stat()
        except OSError:
            return None
        try:
            log = self._path.with_name(f"{self._path.name}-wal").stat()
        except OSError:
            log = None
        return _Seen(
            (file.st_dev, file.st_ino, file.st_size, file.st_mtime_ns),
            None if log is None else (log.st_dev, log.st_ino),
            commits,
        )

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
                self._check_files()
                row = self._alive().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                self._note_files()
            except sqlite3.Error:
                # Part of it may have been moved.
                self._note_files()
                return False
            except VaultReplaced as err:
                self._tell(err)
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
