"""The words of streams: where the stream of a camera can be had, and what reads it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from .packets import Piece, Timeline


class StreamEnd(StrEnum):
    """Why a stream is read no further."""

    STOPPED = "stopped"
    """It was asked to stop."""
    REFUSED = "refused"
    """It could not be opened."""
    UNFIT = "unfit"
    """There is no H.264 or H.265 in it."""
    LOST = "lost"
    """It came to its end, or nothing more came."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who gets what is read of a stream. It is called from any thread."""

    timeline: Timeline
    """Times the pieces."""
    on_piece: Callable[[Piece], None]
    on_end: Callable[[StreamEnd], None]
    """Called once, when nothing more comes."""
    number: int = 0
    """The number of the last piece that came before."""


class Reader(Protocol):
    """Reads one stream until it ends or is to stop."""

    @property
    def number(self) -> int:
        """Return the number of the last piece."""

    def start(self) -> None:
        """Begin to read."""

    def stop(self) -> None:
        """Read no further."""


class Origin(Protocol):
    """Where the stream of a camera can be had."""

    @property
    def name(self) -> str:
        """Return what it is called in the log, and what tells it from the camera's other origins."""

    @property
    def turn(self) -> int:
        """Return by how many degrees clockwise its pictures have to be turned, as Home Assistant has it."""

    def reader(self, receiver: Receiver) -> Reader:
        """Return what reads it once."""
