"""How much room a machine has on a disk and in memory, and whether that is enough for the engine."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
import shutil

from .engine_errors import EnvironmentFailed

MB = 1000**2
GB = 1000**3
NEEDED_DISK = 900 * MB
"""Free bytes to begin with: what is installed, and what is unpacked on the way."""
NEEDED_MEMORY = 450 * MB
"""Available bytes to begin with: what the engine takes when it looks at a large picture."""
FETCHED = 160 * MB
"""Bytes that come from the internet, once: 139 MB of wheels, and 13 MB of Debian's where they are needed."""
_UNLIMITED = 1 << 60


@dataclass(frozen=True, slots=True)
class Room:
    """Free bytes of a disk, and available bytes of memory; None where the system does not say."""

    disk: int
    memory: int | None


@dataclass(frozen=True, slots=True)
class Survey:
    """What there is on a machine, what is needed, and why it cannot be had; bytes."""

    room: Room | None
    """None where the disk does not say."""
    disk: int
    memory: int
    failed: EnvironmentFailed | None

    @property
    def free_disk(self) -> int | None:
        """Return the free bytes of the disk."""
        return None if self.room is None else self.room.disk

    @property
    def free_memory(self) -> int | None:
        """Return the available bytes of memory."""
        return None if self.room is None else self.room.memory


def room_in(folder: Path) -> Room:
    """Return the room for something in a folder, which need not be there yet; raise OSError. Blocks."""
    while not folder.exists():
        folder = folder.parent
    return Room(shutil.disk_usage(folder).free, _memory())


def too_little(room: Room, disk: int, memory: int) -> EnvironmentFailed | None:
    """Return what there is too little of, when so many bytes are needed."""
    if room.disk < disk:
        return EnvironmentFailed("no_space", _lack("disk", disk, room.disk))
    if room.memory is not None and room.memory < memory:
        return EnvironmentFailed("no_memory", _lack("memory", memory, room.memory))
    return None


def _lack(what: str, needed: int, there: int) -> str:
    return f"{needed // MB} MB of {what} are needed, and {there // MB} MB are free"


def _memory(proc: Path = Path("/proc"), cgroup: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Return the available bytes of memory, of the machine or of the container that this is."""
    there: list[int] = []
    with suppress(OSError, ValueError, KeyError):
        told = dict(line.split(":") for line in (proc / "meminfo").read_text().splitlines())
        there.append(int(told["MemAvailable"].split()[0]) * 1024)
    with suppress(OSError, ValueError):
        limit = int((cgroup / "memory.max").read_text())
        used = int((cgroup / "memory.current").read_text())
        # Cached files count as used, and are given up when something else needs the memory.
        stat = dict(line.split() for line in (cgroup / "memory.stat").read_text().splitlines())
        if limit < _UNLIMITED:
            there.append(limit - used + int(stat.get("inactive_file", 0)) + int(stat.get("active_file", 0)))
    return max(0, min(there)) if there else None
