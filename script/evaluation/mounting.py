"""How a camera hangs and a head is held, and what a lens and a moving face do to the picture."""

import math

import cv2
import numpy as np

from custom_components.familiar_faces.engine.pixels import Pixels

from .places import Place, Points

ABOVE = 35.0
"""Degrees from which a camera under a roof looks down."""
OFF_AXIS = 50.0
"""Degrees by which a face stands beside the middle of a fisheye's picture."""
FRAME = (640, 480)
"""Width and height of the frame of a small camera."""
GREY = (128, 128, 128)
FACE_ANGLE = 9.0
"""Degrees that the face then covers: half a metre away with a lens of 180 degrees."""


def rolled(image: Pixels, place: Place, degrees: float) -> tuple[Pixels, Place]:
    """Return the picture turned around the face, clockwise, in the same frame; its edge is drawn out."""
    matrix = cv2.getRotationMatrix2D(place.middle, -degrees, 1.0)
    shown = cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    return shown, place.moved(lambda points: points @ matrix[:, :2].T + matrix[:, 2])


def turned(image: Pixels, place: Place, degrees: int) -> tuple[Pixels, Place]:
    """Return the picture of a camera that is mounted turned by 90, 180 or 270 degrees, clockwise."""

    height, width = image.shape[:2]
    matrix = {
        90: np.array([[0, -1, height - 1], [1, 0, 0]]),
        180: np.array([[-1, 0, width - 1], [0, -1, height - 1]]),
        270: np.array([[0, 1, 0], [-1, 0, width - 1]]),
    }[degrees]
    shown = np.ascontiguousarray(np.rot90(image, -degrees // 90))
    return shown, place.moved(lambda points: points @ matrix[:, :2].T + matrix[:, 2])


def from_above(image: Pixels, place: Place) -> tuple[Pixels, Place]:
    """Return the picture as a camera above sees it: lower, and narrower towards the chin.

    What it cannot show is the top of the head, which the picture does not have.
    """
    height, width = image.shape[:2]
    x, y = place.middle
    half = 2 * place.width
    low = math.cos(math.radians(ABOVE))
    narrow = 1 - 0.35 * math.sin(math.radians(ABOVE))
    corners = np.array([[-half, -half], [half, -half], [half, half], [-half, half]])
    seen = corners * np.array([[1 / narrow, low], [1 / narrow, low], [narrow, low], [narrow, low]])
    middle = np.array([x, y])
    matrix = cv2.getPerspectiveTransform(
        (corners + middle).astype(np.float32), (seen + middle).astype(np.float32)
    )
    shown = cv2.warpPerspective(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return shown, place.moved(lambda points: cv2.perspectiveTransform(points[:, None], matrix)[:, 0])


def fisheye(image: Pixels, place: Place) -> tuple[Pixels, Place]:
    """Return the picture as an equidistant lens has it far off its axis, to the lower right of its middle."""
    height, width = image.shape[:2]
    # Pixels a radian at the face, as wide as it was.
    focal = place.width / math.radians(FACE_ANGLE)
    theta = math.radians(OFF_AXIS)
    way = np.array([math.cos(math.radians(35)), math.sin(math.radians(35))])
    x, y = np.meshgrid(np.arange(width) - place.middle[0], np.arange(height) - place.middle[1])
    across, down = x + focal * theta * way[0], y + focal * theta * way[1]
    radius = np.maximum(np.hypot(across, down), 1e-6)
    angle = np.minimum(radius / focal, math.radians(80))
    # The plane that faces the camera, scaled so that the face's area stays about the same.
    plane = np.tan(angle) / radius
    scale = focal * math.sqrt(math.cos(theta) ** 2 * theta / math.tan(theta))
    start = math.tan(theta) * way
    source_x = (across * plane - start[0]) * scale + place.middle[0]
    source_y = (down * plane - start[1]) * scale + place.middle[1]
    shown = cv2.remap(
        image,
        source_x.astype(np.float32),
        source_y.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )

    def to(points: Points) -> Points:
        flat = (points - place.middle) / scale + start
        far = np.linalg.norm(flat, axis=1, keepdims=True)
        return np.asarray(
            flat / far * np.arctan(far) * focal - focal * theta * way + place.middle, np.float64
        )

    return shown, place.moved(to)


def scaled(image: Pixels, place: Place, scale: float) -> tuple[Pixels, Place]:
    """Return the picture made larger or smaller."""
    size = tuple(max(1, round(length * scale)) for length in image.shape[1::-1])
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    shown = np.asarray(cv2.resize(image, size, interpolation=way), np.uint8)
    return shown, place.moved(lambda points: points * scale, scale)


def framed(image: Pixels, place: Place) -> tuple[Pixels, Place]:
    """Return the picture with the face in the middle of a camera's frame, and plain grey around it."""
    width, height = FRAME
    shift = np.rint(np.array(FRAME) / 2 - place.middle)
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
    shown = cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_NEAREST, borderValue=GREY)
    return np.asarray(shown, np.uint8), place.moved(lambda points: points + shift)


def moved(image: Pixels, length: int, degrees: float) -> Pixels:
    """Return the picture of a face that moved by some pixels in a straight line while the shutter was open."""
    middle = length // 2 + 1
    step = np.array([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))]) * (length - 1) / 2
    kernel = np.zeros((2 * middle + 1, 2 * middle + 1), np.uint8)
    start, end = (np.rint((middle + sign * step) * 16).astype(int).tolist() for sign in (-1, 1))
    cv2.line(kernel, start, end, 255, 1, cv2.LINE_AA, 4)
    weights = kernel.astype(np.float32) / kernel.sum()
    return np.asarray(cv2.filter2D(image, -1, weights, borderType=cv2.BORDER_REPLICATE), np.uint8)
