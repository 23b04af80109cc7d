"""How long the event loop is held. Runs in Home Assistant's environment.

Python looks for garbage in everything that the process holds whenever enough was made, in the midst of what made
it. How long that takes is told apart: it is nobody's work.
"""

import asyncio
from asyncio import events
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
import gc
from pathlib import Path
import threading
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
        self.garbage_ms = 0.0
        """Milliseconds by the clock that Python looked for garbage at most at a time."""
        self._begun = (0.0, 0.0)
        self._lost = (0.0, 0.0)
        """Seconds of the turn at hand in which garbage was looked for: by the clock, and computing."""

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Time every turn within."""
        run = events.Handle._run

        def timed(handle: events.Handle) -> None:
            self._lost = (0.0, 0.0)
            begun, cpu = time.perf_counter(), time.thread_time()
            run(handle)
            held, computed = time.perf_counter() - begun, time.thread_time() - cpu
            held, computed = held - self._lost[0], computed - self._lost[1]
            # No other can be the longest of any kind.
            if held * 1000 > self.ours.cpu_ms:
                self._note(handle, held * 1000, computed * 1000)

        here = threading.get_ident()

        def collecting(phase: str, _info: dict[str, int]) -> None:
            if threading.get_ident() == here:
                self._note_garbage(phase)

        # It is called with the handle, as a method is.
        events.Handle._run = timed  # type: ignore[method-assign, assignment]
        gc.callbacks.append(collecting)
        try:
            yield
        finally:
            gc.callbacks.remove(collecting)
            events.Handle._run = run  # type: ignore[method-assign]

    def _note_garbage(self, phase: str) -> None:
        now, cpu = time.perf_counter(), time.thread_time()
        if phase == "start":
            self._begun = (now, cpu)
            return
        held, computed = now - self._begun[0], cpu - self._begun[1]
        self._lost = (self._lost[0] + held, self._lost[1] + computed)
        self.garbage_ms = max(self.garbage_ms, held * 1000)

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
