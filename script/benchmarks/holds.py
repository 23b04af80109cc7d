"""How long the event loop is held. Runs in Home Assistant's environment."""

import asyncio
from asyncio import events
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
import time

OURS = str(Path(__file__).resolve().parents[2] / "custom_components" / "familiar_faces")
BENCH = str(Path(__file__).resolve().parent)


@dataclass(slots=True)
class Hold:
    """The longest turn of a kind."""

    ms: float = 0.0
    """Milliseconds by the clock: what else waited, be it because another process had the processor."""
    cpu_ms: float = 0.0
    """Milliseconds that the longest turn by that measure computed."""
    where: str = ""
    """What the longest turn by the clock ran."""

    def add(self, ms: float, cpu_ms: float, where: str) -> None:
        """Note a turn."""
        self.cpu_ms = max(self.cpu_ms, cpu_ms)
        if ms > self.ms:
            self.ms, self.where = ms, where


class Holds:
    """The longest turns of the event loop: those of this integration, and those of anybody but the bench."""

    def __init__(self) -> None:
        """Start with none."""
        self.ours = Hold()
        self.any = Hold()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Time every turn within."""
        run = events.Handle._run

        def timed(handle: events.Handle) -> None:
            begun, cpu = time.perf_counter(), time.thread_time()
            run(handle)
            held, computed = time.perf_counter() - begun, time.thread_time() - cpu
            # No other can be the longest of any kind.
            if held * 1000 > self.ours.cpu_ms:
                self._note(handle, held * 1000, computed * 1000)

        # It is called with the handle, as a method is.
        events.Handle._run = timed  # type: ignore[method-assign, assignment]
        try:
            yield
        finally:
            events.Handle._run = run  # type: ignore[method-assign]

    def _note(self, handle: events.Handle, ms: float, cpu_ms: float) -> None:
        file, name = _source(handle)
        if file.startswith(BENCH):
            return
        self.any.add(ms, cpu_ms, name)
        if file.startswith(OURS):
            self.ours.add(ms, cpu_ms, name)


def _source(handle: events.Handle) -> tuple[str, str]:
    """Return the file and the name of what a turn ran: of a task, its outermost function."""
    callback = getattr(handle, "_callback", None)
    task = getattr(callback, "__self__", None)
    if isinstance(task, asyncio.Task):
        code = getattr(task.get_coro(), "cr_code", None)
    else:
        code = getattr(callback, "__code__", None)
    if code is None:
        return "", repr(callback)
    return code.co_filename, code.co_qualname
