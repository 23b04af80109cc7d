"""Posters: faces at a camera that the owner said are pictures, and those that look after look did not move. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import hypot, isfinite
from typing import Any, Self
from uuid import uuid4

from ..engine.protocol import Face, Faces

NEAR = 0.15
"""Face widths that the landmarks of a poster are from where they were, on average, at most.

The detector's own unrest, with a face it finds hard, is 0.05. A person who passes in front of the poster is so near in
all five landmarks, and as large, for a moment at most: they are seen before and after it."""
GROWTH = 1.2
"""How much larger or smaller it may seem."""
LOOKS = 3
"""In how many looks a face has to be in the same place without moving, to be offered to the owner as a poster."""
MOST = 20
"""Posters that a camera has at most."""

LANDMARKS = 5


@dataclass(frozen=True, slots=True)
class Poster:
    """Where a picture of a face is in the pictures of a camera. Nothing of the face itself."""

    poster_id: str
    landmarks: tuple[tuple[float, float], ...]
    """Five, in shares of the upright frame's width and height."""
    width: float
    """Of the face, as a share of the frame's width."""

    @classmethod
    def of(cls, face: Face, size: tuple[int, int]) -> Self:
        """Return the poster that a face in a frame of this size is."""
        across, down = size
        landmarks = tuple((x / across, y / down) for x, y in face.landmarks)
        return cls(uuid4().hex, landmarks, face.box[2] / across)

    @classmethod
    def read(cls, data: object) -> Self | None:
        """Return what `to_json` wrote; None for something else."""
        if not isinstance(data, Mapping):
            return None
        try:
            landmarks = tuple((float(x), float(y)) for x, y in data["landmarks"])
            poster = cls(str(data["id"]), landmarks, float(data["width"]))
        except KeyError, TypeError, ValueError:
            return None
        numbers = [poster.width, *(value for point in landmarks for value in point)]
        if len(landmarks) != LANDMARKS or not all(map(isfinite, numbers)) or not 0.0 < poster.width <= 1.0:
            return None
        return poster

    def to_json(self) -> dict[str, Any]:
        """Return what is stored of it."""
        return {
            "id": self.poster_id,
            "landmarks": [[round(x, 5), round(y, 5)] for x, y in self.landmarks],
            "width": round(self.width, 5),
        }

    def is_same(self, other: Poster, size: tuple[int, int]) -> bool:
        """Return whether two are in the same place, in frames of this size."""
        across, down = size
        larger, smaller = max(self.width, other.width), min(self.width, other.width)
        if smaller <= 0.0 or larger > GROWTH * smaller:
            return False
        pairs = zip(self.landmarks, other.landmarks, strict=True)
        away = [hypot((x - u) * across, (y - v) * down) for (x, y), (u, v) in pairs]
        return sum(away) / len(away) <= NEAR * self.width * across


def number_of(face: Face, size: tuple[int, int], posters: Iterable[Poster]) -> int | None:
    """Return which of the posters a face in a frame of this size is, from 1 on; None for none."""
    here = Poster.of(face, size)
    return next((number for number, each in enumerate(posters, 1) if each.is_same(here, size)), None)


def without(faces: Faces, posters: Iterable[Poster]) -> Faces:
    """Return what was seen in a frame without the faces of posters."""
    if not (posters := tuple(posters)):
        return faces
    left = tuple(face for face in faces.faces if number_of(face, faces.size, posters) is None)
    return faces if len(left) == len(faces.faces) else replace(faces, faces=left)


@dataclass(slots=True)
class _Found:
    poster: Poster
    looks: int = 1


class Suspected:
    """The faces at one camera that may be posters: in which looks each was, and did not move. In memory only."""

    def __init__(self) -> None:
        """Suspect nothing."""
        self._found: list[_Found] = []

    @property
    def likely(self) -> tuple[Poster, ...]:
        """Return those that were in the same place in several looks."""
        return tuple(each.poster for each in self._found if each.looks >= LOOKS)

    def note(self, posters: Iterable[Poster], size: tuple[int, int]) -> None:
        """Take note of the faces that did not move in a look at frames of this size."""
        for poster in posters:
            known = next((each for each in self._found if each.poster.is_same(poster, size)), None)
            if known is not None:
                known.looks += 1
            else:
                self._found = [*self._found, _Found(poster)][-MOST:]
