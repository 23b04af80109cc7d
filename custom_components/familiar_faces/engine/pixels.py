"""From bytes to pixels, with limits that hold before anything is decoded."""

from dataclasses import dataclass, replace
import math
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from .headers import CutOffError, Header, NotAnImageError, TooLargeError, read_header
from .jpeg_whole import check_whole, ended
from .photo_formats import decode_photo
from .protocol import MAX_PIXELS
from .turning import rotated

__all__ = [
    "CutOffError",
    "Frame",
    "NotAnImageError",
    "Pixels",
    "TooLargeError",
    "decode",
    "encode_jpeg",
    "is_phone_photo",
    "open_frame",
    "whole_frame",
]

Pixels = NDArray[np.uint8]
"""Height x width x 3, blue first, 8 bits."""

MAX_WHOLE = 50 * 1024 * 1024
"""Pixels of what can only be decoded whole: 8160 x 6144, as phones with 50 megapixels write them, take 150 MB."""
MAX_DECODED = MAX_WHOLE // 2
"""Pixels to which a larger JPEG is reduced: 79 MB. Of 200 megapixels a quarter of width and height is left."""
MOST_LOOKED = 12_500_000
"""Pixels at which the whole picture is searched; a face 80 pixels wide is found in 200 megapixels."""
MAX_MEMORY = 384 * 1024 * 1024
"""Bytes that decoding may take: the pixels, and what the decoder holds besides."""
_LARGE = 4_000_000
"""Pixels from which a frame is first decoded at reduced scale. Measured on one core: 3840x2160 in full 18 ms
and 3 more to shrink it, at half scale 10, at a quarter 6; of 1920x1080 half scale saves 2 ms of 5."""
_REDUCED: dict[int, int] = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    1: cv2.IMREAD_COLOR,
}


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
    finest: int = 1
    """The least that `step` can become."""
    needed: float = 0.0
    """The finest scale that `refine` was asked for."""
    turn: int = 0
    """By how many quarters clockwise it is turned."""

    def refine(self, scale: float) -> None:
        """See to it that `pixels` are at `scale`, a share of the image's size, or larger; errors as `decode`.

        A picture too large to be decoded whole stays as coarse as it has to be.
        """
        self.needed = max(self.needed, scale)
        if self.step > self.finest and self.step * scale > 1:
            pixels, self.step = _decode_reduced(self.data, read_header(self.data), scale)
            self.pixels = rotated(pixels, self.turn)

    def turned(self, clockwise: int) -> Self:
        """Return the frame turned by some quarters more."""
        if not clockwise:
            return self
        size = self.size[::-1] if clockwise % 2 else self.size
        turn = (self.turn + clockwise) % 4
        return replace(self, pixels=rotated(self.pixels, clockwise), size=size, turn=turn)


def open_frame(data: bytes, scale: float) -> Frame:
    """Return an image decoded at `scale`, a share of its size, or larger; errors as `decode`.

    A large JPEG is made 1/2, 1/4 or 1/8 as wide and high by its decoder, which takes less time and memory; one of
    more pixels than fit in memory never becomes larger than that.
    """
    header = read_header(data)
    if header.heif is not None:
        _finest(header)
        pixels, step, size = decode_photo(data, header.heif)
        return Frame(b"", pixels, step, size, step)
    pixels, step = _decode_reduced(data, header, min(scale, scale_looked((header.width, header.height))))
    if step == 1:
        return whole_frame(pixels)
    # Its EXIF orientation may have turned it. Nearly square, it may look as if it had not: that is a few pixels.
    lies = pixels.shape[1] != _ceil(header.width, step)
    size = (header.height, header.width) if lies else (header.width, header.height)
    return Frame(data, pixels, step, size, _finest(header))


def is_phone_photo(data: bytes) -> bool:
    """Return whether these may be the bytes of a HEIC or AVIF photo, which is decoded in a process of its own."""
    return data[4:8] == b"ftyp"


def scale_looked(size: tuple[int, int]) -> float:
    """Return how large the whole of a picture is looked at at most, as a share of its width and height."""
    return min(1.0, math.sqrt(MOST_LOOKED / (size[0] * size[1])))


def whole_frame(pixels: Pixels) -> Frame:
    """Return the frame of an image that is decoded."""
    return Frame(b"", pixels, 1, (pixels.shape[1], pixels.shape[0]))


def decode(data: bytes) -> Pixels:
    """Return the pixels of a JPEG, PNG, WebP, HEIC or AVIF, upright.

    Grey, CMYK and 16-bit images become 8-bit colour; what is see-through lies on white; of an animation the
    first picture counts. EXIF orientation is applied (but not to images with transparency, which no camera
    makes). An image of which more is missing than the end mark, and of a JPEG the lowest row of blocks, is refused
    whole, because a decoder would fill the rest with grey. Raises NotAnImageError or TooLargeError with a sentence
    for people, the latter also for what only `open_frame` can take, reduced.
    """
    header = read_header(data)
    if header.heif is not None and header.width * header.height <= MAX_WHOLE:
        pixels, step, _ = decode_photo(data, header.heif)
        if step == 1:
            return pixels
    if header.heif is not None or _finest(header, MAX_WHOLE) > 1:
        raise TooLargeError(
            f"the image has {header.width} x {header.height} pixels, too many to be decoded whole"
        )
    return _decoded(data, header, 1, 1)


def encode_jpeg(image: Pixels, quality: int = 90) -> bytes:
    """Return the image as a JPEG."""
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError("the image cannot be written as a JPEG")
    return bytes(data)


def _finest(header: Header, most: int = MAX_DECODED) -> int:
    """Return how many pixels of the image one has to stand for at least; raise TooLargeError when it is too large.

    `most`: pixels that a JPEG may be decoded to.
    """
    pixels, jpeg = header.width * header.height, header.jpeg
    words = f"the image has {header.width} x {header.height} pixels, "
    if jpeg is None:
        limit = min(MAX_WHOLE, MAX_MEMORY // header.pixel_bytes)
        if pixels <= limit:
            return 1
        raise TooLargeError(f"{words}more than {limit // 1_000_000} million; as a JPEG it may have more")
    if pixels > MAX_PIXELS:
        raise TooLargeError(f"{words}more than {MAX_PIXELS // 1_000_000} million")
    for step in reversed(_REDUCED):
        decoded = _ceil(header.width, step) * _ceil(header.height, step)
        if decoded <= most and decoded * header.pixel_bytes + jpeg.held <= MAX_MEMORY:
            return step
    raise TooLargeError(f"{words}too many for a progressive JPEG")


def _decode_reduced(data: bytes, header: Header, scale: float) -> tuple[Pixels, int]:
    """Return pixels of at least `scale`, or as fine as they may be, and how many of the image's one stands for."""
    finest = _finest(header)
    step = finest
    if header.jpeg is not None and header.width * header.height >= _LARGE:
        step = max(finest, next((each for each in _REDUCED if each * scale <= 1), 1))
    return _decoded(data, header, step, finest), step


def _decoded(data: bytes, header: Header, step: int, finest: int) -> Pixels:
    if header.alpha:
        return _on_white(_read(data, cv2.IMREAD_UNCHANGED))
    if header.jpeg is None:
        return _read(data, cv2.IMREAD_COLOR)
    pixels = _read(ended(data, header.jpeg), _REDUCED[step])
    check_whole(
        data,
        header.jpeg,
        pixels,
        finest,
        lambda other, size: _read(other, _REDUCED[size] | cv2.IMREAD_IGNORE_ORIENTATION),
    )
    return pixels


def _read(data: bytes, flags: int) -> Pixels:
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except (cv2.error, MemoryError) as err:
        raise NotAnImageError("the image cannot be decoded") from err
    if image is None:
        raise NotAnImageError("the image cannot be decoded")
    return image  # type: ignore[no-any-return]


def _ceil(length: int, step: int) -> int:
    return -(-length // step)


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
