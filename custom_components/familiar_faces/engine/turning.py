"""Pictures that lie on their side or upside down.

YuNet hardly learned them, and gives the landmarks of what it finds there as if the face were upright: of 70 photos
it found 57 upside down and 22 and 15 on their sides, none with a roll of its landmarks beyond 16 degrees. Their
embeddings say nothing about the person; those of different people resemble each other by up to 0.66. So a face is
looked at again, turned by a quarter, a half and three quarters: an upright one scores best as it is, by which also
a head that is tilted by more than about 45 degrees is known. Of the same photos, also small, blurred, dark and
without colour, 1 of 367 upright ones was taken for turned, and all but 4 of 286 turned ones were noticed.
"""

from collections.abc import Callable
import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

QUARTERS = (1, 3, 2)
"""By how many quarters clockwise a picture is turned to find out how it lies; cameras on their side are commoner."""
SURE = 0.91
"""Score from which a face is upright without another look: of 180 turned ones none had 0.91, half of the upright
ones have 0.93."""
MOST_ROLL = 40.0
"""Degrees by which the landmarks may be tilted: at 40 the cosine of a photo with itself is down to 0.4."""
SIDE = 192
"""Pixels of the square that is looked at, in which the face is half as wide."""
NEAR_MIDDLE = 0.25
"""How far from the middle a face may be found, as a share of the square; further away it is another one."""

type Run = Callable[[NDArray[np.uint8]], NDArray[np.float64]]


def quarters(degrees: int) -> int:
    """Return how many quarters some degrees clockwise are, 0 to 3."""
    return degrees // 90 % 4


def rotated[Kind: np.generic](image: NDArray[Kind], clockwise: int) -> NDArray[Kind]:
    """Return an image turned by some quarters clockwise."""
    return np.ascontiguousarray(np.rot90(image, -clockwise)) if clockwise else image


def roll(landmarks: NDArray[np.float64]) -> float:
    """Return how far the landmarks are tilted, degrees clockwise, by the line between the eyes."""
    across, down = landmarks[1] - landmarks[0]
    return math.degrees(math.atan2(float(down), float(across)))


def lies(
    run: Run,
    image: NDArray[np.uint8],
    box: tuple[float, float, float, float],
    landmarks: NDArray[np.float64],
    score: float,
) -> bool:
    """Return whether a face is turned too far to be compared as it lies.

    `run`: the detector, which gives rows of box, landmarks and score. `box` in pixels of the image, `score` as the
    detector gave it.
    """
    if abs(roll(landmarks)) > MOST_ROLL:
        return True
    if score >= SURE:
        return False
    around = square(image, box)
    own, *others = (_score(run(rotated(around, count))) for count in range(4))
    return max(others) > own


def square(image: NDArray[np.uint8], box: tuple[float, float, float, float]) -> NDArray[np.uint8]:
    """Return the surroundings of a face, which is in the middle."""
    left, top, width, height = box
    scale = SIDE / (2 * width)
    middle = np.array([left + width / 2, top + height / 2])
    reach = math.ceil(width)
    limit = np.array([image.shape[1], image.shape[0]])
    first = np.clip(np.floor(middle - reach).astype(int), 0, limit - 1)
    last = np.clip(np.ceil(middle + reach).astype(int), first + 1, limit)
    part: NDArray[Any] = image[first[1] : last[1], first[0] : last[0]]
    if scale < 1:
        size = np.maximum(1, np.round((last - first) * scale).astype(int))
        part = cv2.resize(part, (int(size[0]), int(size[1])), interpolation=cv2.INTER_AREA)
    step = part.shape[1] / (last - first)[0]
    shift = SIDE / 2 - (middle - first) * scale
    matrix = np.array([[scale / step, 0, shift[0]], [0, scale / step, shift[1]]])
    # What is beyond the picture is as its edge, so that it has no other edge than before when it is turned.
    return cv2.warpAffine(part, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)  # type: ignore[no-any-return]


def _score(rows: NDArray[np.float64]) -> float:
    """Return how well a face is seen in the middle, 0 when there is none."""
    middles = rows[:, :2] + rows[:, 2:4] / 2
    near = (np.abs(middles - SIDE / 2) < NEAR_MIDDLE * SIDE).all(axis=1)
    return float(rows[near, 14].max(initial=0.0))
