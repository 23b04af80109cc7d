"""What an environment holds, written down when it was right, and compared with what is there now.

Sizes and times are looked at before each start of the engine (30 ms for 3,400 files), contents only when there is
doubt (1.4 s for 300 MB). Bytecode and weights are left out: Python and the engine make them again by themselves.
All functions block.
"""

import base64
from collections.abc import Iterator
import csv
from dataclasses import dataclass
import hashlib
import json
import os
from pathlib import Path
import shutil
from typing import Self

from ..engine.digests import sha256_of_file

FILE = "packages-installed"
"""Its name in the environment. Once it is there the packages are all there."""
BYTECODE = "__pycache__"
_FORMAT = 1
_DAMAGED = (OSError, ValueError, KeyError, TypeError, AttributeError)
"""What reading a damaged manifest or record may raise."""
_INSTALLERS = ("_virtualenv.", ".lock")
_LEFT_OUT = (FILE, "ready-", "weights")
"""How the names begin of what is ours at the top of an environment."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file as it was: size in bytes, time of change in nanoseconds, SHA-256 in hex."""

    size: int
    changed: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of an environment by their paths in it, its links with where they lead, and how it was made."""

    past_cache: bool
    """Whether its packages came straight from the index, so that fetching them again gives the same."""
    files: dict[str, Kept]
    links: dict[str, str]

    @classmethod
    def take(cls, folder: Path, *, past_cache: bool) -> Self:
        """Return what is there now; raise OSError."""
        files: dict[str, Kept] = {}
        links: dict[str, str] = {}
        for path in _paths(folder):
            name = os.fspath(path.relative_to(folder))
            if path.is_symlink():
                links[name] = os.fspath(path.readlink())
            else:
                status = path.stat()
                files[name] = Kept(status.st_size, status.st_mtime_ns, sha256_of_file(path))
        return cls(past_cache, files, links)

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Return what was written down of an environment; None when that is missing or damaged."""
        try:
            data = json.loads((folder / FILE).read_bytes())
            if data["format"] != _FORMAT:
                return None
            files = {
                str(name): Kept(int(size), int(changed), str(sha256))
                for name, (size, changed, sha256) in data["files"].items()
            }
            links = {str(name): str(target) for name, target in data["links"].items()}
            return cls(bool(data["past_cache"]), files, links)
        except _DAMAGED:
            return None

    def write(self, folder: Path) -> None:
        """Write it down, so that at every instant the old one or the new one is there whole; raise OSError."""
        data = {
            "format": _FORMAT,
            "past_cache": self.past_cache,
            "files": {name: (kept.size, kept.changed, kept.sha256) for name, kept in self.files.items()},
            "links": self.links,
        }
        temporary = folder / f"{FILE}.new"
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(data, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(folder / FILE)
        sync_folder(folder)

    def touched(self, folder: Path) -> str | None:
        """Return the first file whose size or time is another one, or that is gone; None for none."""
        for name, kept in self.files.items():
            try:
                # Thousands of paths: a Path for each takes three times as long.
                status = os.lstat(f"{folder}/{name}")
            except OSError:
                return name
            if (status.st_size, status.st_mtime_ns) != (kept.size, kept.changed):
                return name
        return self._other_link(folder)

    def damaged(self, folder: Path) -> list[str]:
        """Return the files that are gone, that hold something else, and that were put there since."""
        wrong = []
        for name, kept in self.files.items():
            try:
                same = (folder / name).lstat().st_size == kept.size and sha256_of_file(
                    folder / name
                ) == kept.sha256
            except OSError:
                same = False
            if not same:
                wrong.append(name)
        if (link := self._other_link(folder)) is not None:
            wrong.append(link)
        there = {os.fspath(path.relative_to(folder)) for path in _paths(folder)}
        return wrong + sorted(there - self.files.keys() - self.links.keys())

    def _other_link(self, folder: Path) -> str | None:
        for name, target in self.links.items():
            try:
                if os.fspath((folder / name).readlink()) != target:
                    return name
            except OSError:
                return name
        return None


def unlike_their_records(folder: Path, packages: Path) -> list[str]:
    """Return the files in `packages` that are not as the packages' own records say, or that no record knows.

    They are named by their paths in `folder`. An installer copies what lies unpacked in its cache, and compares no
    hash again. The records are RECORD files as in the PyPA's "Recording installed projects".
    """
    wrong: list[str] = []
    known: set[str] = set()
    for record in sorted(packages.glob("*.dist-info/RECORD")):
        try:
            rows = [(name, digest) for name, digest, _ in csv.reader(record.read_text("utf-8").splitlines())]
        except _DAMAGED:
            wrong.append(os.fspath(record.relative_to(folder)))
            continue
        for name, digest in rows:
            path = Path(os.path.normpath(packages / name))
            known.add(os.fspath(path))
            if not _is(path, digest) and BYTECODE not in path.parts:
                wrong.append(os.path.relpath(path, folder))
    wrong += sorted(
        os.fspath(path.relative_to(folder))
        for path in _paths(packages)
        # The installer puts these beside the packages.
        if os.fspath(path) not in known and not path.name.startswith(_INSTALLERS)
    )
    return wrong


def drop_bytecode(folder: Path) -> None:
    """Remove what Python compiled, which it makes again; a file of it that is cut off cannot be imported."""
    for path in list(folder.rglob(BYTECODE)):
        shutil.rmtree(path, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder reach the disk; raise OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _paths(folder: Path) -> Iterator[Path]:
    """Yield the files and links below a folder that were installed there."""
    for path, folders, names in folder.walk():
        if BYTECODE in folders:
            folders.remove(BYTECODE)
        if path == folder:
            folders[:] = [name for name in folders if not name.startswith(_LEFT_OUT)]
            names = [name for name in names if not name.startswith(_LEFT_OUT)]
        # A link to a folder is listed among the folders.
        links = [name for name in folders if (path / name).is_symlink()]
        for name in (*links, *names):
            yield path / name


def _is(path: Path, digest: str) -> bool:
    """Return whether a file is there with the hash of a record; one without a hash has only to be there."""
    if not digest:
        return path.is_file()
    kind, _, value = digest.partition("=")
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, kind).digest()
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)) == found
    except OSError, ValueError:
        return False
