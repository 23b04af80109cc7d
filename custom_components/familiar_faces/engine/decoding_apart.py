"""Images that take much to decode: done by a process of its own, see `apart`."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
import logging
import mmap
import os
from pathlib import Path
import select
import signal
import subprocess
import sys
import time
from typing import IO, Self

import numpy as np
from numpy.typing import NDArray

from .apart import SIZES, TOO_MUCH
from .budget import MAX_DECODED
from .headers import Header, NotAnImageError, TooLargeError
from .memory import give_back

_LOGGER = logging.getLogger(__name__)

SECONDS = 45
"""How long an image may take, start included, whatever else the machine does; 24 megapixels take one."""
_ENDING = 2
"""Seconds that the process may take to end once it says nothing more."""
_WORDS = 500
"""Bytes of what the process complains of that are noted."""


_OUT_OF_TIME = (-signal.SIGXCPU, -signal.SIGKILL)
"""How a process ends that has used up its time; the kernel kills it for other reasons than that only when memory is
short, and then the image is no less at fault."""


class Received(mmap.mmap):
    """An image as it was received, in a file in memory that another process can be handed without a copy.

    Anyone who only looks into it may take it for bytes.
    """

    file: IO[bytes]

    @classmethod
    def of(cls, file: IO[bytes]) -> Self:
        """Return the content of a file that `unnamed_file` made, and that is not empty."""
        file.flush()
        received = cls(file.fileno(), 0, access=mmap.ACCESS_READ)
        received.file = file
        return received


def unnamed_file() -> IO[bytes]:
    """Return an empty file in memory."""
    return os.fdopen(os.memfd_create("image"), "w+b")


def decode_apart(
    data: bytes | Received, header: Header, finest: int
) -> tuple[NDArray[np.uint8], int, tuple[int, int]]:
    """Return the upright pixels, height x width x 3, how many of the image's one stands for, and its size.

    `finest`: how many that has to be for a JPEG at least. Raises NotAnImageError, or TooLargeError for what takes
    more memory or time than an image may.
    """
    # What looks have left over is given back first: both processes have to fit into what the engine may take.
    give_back()
    command = [*_python(), "-I", str(Path(__file__).with_name("__main__.py")), "apart", str(finest)]
    last = time.monotonic() + SECONDS
    pixels, size, late = None, (0, 0), False
    with _file_of(data) as image, _complaints() as (heard, complaints):
        child = subprocess.Popen(
            command,
            stdin=image,
            stdout=subprocess.PIPE,
            stderr=complaints,
            bufsize=0,
            cwd="/",
            # Nothing of this process's is passed on, its token least of all.
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1"},
        )
        assert child.stdout is not None
        try:
            pixels, size = _read(child.stdout, max(header.width, header.height), last)
            child.stdout.close()
            if pixels is None:
                try:
                    # It says how it ended.
                    child.wait(_ENDING)
                except subprocess.TimeoutExpired:
                    _LOGGER.debug("a decoder does not end by itself")
        except TimeoutError:
            late = True
        finally:
            child.kill()
            child.stdout.close()
            child.wait()
            _note(heard)
    if pixels is not None:
        return pixels, max(1, round(max(size) / max(pixels.shape))), size
    if child.returncode == TOO_MUCH:
        raise TooLargeError("the image takes more memory to decode than an image may")
    if late or child.returncode in _OUT_OF_TIME:
        raise TooLargeError("the image takes longer to decode than an image may")
    raise NotAnImageError("the image cannot be decoded")


def _read(out: IO[bytes], longest: int, last: float) -> tuple[NDArray[np.uint8] | None, tuple[int, int]]:
    """Return the pixels that are printed, None without, and the size of the photo.

    Nothing is believed of what is printed: something else than the program may have printed it. Raises TimeoutError after
    `last`, by the clock that only goes on.
    """
    head = bytearray(SIZES.size)
    if not _fill(out, memoryview(head), last):
        return None, (0, 0)
    width, height, columns, rows = SIZES.unpack(head)
    fits = 0 < columns <= width <= longest and 0 < rows <= height <= longest
    if not fits or columns * rows > MAX_DECODED:
        return None, (0, 0)
    pixels = np.empty((rows, columns, 3), np.uint8)
    return (pixels, (width, height)) if _fill(out, memoryview(pixels).cast("B"), last) else (None, (0, 0))


def _fill(out: IO[bytes], rest: memoryview, last: float) -> bool:
    """Read until there is no room; return whether so much came. Raises TimeoutError.

    Anyone else who has the other end, and says nothing, holds nobody up.
    """
    news = select.poll()
    news.register(out, select.POLLIN)
    while rest:
        if not news.poll(max(0.0, last - time.monotonic()) * 1000):
            raise TimeoutError
        count = out.readinto(rest)  # type: ignore[attr-defined]
        if not count:
            return False
        rest = rest[count:]
    return True


@contextmanager
def _complaints() -> Iterator[tuple[int, IO[bytes]]]:
    """Yield where to read what the process complains of, and what it is given to write to.

    A pipe: a file of its own it could not write to. Neither end waits for the other.
    """
    heard, given = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        with os.fdopen(given, "wb") as complaints:
            yield heard, complaints
    finally:
        os.close(heard)


def _note(heard: int) -> None:
    """Note what the process, which has ended, complained of."""
    words = b""
    with suppress(BlockingIOError):
        words = os.read(heard, _WORDS)
    if text := words.decode("utf-8", "replace").strip():
        _LOGGER.info("an image could not be decoded: %s", text)


@contextmanager
def _file_of(data: bytes | Received) -> Iterator[IO[bytes]]:
    """Yield a file with an image at its beginning."""
    if isinstance(data, Received):
        data.file.seek(0)
        yield data.file
        return
    with unnamed_file() as file:
        file.write(data)
        file.seek(0)
        yield file


def _python() -> list[str]:
    """Return how to start the interpreter that runs this: there may be a loader before it."""
    try:
        words = Path("/proc/self/cmdline").read_bytes().split(b"\0")[:-1]
    except OSError:
        return [sys.executable]
    # What the interpreter was given are its last words, its own name the one before.
    loader = words[: len(words) - len(sys.orig_argv)]
    return [*map(os.fsdecode, loader), *(sys.orig_argv[:1] if loader else [sys.executable])]
