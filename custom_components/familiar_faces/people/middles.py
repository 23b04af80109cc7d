"""The middle of each camera: what its light, angle and sensor do to every face alike, learned where it is seen.

A camera moves all faces in one direction of the embedding space, a poor picture by far more than what makes a face
somebody's: at night the whole middle moves by 0.6. What is left of a person's faces there when their own photos are
taken away is that movement, so it is learned from the faces of people who were named, agreed to this camera and have
their visits remembered, and of nobody else. Good and poor faces have a middle each: by day a camera is another one.

Nobody's own faces tell the middle that they are compared with. Otherwise somebody named wrongly once would resemble
that person by far more the next time: all that tells them apart would be taken for the camera.

Measured on the LFW development people (visits of five photos or more, homes of 5 / 20 people drawn at random, the camera
learning from the people that it names), share named rightly without / with what is learned: porch 0.15 / 0.19 and 0.15 / 0.39, cap
and sunglasses 0.21 / 0.24 and 0.31 / 0.56. Strangers are spread as before (0.093 to 0.098), so no threshold changes. A
middle by the length of the embedding alone, learned beforehand, gained as much where it was drawn from the same
conditions, and nothing in others.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .person import Embedding

MOST_VISITS = 30
"""After so many visits of a person older ones fade."""

NOBODY = 2.0
"""How many people who were moved by nothing count beside those who were seen: few say less.

With 1, what one person tells took 3 of 120 visits in profile (CFP, homes of two) their name, with 2 or more none."""


class Seen(NamedTuple):
    """Faces of one individual in one kind."""

    clear: Embedding | None
    """Of those seen well, (d,); None without any."""
    poor: Embedding | None


@dataclass(frozen=True, slots=True)
class _Learned:
    """What a camera does to one person's faces."""

    shift: Embedding
    visits: int

    def and_now(self, shift: Embedding) -> _Learned:
        """Return the mean with another visit's."""
        visits = min(self.visits + 1, MOST_VISITS)
        return _Learned((self.shift + (shift - self.shift) / visits).astype(np.float32), visits)


@dataclass(frozen=True, slots=True)
class CameraMiddle:
    """The middle of one camera at one moment, as those tell who may be recognised there."""

    clear: Mapping[str, Embedding]
    """How far it moves good faces, (d,), by the id of the person who tells."""
    poor: Mapping[str, Embedding]

    @property
    def told_by(self) -> frozenset[str]:
        """Return the ids of the people who tell it."""
        return frozenset((*self.clear, *self.poor))

    def moves(self, poor: float, without: str | None = None) -> Embedding | None:
        """Return how far faces are moved, (d,), None where nobody tells.

        `poor`: which share of them was seen poorly. `without`: the id of a person whose own faces do not count.
        """
        parts = [
            middle * np.float32(share)
            for of, share in ((self.clear, 1.0 - poor), (self.poor, poor))
            if share > 0.0 and (middle := _mean(of, without)) is not None
        ]
        return sum(parts[1:], parts[0]) if parts else None


class Middles:
    """The middles of all cameras, by the people they were learned from, so that each can be taken out again.

    Lives in memory only. May be read in another thread while it is changed: what is in it is never changed in place.
    """

    def __init__(self) -> None:
        """Know no camera."""
        self._learned: dict[tuple[str, str], Mapping[tuple[str, bool], _Learned]] = {}
        """By model and camera, then by person and whether the faces were poor."""

    def __len__(self) -> int:
        """Return from how many people's faces anything was learned, counted at each camera."""
        return sum(len({person_id for person_id, _ in of}) for of in list(self._learned.values()))

    def learn(self, model: str, camera_id: str, person_id: str, shifts: Seen) -> None:
        """Take note of what a camera did to a person's faces in one visit; see `Gallery.shifts`."""
        place = (model, camera_id)
        of = dict(self._learned.get(place, {}))
        for poor, shift in ((False, shifts.clear), (True, shifts.poor)):
            if shift is not None:
                before = of.get((person_id, poor))
                of[person_id, poor] = _Learned(shift, 1) if before is None else before.and_now(shift)
        self._learned[place] = of

    def forget(self, person_id: str, camera_id: str | None = None) -> None:
        """Take out what was learned from a person, at one camera or at all."""
        for place, of in list(self._learned.items()):
            if camera_id in (None, place[1]):
                self._learned[place] = {key: each for key, each in of.items() if key[0] != person_id}

    def at(self, model: str, camera_id: str, may: Callable[[str], bool]) -> CameraMiddle:
        """Return the middle of a camera, by what is known of people who `may` tell."""
        clear: dict[str, Embedding] = {}
        poor: dict[str, Embedding] = {}
        for (person_id, is_poor), each in self._learned.get((model, camera_id), {}).items():
            if may(person_id):
                (poor if is_poor else clear)[person_id] = each.shift
        return CameraMiddle(clear, poor)


def _mean(of: Mapping[str, Embedding], without: str | None) -> Embedding | None:
    rows = [shift for person_id, shift in of.items() if person_id != without]
    if not rows:
        return None
    middle: Embedding = (np.sum(rows, axis=0) / (len(rows) + NOBODY)).astype(np.float32)
    return middle
