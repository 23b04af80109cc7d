"""From bytes to pixels, with limits that hold before anything is decoded."""

from dataclasses import dataclass
import re
import struct
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .protocol import MAX_BYTES, MAX_PIXELS

Pixels = NDArray[np.uint8]
"""Height x width x 3, blue first, 8 bits."""

_PNG = b"\x89PNG\r\n\x1a\n"
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG markers that start a frame and so tell its size; ITU-T T.81, table B.1."""
_MARKER = re.compile(rb"\xff[^\x00\xff]")
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
"""JPEG markers without a length."""
_LARGE = 4_000_000
"""Pixels from which a frame is first decoded at reduced scale. Measured on one core: 3840x2160 in full 18 ms
and 3 more to shrink it, at half scale 10, at a quarter 6; of 1920x1080 half scale saves 2 ms of 5."""
_REDUCED = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2,
}


class NotAnImageError(ValueError):
    """The bytes are not an image that can be decoded whole."""


class TooLargeError(ValueError):
    """The image has more bytes or pixels than are decoded."""


@dataclass(frozen=True, slots=True)
class Header:
    """What an image says of itself before it is decoded."""

    width: int
    height: int
    alpha: bool = False
    reducible: bool = False
    """Whether it can be decoded at reduced scale in less time: JPEGs."""


@dataclass(slots=True)
class Frame:
    """An image of which no more is decoded than is looked at."""

    data: bytes
    pixels: Pixels
    """The finest that was decoded so far, upright."""
    step: int
    """How many pixels of the image one of `pixels` is wide and high."""
    size: tuple[int, int]
    """Width and height of the upright image, pixels."""
    needed: float = 0.0
    """The finest scale that `refine` was asked for."""

    def refine(self, scale: float) -> None:
        """See to it that `pixels` are at `scale`, a share of the image's size, or larger; errors as `decode`."""
        self.needed = max(self.needed, scale)
        if self.step > 1 and self.step * scale > 1:
            self.pixels, self.step = _decode_reduced(self.data, _header(self.data), scale)


def open_frame(data: bytes, scale: float) -> Frame:
    """Return an image decoded at `scale`, a share of its size, or larger; errors as `decode`.

    A large JPEG is made 1/2, 1/4 or 1/8 as wide and high by its decoder, which takes less time and memory.
    """
    header = _header(data)
    pixels, step = _decode_reduced(data, header, scale)
    if step == 1:
        return whole_frame(pixels)
    # Its EXIF orientation may have turned it.
    lies = pixels.shape[1] != _ceil(header.width, step)
    return Frame(data, pixels, step, (header.height, header.width) if lies else (header.width, header.height))


def whole_frame(pixels: Pixels) -> Frame:
    """Return the frame of an image that is decoded."""
    return Frame(b"", pixels, 1, (pixels.shape[1], pixels.shape[0]))


def decode(data: bytes) -> Pixels:
    """Return the pixels of a JPEG, PNG or WebP, upright.

    Grey, CMYK and 16-bit images become 8-bit colour; what is see-through lies on white; of an animation the
    first picture counts. EXIF orientation is applied (but not to images with transparency, which no camera
    makes). An image that ends before its end mark is refused whole, because a decoder would fill the rest
    with grey. Raises NotAnImageError or TooLargeError with a sentence for people.
    """
    header = _header(data)
    if header.alpha:
        return _on_white(_decoded(data, cv2.IMREAD_UNCHANGED))
    return _decoded(data, cv2.IMREAD_COLOR)


def encode_jpeg(image: Pixels, quality: int = 90) -> bytes:
    """Return the image as a JPEG."""
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError("the image cannot be written as a JPEG")
    return bytes(data)


def read_header(data: bytes) -> Header:
    """Return the size that an image claims; raise NotAnImageError or TooLargeError.

    Only the structure is read: ITU-T T.81 (JPEG), the W3C's PNG and RFC 9649 (WebP).
    """
    if len(data) > MAX_BYTES:
        raise TooLargeError(f"the image has more than {MAX_BYTES >> 20} MB")
    if not data:
        raise NotAnImageError("the request has no image in it")
    try:
        if data.startswith(b"\xff\xd8\xff"):
            header = _read_jpeg(data)
        elif data.startswith(_PNG):
            header = _read_png(data)
        elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            header = _read_webp(data)
        else:
            raise NotAnImageError("this is not a JPEG, PNG or WebP image")
    except (struct.error, IndexError) as err:
        raise NotAnImageError("the image is cut off") from err
    if not header.width or not header.height:
        raise NotAnImageError("the image is empty")
    return header


def _header(data: bytes) -> Header:
    """Return the header of an image that is not too large to be decoded."""
    header = read_header(data)
    if header.width * header.height > MAX_PIXELS:
        raise TooLargeError(
            f"the image has {header.width} x {header.height} pixels, "
            f"more than {MAX_PIXELS // 1_000_000} million"
        )
    return header


def _decoded(data: bytes, flags: int) -> Pixels:
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except (cv2.error, MemoryError) as err:
        raise NotAnImageError("the image cannot be decoded") from err
    if image is None:
        raise NotAnImageError("the image cannot be decoded")
    return image  # type: ignore[no-any-return]


def _decode_reduced(data: bytes, header: Header, scale: float) -> tuple[Pixels, int]:
    """Return pixels of at least `scale`, and how many of the image's one stands for."""
    if header.reducible and header.width * header.height >= _LARGE:
        for step, flags in _REDUCED.items():
            # If both sides became the same one could not tell whether the image was turned.
            square = _ceil(header.width, step) == _ceil(header.height, step)
            if step * scale <= 1 and (not square or header.width == header.height):
                return _decoded(data, flags), step
    return decode(data), 1


def _ceil(length: int, step: int) -> int:
    return -(-length // step)


def _read_jpeg(data: bytes) -> Header:
    at, header = 2, None
    while True:
        if (found := _MARKER.search(data, at)) is None:
            raise NotAnImageError("the image is cut off")
        at, marker = found.start(), data[found.end() - 1]
        if marker in _ALONE:
            at += 2
            continue
        if marker == 0xD9:
            raise NotAnImageError("the JPEG has no picture in it")
        (length,) = struct.unpack_from(">H", data, at + 2)
        if marker in _SOF:
            height, width = struct.unpack_from(">HH", data, at + 5)
            header = Header(width, height, reducible=True)
        at += 2 + length
        if marker == 0xDA:
            break
    # In the picture's data 0xFF is always followed by 0 or a restart, so this can only be the end mark.
    if header is None or data.find(b"\xff\xd9", at) < 0:
        raise NotAnImageError("the image is cut off")
    return header


def _read_png(data: bytes) -> Header:
    at, header, alpha = len(_PNG), None, False
    while True:
        length, kind = struct.unpack_from(">I4s", data, at)
        if header is None:
            if kind != b"IHDR":
                raise NotAnImageError("the PNG does not start with its header")
            width, height, _, colour = struct.unpack_from(">IIBB", data, at + 8)
            header, alpha = (width, height), colour in (4, 6)
        alpha = alpha or kind == b"tRNS"
        if kind == b"IEND":
            return Header(*header, alpha)
        at += 12 + length


def _read_webp(data: bytes) -> Header:
    size, kind = struct.unpack_from("<I", data, 4)[0], data[12:16]
    if size + 8 > len(data):
        raise NotAnImageError("the image is cut off")
    if kind == b"VP8X":
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
        return Header(width, height, bool(data[20] & 0x10))
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        return Header((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1))
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return Header(width & 0x3FFF, height & 0x3FFF)
    raise NotAnImageError("the WebP has no picture in it")


def _on_white(image: NDArray[Any]) -> Pixels:
    """Return an image laid on white, so that what its maker hid stays hidden."""
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    if image.ndim == 2:
        return np.repeat(image[..., None], 3, axis=2)
    if image.shape[2] < 4:
        return np.ascontiguousarray(image)
    mixed = np.empty((*image.shape[:2], 3), np.uint8)
    # In stripes, because the sums need four times the room.
    for top in range(0, len(image), 256):
        stripe = image[top : top + 256]
        alpha = stripe[..., 3:].astype(np.uint16)
        mixed[top : top + 256] = (stripe[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255
    return mixed
