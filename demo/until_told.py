"""Runs something until it is done, or until the process is told to stop: it cleans up anyway."""

import asyncio
from collections.abc import Coroutine
import signal
from typing import Any


async def until_told[T](work: Coroutine[Any, Any, T]) -> T:
    """Return what comes of it; raise CancelledError when told to stop before."""
    task = asyncio.create_task(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Being told twice must not end the cleaning up.
        loop.add_signal_handler(number, lambda: task.cancel() if not task.cancelling() else None)
    return await task
