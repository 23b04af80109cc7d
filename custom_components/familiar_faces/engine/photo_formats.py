"""Photos in the formats of phones, HEIC and AVIF: decoded by a process of their own, see `apart`."""

import logging
import os
from pathlib import Path
import subprocess
import sys
import threading
from typing import IO

import numpy as np
from numpy.typing import NDArray

from .apart import SIZES
from .headers import NotAnImageError
from .heif_boxes import Heif

_LOGGER = logging.getLogger(__name__)

SECONDS = 25
"""How long a photo may take, start included; 48 megapixels take two."""
MOST = 12_500_000
"""Pixels that are made of a photo at most; a larger one is reduced."""
_WORDS = 500
"""Characters of what the process complains of that are noted."""


def decode_photo(data: bytes, heif: Heif) -> tuple[NDArray[np.uint8], int, tuple[int, int]]:
    """Return the upright pixels, height x width x 3, how many of the photo's one stands for, and its size.

    Raises NotAnImageError.
    """
    command = [*_python(), "-I", str(Path(__file__).with_name("apart.py")), "avif" if heif.avif else "heic"]
    with _unnamed_file(data) as photo, _unnamed_file(b"") as complaints:
        child = subprocess.Popen(
            [*command, str(MOST)],
            stdin=photo,
            stdout=subprocess.PIPE,
            # A file: nobody has to read it meanwhile, or wait for the end of it.
            stderr=complaints,
            cwd="/",
            # Nothing of this process's is passed on, its token least of all.
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        )
        watch = threading.Timer(SECONDS, child.kill)
        watch.start()
        try:
            assert child.stdout is not None
            pixels, size = _read(child.stdout, max(heif.size))
        finally:
            child.kill()
            watch.cancel()
            _note(child, complaints)
    if pixels is None:
        raise NotAnImageError("the image cannot be decoded")
    return pixels, max(1, round(max(size) / max(pixels.shape))), size


def _read(out: IO[bytes], longest: int) -> tuple[NDArray[np.uint8] | None, tuple[int, int]]:
    """Return the pixels that are printed, None without, and the size of the photo.

    Nothing is believed of what is printed: it may not be the program any more that prints.
    """
    head = out.read(SIZES.size)
    if len(head) < SIZES.size:
        return None, (0, 0)
    width, height, columns, rows = SIZES.unpack(head)
    fits = 0 < columns <= width <= longest and 0 < rows <= height <= longest
    if not fits or columns * rows > MOST:
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
        _LOGGER.info("a photo could not be decoded: %s", words)


def _unnamed_file(data: bytes) -> IO[bytes]:
    """Return a file in memory at its beginning."""
    file = os.fdopen(os.memfd_create("photo"), "w+b")
    file.write(data)
    file.seek(0)
    return file


def _python() -> list[str]:
    """Return how to start the interpreter that runs this: there may be a loader before it."""
    try:
        words = Path("/proc/self/cmdline").read_bytes().split(b"\0")[:-1]
    except OSError:
        return [sys.executable]
    # What the interpreter was given are its last words, its own name the one before.
    loader = words[: len(words) - len(sys.orig_argv)]
    return [*map(os.fsdecode, loader), *(sys.orig_argv[:1] if loader else [sys.executable])]
