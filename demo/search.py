"""Searches every byte of a folder for what should be gone."""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
import os
from pathlib import Path

CHUNK = 8 << 20
SLICE = 32
"""Bytes: long enough to be found by no accident."""
SLICES = 3
"""How many places of a photo or template are looked for: one that was cut or changed in part is found too."""


@dataclass(frozen=True, slots=True)
class Needles:
    """What is looked for, by what it is."""

    exact: dict[str, list[bytes]] = field(default_factory=dict)
    names: dict[str, list[bytes]] = field(default_factory=dict)
    """In lower case, found in any case."""

    def add_name(self, name: str) -> None:
        """Look for a name: as text, as Windows writes it, and in base64."""
        lower = name.lower()
        self.names["name"] = [lower.encode(), lower.encode("utf-16-le")]
        self.exact["name in base64"] = [
            each for text in (name, lower, name.upper()) for each in base64_of(text.encode())
        ]

    def add_data(self, what: str, data: bytes) -> None:
        """Look for bytes: in slices, as they are and in base64."""
        slices = _slices(data)
        self.exact.setdefault(what, []).extend(slices)
        encoded = [each for piece in slices for each in base64_of(piece)]
        self.exact.setdefault(f"{what} in base64", []).extend(encoded)

    def __iter__(self) -> Iterator[tuple[str, bytes, bool]]:
        """Yield what each is, the bytes, and whether they are found in any case."""
        for needles, any_case in ((self.exact, False), (self.names, True)):
            for what, each in needles.items():
                for needle in each:
                    yield what, needle, any_case

    @property
    def count(self) -> int:
        """Return how many byte strings are looked for."""
        return sum(1 for _ in self)


@dataclass(slots=True)
class Found:
    """What a search came to."""

    files: int = 0
    bytes: int = 0
    places: dict[str, list[str]] = field(default_factory=dict)
    """Files in which something was found, by what it was."""


def search(folder: Path, needles: Needles) -> Found:
    """Look through every file of a folder, its file names included."""
    found = Found()
    wanted = list(needles)
    overlap = max((len(needle) for _, needle, _ in wanted), default=1) - 1
    for path in _files(folder):
        found.files += 1
        here = str(path.relative_to(folder))
        seen = _in(here.encode(), wanted)
        try:
            with path.open("rb") as file:
                tail = b""
                while chunk := file.read(CHUNK):
                    found.bytes += len(chunk)
                    seen |= _in(tail + chunk, wanted)
                    tail = chunk[-overlap:] if overlap else b""
        except FileNotFoundError:
            # Home Assistant runs on and replaces its files.
            continue
        for what in seen:
            found.places.setdefault(what, []).append(here)
    return found


def _files(folder: Path) -> Iterator[Path]:
    for root, _, names in os.walk(folder):
        for name in sorted(names):
            path = Path(root) / name
            # Sockets have no bytes, and what a link leads to is looked at where it lies.
            if path.is_file() and not path.is_symlink():
                yield path


def _in(data: bytes, wanted: Iterable[tuple[str, bytes, bool]]) -> set[str]:
    lower = data.lower()
    return {what for what, needle, any_case in wanted if needle in (lower if any_case else data)}


def _slices(data: bytes) -> list[bytes]:
    """Return pieces from all over the data; the first bytes of a JPEG are those of many."""
    step = max((len(data) - SLICE) // SLICES, 1)
    return [data[start : start + SLICE] for start in range(step, max(len(data) - SLICE, 1) + step, step)][
        :SLICES
    ]


def base64_of(data: bytes) -> list[bytes]:
    """Return what base64 makes of the data wherever in a text it begins, without what its neighbours change."""
    found = []
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data + b"\0\0")
        start = (before * 8 + 5) // 6
        end = ((before + len(data)) * 8) // 6
        found.append(encoded[start:end])
    return found
