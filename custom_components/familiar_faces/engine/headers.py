"""What an image says of itself, read before anything of it is decoded."""

from dataclasses import dataclass
from enum import StrEnum
import re
import struct

from .heif_boxes import CutOffBoxesError, DamagedBoxesError, Heif, read_heif
from .photo_formats import PNG_START, PhotoFormat, photo_format
from .protocol import MAX_BYTES

_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG markers that start a frame and so tell its size; ITU-T T.81, table B.1."""
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_QUICK = frozenset({0xC0, 0xC1, 0xC2})
"""Markers of the ordinary ways; the others, arithmetic coding above all, take several times as long."""
_SOS, _EOI = 0xDA, 0xD9
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
"""A marker; restarts are left out, as they belong to the picture's data."""
_ALONE = frozenset({0x01, 0xD8})
"""JPEG markers without a length, besides the restarts and the end mark."""
_BETWEEN_SCANS = frozenset({*range(0xC0, 0xD0), *range(0xDA, 0xF0), 0xFE})
"""Markers that a picture's data may be followed by; others are damaged data, which decoders skip."""
_MAX_SCANS = 100
"""Scans of a JPEG that are decoded. Ordinary ones have about ten; each takes its time, however little is in it."""
_MAX_PARTS = 20_000
"""Segments or chunks that are read; a PNG of 64 MB has 8,200 of the usual 8 KB."""
_PICTURE = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"eXIf"})
"""Chunks of a PNG that are its picture, or say how it is turned."""
_ALL = (1 << 64) - 1
"""The 64 coefficients of a block, one bit each."""


class NotAnImageError(ValueError):
    """The bytes are not an image that can be decoded whole."""


class CutOffError(NotAnImageError):
    """A part of the image is missing."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("the image is cut off")


class TooLargeError(ValueError):
    """The image has more bytes or pixels than are decoded."""


@dataclass(frozen=True, slots=True)
class Jpeg:
    """What is known of a JPEG besides. It can be decoded at reduced scale in less time and memory."""

    end: int | None
    """Where its end mark is. Some cameras write none, and it is lost when a transfer is cut off."""
    refines: bool
    """Whether later scans make better what earlier ones show: progressive JPEGs."""
    scanned: bool
    """Whether there is a scan of all coefficients of all colours in full precision."""
    colours: int
    rows: int
    """Height of a row of blocks, pixels: what is decoded at once."""
    held: int
    """Bytes of coefficients that the decoder has to hold at once; 0 when one scan has the whole picture."""
    scans: int = 1
    """How often the decoder goes through the picture."""
    slow: bool = False
    """Whether it is coded in a way that takes several times as long."""


class Kind(StrEnum):
    """The format of an image, as its decoder is chosen."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    MOVING_WEBP = "moving_webp"
    HEIC = "heic"
    AVIF = "avif"


@dataclass(frozen=True, slots=True)
class Header:
    """What an image says of itself before it is decoded."""

    width: int
    height: int
    alpha: bool = False
    kind: Kind = Kind.JPEG
    pixel_bytes: float = 3
    """Bytes that a pixel takes while it is decoded where images are looked at."""
    apart_bytes: float = 3
    """Bytes that it takes while it is decoded by a process of its own, where another decoder may be used."""
    jpeg: Jpeg | None = None
    heif: Heif | None = None
    """Where the picture of a HEIC or AVIF photo is."""


def read_header(data: bytes) -> Header:
    """Return what an image claims; raise NotAnImageError or TooLargeError with a sentence for people.

    Only the structure is read: ITU-T T.81 (JPEG), the W3C's PNG, RFC 9649 (WebP) and ISO/IEC 23008-12
    (HEIC, AVIF).
    """
    if len(data) > MAX_BYTES:
        raise TooLargeError(f"the image has more than {MAX_BYTES >> 20} MB")
    if not data:
        raise NotAnImageError("the request has no image in it")
    try:
        match photo_format(data):
            case PhotoFormat.JPEG:
                header = _read_jpeg(data)
            case PhotoFormat.PNG:
                header = _read_png(data)
            case PhotoFormat.WEBP:
                header = _read_webp(data)
            case PhotoFormat.HEIC | PhotoFormat.AVIF:
                header = _read_heif(data)
            case None:
                raise NotAnImageError("this is not a JPEG, PNG, WebP, HEIC or AVIF image")
    except (struct.error, IndexError, CutOffBoxesError) as err:
        raise CutOffError from err
    if not header.width or not header.height:
        raise NotAnImageError("the image is empty")
    return header


def _read_jpeg(data: bytes) -> Header:
    at, scans = 2, 0
    end: int | None = None
    frame: _JpegFrame | None = None
    for _ in range(_MAX_PARTS):
        if (found := _MARKER.search(data, at)) is None:
            break
        at, marker = found.start(), data[found.end() - 1]
        if marker == _EOI:
            end = at
            break
        if marker in _ALONE or (scans and marker not in _BETWEEN_SCANS):
            at += 2
            continue
        if at + 4 > len(data):
            break
        (length,) = struct.unpack_from(">H", data, at + 2)
        if marker in _SOF and frame is None:
            frame = _JpegFrame(data, at + 4, marker)
        elif marker == _SOS and frame is not None:
            frame.scan(data, at + 4)
            scans += 1
            if scans > _MAX_SCANS:
                raise NotAnImageError("the JPEG has too many scans")
        at += 2 + length
    else:
        raise NotAnImageError("the image is damaged")
    if end is not None and not scans:
        raise NotAnImageError("the JPEG has no picture in it")
    if frame is None or not scans or at > len(data):
        raise CutOffError
    return frame.header(end)


class _JpegFrame:
    """A JPEG's frame, and which of its coefficients were scanned so far."""

    def __init__(self, data: bytes, at: int, marker: int) -> None:
        """Read a frame header from behind its length; raises IndexError, struct.error or NotAnImageError."""
        self._progressive = marker in _PROGRESSIVE
        self._slow = marker not in _QUICK
        self._scans = 0
        self._height, self._width, count = struct.unpack_from(">HHB", data, at + 1)
        # Identifier, and how many samples a block's worth of pixels has, across and down.
        self._sampling = {
            data[start]: (data[start + 1] >> 4, data[start + 1] & 15)
            for start in range(at + 6, at + 6 + 3 * count, 3)
        }
        if not self._sampling or not all(0 < each <= 4 for both in self._sampling.values() for each in both):
            raise NotAnImageError("the image is damaged")
        self._done = dict.fromkeys(self._sampling, 0)
        self._together = True

    def scan(self, data: bytes, at: int) -> None:
        """Note what a scan holds, from behind its header's length; raises IndexError."""
        self._scans += 1
        count = data[at]
        first, last, precision = struct.unpack_from("BBB", data, at + 1 + 2 * count)
        bits = _ALL
        if self._progressive:
            bits = (1 << last + 1) - (1 << first) if first <= last < 64 and not precision & 15 else 0
        for start in range(at + 1, at + 1 + 2 * count, 2):
            if data[start] in self._done:
                self._done[data[start]] |= bits
        self._together = self._together and count == len(self._sampling)

    def header(self, end: int | None) -> Header:
        """Return what was read."""
        across, down = (max(each) for each in zip(*self._sampling.values(), strict=True))
        held = 0
        if self._progressive or not self._together:
            for wide, high in self._sampling.values():
                blocks = -(-self._width * wide // (8 * across)) * -(-self._height * high // (8 * down))
                held += 128 * blocks
        return Header(
            self._width,
            self._height,
            jpeg=Jpeg(
                end,
                self._progressive,
                all(bits == _ALL for bits in self._done.values()),
                len(self._sampling),
                8 * down,
                held,
                self._scans,
                self._slow,
            ),
        )


def _read_png(data: bytes) -> Header:
    at = len(PNG_START)
    size: tuple[int, int] | None = None
    alpha, deep = False, False
    for _ in range(_MAX_PARTS):
        length, kind = struct.unpack_from(">I4s", data, at)
        if size is None:
            if kind != b"IHDR":
                raise NotAnImageError("the PNG does not start with its header")
            width, height, depth, colour = struct.unpack_from(">IIBB", data, at + 8)
            size, alpha, deep = (width, height), colour in (4, 6), depth == 16
        alpha = alpha or kind == b"tRNS"
        if kind == b"IEND":
            # Near, OpenCV makes 3 bytes a pixel, or 4 or 8 and 3 of those; apart, Pillow makes 4 of every kind, of
            # which a quarter is there again when they are reduced.
            near = 3 if not alpha else 4 + 3 + 4 * deep
            return Header(*size, alpha, Kind.PNG, near, 5.5)
        at += 12 + length
    raise NotAnImageError("the image is damaged")


def _read_webp(data: bytes) -> Header:
    size, kind = struct.unpack_from("<I", data, 4)[0], data[12:16]
    if size + 8 > len(data):
        raise CutOffError
    # Measured, bytes that each pixel adds: 5.4 lossy, 6.2 lossless, which VP8X may have in it; what is see-through is
    # 4 first, and 3 of those. An animation's decoder holds two pictures besides and a part of the next.
    if kind == b"VP8X":
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
        alpha = bool(data[20] & 0x10)
        if data[20] & 0x02:
            return Header(width, height, alpha, Kind.MOVING_WEBP, 20, 20)
        return Header(width, height, alpha, Kind.WEBP, *((11, 12) if alpha else (7, 7)))
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        alpha = bool(bits >> 28 & 1)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        return Header(width, height, alpha, Kind.WEBP, *((11, 12) if alpha else (7, 7)))
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return Header(width & 0x3FFF, height & 0x3FFF, False, Kind.WEBP, 6, 6)
    raise NotAnImageError("the WebP has no picture in it")


def _read_heif(data: bytes) -> Header:
    try:
        heif = read_heif(data)
    except CutOffBoxesError:
        raise
    except DamagedBoxesError as err:
        raise NotAnImageError("the image is damaged") from err
    # Measured, bytes that each pixel adds: 4.5 of HEIC, 7.7 of AVIF, which Pillow has twice.
    kind, each = (Kind.AVIF, 8) if heif.avif else (Kind.HEIC, 4.5)
    return Header(*heif.size, False, kind, each, each, heif=heif)


def only_picture(data: bytes) -> bytes:
    """Return a PNG without what is no part of its first picture, so that nothing of that is unpacked.

    Colour profiles and texts are packed, and there may be many of them. Call it after `read_header`.
    """
    parts, at = [data[: len(PNG_START)]], len(PNG_START)
    kind = b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind in _PICTURE:
            parts.append(data[at : at + 12 + length])
        at += 12 + length
    return b"".join(parts)
