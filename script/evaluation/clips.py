"""Clips and burst sequences: where they lie, and what the engine sees in their frames."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from custom_components.familiar_faces.engine.pixels import (
    NotAnImageError,
    Pixels,
    TooLargeError,
    decode,
    encode_jpeg,
)
from custom_components.familiar_faces.engine.protocol import Face, Faces

from .conditions import JPEG
from .engine import LOCATED, Engines, Picture, Seen, Sight, labelled, pipeline, read
from .errors import InputError
from .folders import files, pictures, subfolders
from .places import Place

CLIPS = frozenset({".mkv", ".mp4", ".avi", ".mov", ".webm"})
STRANGERS = "unknown"
"""The folder of those who are nobody."""

type Frames = list[tuple[float, Faces, Faces]]
"""Seconds since the first frame, and what was seen in it in a near and in a far search; see `visits.look`."""


@dataclass(frozen=True, slots=True)
class Clip:
    """What a camera saw of one individual."""

    path: Path
    """A video, or the folder of pictures that are its frames in the order of their names."""
    label: str | None
    """Who it is; None when it is nobody who could be enrolled."""
    frames: tuple[Path, ...] = ()
    """Its pictures; none for a video."""
    beside: Clip | None = None
    """Who stands to the right, in pictures that are made of both; None when one individual is all there is."""

    @property
    def parts(self) -> tuple[Clip, ...]:
        """Return the clips that its pictures are made of, left to right, each as wide as the others."""
        return (self,) if self.beside is None else (replace(self, beside=None), *self.beside.parts)

    @property
    def labels(self) -> tuple[str | None, ...]:
        """Return who is in it, left to right."""
        return tuple(part.label for part in self.parts)

    @property
    def name(self) -> str:
        """Return what tells it from others wherever the set lies."""
        return f"{self.path.parent.name}/{self.path.name}"

    def column(self, face: Face, size: tuple[int, int]) -> int:
        """Return which of its parts shows a face in a picture of this width and height."""
        left, _, width, _ = face.box
        count = len(self.parts)
        return min(max(int((left + width / 2) / size[0] * count), 0), count - 1)


@dataclass(frozen=True, slots=True)
class Recording:
    """A clip, and what the engine saw in it."""

    clip: Clip
    frames: Frames


@dataclass(frozen=True, slots=True)
class Pace:
    """Which frames of a clip are looked at."""

    every: float
    """Seconds between two frames of a video at least, and between two pictures."""
    most: int
    """How many frames at most."""
    seconds: float
    """How much of the clip at most."""


def read_clips(folder: Path) -> dict[str, list[Clip]]:
    """Return the clips of each `<person>/` in a folder, in the order of their names; raise InputError.

    A person's folder holds videos and folders of pictures, or pictures: then these are one clip.
    """
    people = {person.name: _of_person(person) for person in subfolders(folder)}
    if not people:
        raise InputError(f"{folder} has no folders of people")
    for name, clips in people.items():
        if not clips:
            raise InputError(f"{folder / name} has no clips")
    return people


def read_strangers(folder: Path) -> list[Clip]:
    """Return the clips of a folder of nobody's: videos and folders; raise InputError."""
    if not folder.is_dir():
        return []
    clips = [Clip(path, None) for path in files(folder, CLIPS)]
    return [*clips, *(replace(clip, label=None) for each in subfolders(folder) for clip in _of_person(each))]


def side_by_side(clips: Sequence[Clip]) -> list[Clip]:
    """Return clips of two people each: every clip beside one of somebody else, as far as there are such.

    The first half of the clips, in the order that they are given in, stands beside the second half; each clip is used
    once. Raises InputError when no two show different people.
    """
    half = (len(clips) + 1) // 2
    pairs = [
        replace(left, beside=right)
        for left, right in zip(clips, clips[half:], strict=False)
        if left.label is None or left.label != right.label
    ]
    if not pairs:
        raise InputError("there are no two clips of different people to put side by side")
    return pairs


def record(engines: Engines, clips: Sequence[Clip], sight: Sight, pace: Pace, what: str) -> list[Recording]:
    """Return what the engine sees in each clip; raise InputError for one that cannot be read."""
    seen = engines.run(_see, [(clip, sight, pace) for clip in clips], what, chunk=1)
    return [Recording(clip, frames) for clip, frames in zip(clips, seen, strict=True)]


def from_photos(path: Path, some: Sequence[Seen], every: float) -> Recording:
    """Return photos of one person as one clip that shows this person alone.

    A photo that could not be scaled, as its face was not found, is a frame that shows nobody.
    """
    model = next((each.faces.model for each in some if each.faces is not None), "")
    shown = [
        replace(
            each.faces or Faces(model, (1, 1), (), {}), model=model, faces=(each.face,) if each.face else ()
        )
        for each in some
    ]
    clip = Clip(path, some[0].label, tuple(each.picture.path for each in some))
    return Recording(clip, [(number * every, faces, faces) for number, faces in enumerate(shown)])


def references(recording: Recording, count: int) -> list[Seen]:
    """Return the best frames to enrol with: from each part of a clip the sharpest usable one."""
    usable = [
        Seen(Picture(recording.clip.path / f"{seconds:.2f}", recording.clip.label), faces, face, None)
        for seconds, near, far in recording.frames
        if (face := labelled(faces := near if near.faces else far)) is not None and face.quality.usable
    ]
    count = min(count, len(usable))
    parts = [usable[len(usable) * at // count : len(usable) * (at + 1) // count] for at in range(count)]
    return [max(part, key=lambda seen: seen.face.quality.sharpness if seen.face else 0.0) for part in parts]


def _of_person(folder: Path) -> list[Clip]:
    videos = [Clip(path, folder.name) for path in files(folder, CLIPS)]
    bursts = [
        Clip(path, folder.name, tuple(found)) for path in subfolders(folder) if (found := pictures(path))
    ]
    if clips := sorted([*videos, *bursts], key=lambda clip: clip.path):
        return clips
    found = pictures(folder)
    return [Clip(folder, folder.name, tuple(found))] if found else []


def _see(task: tuple[Clip, Sight, Pace]) -> Frames:
    clip, sight, pace = task
    frames, sent = [], set()
    try:
        for shown in zip(*(_shown(part, sight, pace) for part in clip.parts), strict=False):
            seconds, data = shown[0]
            if len(shown) > 1:
                data = _joined([each for _, each in shown])
            # As in a look: a frame that is identical to an earlier one is no new evidence.
            if data not in sent:
                sent.add(data)
                near = sight.near(data)
                frames.append((seconds, near, sight.far(data, near)))
    except (NotAnImageError, TooLargeError) as err:
        raise InputError(f"{clip.path} has a frame that is not a picture: {err}") from err
    return frames


def _shown(clip: Clip, sight: Sight, pace: Pace) -> Iterator[tuple[float, bytes]]:
    """Yield a clip's frames in their condition, and when each was taken; none when nobody can be found in it."""
    condition = sight.condition
    images = list(_images(clip, pace))
    places: Sequence[Place | None] = [None] * len(images)
    if condition.needs_place and not (places := _places(images)):
        return
    for (seconds, image), place in zip(images, places, strict=True):
        data = _sent(image)
        if not condition.as_is:
            data = condition.apply(decode(data), place, f"{clip.name}/{seconds:.3f}").data
        yield seconds, data


def _joined(pictures_sent: Sequence[bytes]) -> bytes:
    """Return pictures side by side as one, each in a column of the same width; their edges are drawn out."""
    images = [decode(data) for data in pictures_sent]
    height, width = (max(image.shape[axis] for image in images) for axis in (0, 1))
    columns = [
        cv2.copyMakeBorder(
            image, 0, height - image.shape[0], 0, width - image.shape[1], borderType=cv2.BORDER_REPLICATE
        )
        for image in images
    ]
    return encode_jpeg(np.ascontiguousarray(np.hstack(columns)), JPEG)


def _places(images: Sequence[tuple[float, Pixels | bytes]]) -> list[Place]:
    """Return where the labelled face is in each frame, nothing when it is in none.

    It is one scale for the whole clip: somebody who comes closer still grows. Where it was not found it is as in the
    frame that is nearest in time.
    """
    found = [labelled(pipeline().see(_sent(image), LOCATED)) for _, image in images]
    known = [(number, Place.of(face)) for number, face in enumerate(found) if face is not None]
    if not known:
        return []
    width = median(place.width for _, place in known)
    nearest = [min(known, key=lambda each: abs(each[0] - number))[1] for number in range(len(images))]
    return [replace(place, width=width) for place in nearest]


def frames_of(clip: Clip, pace: Pace) -> Iterator[tuple[float, Pixels]]:
    """Yield a clip's frames and the second of each; raise InputError for a clip that cannot be read."""
    for seconds, image in _images(clip, pace):
        yield seconds, decode(image) if isinstance(image, bytes) else image


def _sent(image: Pixels | bytes) -> bytes:
    """Return a frame as a camera sends it."""
    return image if isinstance(image, bytes) else encode_jpeg(image, JPEG)


def _images(clip: Clip, pace: Pace) -> Iterator[tuple[float, Pixels | bytes]]:
    """Yield the frames to look at; raise InputError for a clip that cannot be read."""
    if clip.frames:
        for number, path in enumerate(clip.frames[: pace.most]):
            if number * pace.every <= pace.seconds:
                yield number * pace.every, read(path)
        return
    video = cv2.VideoCapture(str(clip.path))
    try:
        rate = video.get(cv2.CAP_PROP_FPS)
        if not video.isOpened() or not rate > 0:
            raise InputError(f"{clip.path} is not a clip that can be read")
        number = taken = 0
        while taken < pace.most and number / rate <= pace.seconds and video.grab():
            # A frame counts as late enough when it is within a tenth of a frame of it.
            if (number + 0.1) / rate >= taken * pace.every:
                done, image = video.retrieve()
                if not done:
                    raise InputError(f"{clip.path} has a frame that cannot be read")
                taken += 1
                yield number / rate, image
            number += 1
        if not taken:
            raise InputError(f"{clip.path} has no frames")
    finally:
        video.release()
