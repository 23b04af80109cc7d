"""The whole way of one image: decode, detect, align, judge, embed."""

from collections.abc import Callable
from dataclasses import dataclass
import logging
from pathlib import Path
import time
from typing import Any, NamedTuple

import cv2
import numpy as np

from . import models
from .detector import Detection, Detector, scale_for
from .liveness import Liveness, can_judge
from .memory import named_shortage
from .model_card import space
from .pinned import Variant
from .pixels import Frame, HeavyError, Pixels, encode_jpeg, open_frame, whole_frame
from .protocol import MAX_FACES, MIN_FACE, Face, Faces
from .quality import judge
from .recogniser import Embedded, Recogniser, align
from .right_of_way import RightOfWay, Stepwise
from .sessions import Provider
from .shadows import lifted
from .turning import QUARTERS, quarters
from .weights import WeightsError

_LOGGER = logging.getLogger(__name__)

LEAST = 5.8
"""Length of the embedding from which what the detector took for a face is one, see `protocol.Face`. Of 1,789 faces of
people in the dark, in infrared, blurred or 24 pixels wide 11 are below it, all at 10 % of the light and none like its
own person. Things with two spots for eyes and one for a mouth have 4.0 to 5.5, some up to 9."""
LEAST_IN_SHADOW = 7.5
"""The same for what was seen with its shadows lifted only. Of the faces of Extended Yale B with the lamp more than 50
degrees aside 1 % are below 7.1 and 5 % below 8.0. Of things that look like a face, parts of motorcycles and of printed
pages have 5.8 to 6.4."""
LEAST_OF_SURE = 6.9
"""The same with a score of SURE or more. Of the 13 faces of that set which LEAST_IN_SHADOW left out 8 are above it, and
nothing of 1,600 pictures without people was."""
SURE = 0.75
PORTRAIT = (320, 400)
"""Largest width and height of a portrait, pixels."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked about an image."""

    min_face: int = MIN_FACE
    """Faces narrower than this, in pixels, are left out."""
    max_faces: int = MAX_FACES
    crops: bool = False
    portraits: bool = False
    mirrored: bool = False
    """Average each embedding with the mirrored crop's: steadier, for enrolling."""
    rotate: int = 0
    """Turn the picture by 0, 90, 180 or 270 degrees clockwise before anything is looked for."""
    search_turned: bool = False
    """Look for faces in the picture turned, too, when nobody is upright in it; the answer is of it so turned."""
    search_shadows: bool = False
    """When nobody is found, search again with the shadows of the picture lifted, and more leniently."""
    judge: bool = False
    """Say of each face how likely it is no picture, where that can be judged; 8 to 12 ms a face."""
    upload: bool = False
    """A photo that somebody sent, and no camera: it comes behind every look."""


@dataclass(frozen=True, slots=True)
class _Eyes:
    """Both models, as one way of work uses them."""

    detector: Detector
    recogniser: Recogniser


class _Detected(NamedTuple):
    """What looks like a face."""

    detection: Detection
    lies: bool
    """Whether it is turned too far to be compared as it lies."""


class _Told(NamedTuple):
    """A face."""

    detection: Detection
    lies: bool
    crop: Pixels
    embedded: Embedded


class Pipeline:
    """Both models and what is done with them; as many images at a time as there are workers, for all callers."""

    def __init__(
        self,
        home: Path,
        variant: Variant = Variant.INT8BQ,
        workers: int = 1,
        recogniser: Callable[[Any], Recogniser] = Recogniser,
        provider: Provider = Provider.CPU,
    ) -> None:
        """Load the models, checked; raise WeightsError. Workers share them: a model keeps nothing between calls.

        `recogniser` makes what looks recognise with from deepface's client.
        """
        loaded = models.load(home, variant, provider)
        self._liveness = Liveness()
        self.variant = variant
        self.card = loaded.card
        self.way = RightOfWay(workers)
        """For what is computed beside this, and for a recogniser that waits for it."""
        self._eyes = _Eyes(Detector(loaded.detector), recogniser(loaded.recogniser))
        self._patient = _Eyes(
            Detector(Stepwise(loaded.detector, self.way)), Recogniser(Stepwise(loaded.recogniser, self.way))
        )
        self._needed = 0.0
        """How finely the last frame had to be decoded: the next one, most likely of the same scene, will need
        the same, and decoding it coarsely first would be in vain."""

    @property
    def judges(self) -> bool:
        """Return whether faces can be judged, see `Wish.judge`: not once a network was found damaged."""
        return not self._liveness.broken

    def warm_up(self) -> None:
        """Run both models once, so that the first visitor does not wait for their first call."""
        with self.way.look():
            self._eyes.detector.detect(np.zeros((540, 960, 3), np.uint8), MIN_FACE, 1)
            self._eyes.recogniser.embed([np.zeros((112, 112, 3), np.uint8)])

    def see(self, data: bytes, wish: Wish, *, heavy: bool = True) -> Faces:
        """Return the faces in a JPEG, PNG, WebP, HEIC or AVIF, the largest first.

        A photo that was sent in lets looks go first, which may be made by other threads at the same time. Raises
        NotAnImageError or TooLargeError; without `heavy`, HeavyError for what takes seconds to decode.
        """
        start = time.perf_counter()
        if wish.upload:
            frame = open_frame(data, scale_for(wish.min_face), heavy=heavy)
            return self._look(self._patient, frame, wish, start)[0]
        try:
            with self.way.look():
                # A photo to enrol with comes after anything, and its template must not depend on it.
                needed = 0.0 if wish.mirrored else self._needed
                frame = open_frame(data, max(scale_for(wish.min_face), needed), heavy=False)
                faces, self._needed = self._look(self._eyes, frame, wish, start)
                return faces
        except HeavyError:
            if not heavy:
                raise
        return self.see_heavy(data, wish)

    def see_heavy(self, data: bytes, wish: Wish) -> Faces:
        """Return the faces in an image that takes long to decode; looks go on meanwhile. Raises as `see`."""
        start = time.perf_counter()
        frame = open_frame(data, 1.0)
        with self.way.look():
            return self._look(self._eyes, frame, wish, start)[0]

    def see_pixels(self, pixels: Pixels, wish: Wish) -> Faces:
        """Return the faces in a picture that is decoded, the largest first."""
        return self.see_frame(whole_frame(pixels), wish)

    def see_frame(self, frame: Frame, wish: Wish) -> Faces:
        """Return the faces in an image that is opened already, the largest first."""
        with self.way.look():
            return self._look(self._eyes, frame, wish, time.perf_counter())[0]

    def _look(self, eyes: _Eyes, frame: Frame, wish: Wish, start: float) -> tuple[Faces, float]:
        """Return the faces in a frame, decoding more of it when that is needed, and how finely that was."""
        with named_shortage():
            return self._seen(eyes, frame, wish, start)

    def _seen(self, eyes: _Eyes, frame: Frame, wish: Wish, start: float) -> tuple[Faces, float]:
        frame = frame.turned(quarters(wish.rotate))
        ms = dict.fromkeys(("decode", "detect", "align", "embed"), 0.0)
        ms["decode"] = _since(start)
        began = time.perf_counter()
        frame, detected, turned = _find(eyes.detector, frame, wish)
        ms["detect"] = _since(began)
        found = _told(eyes.recogniser, frame, detected, wish, ms)
        if wish.search_shadows and not found:
            began = time.perf_counter()
            detected = _faces(eyes.detector, frame, wish, in_shadow=True)
            ms["detect"] += _since(began)
            found = _told(eyes.recogniser, frame, detected, wish, ms)
        faces = tuple(
            Face(
                box=detection.box,
                landmarks=tuple((float(x), float(y)) for x, y in detection.landmarks),
                score=detection.score,
                quality=judge(crop, detection.landmarks, detection.box[2], lies=lies),
                embedding=embedding,
                length=length,
                real=self._real(frame, detection, crop) if wish.judge else None,
                crop=encode_jpeg(crop) if wish.crops else None,
                portrait=encode_jpeg(portrait(frame, detection)) if wish.portraits else None,
            )
            for detection, lies, crop, (embedding, length) in found
        )
        ms["total"] = _since(start)
        seen = Faces(
            model=space(self.variant),
            size=frame.size,
            faces=faces,
            ms=ms,
            turned=turned,
            in_shadow=any(each.detection.shadows for each in found),
            judges=self.judges,
        )
        return seen, frame.needed

    def _real(self, frame: Frame, detection: Detection, crop: Pixels) -> float | None:
        """Return how likely a face is no picture; None where it cannot be judged, or the networks were damaged."""
        if not self.judges or detection.shadows or not can_judge(crop, detection.box[2]):
            return None
        try:
            return self._liveness.real(frame, detection.box)
        except WeightsError as err:
            # Names do not depend on it. From now on the engine says that it cannot judge.
            _LOGGER.error("No face can be judged: %s", err)
            return None


def _since(start: float) -> float:
    """Return milliseconds."""
    return (time.perf_counter() - start) * 1000


def _told(
    recogniser: Recogniser, frame: Frame, detected: list[_Detected], wish: Wish, ms: dict[str, float]
) -> list[_Told]:
    """Return what was detected with its crop and embedding, without things that merely look like a face."""
    began = time.perf_counter()
    crops = [_crop(frame, detection) for detection, _ in detected]
    ms["align"] += _since(began)
    began = time.perf_counter()
    made = recogniser.embed(crops, mirrored=wish.mirrored)
    ms["embed"] += _since(began)
    return [
        _Told(*each, crop, embedded)
        for each, crop, embedded in zip(detected, crops, made, strict=True)
        if embedded.length >= _least(each)
    ]


def _least(detected: _Detected) -> float:
    """Return how long the embedding of what was detected has to be for a face."""
    if not detected.detection.shadows:
        # Somebody who lies in the picture is compared with nobody, and resembles no face: that they are there is a sign
        # that the camera is turned.
        return 0.0 if detected.lies else LEAST
    return LEAST_IN_SHADOW if detected.detection.score < SURE else LEAST_OF_SURE


def _find(detector: Detector, frame: Frame, wish: Wish) -> tuple[Frame, list[_Detected], int]:
    """Return what looks like a face, and by how many degrees clockwise the picture is to be turned.

    With `search_turned` they are the faces of the picture so turned, which is returned with them.
    """
    found = _faces(detector, frame, wish)
    # A face that lies is a sign that the picture does; without any one has to be asked to search for it.
    turn = (
        _turn(detector, frame, wish)
        if all(each.lies for each in found) and (found or wish.search_turned)
        else 0
    )
    if turn and wish.search_turned:
        frame = frame.turned(turn)
        found = _faces(detector, frame, wish)
    return frame, found, 90 * turn


def _turn(detector: Detector, frame: Frame, wish: Wish) -> int:
    """Return by how many quarters clockwise the frame has to be turned for the widest upright face; 0 when there is none."""
    widest, turn = 0.0, 0
    for clockwise in QUARTERS:
        others = _faces(detector, frame.turned(clockwise), wish)
        upright = max((each.detection.box[2] for each in others if not each.lies), default=0.0)
        if upright > widest:
            widest, turn = upright, clockwise
    return turn


def _faces(detector: Detector, frame: Frame, wish: Wish, *, in_shadow: bool = False) -> list[_Detected]:
    found = []
    for each in detector.detect(frame, wish.min_face, wish.max_faces, in_shadow=in_shadow):
        lies = detector.lies(frame, each)
        # What lies scores as well turned a little more: it is not looked at as a head that is tilted.
        found.append(_Detected(each if lies else detector.levelled(frame, each), lies))
    return found


def _crop(frame: Frame, detection: Detection) -> Pixels:
    """Return the aligned face, its shadows lifted where it was not seen without."""
    crop = align(frame.pixels, detection.landmarks / frame.step)
    return lifted(crop) if detection.shadows else crop


def portrait(frame: Frame, detection: Detection) -> Pixels:
    """Return the face with hair and shoulders: twice its box where the frame reaches, at most PORTRAIT."""
    frame.refine(PORTRAIT[0] / (2 * detection.box[2]))
    left, top, width, height = frame.scaled(detection.box)
    image = frame.pixels
    reach = np.array([width, height])
    middle = np.array([left + width / 2, top + height / 2])
    limit = np.array([image.shape[1], image.shape[0]])
    first = np.clip(np.floor(middle - reach), 0, limit - 1).astype(int)
    last = np.clip(np.ceil(middle + reach), first + 1, limit).astype(int)
    part = image[first[1] : last[1], first[0] : last[0]]
    scale = min(1.0, PORTRAIT[0] / part.shape[1], PORTRAIT[1] / part.shape[0])
    if scale < 1.0:
        size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
        part = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(part)
