"""Frames as cameras give them, with faces of known places and sizes. Runs in the engine's environment."""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

SIZES = {"720p": (1280, 720), "1080p": (1920, 1080), "4K": (3840, 2160)}
FACES = {0: (), 1: (100,), 4: (40, 60, 100, 200)}
"""How wide, in pixels, the faces of a frame with so many faces are."""
EQUAL = {"1080p": {"40px": 40, "100px": 100, "large": 220}, "4K": {"40px": 40, "100px": 100, "large": 440}}
"""Frames with four faces of one width, to count which sizes are found."""
QUALITY = 85
LIKE_A_CAMERA = (10, 2.5)
"""Grey levels of texture and of sensor noise. They make about one bit a pixel, as cameras' snapshots have."""
GROUP_BOXES = ((380, 203, 650, 473), (1052, 203, 1280, 463), (0, 197, 250, 460))
"""Three heads in insightface's sample photo t1.jpg."""
PORTRAIT_BOX = (90, 0, 360, 270)
"""The head in scikit-image's portrait astronaut.png."""

Pixels = NDArray[np.uint8]
Box = tuple[float, float, float, float]
"""Left, top, width and height."""


@dataclass(frozen=True, slots=True)
class Head:
    """A picture of a head, and where the face is in it."""

    picture: Pixels
    face: Box


@dataclass(frozen=True, slots=True)
class Frame:
    """A JPEG, and where the faces in it are."""

    kind: str
    jpeg: bytes = field(repr=False)
    faces: tuple[Box, ...]

    def found(self, boxes: list[Box]) -> int:
        """Return how many of the faces are among the boxes: the same middle and half to twice the width."""
        return sum(any(_is_same(face, box) for box in boxes) for face in self.faces)


def heads(portrait: Path, group: Path, detector: Any) -> list[Head]:
    """Return the heads of four people."""
    found = []
    for path, boxes in ((portrait, (PORTRAIT_BOX,)), (group, GROUP_BOXES)):
        picture = cv2.imread(str(path))
        if picture is None:
            raise SystemExit(f"bench: {path} is not a picture")
        found += [np.ascontiguousarray(picture[top:bottom, left:right]) for left, top, right, bottom in boxes]
    return [Head(picture, _face(picture, detector)) for picture in found]


def make(kind: str, widths: tuple[int, ...], people: list[Head]) -> Frame:
    """Return a frame of a kind (`720p...`) with faces of these widths side by side before a soft background."""
    background, noise = _empty(kind.split("_", maxsplit=1)[0])
    scene = background.copy()
    placed = [
        _place(scene, people[number % len(people)], wide, (number + 1) / (len(widths) + 1))
        for number, wide in enumerate(widths)
    ]
    pixels = (scene + noise).clip(0, 255).astype(np.uint8)
    jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
    return Frame(kind, bytes(jpeg), tuple(placed))


@lru_cache(maxsize=1)
def _empty(size: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what a camera sees with nobody there, and its sensor's noise."""
    width, height = SIZES[size]
    rng = np.random.default_rng(1)
    coarse = rng.integers(70, 190, (9, 16, 1)) + rng.integers(-12, 13, (9, 16, 3))
    scene = cv2.resize(coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    texture, noise = LIKE_A_CAMERA
    rough = texture * rng.standard_normal((height // 4, width // 4, 1), np.float32)
    scene += cv2.resize(rough, (width, height), interpolation=cv2.INTER_LINEAR)[..., None]
    return scene, noise * rng.standard_normal((height, width, 1), np.float32)


def timed_frames(people: list[Head]) -> list[Frame]:
    """Return a frame of each size with each number of faces."""
    return [make(f"{size}_{count}", FACES[count], people) for size in SIZES for count in FACES]


def counted_frames(people: list[Head]) -> list[Frame]:
    """Return frames with four faces of one size each."""
    return [
        make(f"{size}_4_{name}", (width,) * 4, people)
        for size, widths in EQUAL.items()
        for name, width in widths.items()
    ]


def _place(scene: NDArray[np.float32], head: Head, wide: int, across: float) -> Box:
    """Lay a head on the scene with soft edges; return where its face is."""
    left, top, width, height = head.face
    scale = wide / width
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    picture = cv2.resize(head.picture, None, fx=scale, fy=scale, interpolation=way).astype(np.float32)
    rows, columns = picture.shape[:2]
    mask = np.zeros((rows, columns), np.float32)
    middle = (round((left + width / 2) * scale), round((top + height / 2) * scale))
    cv2.ellipse(mask, middle, (round(0.85 * width * scale), round(height * scale)), 0, 0, 360, 1.0, -1)
    soft = round(0.1 * width * scale)
    mask[:soft] = mask[-soft:] = mask[:, :soft] = mask[:, -soft:] = 0
    mask = cv2.GaussianBlur(mask, (0, 0), soft / 2)[..., None]
    x = round(scene.shape[1] * across - columns / 2)
    y = round((scene.shape[0] - rows) / 2)
    part = scene[y : y + rows, x : x + columns]
    part[:] = part * (1 - mask) + picture * mask
    return (x + left * scale, y + top * scale, width * scale, height * scale)


def _face(picture: Pixels, detector: Any) -> Box:
    """Return where the one face in a picture of a head is."""
    detector.setInputSize(picture.shape[1::-1])
    found = detector.detect(picture)[1]
    if found is None:
        raise SystemExit("bench: there is no face in the portrait")
    left, top, width, height = map(float, max(found, key=lambda row: float(row[14]))[:4])
    return left, top, width, height


def _is_same(one: Box, other: Box) -> bool:
    apart = [abs(one[at] + one[at + 2] / 2 - other[at] - other[at + 2] / 2) for at in (0, 1)]
    return max(apart) < one[2] / 2 and one[2] / 2 < other[2] < one[2] * 2
