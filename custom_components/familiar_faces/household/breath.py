"""Long work on the event loop, a part at a time: everything else has its turn in between."""

import asyncio
import time

LONGEST = 0.01
"""Seconds of work in one turn of the event loop."""


class Breath:
    """Takes a breath whenever the work has held the event loop for long enough."""

    def __init__(self) -> None:
        """Begin to work now."""
        self._begun = time.perf_counter()

    async def async_take(self) -> None:
        """Let everything else have its turn, if it is time for that."""
        if time.perf_counter() - self._begun >= LONGEST:
            await asyncio.sleep(0)
            self._begun = time.perf_counter()
