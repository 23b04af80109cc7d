"""Where the light comes from, and what lies between the camera and a face."""

from collections.abc import Callable
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from custom_components.familiar_faces.engine.pixels import Pixels

from .places import FACE, Place

NOISE = 4.0
"""Standard deviation of a sensor's noise in the dark, grey levels, each pixel and colour on its own."""


class Scene(StrEnum):
    """What the light is like."""

    BACKLIGHT = "backlight"
    SIDE_LIGHT = "side light"
    LAMP_ABOVE = "lamp above"
    HAZE = "haze"
    OVER_EXPOSED = "over-exposed"
    INFRARED = "infrared"
    INFRARED_GLARE = "infrared with glare"


NOISE_OF = {
    Scene.BACKLIGHT: NOISE,
    Scene.SIDE_LIGHT: NOISE / 2,
    Scene.LAMP_ABOVE: NOISE,
    Scene.HAZE: 1.0,
    Scene.OVER_EXPOSED: 1.0,
    Scene.INFRARED: 1.75 * NOISE,
    Scene.INFRARED_GLARE: 1.75 * NOISE,
}
"""How much noise comes with each."""


def light(image: Pixels, place: Place, scene: Scene) -> Pixels:
    """Return the picture in this light, without its noise."""
    return levels(_LIT[scene](image.astype(np.float64), place))


def noisy(image: Pixels, sigma: float, random: np.random.Generator, share: float = 1.0) -> Pixels:
    """Return the picture with a share of its light, and a sensor's noise; without colour where it has none."""
    shape = image.shape if (image != image[..., :1]).any() else (*image.shape[:2], 1)
    return levels(image * share + random.normal(0.0, sigma, shape))


def _backlight(image: NDArray[np.float64], place: Place) -> NDArray[np.float64]:
    """Return somebody before a bright sky: dark, and veiled by its light in the lens."""
    across, down = np.moveaxis(place.from_picture((image.shape[1], image.shape[0])), -1, 0)
    head = np.hypot((across - 56) / 62, (down - 62) / 84) - 1
    body = np.maximum(np.abs(across - 56) / 130 - 1, (120 - down) / 40)
    inside = (1 / (1 + np.exp(8 * np.minimum(head, body))))[..., None]
    return np.asarray(image * (0.22 * inside + 1.3 * (1 - inside)) + 90 * (1 - inside) + 26)


def _side_light(image: NDArray[np.float64], place: Place) -> NDArray[np.float64]:
    """Return a lamp at one side: the other half of the face is nearly black."""
    across = place.from_picture((image.shape[1], image.shape[0]))[..., 0]
    gain = 0.1 + 1.1 / (1 + np.exp(-(across - 60) / 7))
    return np.asarray(image * gain[..., None])


def _lamp_above(image: NDArray[np.float64], place: Place) -> NDArray[np.float64]:
    """Return a lamp over the head: eye sockets, and all below nose, mouth and chin, in the dark."""
    across, down = np.moveaxis(place.from_picture((image.shape[1], image.shape[0])), -1, 0)
    gain = 0.22 + 0.95 / (1 + np.exp((down - 44) / 13))
    for x, y, wide, high, deep in (
        (38, 53, 13, 9, 0.7),
        (74, 53, 13, 9, 0.7),
        (56, 82, 15, 7, 0.6),
        (56, 104, 20, 6, 0.5),
        (56, 124, 40, 12, 0.6),
    ):
        gain *= 1 - deep * np.exp(-(((across - x) / wide) ** 2) - ((down - y) / high) ** 2)
    return np.asarray(image * gain[..., None])


def _haze(image: NDArray[np.float64], _: Place) -> NDArray[np.float64]:
    """Return fog, or a lens that rain and spiders have been at: a third of the contrast is left."""
    return image * 0.3 + 0.7 * 190


def _over_exposed(image: NDArray[np.float64], _: Place) -> NDArray[np.float64]:
    return image * 1.9 + 30


def _infrared(image: NDArray[np.float64], place: Place) -> NDArray[np.float64]:
    """Return a camera's own lamp at night: no colour, pale skin with little in it, bright pupils, noise."""
    grey = image @ np.array([0.05, 0.25, 0.70])
    # Skin reflects it from below its surface: what is fine in it is blurred, dark lips and brows are pale.
    step = place.width / FACE
    soft = cv2.GaussianBlur(grey, (0, 0), 1.6 * step)
    across, down = np.moveaxis(place.from_picture((image.shape[1], image.shape[0])), -1, 0)
    near = np.exp(-(((across - 56) / 90) ** 2) - ((down - 60) / 110) ** 2)
    shown = (70 + 0.38 * soft) * (0.35 + 0.8 * near)
    for x in (38.3, 73.6):
        shown += 70 * np.exp(-(((across - x) ** 2 + (down - 52) ** 2) / 5.0))
    return np.repeat(shown[..., None], 3, axis=2)


def _infrared_glare(image: NDArray[np.float64], place: Place) -> NDArray[np.float64]:
    """Return the same of somebody too near, or behind a dirty dome: the middle of the face is burnt out."""
    across, down = np.moveaxis(place.from_picture((image.shape[1], image.shape[0])), -1, 0)
    burnt = 130 * np.exp(-(((across - 56) / 34) ** 2) - ((down - 62) / 34) ** 2)
    return np.asarray(_infrared(image, place) + burnt[..., None] + 14)


_LIT: dict[Scene, Callable[[NDArray[np.float64], Place], NDArray[np.float64]]] = {
    Scene.BACKLIGHT: _backlight,
    Scene.SIDE_LIGHT: _side_light,
    Scene.LAMP_ABOVE: _lamp_above,
    Scene.HAZE: _haze,
    Scene.OVER_EXPOSED: _over_exposed,
    Scene.INFRARED: _infrared,
    Scene.INFRARED_GLARE: _infrared_glare,
}


def levels(image: NDArray[np.float64]) -> Pixels:
    """Return grey levels of 0 to 255, rounded."""
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)
