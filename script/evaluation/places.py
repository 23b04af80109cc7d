"""Where the labelled face is in a picture, and how that changes when the picture does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from custom_components.familiar_faces.engine.protocol import Face
from custom_components.familiar_faces.engine.recogniser import TEMPLATE, similarity

type Box = tuple[float, float, float, float]
"""Left, top, width and height."""
type Points = NDArray[np.float64]
"""n x 2."""

FACE = 85
"""How wide a face is in the template, pixels."""


@dataclass(frozen=True, slots=True)
class Place:
    """A face in a picture, pixels."""

    middle: tuple[float, float]
    width: float
    landmarks: Points
    """5 x 2, as `engine.protocol.Face` has them."""

    @classmethod
    def of(cls, face: Face) -> Self:
        """Return where the engine saw a face."""
        left, top, width, height = face.box
        return cls((left + width / 2, top + height / 2), width, np.array(face.landmarks))

    def moved(self, to: Callable[[Points], Points], scale: float = 1.0) -> Self:
        """Return the place in a picture whose points went where `to` says; the face became `scale` as wide."""
        x, y = to(np.array([self.middle], float))[0]
        return type(self)((float(x), float(y)), self.width * scale, to(self.landmarks))

    def onto(self, points: Points) -> Points:
        """Return where points of the 112x112 template lie in the picture: eyes at y 52, chin at about 116."""
        matrix = similarity(TEMPLATE, self.landmarks)
        return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float64)

    def from_picture(self, size: tuple[int, int]) -> Points:
        """Return where each pixel of a picture of this width and height lies in the template, h x w x 2."""
        matrix = similarity(self.landmarks, TEMPLATE)
        x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
        return np.asarray(np.stack([x, y], axis=-1) @ matrix[:, :2].T + matrix[:, 2], np.float64)
