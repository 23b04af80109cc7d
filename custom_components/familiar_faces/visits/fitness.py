"""Whether a camera shows faces well enough to recognise them, judged by the faces of its last visits."""

from collections import Counter, deque
from collections.abc import Sequence
from enum import StrEnum
from statistics import median

from ..engine.protocol import Quality

FACES = 30
"""How many of the last faces a camera is judged by."""
FACES_A_LOOK = 5
"""How many faces of one look count, so that one long visit does not decide alone."""
SMALL = 30
"""Width in pixels below which a face is small for a camera that is to name people, though it may be usable.

Rightly named at a threshold that 1 % of strangers pass: 45 px 100 %, 30 px 98.6 %, 24 px 97 %, 18 px 71 %.
"""


class Fitness(StrEnum):
    """How a camera shows faces; all but the first say what stands most in the way."""

    GOOD = "good"
    TOO_SMALL = "too_small"
    TOO_BLURRED = "too_blurred"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    TURNED_AWAY = "turned_away"
    TURNED = "turned"
    """The picture lies on its side or stands on its head."""
    NO_PICTURE = "no_picture"
    """The camera gave no picture at the last look."""
    OLD_PICTURE = "old_picture"
    """The camera gave only old pictures at the last look."""
    NOBODY_AGREED = "nobody_agreed"
    """Nobody agreed to be recognised at this camera yet."""


class CameraFitness:
    """The qualities of the last faces at a camera. Holds figures, and nothing by which anybody can be told."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._qualities: deque[Quality] = deque(maxlen=FACES)
        self._trouble: Fitness | None = None
        self.failures = 0
        """How many looks in a row had no fresh picture."""

    @property
    def faces(self) -> int:
        """Return how many faces the camera is judged by."""
        return len(self._qualities)

    @property
    def face_width(self) -> int | None:
        """Return how wide faces are here, the median in pixels; None before any was seen."""
        return round(median(each.size for each in self._qualities)) if self._qualities else None

    @property
    def state(self) -> Fitness | None:
        """Return why the last look had no fresh picture; else what is wrong with more than half of the faces, most often.

        None before any was seen.
        """
        if self._trouble is not None:
            return self._trouble
        if not self._qualities:
            return None
        complaints = Counter(each for quality in self._qualities if (each := _complaint(quality)))
        if 2 * complaints.total() <= len(self._qualities):
            return Fitness.GOOD
        return complaints.most_common(1)[0][0]

    def note_pictures(self, trouble: str | None) -> None:
        """Take note of why a look had no fresh picture, `no_picture` or `old_picture`; None when it had one."""
        self._trouble = None if trouble is None else Fitness(trouble)
        self.failures = 0 if trouble is None else self.failures + 1

    def add_look(self, qualities: Sequence[Quality]) -> None:
        """Take note of a look's faces: a few of them, spread over the whole look."""
        some = min(len(qualities), FACES_A_LOOK)
        self._qualities.extend(qualities[index * len(qualities) // some] for index in range(some))


def _complaint(quality: Quality) -> Fitness | None:
    if quality.reason in tuple(Fitness):
        return Fitness(quality.reason)
    return Fitness.TOO_SMALL if quality.size < SMALL else None
