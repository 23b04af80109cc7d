"""From bytes to pixels, with limits that hold before anything is decoded."""

from dataclasses import dataclass, replace
import math
from typing import Self

import cv2

from .budget import plan
from .decoding import REDUCED, Pixels, decode_here
from .decoding_apart import decode_apart
from .headers import CutOffError, Header, NotAnImageError, TooLargeError, read_header
from .levelling import Box
from .turning import rotated

__all__ = [
    "CutOffError",
    "Frame",
    "HeavyError",
    "NotAnImageError",
    "Pixels",
    "TooLargeError",
    "decode",
    "encode_jpeg",
    "open_frame",
    "whole_frame",
]

MOST_LOOKED = 12_500_000
"""Pixels at which the whole picture is searched; a face 80 pixels wide is found in 200 megapixels."""
_LARGE = 4_000_000
"""Pixels from which a frame is first decoded at reduced scale. Measured on one core: 3840x2160 in full 18 ms
and 3 more to shrink it, at half scale 10, at a quarter 6; of 1920x1080 half scale saves 2 ms of 5."""


@dataclass(slots=True)
class Frame:
    """An image that is decoded only as far as it is used."""

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
            pixels, self.step = _decode_reduced(self.data, read_header(self.data), self.finest, scale)
            self.pixels = rotated(pixels, self.turn)

    def scaled(self, box: Box) -> Box:
        """Return a box, left, top, width and height in pixels of the image, in those of `pixels`."""
        left, top, width, height = (value / self.step for value in box)
        return left, top, width, height

    def turned(self, clockwise: int) -> Self:
        """Return the frame turned by some quarters more."""
        if not clockwise:
            return self
        size = self.size[::-1] if clockwise % 2 else self.size
        turn = (self.turn + clockwise) % 4
        return replace(self, pixels=rotated(self.pixels, clockwise), size=size, turn=turn)


class HeavyError(Exception):
    """The image takes so much to decode that it is done by a process of its own, which was not allowed."""


def open_frame(data: bytes, scale: float, *, heavy: bool = True) -> Frame:
    """Return an image decoded at `scale`, a share of its size, or larger; errors as `decode`.

    A large JPEG is made 1/2, 1/4 or 1/8 as wide and high by its decoder, which takes less time and memory; one of
    more pixels than fit in memory never becomes larger than that. Without `heavy` raises HeavyError when a process
    of its own would have to decode it, which may take seconds.
    """
    header = read_header(data)
    planned = plan(header, len(data))
    if planned.apart:
        if not heavy:
            raise HeavyError
        pixels, step, size = decode_apart(data, header, planned.finest)
        return Frame(b"", pixels, step, size, step)
    wanted = min(scale, scale_looked((header.width, header.height)))
    pixels, step = _decode_reduced(data, header, planned.finest, wanted)
    if step == 1:
        return whole_frame(pixels)
    # Its EXIF orientation may have turned it. Nearly square, it may look as if it had not: that is a few pixels.
    lies = pixels.shape[1] != _ceil(header.width, step)
    size = (header.height, header.width) if lies else (header.width, header.height)
    return Frame(data, pixels, step, size, planned.finest)


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
    planned = plan(header, len(data))
    if planned.apart:
        pixels, step, _ = decode_apart(data, header, planned.finest)
    else:
        pixels, step = decode_here(data, header, planned.finest), planned.finest
    if step > 1:
        raise TooLargeError(
            f"the image has {header.width} x {header.height} pixels, too many to be decoded whole"
        )
    return pixels


def encode_jpeg(image: Pixels, quality: int = 90) -> bytes:
    """Return the image as a JPEG."""
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError("the image cannot be written as a JPEG")
    return bytes(data)


def _decode_reduced(data: bytes, header: Header, finest: int, scale: float) -> tuple[Pixels, int]:
    """Return pixels of at least `scale`, or as fine as they may be, and how many of the image's one stands for."""
    step = finest
    if header.jpeg is not None and header.width * header.height >= _LARGE:
        step = max(finest, next((each for each in REDUCED if each * scale <= 1), 1))
    return decode_here(data, header, finest, step), step


def _ceil(length: int, step: int) -> int:
    return -(-length // step)
