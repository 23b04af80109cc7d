"""What a process of the engine's may take of the machine, and what it leaves behind when it ends badly."""

import ctypes
import os
from pathlib import Path
import resource

from .memory import GROWTH_A_WORKER, STREAMS, STREAMS_MOST

MOST_WORKERS = 4
"""Workers that are taken unless the owner says otherwise: each takes memory."""
NEEDED = 450 * 1000**2
"""Bytes of memory that an engine with one worker takes at most."""
CGROUPS = Path("/sys/fs/cgroup")
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


def workers_for(cores: int, memory: int | None) -> int:
    """Return how many workers to take, of so many processors and bytes of memory; None where nobody says how many."""
    most = min(max(1, cores - 1), MOST_WORKERS)
    return most if memory is None else max(1, min(most, 1 + (memory - NEEDED) // GROWTH_A_WORKER))


def stream_room(memory: int | None, workers: int) -> int:
    """Return how many bytes decoders of streams may take, of so many bytes of memory; None where nobody says."""
    if memory is None:
        return STREAMS
    # Half of what is left stays for others.
    left = (memory - NEEDED - (workers - 1) * GROWTH_A_WORKER) // 2
    return min(STREAMS_MOST, STREAMS + max(0, left))


def own_cores(cgroups: Path = CGROUPS) -> int:
    """Return how many processors this process may use, counting what a container or a service allows."""
    cores = len(os.sched_getaffinity(0))
    for limit in _limits(cgroups, "cpu.max"):
        most, _, period = limit.partition(" ")
        if most.isdecimal() and period.isdecimal():
            cores = min(cores, max(1, round(int(most) / int(period))))
    return cores


def own_memory(cgroups: Path = CGROUPS, meminfo: Path = Path("/proc/meminfo")) -> int | None:
    """Return how many bytes of memory this process may take, counting what a container or a service allows."""
    there = [int(limit) for limit in _limits(cgroups, "memory.max") if limit.isdecimal()]
    try:
        told = dict(line.split(":") for line in meminfo.read_text("ascii").splitlines())
        there.append(int(told["MemAvailable"].split()[0]) * 1024)
    except (OSError, ValueError, KeyError):
        pass
    return min(there, default=None)


def _limits(cgroups: Path, name: str) -> list[str]:
    """Return what the control groups that this process is in say of one thing, the whole machine's included."""
    try:
        own = Path(Path("/proc/self/cgroup").read_text("ascii").strip().rpartition("::")[2].lstrip("/"))
        folders = dict.fromkeys((cgroups, cgroups / own, *(cgroups / part for part in own.parents)))
        files = [folder / name for folder in folders]
        return [file.read_text("ascii").strip() for file in files if file.is_file()]
    except (OSError, ValueError):
        # Nothing is limited, or nobody says.
        return []


def _writable() -> int:
    """Return the bytes that this process may write to and shares with no other."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        name, _, rest = line.partition(":")
        if name == "VmData":
            return int(rest.split()[0]) * 1024
    raise ValueError("the system does not say how much memory is in use")
