"""Movement: what a person does all the time, and a picture of one never. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from math import hypot, sqrt

from ..engine.protocol import Face

MOVED = 0.018
"""Movement from which a face is a person's, in face widths.

What the middle of the box and the middle of the landmarks do together: the detector's own unrest moves them each in its
own way. Of 121 looks at 15 clips of people who stand before a camera, at ten frames a second, 39 % show it in 0.2 s, 81 %
in 0.5 s, 98 % in 0.8 s and all in 1.4 s. Of 661 looks at 45 still H.264 films of photos and frozen frames, faces 36 to
107 px wide, with the noise of a sensor (2 to 5 grey levels) and light that flickers, one shows it in 2 s; with 0.016 eight
do, and with 0.014, which was chosen on the first 18 of the films, 28.
"""

STILL_SECONDS = 1.5
"""How long a face has to be seen before it may be said that it does not move."""
STILL_FRAMES = 3
"""In how many frames, at least."""

JUMP = 1.2
"""Face widths from one frame to the next that are no movement when they are also quicker than `QUICKEST`: there are two
pictures of one person, and now the one is found and now the other."""
QUICKEST = 12.0
"""Face widths a second: who walks past does up to ten."""

type Point = tuple[float, float]


@dataclass(slots=True)
class Movement:
    """How a face has moved in the frames so far. Keeps sums alone."""

    seen: bool = False
    """Whether it has moved as people do. That stays true."""
    _frames: int = 0
    _since: datetime | None = None
    _last: datetime | None = None
    _at: Point = (0.0, 0.0)
    """Where the box was last."""
    _origin: Point = (0.0, 0.0)
    _width: float = 0.0
    """Sum of the widths."""
    _boxes: list[float] = field(default_factory=lambda: [0.0, 0.0])
    """Sums of where the middle of the box was, from the origin on, across and down."""
    _landmarks: list[float] = field(default_factory=lambda: [0.0, 0.0])
    _products: float = 0.0

    def add(self, face: Face, at: datetime) -> None:
        """Note where the face was in the frame taken `at`, which is later than those before."""
        if self.seen:
            return
        left, top, width, height = face.box
        box = (left + width / 2, top + height / 2)
        if self._jumped(box, width, at):
            self._begin()
        if self._since is None:
            self._since, self._origin = at, box
        count = len(face.landmarks)
        marks = (sum(x for x, _ in face.landmarks) / count, sum(y for _, y in face.landmarks) / count)
        self._last, self._at = at, box
        self._frames += 1
        self._width += width
        for axis in (0, 1):
            one, other = box[axis] - self._origin[axis], marks[axis] - self._origin[axis]
            self._boxes[axis] += one
            self._landmarks[axis] += other
            self._products += one * other
        self.seen = self.extent >= MOVED

    @property
    def extent(self) -> float:
        """Return how far it moved, in face widths: the root of what box and landmarks vary by together."""
        if self._frames < 2 or self._width <= 0.0:
            return 0.0
        common = sum(one * other for one, other in zip(self._boxes, self._landmarks, strict=True))
        covariance = (self._products - common / self._frames) / self._frames
        return sqrt(max(0.0, covariance)) * self._frames / self._width

    @property
    def missing(self) -> bool:
        """Return whether it was seen for so long without moving that it may be a picture."""
        if self.seen or self._since is None or self._last is None or self._frames < STILL_FRAMES:
            return False
        return (self._last - self._since).total_seconds() >= STILL_SECONDS

    def _jumped(self, box: Point, width: float, at: datetime) -> bool:
        if self._last is None:
            return False
        far = max(JUMP, QUICKEST * (at - self._last).total_seconds()) * width
        return hypot(box[0] - self._at[0], box[1] - self._at[1]) > far

    def _begin(self) -> None:
        self._frames, self._since, self._width, self._products = 0, None, 0.0, 0.0
        self._boxes, self._landmarks = [0.0, 0.0], [0.0, 0.0]
