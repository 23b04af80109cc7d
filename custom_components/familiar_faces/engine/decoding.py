"""From bytes to pixels, in the process that asks."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .headers import Header, Kind, NotAnImageError, only_picture
from .jpeg_whole import check_whole, ended
from .memory import named_shortage

Pixels = NDArray[np.uint8]
"""Height x width x 3, blue first, 8 bits."""
REDUCED: dict[int, int] = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    1: cv2.IMREAD_COLOR,
}
"""How a JPEG is read when one pixel is to stand for so many of its own across and down."""


def decode_here(data: bytes, header: Header, finest: int, step: int | None = None) -> Pixels:
    """Return the upright pixels of a JPEG, PNG or WebP, decoded by this process; errors as `decode`.

    Of a JPEG one stands for `step` of its pixels across and down, and never for fewer than `finest`.
    """
    if header.kind is Kind.PNG:
        data = only_picture(data)
    if header.alpha:
        return _on_white(_read(data, cv2.IMREAD_UNCHANGED))
    if header.jpeg is None:
        return _read(data, cv2.IMREAD_COLOR)
    pixels = _read(ended(data, header.jpeg), REDUCED[step or finest])
    check_whole(
        data,
        header.jpeg,
        pixels,
        finest,
        lambda other, size: _read(other, REDUCED[size] | cv2.IMREAD_IGNORE_ORIENTATION),
    )
    return pixels


def _read(data: bytes, flags: int) -> Pixels:
    try:
        with named_shortage():
            image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as err:
        raise NotAnImageError("the image cannot be decoded") from err
    if image is None:
        raise NotAnImageError("the image cannot be decoded")
    return image  # type: ignore[no-any-return]


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
