"""Whether a JPEG's picture is all there.

A decoder that runs out of data fills the rest with grey and says nothing. Half a face in grey must not be compared,
and yet the end mark alone tells little: some cameras never write it, and a picture that lost its lower half on the
way may have it. So what counts is the picture: up to one row of blocks, 8 or 16 pixels at its lower edge, may be
missing.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .headers import CutOffError, Jpeg

_GREY = 128
"""What a block without any coefficient is in each of three colours."""
_END = b"\xff\xd9"
_NOISE = np.random.default_rng(0).integers(0, 255, (8, 512), np.uint8)
"""Data that no picture has, without 255, which begins a marker."""
_OTHER_END = b"".join(bytes(row) + b"\xff" + bytes([0xD0 + at]) for at, row in enumerate(_NOISE)) + _END
"""An end whose data would be seen where the picture's own has run out, at every restart too."""

type Decode = Callable[[bytes, int], NDArray[np.uint8]]


def ended(data: bytes, jpeg: Jpeg) -> bytes:
    """Return a JPEG that has an end mark: without one, OpenCV gives no picture, or one that ends in black."""
    return data if jpeg.end is not None else data[:].rstrip(b"\xff") + _END


def check_whole(data: bytes, jpeg: Jpeg, pixels: NDArray[np.uint8], finest: int, decode: Decode) -> None:
    """Raise CutOffError when more than the lowest row of blocks is missing.

    `pixels`: the picture as it was decoded, at any scale and turned in any way. `finest`: how many pixels one may
    stand for at least when it is decoded again. `decode`: makes pixels of bytes, as they lie, at 1/1, 1/2, 1/4 or
    1/8 of the size; it is only called when there is doubt.
    """
    if not jpeg.scanned:
        raise CutOffError
    if jpeg.refines:
        # All of it is seen early, and what is missing of a later scan shows in no corner.
        step = finest
    else:
        # What is missing of one scan is grey up to the corner where it ends. Colours of print have another grey.
        if jpeg.colours < 4 and not _grey_corner(pixels):
            return
        step = 8
    body = data[: jpeg.end].rstrip(b"\xff")
    one, other = (decode(body + end, step) for end in (_END, _OTHER_END))
    differs = np.flatnonzero((one != other).reshape(len(one), -1).any(axis=1))
    # At full size the colours of a row of blocks reach one pixel into the row above.
    if (
        len(differs)
        and (int(differs[0]) + (step == 1)) * step // jpeg.rows < (len(one) - 1) * step // jpeg.rows
    ):
        raise CutOffError


def _grey_corner(pixels: NDArray[np.uint8]) -> bool:
    corners = pixels[[0, 0, -1, -1], [0, -1, 0, -1]].astype(int)
    return bool((np.abs(corners - _GREY) <= 1).all(axis=-1).any())
