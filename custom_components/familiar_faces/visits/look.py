"""A look: the individuals in its frames, and what is decided of them. Knows neither clock nor camera."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import sqrt

from ..engine.protocol import MIN_FACE, Faces, Quality
from ..people.calibration import Strictness
from ..people.gallery import Gallery
from .decision import decide
from .posters import Poster
from .tracker import Tracker
from .visit import Decision, Sighting, UnclearReason, Verdict

LOOK_FRAMES = 24
"""How many frames a look looks at, at most; those passed over for a newer one cost the engine nothing."""
EMPTY_FRAMES = 4
"""After so many frames without anybody, a look takes its time: a visitor may still be on the way."""
EMPTY_EVERY = 0.4
"""Seconds between two frames then, so that the frames last for as long as the look."""
UNMOVED_FRAMES = 8
"""After so many frames a look takes its time, too, if nobody has moved who is not decided: see `movement`."""
LOOK_SECONDS = 8.0
"""How long a look takes at most."""
FRAME_EVERY = 0.1
"""Seconds between two fetches at least: closer frames show nothing new."""
ENOUGH_FRAMES = 3
"""After so many frames a look ends as soon as everybody in it is decided."""
NEAR = MIN_FACE
"""Width in pixels of the smallest face that a frame is searched for, as long as nothing speaks for less."""
FAR = 12
"""Width of the smallest face that a far search asks for, small enough to see also those too small to use.

The engine then searches the frame at its full size, which takes four to six times as long (1080p: 143 ms
instead of 24, for faces of 30 px 64 ms, on a busy core); but without it a camera that shows everybody 32 px
wide shows nobody. Faces found of 40 put into 1080p frames, searched for 40 / 30 / 24 / 20 px: 40 px wide
31 / 40 / 40 / 40, 36 px 10 / 40 / 40 / 40, 28 px 0 / 18 / 40 / 40, 24 px 0 / 0 / 32 / 40, 20 px 0 / 0 / 0 / 33.
"""
FAR_EVERY = 4
"""Every so many frames there is a far search while nobody is seen, beginning with the second frame."""
FAR_PIXELS = 1920 * 1088
"""In larger frames the far search is for faces larger in proportion, so that it never takes longer."""
NEAR_ENOUGH = 1.2 * NEAR
"""Width from which a face is found without a far search also when it turns out a little narrower."""


@dataclass(frozen=True, slots=True)
class _Decided:
    """A verdict, and what it was made of: the same again gives the same verdict."""

    verdict: Verdict
    frames: int
    gallery: Gallery


class Look:
    """Joins the faces of a look's frames to individuals and decides about each, early where that is safe.

    Lives in memory for the look only. `add` and `finish` compare with the gallery, which takes longer the
    more templates it has: they may be called in a thread, one call after the other.
    """

    def __init__(
        self,
        at: datetime,
        *,
        strictness: Strictness = Strictness.BALANCED,
        one_picture: bool = False,
        judge: bool = False,
    ) -> None:
        """Begin a look because of something that happened `at`.

        `one_picture`: the camera makes one picture a visit, so that one is enough for a name. `judge`: the
        engine is to say of each face how likely it is no picture, where it can.
        """
        self.at = at
        self.strictness = strictness
        self.one_picture = one_picture
        self.judge = judge
        self.frames = 0
        """How many frames were looked at."""
        self.qualities: list[Quality] = []
        """What the engine said of every face, for the camera's fitness."""
        self._first: datetime | None = None
        self._newest: datetime | None = None
        self._size = (0, 0)
        self._widest = 0.0
        self._in_shadow: bool | None = None
        self._model: str | None = None
        self._tracker = Tracker()
        self._decided: dict[str, _Decided] = {}

    @property
    def sightings(self) -> tuple[Sighting, ...]:
        """Return the individuals seen so far, in the order in which they appeared."""
        return self._tracker.sightings

    @property
    def enough(self) -> bool:
        """Return whether the look may end: everybody in it is decided, and enough frames were looked at."""
        return (
            self.frames >= ENOUGH_FRAMES
            and bool(self.sightings)
            and all(each.sighting_id in self._decided for each in self.sightings)
        )

    @property
    def patient(self) -> bool:
        """Return whether the next frame may wait a moment: nobody is there yet, or near enough, or who is does not move."""
        if self.frames >= UNMOVED_FRAMES:
            there = [each for each in self.sightings if each.faces and each.seen_at[-1] == self._newest]
            if undecided := [each for each in there if each.sighting_id not in self._decided]:
                return not any(each.movement.seen for each in undecided)
        return self.frames >= EMPTY_FRAMES and not any(each.faces for each in self.sightings)

    @property
    def somebody_decided(self) -> bool:
        """Return whether anybody was found to be familiar or a stranger."""
        return any(each.verdict.decision is not Decision.UNCLEAR for each in self._decided.values())

    @property
    def size(self) -> tuple[int, int]:
        """Return the width and height of the newest frame, pixels."""
        return self._size

    @property
    def posters(self) -> tuple[Poster, ...]:
        """Return where the faces are that were found to be pictures, perhaps."""
        return tuple(
            Poster.of(each.last_face, self._size)
            for each in self.sightings
            if (known := self._decided.get(each.sighting_id)) is not None
            and known.verdict.reason is UnclearReason.MAY_BE_A_PICTURE
            # What moves is no poster, though it may be a picture in a hand.
            and each.movement.missing
        )

    @property
    def min_face(self) -> int:
        """Return the width in pixels of the smallest face to search the next frame for.

        Faces at least `NEAR` wide are cheap to find. While there are none, smaller ones are searched for now
        and then, and once found, in every frame.
        """
        small = 0 < self._widest < NEAR_ENOUGH
        if not small and (self.sightings or self.frames % FAR_EVERY != 1):
            return NEAR
        return far_face(self._size)

    @property
    def search_shadows(self) -> bool:
        """Return whether to search the next frame again with its shadows lifted when nobody is found in it.

        It is asked together with the far search, and in every frame once somebody was found only that way. Never of an
        engine that does not say that it can.
        """
        if self._in_shadow is None:
            return False
        return self._in_shadow or (not self.sightings and self.frames % FAR_EVERY == 1)

    def add(
        self, faces: Faces, at: datetime, gallery: Gallery, now: datetime
    ) -> list[tuple[Sighting, Verdict]]:
        """Take note of the frame taken `at`, and return the individuals in it that are decided only now.

        A frame of another model than those before starts again, as faces of two models cannot be compared.
        One that is not later than the one before counts as a little later. Raises ValueError when the gallery is
        of another model.
        """
        if faces.model != gallery.model:
            raise ValueError(f"faces of {faces.model} cannot be compared with templates of {gallery.model}")
        if self._model not in (None, faces.model):
            self._tracker = Tracker()
        self._model = faces.model
        if self._newest is not None and at <= self._newest:
            # Another source of the camera's pictures, or a clock that was set.
            at = self._newest + timedelta(milliseconds=1)
        self.frames += 1
        self._first, self._newest = self._first or at, at
        self._size = faces.size
        if faces.in_shadow is not None:
            self._in_shadow = bool(self._in_shadow) or faces.in_shadow
        self._widest = max((face.box[2] for face in faces.faces), default=self._widest)
        self.qualities += [face.quality for face in faces.faces]
        shown = self._tracker.add(faces, at)
        undecided = [each for each in shown if each.sighting_id not in self._decided]
        return self._decide(undecided, gallery, now, final=False)

    def finish(self, gallery: Gallery, now: datetime) -> list[tuple[Sighting, Verdict]]:
        """Return everybody with their final verdict; no more frames will come.

        Those decided early were seen longer since, and perhaps better: they are compared again, unless
        neither more of them was seen nor the gallery is another one. A face in one frame only, with frames
        before and after that lack it, is nobody: a print on a shirt, or a shadow.
        """
        if self._model not in (None, gallery.model):
            # Nobody can be compared now; earlier decisions stay.
            return []
        there = [each for each in self.sightings if not self._is_ghost(each)]
        return self._decide(there, gallery, now, final=True)

    def _is_ghost(self, sighting: Sighting) -> bool:
        assert self._first is not None
        assert self._newest is not None
        if sighting.frames > 1 or sighting.sighting_id in self._decided:
            return False
        return self._first < sighting.seen_at[0] < self._newest

    def _decide(
        self, sightings: Iterable[Sighting], gallery: Gallery, now: datetime, *, final: bool
    ) -> list[tuple[Sighting, Verdict]]:
        decided = []
        for sighting in sightings:
            known = self._decided.get(sighting.sighting_id)
            if known is None or known.frames != sighting.frames or known.gallery is not gallery:
                verdict = decide(
                    sighting,
                    gallery,
                    now,
                    final,
                    strictness=self.strictness,
                    one_picture=self.one_picture,
                )
                if verdict is None or (not final and _may_come_closer(sighting, verdict)):
                    continue
                if verdict.reason is UnclearReason.NO_USABLE_FACE:
                    verdict = replace(verdict, quality=sighting.quality)
                known = _Decided(verdict, sighting.frames, gallery)
                self._decided[sighting.sighting_id] = known
            decided.append((sighting, known.verdict))
        return decided


def far_face(size: tuple[int, int]) -> int:
    """Return the width of the smallest face that a far search asks for in a frame of this size, pixels."""
    pixels = size[0] * size[1]
    return FAR if pixels <= FAR_PIXELS else min(NEAR, round(20 * sqrt(pixels / FAR_PIXELS)))


def _may_come_closer(sighting: Sighting, verdict: Verdict) -> bool:
    """Return whether a stranger was seen small only: they may be somebody known who is still on the way."""
    return verdict.decision is Decision.STRANGER and all(face.quality.size < NEAR for face in sighting.faces)
