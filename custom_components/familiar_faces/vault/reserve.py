"""Lets a person be forgotten on a full disk: one file to delete for room, and one to note it in.

Deleting needs room as well: SQLite writes each page that it changes into its log first. So there are two files.
The reserve is random bytes (a file system that compresses would keep no room for zeros); it is deleted when the
disk refuses, and made again as soon as there is room. The note is overwritten where it lies, which needs no room:
the people in it are to be forgotten, and are recognised by nobody, whatever happens next.

A file system that never overwrites in place (ZFS, btrfs) needs some room anyway. Whether it could be written
is known afterwards, and nothing is confirmed before.
"""

from collections.abc import Iterable
from datetime import datetime
import errno
import os
from pathlib import Path
from typing import NamedTuple

from .errors import VaultDamaged, VaultUnwritable
from .files import NOTE, RESERVE, sync_folder, telling_unwritable, write_whole
from .keys import Keys
from .sealed import seal_json, unseal_json
from .times import to_stamp

RESERVE_BYTES = 4 << 20
"""Room for the log of an erasure: about as much as a person with all photos and pictures takes."""
SLOT = 32 << 10
"""Bytes of each half of the note: several hundred people."""
_LENGTH = 4
_CHUNK = 1 << 18


class Reserve:
    """Room on the disk that is the vault's alone."""

    def __init__(self, folder: Path) -> None:
        """Belong to a vault's folder."""
        self._path = folder / RESERVE

    def make(self) -> bool:
        """Take what is missing of the room; return whether all of it is taken. A disk that refuses is no error."""
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError:
            return False
        try:
            size = os.fstat(descriptor).st_size
            try:
                for missing in range(RESERVE_BYTES - size, 0, -_CHUNK):
                    _write_all(descriptor, os.urandom(min(_CHUNK, missing)))
                if size < RESERVE_BYTES:
                    os.fsync(descriptor)
                    sync_folder(self._path.parent)
            except OSError:
                # A disk without any room is of no use to the others either.
                os.ftruncate(descriptor, size)
                if not size:
                    self._path.unlink()
                return False
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return True

    def lend(self) -> bool:
        """Give a small part of the room back to the disk, enough to open the vault; return whether there was any."""
        try:
            size = self._path.stat().st_size
            os.truncate(self._path, max(0, size - _CHUNK))
        except OSError:
            return False
        return size > 0

    def give_up(self) -> bool:
        """Give the room back to the disk; return whether there was any."""
        try:
            size = self._path.stat().st_size
            self._path.unlink()
            sync_folder(self._path.parent)
        except OSError:
            return False
        return size > 0


def _write_all(descriptor: int, data: bytes) -> None:
    """Write all of it; raise OSError when the disk takes a part only."""
    if os.write(descriptor, data) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Leaver(NamedTuple):
    """How somebody is to be forgotten."""

    stamp: int
    """The moment they were."""
    reason: str
    also: tuple[str, ...] = ()
    """Places of others that are cleared of their name."""


class Leaving:
    """Who is to be forgotten and could not be yet. Has two halves, so that a torn write loses nothing.

    Not for several threads: the caller holds a lock.
    """

    def __init__(self, folder: Path, keys: Keys) -> None:
        """Read who is noted."""
        self._path = folder / NOTE
        self._key = keys.leaving
        self._sequence = 0
        self._people: dict[str, Leaver] = {}
        self._read()

    @property
    def people(self) -> dict[str, Leaver]:
        """Return how they are to be forgotten, by their ids."""
        return dict(self._people)

    def prepare(self) -> None:
        """Make the file when there is none of its size; raise VaultUnwritable."""
        with telling_unwritable():
            whole = self._path.exists() and self._path.stat().st_size == 2 * SLOT
        if not whole:
            write_whole(self._path, os.urandom(2 * SLOT))
            self._sequence = 0
            if self._people:
                self._write(self._people)

    def add(self, person_id: str, now: datetime, reason: str, also: Iterable[str] = ()) -> None:
        """Note somebody; it is on the disk afterwards. Raise VaultUnwritable otherwise."""
        before = self._people.get(person_id, Leaver(to_stamp(now), reason))
        leaver = before._replace(also=tuple(sorted({*before.also, *also})))
        if self._people.get(person_id) == leaver:
            return
        try:
            self._write({**self._people, person_id: leaver})
        except VaultUnwritable:
            if leaver.also == before.also:
                raise
            # That they are to be forgotten needs less room than the places.
            self._write({**self._people, person_id: before})

    def remove(self, person_id: str) -> None:
        """Take somebody out who is forgotten; raise VaultUnwritable."""
        if person_id in self._people:
            self._write({key: value for key, value in self._people.items() if key != person_id})

    def _write(self, people: dict[str, Leaver]) -> None:
        self.prepare()
        sequence = self._sequence + 1
        data = {
            "sequence": sequence,
            "people": {key: [each.stamp, each.reason, *each.also] for key, each in people.items()},
        }
        half = sequence % 2
        sealed = seal_json(self._key, data, ("leaving", half))
        blob = len(sealed).to_bytes(_LENGTH, "big") + sealed
        if len(blob) > SLOT:
            raise VaultUnwritable("too many people are to be forgotten")
        with telling_unwritable():
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
            try:
                if os.pwrite(descriptor, blob, half * SLOT) != len(blob):
                    raise VaultUnwritable("a note was cut short")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        self._sequence, self._people = sequence, dict(people)

    def _read(self) -> None:
        try:
            data = self._path.read_bytes()
        except OSError:
            return
        for half in (0, 1):
            slot = data[half * SLOT : (half + 1) * SLOT]
            length = int.from_bytes(slot[:_LENGTH], "big")
            try:
                found = unseal_json(self._key, slot[_LENGTH : _LENGTH + length], ("leaving", half))
            except VaultDamaged:
                # Random bytes of the start, or a write that a power cut tore.
                continue
            if found["sequence"] > self._sequence:
                self._sequence = found["sequence"]
                self._people = {
                    key: Leaver(stamp, reason, tuple(also))
                    for key, (stamp, reason, *also) in found["people"].items()
                }
