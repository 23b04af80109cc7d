"""The pipe from the sender of a stream to its decoder: bounded, and read by OpenCV as if it were a file."""

from collections import deque
import io
import threading
import time
from typing import override

ABOUT_A_FRAME = 64 * 1024


class StreamPipe(io.BufferedIOBase):
    """Holds what has come and was not read yet. One thread feeds it, another reads.

    Until `go` it is read as a file that ends where the data ends now, any number of times from its beginning:
    OpenCV holds a lock of the whole process while it opens a stream, and must not wait for a camera meanwhile.
    """

    def __init__(self, seconds: float) -> None:
        """Hold nothing; reading comes to an end after so many seconds."""
        super().__init__()
        self.starved = False
        """Whether the reader met the end of the data."""
        self._deadline = time.monotonic() + seconds
        self._data = bytearray()
        self._at = 0
        self._fed = self._read = 0
        self._pieces: deque[int] = deque()
        """Where each piece that was not read to its end ends, in bytes since the first."""
        self._going = False
        self._ended = False
        self._closed = False
        self._news = threading.Condition()

    @property
    def pending(self) -> int:
        """Return how many bytes wait to be read."""
        return len(self._data) - self._at

    @property
    def behind(self) -> bool:
        """Return whether the reader is more than about a frame behind."""
        return len(self._pieces) > 1 or self.pending > ABOUT_A_FRAME

    @property
    def late(self) -> bool:
        """Return whether the time for this stream is over."""
        return time.monotonic() >= self._deadline

    @property
    def stopped(self) -> bool:
        """Return whether nobody wants to read any more of it, or its time is over."""
        return self._closed or self.late

    @property
    def complete(self) -> bool:
        """Return whether no more data comes."""
        return self._ended or self._closed or self.late

    def feed(self, data: bytes) -> None:
        """Add a piece."""
        with self._news:
            if not self._ended and not self._closed:
                self._data += data
                self._fed += len(data)
                self._pieces.append(self._fed)
            self._news.notify_all()

    def finish(self) -> None:
        """Say that no more data comes; what is there is still read."""
        with self._news:
            self._ended = True
            self._news.notify_all()

    def stop(self) -> None:
        """Have the reader meet the end at once."""
        with self._news:
            self._closed = True
            self._data.clear()
            self._at = 0
            self._news.notify_all()

    def wait_for(self, size: int) -> bool:
        """Wait until there are that many bytes or no more come; return whether there are."""
        with self._news:
            while len(self._data) < size and not self.complete:
                self._news.wait(min(1.0, max(0.0, self._deadline - time.monotonic())))
            return len(self._data) >= size

    def again(self) -> None:
        """Read from the beginning again."""
        with self._news:
            self._at = 0
            self.starved = False

    def go(self) -> None:
        """Wait for data from now on, and forget what was read."""
        with self._news:
            self._going = True

    @override
    def readable(self) -> bool:
        return True

    @override
    def seekable(self) -> bool:
        return False

    @override
    def seek(self, offset: int, whence: int = 0, /) -> int:
        # OpenCV asks for the size in this way, and takes a negative number for a stream without one.
        return -1

    @override
    def read(self, size: int | None = -1, /) -> bytes:
        with self._news:
            while self._going and self.pending == 0 and not self.complete:
                self._news.wait(min(1.0, max(0.0, self._deadline - time.monotonic())))
            count = self.pending if size is None or size < 0 else min(size, self.pending)
            data = bytes(self._data[self._at : self._at + count])
            self._at += count
            if not data:
                self.starved = True
            if self._going:
                del self._data[: self._at]
                self._read += self._at
                self._at = 0
                while self._pieces and self._pieces[0] <= self._read:
                    self._pieces.popleft()
            return data
