"""The tracker: joins the faces of a look's frames to individuals."""

from datetime import datetime
from math import hypot

import numpy as np

from ..engine.protocol import Embedding, Face, Faces
from .visit import Sighting

SAME = 0.5
"""Cosine to the mean of an individual from which a face is theirs wherever it is.

One in 100,000 pairs of different people of the LFW development set lies above 0.49; in short clips at a
door, faces of 52 to 70 px, 99 % of an individual's faces lie above 0.54 and all of them above 0.48.
"""

OTHER = 0.35
"""Cosine below which a face is somebody else's even in the same place.

One in 1,000 pairs of different people lies above it. A track split in two is mended by the visit it belongs
to; one with two people in it is not.
"""

REACH = 1.0
"""How far a face may have moved since it was last seen, in face widths, and as many again each second."""

GROWTH = 1.6
"""How much larger or smaller a face may have become since it was last seen, and again each second."""


class Tracker:
    """Joins faces to individuals over one look.

    The embedding decides where it can: two people who cross stay themselves, and somebody who was hidden
    for a while is found again. Where it cannot, for poor faces and likenesses in between, the place does.
    Pairs of a face and an individual are joined greedily, the most alike first.
    """

    def __init__(self) -> None:
        """Start a look."""
        self._sightings: list[Sighting] = []

    @property
    def sightings(self) -> tuple[Sighting, ...]:
        """Return the individuals seen so far, in the order in which they appeared."""
        return tuple(self._sightings)

    def add(self, frame: Faces, at: datetime) -> tuple[Sighting, ...]:
        """Join the faces of the frame taken `at` and return the individuals it showed, as `frame.faces`.

        Two faces of one frame are never the same individual. Raises ValueError when the frame is not
        later than the one before: then how far a face can have moved says nothing.
        """
        latest = max((each.seen_at[-1] for each in self._sightings), default=None)
        if latest is not None and at <= latest:
            raise ValueError("frames are given in the order in which they were taken")
        means = [each.embedding for each in self._sightings]
        pairs = [
            (likeness, face, individual)
            for face, seen in enumerate(frame.faces)
            for individual, sighting in enumerate(self._sightings)
            if (likeness := _likeness(seen, sighting, means[individual], at)) is not None
        ]
        joined: dict[int, Sighting] = {}
        taken: set[int] = set()
        for _, face, individual in sorted(pairs, reverse=True):
            if face not in joined and individual not in taken:
                joined[face] = self._sightings[individual]
                taken.add(individual)
        for index, seen in enumerate(frame.faces):
            if index in joined:
                joined[index].add(seen, at)
            else:
                joined[index] = Sighting.begin(seen, at)
                self._sightings.append(joined[index])
        return tuple(joined[index] for index in range(len(frame.faces)))


def _likeness(
    face: Face, sighting: Sighting, mean: Embedding | None, at: datetime
) -> tuple[bool, float] | None:
    """Return how well a face fits an individual, None when it cannot be the same one.

    Faces that can be told by their embedding come before those that only stand in the right place.
    """
    nearness = _nearness(face, sighting, at)
    if mean is None or not face.quality.usable:
        return None if nearness is None else (False, nearness)
    cosine = float(np.dot(face.embedding, mean))
    if cosine >= SAME:
        return True, cosine + (nearness or 0.0)
    if cosine >= OTHER and nearness is not None:
        return True, cosine + nearness
    return None


def _nearness(face: Face, sighting: Sighting, at: datetime) -> float | None:
    """Return how near a face is to where the individual was last, 0 to 1; None when out of reach."""
    left, top, width, height = face.box
    was_left, was_top, was_width, was_height = sighting.last_face.box
    seconds = (at - sighting.seen_at[-1]).total_seconds()
    size = max(width, was_width)
    if size > min(width, was_width) * GROWTH ** (1 + seconds):
        return None
    distance = hypot(left + width / 2 - was_left - was_width / 2, top + height / 2 - was_top - was_height / 2)
    reach = size * REACH * (1 + seconds)
    return 1 - distance / reach if distance <= reach else None
