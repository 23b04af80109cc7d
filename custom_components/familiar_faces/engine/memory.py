"""Has the process keep the memory that every frame needs again.

Malloc in glibc gives large blocks back to the system at once, and the next frame pays for them page by page. A 4K
frame with one face took 166 ms in an engine that is asked now and then, and takes 117 ms with what is set here; a
1080p frame 50 and 40 ms. The memory in use between frames grows from 235 to 260 MB.
"""

from collections.abc import Iterator
from contextlib import contextmanager
import ctypes
from pathlib import Path
import resource

# From malloc.h of glibc.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
_ANOTHER_LIBC = (OSError, AttributeError)
"""What looking for mallopt raises where there is none."""
KEPT = 128 << 20
"""Bytes of free memory that are kept: more than the look at a 1080p or 4K frame needs, less than what the largest
picture that is accepted needs."""
GROWTH = 104 << 20
"""Bytes by which the engine may grow once it is loaded, besides what streams take; part of it is address space of
threads."""
STREAMS = 168 << 20
"""Bytes that decoders of streams may take: four of 1080p, or one of 4K. See `stream_room`."""
STREAMS_MOST = 336 << 20
"""The same on a machine that has more."""
GROWTH_A_WORKER = 128 << 20
"""Bytes more for each further worker: what decoding and looking at one picture take at the same time as the first."""
LARGE = 32 << 20
"""Bytes from which a block is given back anyway; the most that glibc allows."""


def keep_freed(workers: int = 1) -> bool:
    """Keep freed memory in this process, for all its threads; return whether its malloc could be told to."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except _ANOTHER_LIBC:
        # Nothing is lost but time.
        return False
    settings = ((_M_ARENA_MAX, 1), (_M_MMAP_THRESHOLD, LARGE), (_M_TRIM_THRESHOLD, KEPT * workers))
    told = [mallopt(name, value) for name, value in settings]
    return all(told)


def give_back() -> bool:
    """Give back to the system what is free now; return whether its malloc could be told to.

    Loading the models leaves 75 MB behind: the files as they were read, and the session that deepface made.
    """
    try:
        return bool(ctypes.CDLL(None).malloc_trim(0))
    except _ANOTHER_LIBC:
        return False


def resident(proc: Path = Path("/proc/self")) -> int | None:
    """Return the bytes of memory that this process takes now; None where the system does not say."""
    try:
        return int((proc / "statm").read_text().split()[1]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return None


@contextmanager
def named_shortage() -> Iterator[None]:
    """Raise MemoryError where a library could not have the memory that it asked for: each says so in its own way."""
    try:
        yield
    except Exception as err:
        # OpenCV's StsNoMem; onnxruntime has no code of its own for what C++ throws.
        if getattr(err, "code", None) == -4 or "bad_alloc" in str(err):
            raise MemoryError("memory is short") from err
        raise
