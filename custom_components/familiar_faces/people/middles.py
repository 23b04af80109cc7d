"""The middle of each camera: what its light, angle and sensor do to every face alike, learned where it is seen.

A camera moves all faces in one direction of the embedding space, a poor picture by far more than what makes a face
somebody's: at night the whole middle moves by 0.6. What is left of a person's faces there when their own photos are
taken away is that movement, so it is learned from the faces of people who were named, agreed to this camera and have
their visits remembered, and of nobody else. Good and poor faces have a middle each: by day a camera is another one.

Measured on the LFW development people (40, visits of five photos or more), share named rightly at the threshold of
40 people, as it was / with one visit each of 1 / 3 / 5 / 10 others: porch 0.15 / 0.33 / 0.46 / 0.55 / 0.61, infrared
0.10 / 0.23 / 0.37 / 0.35 / 0.40, cap and sunglasses 0.25 / 0.34 / 0.45 / 0.51 / 0.56; with three faces of the same
person alone 0.28 / 0.47, 0.07 / 0.26, 0.19 / 0.75. Strangers are spread as before (0.093 to 0.098), so no threshold
changes. One person is enough to gain, five give most of it. A middle by the length of the embedding alone, learned
beforehand, gained as much where it was drawn from the same conditions, and nothing in others.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .person import Embedding

CLEAR = 10.5
"""Length of SFace's output (`engine.protocol.Face.length`) from which a face was seen well.

Of photos of the LFW development people 95 % are longer, on a porch 5 %. Of visits of five photos or more, two of them
longer than this / than 10 / any usable, known people would be called strangers in 0.00 / 0.08 / 0.30 on a porch,
0.00 / 0.00 / 0.33 infrared-like, 0.00 / 0.00 / 0.08 in cap and sunglasses. What else is measured of a face (its width,
sharpness, light, angle, the detector's score, how its landmarks fit) added nothing where the length was known."""

MOST_VISITS = 30
"""After so many visits of a person older ones fade."""

NOBODY = 1.0
"""How many people who were moved by nothing count beside those who were seen: few say less."""


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


class Middles:
    """The middles of all cameras, by whom they were learned from, so that each can be taken out again.

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

    def at(self, model: str, camera_id: str, may: Callable[[str], bool]) -> Seen:
        """Return how far good and poor faces are moved at a camera, by what is known of people who `may` tell."""
        of = self._learned.get((model, camera_id), {})
        return Seen(*(_middle(_those(of, may, poor=poor)) for poor in (False, True)))


def are_poor(lengths: ArrayLike | None, count: int) -> NDArray[np.bool_]:
    """Return which of `count` faces were seen poorly; none of those for which the engine does not say.

    `lengths`: (count,), nan where it is not known.
    """
    if lengths is None:
        return np.zeros(count, np.bool_)
    known = np.asarray(lengths, np.float64)
    if known.shape != (count,):
        raise ValueError("every embedding has one length")
    return known < CLEAR


def _those(
    of: Mapping[tuple[str, bool], _Learned], may: Callable[[str], bool], *, poor: bool
) -> Iterator[Embedding]:
    return (each.shift for (person_id, kind), each in of.items() if kind is poor and may(person_id))


def _middle(shifts: Iterator[Embedding]) -> Embedding | None:
    rows = list(shifts)
    if not rows:
        return None
    middle: Embedding = (np.sum(rows, axis=0) / (len(rows) + NOBODY)).astype(np.float32)
    return middle
