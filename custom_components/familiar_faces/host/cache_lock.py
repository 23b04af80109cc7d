"""The lock of a cache folder: one builds in it at a time, also when Home Assistant was killed while it did."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
import fcntl
import os
from pathlib import Path

LOCK = "lock"


@asynccontextmanager
async def locked(cache: Path, on_wait: Callable[[], None]) -> AsyncGenerator[int]:
    """Hold the lock of a cache folder; yield its descriptor. Raises OSError."""
    while (lock := await _async_try_lock(cache / LOCK)) is None:
        on_wait()
        await asyncio.sleep(0.5)
    try:
        yield lock
    finally:
        os.close(lock)


async def _async_try_lock(path: Path) -> int | None:
    """Try to lock it in a thread; also who is cancelled meanwhile holds nothing afterwards."""
    trying = asyncio.create_task(asyncio.to_thread(_try_lock, path))
    try:
        return await asyncio.shield(trying)
    except asyncio.CancelledError:
        trying.add_done_callback(_let_go)
        raise


def _let_go(tried: asyncio.Task[int | None]) -> None:
    if not tried.cancelled() and tried.exception() is None and (lock := tried.result()) is not None:
        os.close(lock)


def _try_lock(path: Path) -> int | None:
    """Return a descriptor that holds the lock; None when somebody else holds it. Blocks."""
    lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Anyone who held it may have removed the file, and a lock on that excludes nobody.
        if path.stat().st_ino == os.fstat(lock).st_ino:
            return lock
    except BlockingIOError, FileNotFoundError:
        pass
    except BaseException:
        os.close(lock)
        raise
    os.close(lock)
    return None
