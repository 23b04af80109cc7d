"""Images that take much to decode: done by a process of its own, see `apart`."""

from collections.abc import Iterator
from contextlib import contextmanager
import logging
import mmap
import os
from pathlib import Path
import signal
import subprocess
import sys
import threading
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
"""Characters of what the process complains of that are noted."""


_OUT_OF_TIME = (-signal.SIGXCPU, -signal.SIGKILL)
"""How a process ends that has used up its time; the kernel kills it for other reasons than that only when memory is
short, and then the image is no less at fault."""


class Received(mmap.mmap):
    """An image as it was received, in a file in memory that another process can be handed without a copy.

    Whoever only looks into it may take it for bytes.
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
    with _file_of(data) as image, unnamed_file() as complaints:
        child = subprocess.Popen(
            command,
            stdin=image,
            stdout=subprocess.PIPE,
            # A file: nobody has to read it meanwhile, or wait for the end of it.
            stderr=complaints,
            cwd="/",
            # Nothing of this process's is passed on, its token least of all.
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1"},
        )
        late = threading.Event()

        def end() -> None:
            late.set()
            child.kill()

        watch = threading.Timer(SECONDS, end)
        watch.start()
        try:
            assert child.stdout is not None
            pixels, size = _read(child.stdout, max(header.width, header.height))
            child.stdout.close()
            if pixels is None:
                try:
                    # It says how it ended.
                    child.wait(_ENDING)
                except subprocess.TimeoutExpired:
                    _LOGGER.debug("a decoder does not end by itself")
        finally:
            child.kill()
            watch.cancel()
            _note(child, complaints)
    if pixels is not None:
        return pixels, max(1, round(max(size) / max(pixels.shape))), size
    if child.returncode == TOO_MUCH:
        raise TooLargeError("the image takes more memory to decode than an image may")
    if late.is_set() or child.returncode in _OUT_OF_TIME:
        raise TooLargeError("the image takes longer to decode than an image may")
    raise NotAnImageError("the image cannot be decoded")


def _read(out: IO[bytes], longest: int) -> tuple[NDArray[np.uint8] | None, tuple[int, int]]:
    """Return the pixels that are printed, None without, and the size of the photo.

    Nothing is believed of what is printed: it may not be the program any more that prints.
    """
    head = out.read(SIZES.size)
    if len(head) < SIZES.size:
        return None, (0, 0)
    width, height, columns, rows = SIZES.unpack(head)
    fits = 0 < columns <= width <= longest and 0 < rows <= height <= longest
    if not fits or columns * rows > MAX_DECODED:
        return None, (0, 0)
    pixels = np.empty((rows, columns, 3), np.uint8)
    rest = memoryview(pixels).cast("B")
    while rest:
        count = out.readinto(rest)  # type: ignore[attr-defined]
        if not count:
            return None, (0, 0)
        rest = rest[count:]
    return pixels, (width, height)


def _note(child: subprocess.Popen[bytes], complaints: IO[bytes]) -> None:
    """Wait for the process, which was ended, and note what it complained of."""
    assert child.stdout is not None
    child.stdout.close()
    child.wait()
    complaints.seek(0)
    words = complaints.read(_WORDS).decode("utf-8", "replace").strip()
    if words:
        _LOGGER.info("an image could not be decoded: %s", words)


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
