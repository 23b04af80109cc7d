"""Heads that are tilted: their landmarks are found with the eyes level.

YuNet gives the landmarks of a tilted head as if it were nearly upright (see `detector`), so that the crop is tilted, too.
But their line between the eyes leans the right way. So what leans is looked at again, turned back by more and more, and
the landmarks of the best of these looks are taken.

Of 52 photos 60 pixels wide, cosine with the same photo upright, median and 10th percentile, without / with: tilted by 15
degrees 0.93 and 0.86 / 0.97 and 0.91, by 30 degrees 0.67 and 0.45 / 0.96 and 0.89.
"""

from collections.abc import Callable
import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from .turning import NEAR_MIDDLE, SIDE, roll, square

TURNS = (15.0, 30.0, 45.0)
"""By how many degrees a head is turned back."""
LEANS = 3.0
"""Degrees from which the line between the eyes leans. One in five photos of upright heads leans as much."""
BETTER = 0.004
"""How much better the face has to score turned back: an upright one scores nearly the same there."""
CLOSER = (1.2, 0.857)
"""How wide the part around the face is in the two looks whose landmarks are averaged, as in `detector.CLOSE_FACES`."""

type Run = Callable[[NDArray[np.uint8]], NDArray[np.float64]]
type Box = tuple[float, float, float, float]


class Level(NamedTuple):
    """A face as it is seen with its eyes level."""

    landmarks: NDArray[np.float64]
    """5 x 2, in pixels of the picture as it is."""
    score: float


def level(
    run: Run, image: NDArray[np.uint8], box: Box, landmarks: NDArray[np.float64], score: float
) -> Level | None:
    """Return a face with its eyes level, None when it is seen as well as it is.

    `run`: the detector, which gives rows of box, landmarks and score. `box` and `landmarks` in pixels of the image.
    """
    tilt = roll(landmarks)
    if abs(tilt) < LEANS:
        return None
    turns = [math.copysign(degrees, tilt) for degrees in TURNS]
    looks = [(seen, turn) for turn in turns if (seen := _look(run, image, box, turn, CLOSER[0])) is not None]
    best, turn = max(looks, key=lambda look: look[0].score, default=(None, 0.0))
    if best is None or best.score < score + BETTER:
        return None
    other = _look(run, image, box, turn, CLOSER[1])
    if other is None:
        return best
    return Level((best.landmarks + other.landmarks) / 2, (best.score + other.score) / 2)


def _look(run: Run, image: NDArray[np.uint8], box: Box, degrees: float, width: float) -> Level | None:
    """Return what is seen of a face in the middle of its surroundings, turned counter-clockwise."""
    left, top, across, down = box
    middle = np.array([left + across / 2, top + down / 2])
    part = square(image, (middle[0] - width * across / 2, middle[1] - down / 2, width * across, down))
    matrix = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), degrees, 1.0)
    rows = run(cv2.warpAffine(part, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE))
    middles = rows[:, :2] + rows[:, 2:4] / 2
    rows = rows[(np.abs(middles - SIDE / 2) < NEAR_MIDDLE * SIDE).all(axis=1)]
    if not len(rows):
        return None
    row = rows[np.argmax(rows[:, 14])]
    back = cv2.invertAffineTransform(matrix)
    points = row[4:14].reshape(5, 2) @ back[:, :2].T + back[:, 2]
    return Level(middle + (points - SIDE / 2) * (2 * width * across / SIDE), min(1.0, float(row[14])))
