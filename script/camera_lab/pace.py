"""How slow the machine is: a bit of work now and then, at the engine's priority, beside everything that is tried."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from hashlib import blake2b
import os
import threading
import time

NICE = 10
"""The engine's priority. Not imported: the lab's own process does without what Home Assistant's cameras need."""
EVERY = 0.5
WORK = bytes(8 * 1024 * 1024)
"""What is worked on: about ten milliseconds' worth, more than a share of time that a busy machine gives at once."""
OWN = 1.5
"""How much slower it may go because of what is tried: that has the other core as well."""


class Pace:
    """Notes how much longer a bit of work takes than the processor time that it needs."""

    def __init__(self) -> None:
        """Have noted nothing."""
        self._noted: list[tuple[float, float]] = []
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to note."""
        self._task = asyncio.create_task(self._run(), name="pace")

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def slowness(self, since: float, until: float) -> float:
        """Return how many times slower everything was between two moments of the loop, at least 1."""
        noted = [ratio for at, ratio in self._noted if since <= at <= until]
        return max(1.0, sum(noted) / len(noted) / OWN) if noted else 1.0

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "pace", _step_back) as thread:
            while True:
                self._noted.append((loop.time(), await loop.run_in_executor(thread, _work)))
                await asyncio.sleep(EVERY)


def _step_back() -> None:
    """Work as far behind other programs as the engine does: on Linux a thread has a priority of its own."""
    with suppress(OSError):
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, max(NICE, os.getpriority(os.PRIO_PROCESS, thread)))


def _work() -> float:
    began, used = time.perf_counter(), time.thread_time()
    blake2b(WORK).digest()
    return (time.perf_counter() - began) / max(time.thread_time() - used, 1e-4)
