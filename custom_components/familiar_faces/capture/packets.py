"""What is kept of a camera's stream, undecoded: the last seconds, and when each frame was made. Pure."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

COVERED = 3.0
"""Seconds that are kept at least; what is kept begins with a key frame, so it is up to a group of pictures more."""
MAX_RING = 12 * 1024 * 1024
"""Bytes that are kept at most: ten seconds at 9 Mbit/s."""
BEGIN = 10.0
"""The time at which a stream begins: later than 0, so that a first frame may be shown before its key frame."""
TICK = 1 / 90_000
BACK = 1.0
"""Seconds that a camera's time may go back without having been set: packets that overtake each other."""
JUMP = 10.0
"""Seconds that a camera's time may differ from ours before it is taken for a clock that was set."""
WINDOW = 30.0
"""Seconds within which the quickest packet says how long pictures take to get here: clocks run apart."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One frame of a stream, as MPEG-TS."""

    number: int
    """Counts up within one stream."""
    arrived: float
    """Seconds of a clock that is never set."""
    time: float
    """When it is shown, in seconds of the stream, see `Timeline`."""
    key: bool
    """Whether it can be decoded without those before."""
    data: bytes = field(repr=False)


class PacketRing:
    """The last seconds of a stream, from a key frame on."""

    def __init__(self, covered: float = COVERED, most: int = MAX_RING) -> None:
        """Keep the groups of pictures that cover the last seconds, and at most so many bytes."""
        self._covered = covered
        self._most = most
        self._groups: deque[list[Piece]] = deque()
        self.size = 0
        """Bytes that are kept."""

    def add(self, piece: Piece) -> None:
        """Add the newest piece."""
        if piece.key:
            self._groups.append([])
        elif not self._groups:
            # It cannot be decoded.
            return
        self._groups[-1].append(piece)
        self.size += len(piece.data)
        while len(self._groups) > 1 and (
            self._groups[1][0].arrived <= piece.arrived - self._covered or self.size > self._most
        ):
            self._drop()
        if self.size > self._most:
            # A group without its beginning is of no use.
            self._drop()

    def since(self, moment: float) -> Sequence[Piece]:
        """Return the pieces from the last key frame on that came before a moment, or from the first one."""
        groups = list(self._groups)
        first = max((at for at, group in enumerate(groups) if group[0].arrived <= moment), default=0)
        return [piece for group in groups[first:] for piece in group]

    def clear(self) -> None:
        """Keep nothing."""
        self._groups.clear()
        self.size = 0

    def _drop(self) -> None:
        self.size -= sum(len(piece.data) for piece in self._groups.popleft())


class Timeline:
    """The time of a stream: runs on where the camera's own jumps, and is known in our own clock.

    `arrived` and `made` are seconds of a clock that is never set.
    """

    def __init__(self) -> None:
        """Know nothing of the camera's clock."""
        self._shift: float | None = None
        self._decode = BEGIN
        self._arrived = 0.0
        self._delays: tuple[float, float] | None = None
        """Our time less the stream's, of the quickest packet of this window and of the one before."""
        self._window = 0.0
        self._anew = False

    def restart(self) -> None:
        """Take note that what comes next is timed by another clock, as after each connection."""
        self._anew = True

    def place(self, decode: float | None, show: float | None, arrived: float) -> tuple[float, float]:
        """Return when a packet is to be decoded and shown in the stream's time, which never goes back.

        `decode` and `show`: what the camera says of it, in seconds, None where it says nothing.
        """
        if decode is None:
            decode = show
        if decode is None:
            decode = arrived
            show = None
        expected = self._decode + max(0.0, arrived - self._arrived)
        if self._shift is None:
            self._shift = BEGIN - decode
        else:
            placed = decode + self._shift
            if self._anew or placed < self._decode - BACK or abs(placed - expected) > JUMP:
                self._shift = max(expected, self._decode + TICK) - decode
                self._delays = None
        self._anew = False
        placed = decode + self._shift
        if self._arrived:
            placed = max(placed, self._decode + TICK)
        shown = placed if show is None else max(placed, show + self._shift)
        self._decode, self._arrived = placed, arrived
        self._note(arrived - placed, arrived)
        return placed, min(shown, placed + JUMP)

    def made(self, time: float) -> float:
        """Return when what is shown at a time of the stream was made, on its way as short as the quickest one's."""
        return time + self._delay

    def time_of(self, made: float) -> float:
        """Return the time in the stream of what was made at a moment."""
        return made - self._delay

    @property
    def _delay(self) -> float:
        # The reader's thread may begin again meanwhile.
        delays = self._delays
        return min(delays) if delays is not None else self._arrived - self._decode

    def _note(self, delay: float, arrived: float) -> None:
        if self._delays is None:
            self._delays, self._window = (delay, delay), arrived
        elif arrived - self._window > WINDOW:
            self._delays, self._window = (delay, self._delays[0]), arrived
        else:
            self._delays = (min(delay, self._delays[0]), self._delays[1])


class Outlet:
    """What one look gets of a stream: bounded, and without gaps that a decoder cannot bridge."""

    def __init__(self, first: Sequence[Piece], most: int = 2 * MAX_RING) -> None:
        """Begin with what is kept."""
        self._pieces = deque(first)
        self._size = sum(len(piece.data) for piece in first)
        self._most = most
        self._last = first[-1].number if first else -1
        self._lost = not first
        self.lost = 0
        """How many pieces were dropped because nobody took them in time."""

    def __bool__(self) -> bool:
        """Return whether there is something to take."""
        return bool(self._pieces)

    def add(self, piece: Piece) -> None:
        """Add a piece, unless it is known already."""
        if piece.number <= self._last:
            return
        self._last = piece.number
        if self._size + len(piece.data) > self._most:
            self.lost += len(self._pieces)
            self._pieces.clear()
            self._size = 0
            self._lost = True
        if self._lost and not piece.key:
            # Until the next key frame nothing could be decoded.
            self.lost += 1
            return
        self._lost = False
        self._pieces.append(piece)
        self._size += len(piece.data)

    def gap(self) -> None:
        """Take note that what comes next does not go on from here."""
        self._lost = True

    def take(self) -> list[Piece]:
        """Return all that is there, oldest first."""
        pieces = list(self._pieces)
        self._pieces.clear()
        self._size = 0
        return pieces
