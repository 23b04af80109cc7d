"""The lock of a cache folder."""

import asyncio
from pathlib import Path
import threading

import pytest

from custom_components.familiar_faces.host import cache_lock
from custom_components.familiar_faces.host.cache_lock import locked


async def test_whoever_is_cancelled_while_taking_it_holds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dialog that is closed on a slow disk leaves the folder to the next one."""
    taking, goes_on = threading.Event(), threading.Event()
    take = cache_lock._try_lock

    def slowly(path: Path) -> int | None:
        lock = take(path)
        taking.set()
        goes_on.wait(10)
        return lock

    async def hold() -> None:
        async with locked(tmp_path, lambda: None):
            pytest.fail("it was cancelled before")

    with monkeypatch.context() as patched:
        patched.setattr(cache_lock, "_try_lock", slowly)
        holding = asyncio.create_task(hold())
        assert await asyncio.to_thread(taking.wait, 10)
        holding.cancel()
        with pytest.raises(asyncio.CancelledError):
            await holding
        goes_on.set()
    async with asyncio.timeout(10), locked(tmp_path, lambda: None):
        pass
