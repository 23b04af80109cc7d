"""What people wear at a door, drawn onto a face by its five landmarks."""

from collections.abc import Callable
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from custom_components.familiar_faces.engine.pixels import Pixels

from .places import FACE, Place
from .scenes import levels

EYES = ((38.3, 52.0), (73.7, 52.0))
"""Where the template has the eyes."""
SOFT = 1.2
"""Standard deviation of the edges of what is drawn, pixels of the template."""

type Shape = NDArray[np.float64]
"""A closed outline in the template, n x 2."""


class Worn(StrEnum):
    """What a face wears."""

    CAP = "cap"
    SUNGLASSES = "sunglasses"
    GLASSES = "thick glasses"
    MASK = "mask"
    SCARF = "scarf"


def wear(image: Pixels, place: Place, worn: Worn) -> Pixels:
    """Return the picture with something worn by the face."""
    return _DRAWN[worn](image, place)


def _cap(image: Pixels, place: Place) -> Pixels:
    """Return a peaked cap: all above the brows, and the shadow of its peak on the eyes."""
    across, down = np.moveaxis(place.from_picture((image.shape[1], image.shape[0])), -1, 0)
    # Darkest under the peak, gone at the nose's tip.
    deep = np.clip((72 - down) / 34, 0, 1) * (down > 20) * np.exp(-(((across - 56) / 52) ** 4))
    image = levels(image * (1 - 0.6 * deep)[..., None])
    crown = _ellipse((56, 26), (52, 58))
    crown = crown[crown[:, 1] <= 27]
    image = _filled(image, place, crown, (58, 44, 34))
    return _filled(image, place, _ellipse((56, 29), (54, 11)), (44, 33, 25))


def _sunglasses(image: Pixels, place: Place) -> Pixels:
    for eye, side in zip(EYES, (-1, 1), strict=True):
        lens = _ellipse((eye[0] + 1.5 * side, eye[1] + 3), (17.5, 14))
        image = _filled(image, place, lens, (22, 20, 20), 0.96)
        image = _filled(image, place, _ellipse((eye[0] - 5, eye[1] - 2), (5, 2.5)), (120, 115, 110), 0.5)
    image = _filled(image, place, _bar((50, 49), (62, 49), 2.2), (25, 22, 22))
    for inner, outer in (((22, 50), (4, 46)), ((90, 50), (108, 46))):
        image = _filled(image, place, _bar(inner, outer, 2.2), (25, 22, 22))
    return image


def _glasses(image: Pixels, place: Place) -> Pixels:
    """Return glasses with a thick black frame, and a reflection on each lens."""
    for eye in EYES:
        lens = _ellipse((eye[0], eye[1] + 2), (16.5, 12.5), square=4)
        image = _filled(image, place, lens, (235, 235, 235), 0.12)
        streak = np.array([[-10, 10], [-2, -7], [4, -7], [-4, 10]]) + np.array(eye)
        image = _filled(image, place, streak, (245, 245, 245), 0.35)
        image = _line(image, place, lens, 4.0, (24, 22, 22))
    image = _filled(image, place, _bar((53, 50), (59, 50), 3.0), (24, 22, 22))
    for inner, outer in (((21, 49), (4, 46)), ((91, 49), (108, 46))):
        image = _filled(image, place, _bar(inner, outer, 3.0), (24, 22, 22))
    return image


def _mask(image: Pixels, place: Place) -> Pixels:
    """Return a surgical mask from the bridge of the nose to the chin."""
    outline = np.array(
        [
            [13, 68],
            [38, 66],
            [56, 60],
            [74, 66],
            [99, 68],
            [94, 100],
            [78, 120],
            [56, 126],
            [34, 120],
            [18, 100],
        ],
        float,
    )
    image = _filled(image, place, outline, (205, 190, 165))
    for fold in (80, 92, 104):
        image = _filled(image, place, _bar((20, fold), (92, fold), 1.0), (180, 165, 140), 0.7)
    return image


def _scarf(image: Pixels, place: Place) -> Pixels:
    """Return a knitted scarf over mouth and chin."""
    outline = np.array(
        [[-6, 84], [20, 80], [56, 78], [92, 80], [118, 84], [124, 150], [56, 165], [-12, 150]], float
    )
    image = _filled(image, place, outline, (52, 46, 118))
    for row in range(86, 150, 8):
        image = _filled(image, place, _bar((-6, row), (118, row + 2), 1.6), (90, 84, 150), 0.8)
    return image


_DRAWN: dict[Worn, Callable[[Pixels, Place], Pixels]] = {
    Worn.CAP: _cap,
    Worn.SUNGLASSES: _sunglasses,
    Worn.GLASSES: _glasses,
    Worn.MASK: _mask,
    Worn.SCARF: _scarf,
}


def _ellipse(middle: tuple[float, float], half: tuple[float, float], square: float = 2) -> Shape:
    """Return an ellipse, with `square` above 2 one that is nearer to a rectangle."""
    turn = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    round_ = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    return np.asarray(np.sign(round_) * np.abs(round_) ** (2 / square) * half + middle, np.float64)


def _bar(one: tuple[float, float], other: tuple[float, float], half: float) -> Shape:
    """Return a straight bar between two points, `half` as wide to each side."""
    start, end = np.array(one, float), np.array(other, float)
    along = (end - start) / np.linalg.norm(end - start)
    aside = np.array([-along[1], along[0]]) * half
    return np.stack([start + aside, end + aside, end - aside, start - aside])


def _filled(
    image: Pixels, place: Place, shape: Shape, colour: tuple[int, int, int], cover: float = 1.0
) -> Pixels:
    mask = np.zeros(image.shape[:2], np.float32)
    cv2.fillPoly(mask, [_sixteenths(place, shape)], 1.0, shift=4)
    return _covered(image, place, mask * cover, colour)


def _line(image: Pixels, place: Place, shape: Shape, width: float, colour: tuple[int, int, int]) -> Pixels:
    mask = np.zeros(image.shape[:2], np.float32)
    thick = max(1, round(width * place.width / FACE))
    cv2.polylines(mask, [_sixteenths(place, shape)], True, 1.0, thick, shift=4)
    return _covered(image, place, mask, colour)


def _sixteenths(place: Place, shape: Shape) -> NDArray[np.int32]:
    """Return where an outline lies in the picture, as OpenCV takes parts of a pixel."""
    return np.rint(place.onto(shape) * 16).astype(np.int32)


def _covered(image: Pixels, place: Place, mask: NDArray[np.float32], colour: tuple[int, int, int]) -> Pixels:
    soft = cv2.GaussianBlur(mask, (0, 0), max(0.4, SOFT * place.width / FACE))[..., None]
    return levels(image * (1 - soft) + np.array(colour, np.float32) * soft)
