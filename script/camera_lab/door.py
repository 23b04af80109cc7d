"""A door that is filmed: one clock, who comes, and what is wrong with its camera."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from .films import Film, Unit


class Fault(StrEnum):
    """What cameras do when they do not do what they should."""

    REFUSES = "refuses"
    """Nothing listens on its port, and who was connected is thrown out."""
    UNREACHABLE = "unreachable"
    """Nothing answers, and what was connected hears nothing more."""
    ERROR = "error"
    """It answers with status 500."""
    FREEZES = "freezes"
    """It stays connected, takes every connection, and sends no more pictures."""
    FROZEN = "frozen"
    """It sends one picture again and again, as if it were new."""
    IDLES = "idles"
    """Nothing is wrong: nobody watched it for a while."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture of the door's clock."""

    number: int
    """Counted since the door was there, at the film's rate."""
    unit: Unit
    shares: tuple[bytes, int]
    """What tells its packets from others': the film's name and the unit's place in it."""


type Listener = Callable[[Shown], None]


class Door:
    """Plays films by one clock for all who watch; while nobody comes, an empty part again and again."""

    def __init__(self, films: dict[str, Film]) -> None:
        """Play these films, by names of who comes; all of one format."""
        self.films = films
        self.fault: Fault | None = None
        self.single = False
        """Whether a second connection is refused."""
        self.current: Shown | None = None
        self.on_fault: list[Callable[[], None]] = []
        self._name = next(iter(films))
        self._next: tuple[str, float] | None = None
        self._at = 0
        self._last_key = self.film.units[0]
        self._listeners: set[Listener] = set()
        self._visible = asyncio.Event()
        self._empty = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def film(self) -> Film:
        """Return the film that is on."""
        return self.films[self._name]

    def start(self) -> None:
        """Begin to film."""
        self._task = asyncio.create_task(self._run(), name="door")

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call the listener with each picture; return what ends that."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    async def visit(self, who: str, *, by: float = 0.0) -> None:
        """Let somebody come; return when they are seen. `by`: not much earlier than then, by the loop's clock."""
        await self._empty.wait()
        self._visible.clear()
        self._next = (who, by)
        await self._visible.wait()

    async def seen(self) -> None:
        """Wait until the visitor who was let in last is seen."""
        await self._visible.wait()

    async def gone(self) -> None:
        """Wait until nobody is seen."""
        await self._empty.wait()

    def break_down(self, fault: Fault | None) -> None:
        """Have something be wrong with the camera, or nothing."""
        self.fault = fault
        for tell in self.on_fault:
            tell()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        began, number = loop.time(), 0
        while True:
            self._advance(loop.time())
            unit = self.film.units[self._at]
            if self.fault is not Fault.FROZEN or self.current is None:
                self.current = Shown(number, unit, (self._name.encode(), self._at))
            elif unit.key:
                # Its encoder goes on with what the sensor gave last.
                self.current = Shown(number, self._last_key, self.current.shares)
            if unit.key and self.fault is not Fault.FROZEN:
                self._last_key = unit
            if self.fault is not Fault.FROZEN or unit.key:
                for listener in tuple(self._listeners):
                    listener(self.current)
            self._at += 1
            number += 1
            await asyncio.sleep(max(0.0, began + number / self.film.format.fps - loop.time()))

    def _advance(self, now: float) -> None:
        """Choose the next picture: on at a key frame to the one who comes, or to the beginning when they have gone."""
        film = self.film
        form = film.format
        boundary = self._at <= film.loop and self._at % (form.every * form.fps) == 0
        if self._next is not None and boundary:
            who, by = self._next
            coming = self.films[who]
            until_seen = (coming.begins - coming.loop) / form.fps
            if now + until_seen + form.every > by:
                self._name, self._next = who, None
                self._at = coming.loop
                self._empty.clear()
                return
        if self._empty.is_set() or self._at < film.loop:
            self._empty.set()
            self._at %= film.loop
        elif self._at >= len(film.units):
            self._at = 0
            self._empty.set()
        elif self._at == film.begins:
            self._visible.set()
