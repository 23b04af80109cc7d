"""Waiting for what comes by itself."""

import asyncio
from collections.abc import Callable
import time


async def until(condition: Callable[[], bool], seconds: float = 40) -> None:
    """Wait until a condition holds, and fail when it does not in so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)
