"""Whether a face is a person's and no picture of one: FasNet, deepface's MiniFASNetV2 and MiniFASNetV1SE.

Two networks look at the face with what is around it and see what a print or a screen leaves there: an edge, a shine,
colours that are flat. That is a hint and no proof, see docs/limits.md. What they were made from is in
`fasnet/NOTICE.txt`.
"""

from dataclasses import dataclass
import hashlib
from pathlib import Path
import threading
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .pixels import Frame, Pixels
from .quality import brightness
from .sessions import quiet_session
from .weights import WeightsError

FOLDER = Path(__file__).parent / "fasnet"
SIDE = 80
"""Height and width of what the networks look at, pixels."""
LEAST_WIDTH = 40
"""Pixels. Of press photos with faces of 45 px 2.5 % are below `visits.judging.PICTURE`, with 30 px 15 %."""
LEAST_LIGHT = 90.0
"""Mean grey level of the aligned face. Press photos with 60 % of their light and a sensor's noise, at about 70, are below
that limit in 36 % of cases, with a quarter of it in 75 %."""
LEAST_COLOUR = 8.0
"""See `colour`. Without any all press photos are below that limit; with a quarter of their colour, at 15, 3 % of them
and no frame of clips of people, at 7."""
_REAL = 1
"""The class that stands for a person; 0 and 2 are prints and screens."""


@dataclass(frozen=True, slots=True)
class _Network:
    name: str
    sha256: str
    scale: float
    """By how much larger than the face's box its crop is."""


NETWORKS = (
    _Network(
        "minifasnet_v2_2_7.onnx", "4d33f8d58574cd2079ee2f76f53c2c5542ecc1ded3ccc131e8f14ee813546a20", 2.7
    ),
    _Network(
        "minifasnet_v1se_4_0.onnx", "edd466e9b447f4c61c5dc54db4f5ba53d9a70b62aa9faf21e23845f03c069f22", 4.0
    ),
)


class Liveness:
    """Both networks, loaded when a face is judged for the first time: homes without the option pay no memory."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """Load nothing yet."""
        self._folder = folder
        self._lock = threading.Lock()
        self._sessions: list[tuple[Any, float]] | None = None
        self.broken = False
        """Whether a file turned out to be damaged or missing."""

    def real(self, frame: Frame, box: tuple[float, float, float, float]) -> float:
        """Return the probability that a face is no picture, 0 to 1.

        `box`: left, top, width and height in pixels of the frame as it came. The mean of both networks, as deepface's
        `Fasnet.analyze` has it. Raises WeightsError naming the file that is damaged, once it was read.
        """
        sessions = self._loaded()
        frame.refine(SIDE / (min(scale for _, scale in sessions) * box[2]))
        answers = [
            session.run(None, {"crops": _input(around(frame.pixels, frame.scaled(box), scale))})[0][0]
            for session, scale in sessions
        ]
        return float(np.mean([answer[_REAL] for answer in answers]))

    def _loaded(self) -> list[tuple[Any, float]]:
        with self._lock:
            if self._sessions is None:
                try:
                    files = [_checked(self._folder, each) for each in NETWORKS]
                except WeightsError:
                    self.broken = True
                    raise
                # On the processor always: a card gains nothing with networks this small.
                self._sessions = [
                    (quiet_session(data, ["CPUExecutionProvider"]), each.scale)
                    for each, data in zip(NETWORKS, files, strict=True)
                ]
            return self._sessions


def can_judge(crop: Pixels, width: float) -> bool:
    """Return whether an aligned face, `width` pixels wide in its frame, is one of those that the limits were found for."""
    return width >= LEAST_WIDTH and brightness(crop) >= LEAST_LIGHT and colour(crop) >= LEAST_COLOUR


def colour(crop: Pixels) -> float:
    """Return how far the strongest and the weakest of a pixel's three colours are apart, the mean, 0 to 255."""
    return float((crop.max(axis=2).astype(np.int16) - crop.min(axis=2)).mean())


def around(image: Pixels, box: tuple[float, float, float, float], scale: float) -> Pixels:
    """Return a box made larger about its middle, moved into the picture and as large as fits there, as 80x80 pixels."""
    height, width = image.shape[:2]
    left, top, wide, high = box
    scale = min(scale, (width - 1) / wide, (height - 1) / high)
    size = np.array([wide, high]) * scale
    limit = np.array([width - 1, height - 1])
    first = np.clip(np.array([left + wide / 2, top + high / 2]) - size / 2, 0, np.maximum(limit - size, 0))
    last = (first + size).astype(int)
    x, y = first.astype(int)
    part = image[y : last[1] + 1, x : last[0] + 1]
    # As the networks were trained: pixels between are left out, also where much is.
    return cv2.resize(part, (SIDE, SIDE))  # type: ignore[no-any-return]


def _input(crop: Pixels) -> NDArray[np.float32]:
    """Return a crop as the networks take it: blue, green, red, 0 to 255."""
    return np.ascontiguousarray(crop.transpose(2, 0, 1)[None], np.float32)


def _checked(folder: Path, network: _Network) -> bytes:
    """Return a file's bytes; raise WeightsError naming it when they are not the pinned ones."""
    path = folder / network.name
    try:
        data = path.read_bytes()
    except OSError as err:
        raise WeightsError(f"{path} could not be read: {err.strerror}") from err
    if hashlib.sha256(data).hexdigest() != network.sha256:
        raise WeightsError(f"{path} is damaged: its SHA-256 is not {network.sha256}")
    return data
