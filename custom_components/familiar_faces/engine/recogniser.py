"""From a face in a frame to an embedding: five-point alignment, then SFace."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from .pixels import Pixels
from .protocol import Embedding

SIZE = 112
TEMPLATE = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)
"""Where ArcFace's authors put the eyes, nose tip and mouth corners in a 112x112 crop (insightface,
`arcface_dst`); SFace was trained on faces warped to it. In the image's left-to-right order, which is the
person's right-to-left, as YuNet gives them."""
_COARSEST = 0.5
"""Bilinear warping reads four pixels, so below this scale it skips some and the crop gets rough."""


class Embedded(NamedTuple):
    """What the recogniser makes of a face."""

    embedding: Embedding
    length: float
    """How long the network's output was before it was made 1, see `protocol.Face.length`."""


class Recogniser:
    """deepface's SFace, fed with aligned crops."""

    def __init__(self, client: Any) -> None:
        """Wrap deepface's SFaceClient."""
        self._client = client

    def embed(self, crops: Sequence[Pixels], *, mirrored: bool = False) -> list[Embedded]:
        """Return a unit-length embedding of each 112x112 crop, and how long it was before.

        With `mirrored` both are the mean of the crop's and its mirror image's, which is a little steadier and
        twice the work: for enrolling.
        """
        seen = [*crops, *(crop[:, ::-1] for crop in crops)] if mirrored else crops
        made = [_unit(output) for output in self.outputs(seen)]
        embedded, others = made[: len(crops)], made[len(crops) :]
        if mirrored:
            embedded = [
                Embedded(_unit(one.embedding + other.embedding).embedding, (one.length + other.length) / 2)
                for one, other in zip(embedded, others, strict=True)
            ]
        return embedded

    def outputs(self, crops: Sequence[Pixels]) -> list[NDArray[np.float32]]:
        """Return what the network gives for each crop."""
        # The client does (x * 255).astype(uint8): plain x / 255 comes back one grey level too low for some
        # levels. From the middle of a level every one comes back as it was.
        levels = [(crop.astype(np.float32) + np.float32(0.5)) / np.float32(255) for crop in crops]
        return [self._client.predict(each)[0] for each in levels]


def align(image: Pixels, landmarks: NDArray[np.float64]) -> Pixels:
    """Return the face warped to the 112x112 template by the similarity that fits its five landmarks best."""
    matrix = similarity(landmarks, TEMPLATE)
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if scale < _COARSEST:
        image, matrix = _shrunk(image, matrix, scale)
    return cv2.warpAffine(image, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR)  # type: ignore[no-any-return]


def similarity(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the 2x3 rotation, scale and shift that takes `source` to `target` with the least squared error.

    Points are n x 2. The closed form of Umeyama (1991) in two dimensions, without reflection.
    """
    middle, goal = source.mean(axis=0), target.mean(axis=0)
    (x, y), (u, v) = (source - middle).T, (target - goal).T
    spread = float((x * x + y * y).sum())
    if spread == 0.0:
        raise ValueError("the landmarks lie on one point")
    cosine = float((x * u + y * v).sum()) / spread
    sine = float((x * v - y * u).sum()) / spread
    turn = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack([turn, goal - turn @ middle])


def misfit(landmarks: NDArray[np.float64]) -> float:
    """Return how far five landmarks lie from the template when they are fitted to it, in distances between the eyes.

    It is the root of the mean square. 0.04 is the median of faces from the front.
    """
    matrix = similarity(landmarks, TEMPLATE)
    apart = landmarks @ matrix[:, :2].T + matrix[:, 2] - TEMPLATE
    return float(np.sqrt((apart**2).sum(axis=1).mean())) / float(np.linalg.norm(TEMPLATE[1] - TEMPLATE[0]))


def _shrunk(image: Pixels, matrix: NDArray[np.float64], scale: float) -> tuple[Pixels, NDArray[np.float64]]:
    """Return the part that the crop shows, averaged down to about its size, and the matrix from there."""
    back = cv2.invertAffineTransform(matrix)
    corners = np.array([[0, 0], [SIZE, 0], [SIZE, SIZE], [0, SIZE]]) @ back[:, :2].T + back[:, 2]
    height, width = image.shape[:2]
    left, top = np.clip(np.floor(corners.min(axis=0)).astype(int) - 2, 0, [width - 1, height - 1])
    right, bottom = np.clip(
        np.ceil(corners.max(axis=0)).astype(int) + 2, [left + 1, top + 1], [width, height]
    )
    part = image[top:bottom, left:right]
    size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
    step = np.array([part.shape[1] / size[0], part.shape[0] / size[1]])
    turn = matrix[:, :2] * step
    # Pixel centres: shrunk pixel i covers source pixels around (i + 0.5) * step - 0.5.
    shift = matrix[:, 2] + matrix[:, :2] @ (np.array([left, top]) + 0.5 * step - 0.5)
    return cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.column_stack([turn, shift])


def _unit(vector: NDArray[Any]) -> Embedded:
    """Return the vector at unit length, and its length."""
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length) or length == 0.0:
        raise ValueError("the recogniser gave no direction")
    return Embedded((vector / length).astype(np.float32), length)
