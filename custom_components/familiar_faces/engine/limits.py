"""What a process of the engine's may take of the machine, and what it leaves behind when it ends badly."""

import ctypes
import os
from pathlib import Path
import resource

_PR_SET_DUMPABLE = 4
"""From linux/prctl.h."""
_NOT_HERE = (OSError, AttributeError, ValueError)
"""What asking a system raises that has no such limit, or forbids to set it."""


def leave_no_core() -> bool:
    """Write no core dump when this process crashes; return whether the system could be told.

    A core has the memory in it, and that has pictures and faces. The limit alone does not keep systems from it that
    hand cores to a program, as systemd does; a process that is not dumpable gives none. It also cannot be looked
    into by other programs of the same user.
    """
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        return int(ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)) == 0
    except _NOT_HERE:
        return False


def limit_growth(most: int) -> bool:
    """Let the memory of this process grow by `most` bytes from now on; return whether the system could be told.

    What is asked for beyond is refused: a MemoryError in Python. Counted is what may be written and is not shared
    (RLIMIT_DATA), also where nothing was written yet, so that libraries which reserve addresses for later have to
    be loaded before.
    """
    try:
        limit = _writable() + most
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    except _NOT_HERE:
        return False
    return True


def own_cores() -> int:
    """Return how many processors this process may use, counting what a container allows."""
    cores = len(os.sched_getaffinity(0))
    try:
        most, period = Path("/sys/fs/cgroup/cpu.max").read_text("ascii").split()
        return max(1, min(cores, round(int(most) / int(period))))
    except _NOT_HERE:
        # There is no limit, or nobody says.
        return cores


def _writable() -> int:
    """Return the bytes that this process may write to and shares with no other."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        name, _, rest = line.partition(":")
        if name == "VmData":
            return int(rest.split()[0]) * 1024
    raise ValueError("the system does not say how much memory is in use")
