"""Pictures of people: which looks at people, and at prints and screens that show one, are told to be a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from custom_components.familiar_faces.engine.pipeline import Wish
from custom_components.familiar_faces.engine.pixels import NotAnImageError, Pixels, TooLargeError, decode
from custom_components.familiar_faces.engine.protocol import Face
from custom_components.familiar_faces.visits.judging import PICTURE, looks_like_a_picture

from .clips import Clip, Pace, frames_of, read_clips
from .conditions import Condition
from .engine import LOCATED, Engines, labelled, pipeline, read
from .errors import InputError
from .folders import everywhere
from .places import Place
from .scenes import levels

MANY = 60
"""How many photos are drawn as a print and as a screen."""
FRAMES = 5
"""Frames of a look."""
APART = 0.5
"""Seconds between two frames of a clip: those that are closer say the same."""
SIZE = (640, 480)
WIDE = (150, 300)
"""Width of a print or screen in that frame, pixels."""
CONDITIONS = {
    "as is": Condition(),
    "60 % of the light": Condition(light=60),
    "45 px": Condition(face_width=45),
    "30 px": Condition(face_width=30),
    "JPEG 30": Condition(jpeg=30),
    "motion 7": Condition(motion=7),
    "grey": Condition(grey=True),
    "dark": Condition(dark=True),
    "10 % of the light": Condition(light=10),
}
KINDS = ("print", "screen")


@dataclass(frozen=True, slots=True)
class _Task:
    clip: Clip | None
    photo: Path | None
    kind: str
    behind: Clip
    """Where a print or screen is held: blurred, so that nobody else is in the picture."""
    condition: Condition


@dataclass(frozen=True, slots=True)
class _Look:
    judged: int
    """Frames in which the face was judged."""
    frames: int
    below: int
    """Of those judged, frames below the limit."""
    picture: bool


def measure(engines: Engines, clips: Path, photos: Path, many: int) -> dict[str, Any]:
    """Return which looks are told to be a picture, in each condition; raise InputError."""
    people = [clip for each in read_clips(clips).values() for clip in each]
    shown = everywhere(photos)
    if not shown:
        raise InputError(f"{photos} has no pictures")
    shown = shown[:: max(1, len(shown) // many)][:many]
    rows: list[dict[str, Any]] = []
    for name, condition in CONDITIONS.items():
        tasks = [_Task(clip, None, "person", clip, condition) for clip in people]
        tasks += [_Task(None, path, "photo", people[0], condition) for path in shown]
        tasks += [
            _Task(None, path, kind, people[number % len(people)], condition)
            for number, path in enumerate(shown)
            for kind in KINDS
        ]
        found = engines.run(_looks, tasks, name, chunk=1)
        done = list(zip(tasks, found, strict=True))
        for kind in ("person", "photo", *KINDS):
            of_kind = [look for task, looks in done if task.kind == kind for look in looks]
            rows.append({"condition": name, "of": kind, **_figures(of_kind)})
    return {"looks": rows}


def _figures(looks: Sequence[_Look]) -> dict[str, Any]:
    frames = sum(each.judged for each in looks)
    return {
        "looks": len(looks),
        "frames": sum(each.frames for each in looks),
        "judged": frames,
        "below": round(sum(each.below for each in looks) / frames, 3) if frames else None,
        "pictures": sum(each.picture for each in looks),
    }


def _looks(task: _Task) -> list[_Look]:
    """Return what becomes of a clip's looks, or of one at a photo, a print or a screen."""
    try:
        if task.clip is not None:
            images = [image for _, image in frames_of(task.clip, Pace(APART, 10_000, 600.0))]
            groups = [images[at : at + FRAMES] for at in range(0, len(images), FRAMES)]
            return [_look(group, task, f"{task.clip.name}/{at}") for at, group in enumerate(groups)]
        assert task.photo is not None
        photo = decode(read(task.photo))
        name = f"{task.kind}/{task.photo.name}"
        if task.kind == "photo":
            return [_look([photo], task, name)]
        _, behind = next(iter(frames_of(task.behind, Pace(APART, 1, 1.0))))
        random = np.random.default_rng(int.from_bytes(blake2b(name.encode(), digest_size=8).digest()))
        return [_look(held(photo, behind, task.kind, random), task, name)]
    except (NotAnImageError, TooLargeError) as err:
        raise InputError(f"{task.photo or task.clip} is not a picture: {err}") from err


def _look(images: Sequence[Pixels], task: _Task, name: str) -> _Look:
    faces: list[Face] = []
    for number, image in enumerate(images):
        place = None
        if task.condition.needs_place:
            face = labelled(pipeline().see_pixels(image, LOCATED))
            if face is None:
                continue
            place = Place.of(face)
        sent = task.condition.apply(image, place, f"{name}/{number}")
        face = labelled(pipeline().see(sent.data, Wish(min_face=20, judge=True)), sent.place)
        if face is not None and face.quality.usable:
            faces.append(face)
    known = [face.real for face in faces if face.real is not None]
    return _Look(len(known), len(faces), sum(real < PICTURE for real in known), looks_like_a_picture(faces))


def held(photo: Pixels, behind: Pixels, kind: str, random: np.random.Generator) -> list[Pixels]:
    """Return the frames of somebody who holds a photo before a camera, on paper or on a screen, 640x480.

    A print is paler than the photo and has a white border; a screen has a black one, and its red, green and blue
    stripes, which the camera's pixels make waves of. Each frame has another angle and place, and a shine across.
    """
    sheet = _printed(photo) if kind == "print" else _on_a_screen(photo)
    room = cv2.GaussianBlur(cv2.resize(behind, SIZE), (0, 0), 9)
    wide = float(random.uniform(*WIDE))
    middle = np.array(SIZE) * random.uniform(0.4, 0.6, 2)
    return [_in_the_room(sheet, room, wide, middle, random) for _ in range(FRAMES)]


def _printed(photo: Pixels) -> Pixels:
    sheet = cv2.resize(photo, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    edge = round(0.06 * len(sheet))
    sheet = cv2.copyMakeBorder(sheet, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=(235, 238, 240))
    return levels(sheet * 0.85 + 18)


def _on_a_screen(photo: Pixels) -> Pixels:
    lit = cv2.resize(photo, None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST).astype(np.float32)
    for at in range(3):
        stripe = np.full(3, 0.55, np.float32)
        stripe[2 - at] = 1.9
        lit[:, at::3] *= stripe
    edge = round(0.08 * len(lit))
    framed: Pixels = cv2.copyMakeBorder(
        levels(lit), edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=(20, 18, 18)
    )
    return framed


def _in_the_room(
    sheet: Pixels, room: Pixels, wide: float, middle: NDArray[np.float64], random: np.random.Generator
) -> Pixels:
    height, width = sheet.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    half = np.array([wide, wide * height / width]) / 2
    there = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half + middle
    there = there + random.normal(0, wide * 0.03, (4, 2)) + random.normal(0, 4, 2)
    # Twice as fine, and then averaged, as a lens does.
    matrix = cv2.getPerspectiveTransform(corners, (2 * there).astype(np.float32))
    size = (2 * SIZE[0], 2 * SIZE[1])
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    angle, where = random.uniform(0, 2 * np.pi), random.uniform(-1, 1)
    shine = 40 * np.exp(-(((x * np.cos(angle) + y * np.sin(angle) - where) / 0.3) ** 2))
    lit = levels(sheet + shine[..., None])
    shown = cv2.warpPerspective(lit, matrix, size)
    mask = cv2.warpPerspective(np.ones((height, width), np.float32), matrix, size)[..., None]
    whole = cv2.resize(room, size) * (1 - mask) + shown * mask
    small = cv2.resize(whole, SIZE, interpolation=cv2.INTER_AREA) + random.normal(0, 2, (SIZE[1], SIZE[0], 3))
    return levels(small)
