"""The memory that decoders of streams share: it is given in the order in which they come.

What a decoder takes follows from the size of its frames, and a stream may be forty times as large as another. What is
not there cannot be refused later: a decoder that meets the limit of the process fails, and everybody else with it.
"""

from collections import deque
from collections.abc import Callable
import threading
import time

BYTES_A_PIXEL = 16
"""What a decoder holds: 6 to 8 frames that others refer to (1.5 bytes a pixel each), and two as they are looked at (3
bytes each). Measured: 15 with H.264 and H.265 at 1080p and at 4K."""
OF_A_THREAD = 8 << 20
"""The stack of its thread, which counts although little of it is used."""
LOOK_AGAIN = 0.25
"""Seconds until it is looked again whether anybody waits for it still."""


def bytes_for(pixels: int) -> int:
    """Return the bytes of memory that decoding a stream of so many pixels a frame takes."""
    return pixels * BYTES_A_PIXEL + OF_A_THREAD


class StreamRoom:
    """So many bytes for all decoders together. All methods may be called from any thread."""

    def __init__(self, size: int) -> None:
        """Begin with all of it free."""
        self.size = size
        self.opening = threading.Lock()
        """Held while a stream is opened."""
        self._free = size
        self._line: deque[object] = deque()
        self._news = threading.Condition()

    @property
    def waiting(self) -> int:
        """Return how many wait."""
        return len(self._line)

    def take(self, size: int) -> bool:
        """Take so much at once; return whether it is free and nobody waits."""
        with self._news:
            return not self._line and self._take(size)

    def wait(self, size: int, seconds: float, wanted: Callable[[], bool]) -> bool:
        """Wait until so much is free and nobody waits longer, and take it; return whether it is taken.

        It is not after so many seconds, or when it is not `wanted` at some time: then it is given up.
        """
        mine = object()
        until = time.monotonic() + seconds
        with self._news:
            self._line.append(mine)
            try:
                while not (self._line[0] is mine and self._take(size)):
                    left = until - time.monotonic()
                    if left <= 0 or not wanted():
                        return False
                    self._news.wait(min(left, LOOK_AGAIN))
                return True
            finally:
                self._line.remove(mine)
                self._news.notify_all()

    def give(self, size: int) -> None:
        """Give back what was taken."""
        with self._news:
            self._free += size
            self._news.notify_all()

    def _take(self, size: int) -> bool:
        if size > self._free:
            return False
        self._free -= size
        return True
