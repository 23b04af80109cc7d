"""Takes out of an image what a decoder does not need: where it was taken, who took it, with what, and when.

An engine may run on another machine, and a phone's photo, like many a camera's frame, says where the home is. So
what goes out is chosen by name, and whatever is not known to be needed stays here. Only the structure is read,
nothing is decoded: ITU-T T.81 and T.871 (JPEG), the W3C's PNG, RFC 9649 (WebP), and TIFF 6.0 for EXIF.

Kept: the picture's own data; of EXIF the orientation alone, in an EXIF made again, because the engine turns the
picture by it; of JFIF and Adobe's marker what tells the colours, without thumbnails. Colour profiles go: the
engine decodes without them. What lies behind the picture's end goes, too: phones put a film there, and a second
picture with an EXIF of its own.

A file that stops making sense is cut off at that place, and one of another kind after its first bytes. The
engine refuses both, as it would have refused them whole, and nothing that was not understood has left: a TIFF or
half an upload holds a position like any other. HEIC and AVIF have a module of their own, `heif_metadata`.
"""

from collections.abc import Iterator
import re
import struct
from typing import Final, Literal
import zlib

from ..engine.photo_formats import PNG_START, PhotoFormat, photo_format
from .heif_metadata import without_heif_metadata

_KIND_BYTES = 4
"""Bytes of a file of another kind that are passed on: no place fits into them."""
_MAX_PARTS = 20_000
"""Segments or chunks that are read. A PNG of 20 MB has 2,600 of the usual 8 KB; many more would only take time."""
_MAX_ENTRIES = 500
"""Entries of an EXIF directory that are read; a phone writes about fifteen."""
_ORIENTATION = 0x0112

_MARKER = re.compile(rb"\xff[^\x00\xff]")
_SCAN_END = re.compile(rb"\xff[\xc0-\xcf\xd8-\xfe]")
"""What ends a scan's data: a marker other than a restart. Reserved ones count as damaged data."""
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
"""JPEG markers without a length; ITU-T T.81, table B.1."""
_NEEDED_SEGMENTS = frozenset({*range(0xC0, 0xD0), *range(0xDA, 0xE0)}) - {0xC8}
"""Frames, scans and their tables."""
_APP0, _APP1, _APP14, _SOS, _EOI = 0xE0, 0xE1, 0xEE, 0xDA, 0xD9
_EXIF: Final = b"Exif\0\0"
_JFIF: Final = b"\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\1\0\1\0\0"
"""Version 1.01, square pixels, no thumbnail; ITU-T T.871, 10.1."""
_ADOBE_BYTES = 14
"""Length of Adobe's segment as it tells of itself, of which the last byte is the colour transform."""

_NEEDED_PNG = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT"})
_NEEDED_WEBP = frozenset({b"VP8 ", b"VP8L", b"ALPH", b"ANIM"})
_IN_FRAME = frozenset({b"VP8 ", b"VP8L", b"ALPH"})
_FRAME_HEADER = 16
"""Bytes before the chunks of a frame of an animated WebP; RFC 9649, 2.7.1.1."""
_WEBP_ALPHA_AND_ANIMATION, _WEBP_EXIF = 0x12, 0x08
"""Flags of VP8X; RFC 9649, 2.7."""


def without_metadata(image: bytes) -> bytes:
    """Return the same picture with nothing beside it; a JPEG or PNG without anything is returned as it is.

    Never raises, and takes time in proportion to the bytes: about half a millisecond for 1 MB.
    """
    kept = _Kept(image)
    match photo_format(image):
        case PhotoFormat.JPEG:
            _keep_jpeg(image, kept)
        case PhotoFormat.PNG:
            _keep_png(image, kept)
        case PhotoFormat.WEBP:
            return _webp(image)
        case PhotoFormat.HEIC | PhotoFormat.AVIF:
            return without_heif_metadata(image)
        case None:
            kept.keep(0, min(_KIND_BYTES, len(image)))
    return kept.joined()


class _Kept:
    """The parts of an image that are kept, in order; neighbours are one part."""

    def __init__(self, image: bytes) -> None:
        self._image = image
        self._view = memoryview(image)
        self._parts: list[bytes | memoryview] = []
        self._start = self._end = 0

    def keep(self, start: int, end: int) -> None:
        """Keep these bytes of the image."""
        if start != self._end:
            self._close()
            self._start = start
        self._end = end

    def put(self, data: bytes) -> None:
        """Put in bytes that are not the image's."""
        self._close()
        self._parts.append(data)

    def joined(self) -> bytes:
        """Return what was kept."""
        if not self._parts and self._start == 0 and self._end == len(self._image):
            return self._image
        self._close()
        return b"".join(self._parts)

    def _close(self) -> None:
        if self._end > self._start:
            self._parts.append(self._view[self._start : self._end])
        self._start = self._end


def _keep_jpeg(image: bytes, kept: _Kept) -> None:
    """Keep a JPEG's frames and scans up to its end mark."""
    kept.keep(0, 2)
    at, turned = 2, False
    for _ in range(_MAX_PARTS):
        # As decoders do: whatever lies between two segments is skipped.
        if (found := _MARKER.search(image, at)) is None:
            return
        at, marker = found.start(), image[found.end() - 1]
        if marker in _ALONE:
            at += 2
            continue
        if marker == _EOI:
            kept.keep(at, at + 2)
            return
        length = int.from_bytes(image[at + 2 : at + 4])
        end = at + 2 + length
        if length < 2 or end > len(image):
            return
        if marker in _NEEDED_SEGMENTS:
            kept.keep(at, end)
        elif marker == _APP0 and image.startswith(b"JFIF\0", at + 4) and length >= 16:
            # Its resolution is kept with it: usually there is no thumbnail, and so nothing to copy.
            kept.keep(at, end) if length == 16 else kept.put(_JFIF)
        elif marker == _APP14 and image.startswith(b"Adobe", at + 4) and length >= _ADOBE_BYTES:
            kept.put(b"\xff\xee" + _ADOBE_BYTES.to_bytes(2) + image[at + 4 : at + 2 + _ADOBE_BYTES])
        elif (
            marker == _APP1
            and image.startswith(_EXIF, at + 4)
            and not turned
            and (orientation := _orientation(image[at + 4 + len(_EXIF) : end])) is not None
        ):
            turned = True
            exif = _EXIF + _tiff(orientation)
            kept.put(b"\xff\xe1" + (2 + len(exif)).to_bytes(2) + exif)
        at = end
        if marker == _SOS:
            found = _SCAN_END.search(image, at)
            end = len(image) if found is None else found.start()
            kept.keep(at, end)
            at = end


def _keep_png(image: bytes, kept: _Kept) -> None:
    """Keep a PNG's pixels, palette, transparency and animation up to its end mark."""
    at, turned = len(PNG_START), False
    kept.keep(0, at)
    for _ in range(_MAX_PARTS):
        kind = image[at + 4 : at + 8]
        end = at + 12 + int.from_bytes(image[at : at + 4])
        if end > len(image):
            return
        if kind in _NEEDED_PNG:
            kept.keep(at, end)
        elif kind == b"eXIf" and not turned:
            turned = True
            if (orientation := _orientation(image[at + 8 : end - 4])) is not None:
                chunk = b"eXIf" + _tiff(orientation)
                kept.put((len(chunk) - 4).to_bytes(4) + chunk + zlib.crc32(chunk).to_bytes(4))
        if kind == b"IEND":
            return
        at = end


def _webp(image: bytes) -> bytes:
    """Return a WebP with its pictures alone."""
    end = 8 + int.from_bytes(image[4:8], "little")
    if end > len(image):
        # It says itself that there should be more, and must not look whole.
        return image[:12]
    chunks = list(_webp_chunks(image[12:end]))
    flags = chunks[0][1][0] if chunks and chunks[0][0] == b"VP8X" and chunks[0][1] else 0
    orientation = None
    if flags & _WEBP_EXIF:
        orientation = next((_orientation(data) for kind, data in chunks if kind == b"EXIF"), None)
    parts = [b"WEBP"]
    for kind, data in chunks:
        if kind == b"VP8X":
            flags = flags & _WEBP_ALPHA_AND_ANIMATION | (0 if orientation is None else _WEBP_EXIF)
            parts.append(_webp_chunk(kind, bytes((flags,)) + data[1:]))
        elif kind == b"ANMF":
            inside = (
                _webp_chunk(*part) for part in _webp_chunks(data[_FRAME_HEADER:]) if part[0] in _IN_FRAME
            )
            parts.append(_webp_chunk(kind, data[:_FRAME_HEADER] + b"".join(inside)))
        elif kind in _NEEDED_WEBP:
            parts.append(_webp_chunk(kind, data))
    if orientation is not None:
        parts.append(_webp_chunk(b"EXIF", _tiff(orientation)))
    pictures = b"".join(parts)
    return b"RIFF" + len(pictures).to_bytes(4, "little") + pictures


def _webp_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kinds and contents of the chunks that are there whole."""
    at = 0
    for _ in range(_MAX_PARTS):
        start = at + 8
        end = start + int.from_bytes(data[at + 4 : start], "little")
        if start > len(data) or end > len(data):
            return
        yield data[at : at + 4], data[start:end]
        # Chunks begin at even places.
        at = end + end % 2


def _webp_chunk(kind: bytes, data: bytes) -> bytes:
    return kind + len(data).to_bytes(4, "little") + data + bytes(len(data) % 2)


def _orientation(tiff: bytes) -> int | None:
    """Return the orientation in EXIF's first directory, None when there is none; as the engine's decoder does.

    TIFF 6.0, section 2: a header with the byte order, then 12 bytes an entry.
    """
    order: Literal["little", "big"]
    if tiff.startswith(b"II*\0"):
        order = "little"
    elif tiff.startswith(b"MM\0*"):
        order = "big"
    else:
        return None
    at = int.from_bytes(tiff[4:8], order)
    entries = int.from_bytes(tiff[at : at + 2], order)
    for start in range(at + 2, at + 2 + 12 * min(entries, _MAX_ENTRIES), 12):
        entry = tiff[start : start + 12]
        if len(entry) == 12 and int.from_bytes(entry[:2], order) == _ORIENTATION:
            return int.from_bytes(entry[8:10], order)
    return None


def _tiff(orientation: int) -> bytes:
    """Return EXIF with an orientation and nothing else."""
    return struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, _ORIENTATION, 3, 1, orientation, 0, 0)
