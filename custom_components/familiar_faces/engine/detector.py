"""Where the faces are: deepface's YuNet, first on the whole frame made small, then closely on each face.

YuNet was trained on faces of 10 to 300 pixels (its README in the OpenCV Zoo), finds its landmarks best at
60 to 200, and its time grows with the pixels. Measured on 150 LFW photos, how far a landmark lies from
where the full photo has it, in face widths: 0.09 when the face is seen at 16 pixels, 0.05 at 40, 0.04 at
60 to 100, 0.05 at 400. So the whole frame only tells where to look: candidates with a low score are
welcome there, because the close look judges them again.

YuNet hardly learned tilted heads and gives their landmarks as if they were upright: the cosine of one
photo with itself, tilted in the picture, is 0.96 at 10 degrees, 0.88 at 20, 0.72 at 30 and 0.40 at 40
(medians of 60 photos).
"""

from dataclasses import dataclass, replace
import math
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from .levelling import level
from .pixels import Frame, Pixels, scale_looked, whole_frame
from .recogniser import misfit
from .shadows import lifted
from .turning import lies

SEEN_AS = 20
"""Width in pixels that a face of `min_face` has in the whole frame. Of 200 faces 45 pixels wide, seen at
18, 20, 22 and 25 pixels, 99, 99.5, 100 and 100 % became candidates, but without colour, as at night, 87,
97, 99, 98 %."""
CANDIDATE = 0.3
"""Score from which a place in the frame is looked at closely. With SCORE for it, 64, 80, 89 and 96 % of those
faces without colour would be seen; at 0.2 there are twice as many candidates for one face in a hundred."""
SCORE = 0.7
"""Score from which it is a face."""
NARROWEST_IN_SHADOW = 40
"""Width in pixels of the narrowest face that is searched for in the shadow: of smaller things too many look like one,
and little is seen of smaller faces."""
MISFIT = 0.2
"""How far the landmarks of a face whose shadows were lifted may lie from a face's, see `recogniser.misfit`. Of those
faces 1 % are above 0.11 (lamp 50 to 77 degrees aside) and 0.15 (more), of those 60 pixels wide some above 0.16."""
MOST_IN_SHADOW = 1_600_000
"""Pixels of the whole picture when it is searched with its shadows lifted: 37 ms, at 23 ns each (see PART)."""
WHOLE = 640
"""Longest side of the second look at a large picture, where faces that nearly fill it are found."""
ONE_LOOK = 960
"""Longest side of a frame that the fine look alone shows the largest faces, too."""
PART = (960, 608)
"""Largest width and height that the detector sees at once. Larger looks are taken in parts, for the time of a
pixel grows with the memory: at 960x544 and 1920x608 it is 23 ns, at 1920x1088 43. Parts overlap by the largest
face that the look at the whole picture may miss."""
OVERLAP = 0.3
"""Boxes that share more than this (intersection over union) are one face."""
STEADY = 0.6
"""A close look that moves the box further than this was aimed badly and is taken again."""
NEARLY = 0.9
"""Share of the asked width from which a face is wide enough: faces that were made 40 pixels wide are measured at
38.6 to 39.5, and with few pixels at up to a tenth less."""
CLOSE = 192
"""A close look is a square of this many pixels."""
CLOSE_FACES = (80, 112)
"""How wide the face should be in the two close looks whose landmarks are averaged. Instead of one look at
96, the right person's share above the 0.1 % false accept threshold rose from 99.3 to 99.7 % (photos of 40
people as they came, against 500 others), at 0.01 % from 97.4 to 98.4 and, 45 pixels wide, from 92.9 to
94.2 %."""
CLOSE_IN_SHADOW = (104, 132)
"""The same where shadows are lifted. Of 122 faces of Extended Yale B with the lamp more than 50 degrees aside, 60
pixels wide before grey, 60, 96 and 130 pixels scored 0.7 or more in 67, 85 and 96 %."""
ENOUGH = 96
"""Width in pixels from which a face loses nothing by being decoded at reduced scale. Cosine of a photo with
its half-scale decoding, both with noise of 3 grey levels, by the width at half scale (60 photos in four
sizes, median and 5th percentile): 45 to 55 pixels 0.982 and 0.964, 65 to 80 0.992 and 0.973, 80 to 95 0.994
and 0.981, 95 to 110 0.996 and 0.983, 110 to 140 0.995 and 0.981."""
POINTS = [0, 1, *range(4, 14)]
"""Columns of a row that are places: the box's corner and the landmarks. Columns 2 and 3 are the box's
size."""


@dataclass(frozen=True, slots=True)
class Detection:
    """One face as the detector saw it, in pixels of the frame as it came."""

    box: tuple[float, float, float, float]
    landmarks: NDArray[np.float64]
    """5 x 2: right eye, left eye, nose tip, right and left mouth corner, as the person has them."""
    score: float
    shadows: bool = False
    """Whether it was seen only when its shadows were lifted."""


@dataclass(frozen=True, slots=True)
class _Manner:
    """How faces are looked for."""

    seen_as: int
    """Width in pixels that a face of `min_face` has in the whole frame."""
    candidate: float
    score: float
    close: tuple[int, int]
    """How wide the face should be in the two close looks."""
    aims: int
    """How many close looks are taken at most until one is centred on the face."""
    shadows: bool
    """Whether shadows are lifted."""


_PLAIN = _Manner(SEEN_AS, CANDIDATE, SCORE, CLOSE_FACES, aims=2, shadows=False)
_IN_SHADOW = _Manner(60, 0.2, 0.55, CLOSE_IN_SHADOW, aims=4, shadows=True)
"""Faces in the shadow are found when they are larger: of those of Extended Yale B with the lamp more than 50 degrees
aside, 60 pixels wide before grey and seen at 30, 60 and 90, 70, 92 and 99 % had a candidate of 0.2. They score less:
0.6 or more 97 %, 0.7 or more 94 %."""


@dataclass(frozen=True, slots=True)
class _View:
    """A whole frame at some scale."""

    pixels: Pixels
    step: tuple[float, float]
    """How many pixels of the frame one of `pixels` is wide and high."""

    def at(self, scale: float) -> Self:
        """Return a view at `scale`, a share of the frame's size; a finer one than this is enlarged."""
        small, step = _resized(self.pixels, scale * self.step[0])
        return type(self)(small, (self.step[0] * step[0], self.step[1] * step[1]))


class Detector:
    """YuNet, asked where it sees best."""

    def __init__(self, model: Any) -> None:
        """Take over a `cv2.FaceDetectorYN`, or what stands in for it."""
        self._model = model
        model.setScoreThreshold(min(CANDIDATE, _IN_SHADOW.candidate))
        model.setNMSThreshold(OVERLAP)

    def detect(
        self, frame: Frame | Pixels, min_face: int, max_faces: int, *, in_shadow: bool = False
    ) -> list[Detection]:
        """Return the faces about `min_face` pixels wide or wider, at most `max_faces`, the largest first.

        A frame that is decoded at reduced scale is refined as far as its faces need it, which raises as
        `decode`. Box and landmarks are in pixels of the whole frame in any case. `in_shadow` lifts the shadows of the
        whole frame and takes faces that score less, where the landmarks are as a face has them.
        """
        manner = _IN_SHADOW if in_shadow else _PLAIN
        if in_shadow:
            min_face = max(min_face, NARROWEST_IN_SHADOW)
        if not isinstance(frame, Frame):
            frame = whole_frame(frame)
        views = [_View(frame.pixels, (frame.step, frame.step))]
        for scale in _scales_in_shadow(frame.size, min_face) if in_shadow else scales(frame.size, min_face):
            # Each from the one before: the finest is the largest, and reading it takes longest.
            views.append(views[-1].at(scale))
        candidates = np.concatenate([self._look(view, manner) for view in views[1:]])
        # A box is off by a few pixels where faces are small, so the width counts only after the close look.
        candidates = candidates[candidates[:, 2] >= 0.7 * min_face]
        candidates = candidates[_kept(candidates)]
        # Faces that will not be answered need no close look; some candidates will turn out to be none.
        candidates = candidates[np.argsort(-candidates[:, 2])][: 2 * max_faces]
        if len(candidates):
            frame.refine(ENOUGH / candidates[:, 2].min())
        views[0] = _View(frame.pixels, (frame.step, frame.step))
        rows = [self._confirm(views, row, manner) for row in candidates]
        faces = np.array([row for row in rows if row is not None]).reshape(-1, 15)
        faces = faces[faces[:, 2] >= NEARLY * min_face]
        faces = faces[_kept(faces)]
        faces = faces[np.argsort(-faces[:, 2] * faces[:, 3])][:max_faces]
        return [_detection(row, in_shadow) for row in faces]

    def lies(self, frame: Frame, face: Detection) -> bool:
        """Return whether a face is turned too far to be compared as it lies."""

        def run(image: Pixels) -> NDArray[np.float64]:
            return self._found(lifted(image) if face.shadows else image)

        return lies(run, frame.pixels, frame.scaled(face.box), face.landmarks, face.score)

    def levelled(self, frame: Frame, face: Detection) -> Detection:
        """Return a face with its landmarks as they are seen with the eyes level, where that is better."""

        def run(image: Pixels) -> NDArray[np.float64]:
            return self._found(lifted(image) if face.shadows else image)

        seen = level(run, frame.pixels, frame.scaled(face.box), face.landmarks / frame.step, face.score)
        if seen is None:
            return face
        return replace(face, landmarks=seen.landmarks * frame.step, score=seen.score)

    def _found(self, image: Pixels) -> NDArray[np.float64]:
        rows = self._run(image)
        return rows[rows[:, 14] >= CANDIDATE]

    def _look(self, view: _View, manner: _Manner) -> NDArray[np.float64]:
        """Return rows of box, landmarks and score, in pixels of the frame."""
        small = lifted(view.pixels) if manner.shadows else view.pixels
        overlap = math.ceil(1.5 * SEEN_AS * max(small.shape) / WHOLE)
        found = []
        for top, bottom in _parts(small.shape[0], PART[1], overlap):
            for left, right in _parts(small.shape[1], PART[0], overlap):
                rows = self._run(np.ascontiguousarray(small[top:bottom, left:right]))
                rows = rows[rows[:, 14] >= manner.candidate]
                rows[:, POINTS] += np.tile([left, top], 6)
                found.append(rows)
        return _times(np.concatenate(found), view.step)

    def _confirm(
        self, views: list[_View], row: NDArray[np.float64], manner: _Manner
    ) -> NDArray[np.float64] | None:
        """Return the candidate as well as it can be seen, None when it is no face."""
        seen = self._seen(views, row, manner)
        if seen is not None and manner.shadows and misfit(seen[4:14].reshape(5, 2)) > MISFIT:
            return None
        return seen

    def _seen(
        self, views: list[_View], row: NDArray[np.float64], manner: _Manner
    ) -> NDArray[np.float64] | None:
        """Return the candidate by the mean of two looks, None when it is no face."""
        one, other = manner.close
        first = self._aimed(views, row, one, manner)
        if first is None and manner.shadows:
            first = self._aimed(views, row, other, manner)
        if first is None:
            return None
        second = self._look_closely(views, first, other, manner, manner.score)
        return first if second is None else (first + second) / 2

    def _aimed(
        self, views: list[_View], row: NDArray[np.float64], face: int, manner: _Manner
    ) -> NDArray[np.float64] | None:
        """Return what a look shows that is centred on the face; None when it is no face.

        A look that is not centred may have cut the face off, which then scores less.
        """
        for _ in range(manner.aims):
            seen = self._look_closely(views, row, face, manner, manner.candidate)
            if seen is None or _overlap(row, seen) >= STEADY:
                break
            row = seen
        return seen if seen is not None and seen[14] >= manner.score else None

    def _look_closely(
        self, views: list[_View], candidate: NDArray[np.float64], face: int, manner: _Manner, score: float
    ) -> NDArray[np.float64] | None:
        """Return what a close look shows in a row's box, made `face` pixels wide; None when it is no face."""
        # The coarsest view that shows it as large: a large one is quicker to read from a small picture.
        view = max(
            (each for each in views if candidate[2] >= face * each.step[0]), key=_coarseness, default=views[0]
        )
        image, row = view.pixels, _times(candidate, (1 / view.step[0], 1 / view.step[1]))
        scale = face / row[2]
        reach = CLOSE / scale / 2
        middle = row[:2] + row[2:4] / 2
        height, width = image.shape[:2]
        left, top = np.clip((middle - reach).astype(int), 0, [width - 1, height - 1])
        right, bottom = np.clip((middle + reach).astype(int) + 1, [left + 1, top + 1], [width, height])
        part = image[top:bottom, left:right]
        size = np.clip(np.round([(right - left) * scale, (bottom - top) * scale]).astype(int), 1, CLOSE)
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        # Always the same size, so that the detector need not be set up again for each face.
        canvas = np.zeros((CLOSE, CLOSE, 3), np.uint8)
        canvas[: size[1], : size[0]] = cv2.resize(part, (int(size[0]), int(size[1])), interpolation=way)
        found = self._run(lifted(canvas) if manner.shadows else canvas)
        found[:, :14] *= np.tile([(right - left) / size[0], (bottom - top) / size[1]], 7)
        found[:, POINTS] += np.tile([left, top], 6)
        found = _times(found[found[:, 14] >= score], view.step)
        shared = [_overlap(candidate, other) for other in found]
        return found[int(np.argmax(shared))] if shared and max(shared) > OVERLAP else None

    def _run(self, image: Pixels) -> NDArray[np.float64]:
        self._model.setInputSize(image.shape[1::-1])
        _, rows = self._model.detect(image)
        if rows is None:
            return np.empty((0, 15))
        return np.asarray(rows, dtype=np.float64)


def scale_for(min_face: int) -> float:
    """Return how small a frame may be, as a share of its size, for faces of `min_face` pixels to be noticed."""
    return min(1.0, SEEN_AS / min_face)


def scales(size: tuple[int, int], min_face: int) -> list[float]:
    """Return the sizes at which the detector looks at a whole frame, as shares of its own width and height."""
    fine = min(scale_for(min_face), scale_looked(size))
    return [fine] if fine * max(size) <= ONE_LOOK else [fine, WHOLE / max(size)]


def _scales_in_shadow(size: tuple[int, int], min_face: int) -> list[float]:
    """Return the same for a search with shadows lifted, which looks more closely, if need be by enlarging."""
    most = math.sqrt(MOST_IN_SHADOW / (size[0] * size[1]))
    fine = min(_IN_SHADOW.seen_as / min_face, most)
    return [fine] if fine * max(size) <= ONE_LOOK else [fine, min(fine, WHOLE / max(size))]


def _times(rows: NDArray[np.float64], factors: tuple[float, float]) -> NDArray[np.float64]:
    """Return a row, or rows, with their places and sizes multiplied, across and down."""
    return np.multiply(rows, [*factors] * 7 + [1.0])


def _coarseness(view: _View) -> float:
    return view.step[0]


def _parts(length: int, most: int, overlap: int) -> list[tuple[int, int]]:
    """Return beginnings and ends of equal parts of at most `most` pixels that share at least `overlap`."""
    # Very long pictures: their overlap is as large as a part may be.
    overlap = min(overlap, most // 2)
    count = max(1, math.ceil((length - overlap) / (most - overlap)))
    size = math.ceil((length + (count - 1) * overlap) / count)
    return [
        (start, start + size) for start in (at * (length - size) // max(1, count - 1) for at in range(count))
    ]


def _resized(image: Pixels, scale: float) -> tuple[Pixels, tuple[float, float]]:
    """Return the image at a scale, and how many of its pixels one of those stands for.

    Averages whole blocks first and only then to the exact size: averaging to a size that does not divide
    the image's takes ten times as long (1080p to 768x432: 8 ms instead of 1).
    """
    block = max(1, int(1 / scale))
    height, width = (size // block * block for size in image.shape[:2])
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if block > 1 and width and height:
        image = cv2.resize(
            image[:height, :width], (width // block, height // block), interpolation=cv2.INTER_AREA
        )
    elif not width or not height:
        height, width = image.shape[:2]
    if size != image.shape[1::-1]:
        image = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
    return image, (width / size[0], height / size[1])


def _overlap(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the intersection over union of two rows' boxes."""
    corner = np.maximum(one[:2], other[:2])
    shared = np.prod(np.clip(np.minimum(one[:2] + one[2:4], other[:2] + other[2:4]) - corner, 0, None))
    return float(shared / (np.prod(one[2:4]) + np.prod(other[2:4]) - shared))


def _kept(rows: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the indices of the best of each bunch of overlapping boxes."""
    if not len(rows):
        return np.empty(0, dtype=np.intp)
    kept = cv2.dnn.NMSBoxes(rows[:, :4].tolist(), rows[:, 14].tolist(), 0.0, OVERLAP)
    return np.asarray(kept, dtype=np.intp).reshape(-1)


def _detection(row: NDArray[np.float64], shadows: bool) -> Detection:
    left, top, width, height = map(float, row[:4])
    score = min(1.0, float(row[14]))
    return Detection((left, top, width, height), row[4:14].reshape(5, 2), score, shadows)
