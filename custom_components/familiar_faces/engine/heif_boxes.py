"""The boxes of a HEIC or AVIF file: where its picture is, and how large; nothing is decoded.

ISO/IEC 14496-12 (boxes), 23008-12 (HEIF) and AV1's AVIF. Imported on both sides, so it needs no package.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
import struct

from .photo_formats import PhotoFormat, photo_format

_MAX_BOXES = 20_000
"""Boxes, items and extents that are read; a photo of 200 megapixels has some 800 tiles."""


class DamagedBoxesError(ValueError):
    """The boxes do not fit into each other."""


class CutOffBoxesError(DamagedBoxesError):
    """A box, or a picture's data, reaches beyond the end of the file."""


@dataclass(frozen=True, slots=True)
class Box:
    """One box: from `start` to `end`, its content from `body` on."""

    kind: bytes
    start: int
    body: int
    end: int


@dataclass(frozen=True, slots=True)
class Heif:
    """The picture that a file is about."""

    size: tuple[int, int]
    """Width and height as it is stored, before the file's own turning and cutting, pixels."""
    data: tuple[tuple[int, int], ...]
    """Begin and end of everything in the file that is needed to decode it."""
    avif: bool


def boxes(data: bytes, start: int, end: int) -> Iterator[Box]:
    """Yield the boxes between two places; raise DamagedBoxesError."""
    for _ in range(_MAX_BOXES):
        if start == end:
            return
        if start + 8 > end:
            raise CutOffBoxesError
        size, kind = struct.unpack_from(">I4s", data, start)
        body = start + 8
        if size == 1:
            if start + 16 > end:
                raise CutOffBoxesError
            (size,) = struct.unpack_from(">Q", data, body)
            body += 8
        elif size == 0:
            size = end - start
        if start + size > end:
            raise CutOffBoxesError
        if start + size < body:
            raise DamagedBoxesError
        yield Box(kind, start, body, start + size)
        start += size
    raise DamagedBoxesError


def read_heif(data: bytes) -> Heif:
    """Return where the picture is; raise DamagedBoxesError."""
    meta = next((box for box in boxes(data, 0, len(data)) if box.kind == b"meta"), None)
    if meta is None:
        raise CutOffBoxesError
    inside = {box.kind: box for box in boxes(data, meta.body + 4, meta.end)}
    try:
        primary = _primary(data, inside[b"pitm"])
        size = _size(data, inside[b"iprp"], primary)
        needed = _needed(data, inside.get(b"iref"), primary)
        extents = _extents(data, inside[b"iloc"], inside.get(b"idat"))
        found = tuple(each for item in needed for each in extents.get(item, ()))
    except (KeyError, IndexError, struct.error) as err:
        raise DamagedBoxesError from err
    if not extents.get(primary) and len(needed) < 2:
        raise DamagedBoxesError
    if any(end > len(data) for _, end in found):
        raise CutOffBoxesError
    return Heif(size, found, photo_format(data) is PhotoFormat.AVIF)


class _Reader:
    """Reads whole numbers one after the other."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self._data = data
        self._end = end
        self.at = at

    def number(self, size: int) -> int:
        """Return the next number of `size` bytes; raise IndexError."""
        if self.at + size > self._end:
            raise IndexError
        self.at += size
        return int.from_bytes(self._data[self.at - size : self.at])


def _reader(data: bytes, box: Box) -> tuple[_Reader, int, int]:
    """Return a reader of what follows a full box's version and flags, and those."""
    reader = _Reader(data, box.body, box.end)
    return reader, reader.number(1), reader.number(3)


def _primary(data: bytes, box: Box) -> int:
    reader, version, _ = _reader(data, box)
    return reader.number(4 if version else 2)


def _size(data: bytes, iprp: Box, item: int) -> tuple[int, int]:
    """Return an item's width and height."""
    inside = list(boxes(data, iprp.body, iprp.end))
    properties = [each for box in inside if box.kind == b"ipco" for each in boxes(data, box.body, box.end)]
    for box in inside:
        if box.kind == b"ipma":
            for index in _associated(data, box, item):
                if 0 < index <= len(properties) and properties[index - 1].kind == b"ispe":
                    return struct.unpack_from(">II", data, properties[index - 1].body + 4)
    raise DamagedBoxesError


def _associated(data: bytes, ipma: Box, item: int) -> list[int]:
    """Return the numbers of an item's properties, counted from 1."""
    reader, version, flags = _reader(data, ipma)
    for _ in range(min(reader.number(4), _MAX_BOXES)):
        number = reader.number(4 if version else 2)
        found = [
            reader.number(2) & 0x7FFF if flags & 1 else reader.number(1) & 0x7F
            for _ in range(reader.number(1))
        ]
        if number == item:
            return found
    return []


def _needed(data: bytes, iref: Box | None, primary: int) -> list[int]:
    """Return the picture's own item, the tiles that it is made of, and what lies over it, such as transparency."""
    made_of: dict[int, list[int]] = {}
    over: list[int] = []
    if iref is not None:
        _, version, _ = _reader(data, iref)
        wide = 4 if version else 2
        for box in boxes(data, iref.body + 4, iref.end):
            reader = _Reader(data, box.body, box.end)
            source = reader.number(wide)
            targets = [reader.number(wide) for _ in range(min(reader.number(2), _MAX_BOXES))]
            if box.kind == b"dimg":
                made_of[source] = targets
            elif box.kind == b"auxl" and primary in targets:
                over.append(source)
    needed: dict[int, None] = {}
    waiting = [primary, *over]
    while waiting:
        item = waiting.pop()
        if item not in needed:
            needed[item] = None
            waiting += made_of.get(item, ())
    return list(needed)


def _extents(data: bytes, iloc: Box, idat: Box | None) -> Mapping[int, list[tuple[int, int]]]:
    """Return where in the file the data of each item is."""
    reader, version, _ = _reader(data, iloc)
    sizes = reader.number(2)
    offset, length, base, index = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    if version == 0:
        index = 0
    found: dict[int, list[tuple[int, int]]] = {}
    read = 0
    for _ in range(min(reader.number(4 if version > 1 else 2), _MAX_BOXES)):
        item = reader.number(4 if version > 1 else 2)
        method = reader.number(2) & 15 if version else 0
        reader.number(2)
        start = reader.number(base)
        extents = found.setdefault(item, [])
        for _ in range(reader.number(2)):
            read += 1
            if read > _MAX_BOXES:
                raise DamagedBoxesError
            reader.number(index)
            first = start + reader.number(offset)
            many = reader.number(length)
            if method == 1 and idat is not None:
                first += idat.body
            elif method:
                continue
            extents.append((first, first + many if many else len(data)))
    return found
