"""The vault's folder: private, written whole or not at all, open in one process only."""

from collections.abc import Iterator
from contextlib import contextmanager
import errno
import fcntl
import os
from pathlib import Path

from .errors import VaultInUse, VaultMissing, VaultUnwritable

DATABASE = "vault.db"
KEY = "vault.key"
LOCK = "vault.lock"
COPY = "vault.db.before-v"
"""How the name of the copy made before a migration starts; the version follows."""

RESERVE = "vault.reserve"
"""Room that is given up on a full disk; see `reserve.py`."""
NOTE = "vault.leaving"
"""Who could not be forgotten yet; see `reserve.py`."""

_SQLITE = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}-journal")
_OWN = (*_SQLITE, RESERVE, NOTE, f"{NOTE}.new")
"""All that goes with a vault, besides its key and the copies."""


@contextmanager
def telling_unwritable() -> Iterator[None]:
    """Turn an operating system's refusal into VaultUnwritable."""
    try:
        yield
    except OSError as err:
        raise VaultUnwritable(err.strerror or type(err).__name__) from err


def prepare_folder(folder: Path) -> bool:
    """Make the folder and what is in it its owner's only; return whether others could have read the key file."""
    with telling_unwritable():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        open_to_others = bool(folder.stat().st_mode & 0o011)
        make_private(folder, 0o700)
        readable = {path.name for path in folder.iterdir() if path.is_file() and path.stat().st_mode & 0o077}
        for name in readable:
            make_private(folder / name)
    return open_to_others and KEY in readable


def check_content(path: Path) -> None:
    """Raise VaultMissing when the store is gone or empty: SQLite would delete its log, in which all may be."""
    with telling_unwritable():
        if not path.exists() or not path.stat().st_size:
            raise VaultMissing


def make_private(path: Path, mode: int = 0o600) -> None:
    """Set a file's or folder's mode when it is another one."""
    if path.stat().st_mode & 0o777 != mode:
        path.chmod(mode)


def write_whole(path: Path, data: bytes) -> None:
    """Write a private file so that after a crash it is there in full or not at all."""
    draft = path.with_name(f"{path.name}.new")
    with telling_unwritable():
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        make_private(draft)
        draft.replace(path)
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make creations, renames and deletions in a folder last."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def shred(path: Path) -> None:
    """Overwrite a file with random bytes, then delete it; a missing one is fine.

    Flash storage and copying file systems may keep old blocks anyway; no program can reach those.
    """
    with telling_unwritable():
        try:
            with path.open("r+b") as file:
                left = os.fstat(file.fileno()).st_size
                while left > 0:
                    left -= file.write(os.urandom(min(left, 1 << 20)))
                file.flush()
                os.fsync(file.fileno())
        except FileNotFoundError:
            return
        path.unlink()
        sync_folder(path.parent)


def copies(folder: Path) -> list[Path]:
    """Return the copies that were made before migrations, drafts of them included."""
    return sorted(folder.glob(f"{COPY}*"))


def vault_size(folder: Path) -> int:
    """Return how many bytes the vault's files take."""
    total = 0
    for name in (*_SQLITE, KEY, *(copy.name for copy in copies(folder))):
        try:
            total += (folder / name).stat().st_size
        except FileNotFoundError:
            continue
    return total


def destroy_folder(folder: Path) -> None:
    """Delete a vault's files, the key first: from then on the rest is noise, whatever happens next.

    Only the vault's own files go; the folder stays when anything else lies in it. A vault that is
    open, here or in another process, raises VaultInUse.
    """
    if not folder.is_dir():
        return
    lock = FolderLock(folder)
    try:
        shred(folder / KEY)
        shred(folder / f"{KEY}.new")
        with telling_unwritable():
            for path in (*(folder / name for name in _OWN), *copies(folder)):
                path.unlink(missing_ok=True)
            (folder / LOCK).unlink(missing_ok=True)
    finally:
        lock.release()
    with telling_unwritable():
        try:
            folder.rmdir()
        except OSError as err:
            if err.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        else:
            sync_folder(folder.parent)


class FolderLock:
    """The right to use a folder. The kernel gives it back when the process dies, however it dies."""

    def __init__(self, folder: Path) -> None:
        """Take the lock; raise VaultInUse when someone has it."""
        with telling_unwritable():
            self._descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            os.close(self._descriptor)
            raise VaultInUse from err
        except OSError as err:
            os.close(self._descriptor)
            raise VaultUnwritable(err.strerror) from err

    def release(self) -> None:
        """Give the lock back; a second time does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
