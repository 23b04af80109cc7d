"""Empty doors: what is taken for a face in pictures that show nobody."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from custom_components.familiar_faces.engine.pixels import (
    NotAnImageError,
    Pixels,
    TooLargeError,
    decode,
    encode_jpeg,
)
from custom_components.familiar_faces.people.gallery import Gallery
from custom_components.familiar_faces.visits.look import FRAME_EVERY, NEAR, Look
from custom_components.familiar_faces.visits.visit import UnclearReason

from .engine import Engines, Sight, read
from .enrolment import NOW
from .errors import InputError
from .folders import everywhere
from .scenes import levels, noisy

MANY = 1000
"""How many pictures are looked at."""
FRAMES = 6
"""How many frames a look gets of a picture in which anything was taken for a face."""
SIZE = (960, 540)
NOISE = 6.0
"""Grey levels of noise at most."""


@dataclass(frozen=True, slots=True)
class _Task:
    path: Path | None
    """The picture that a part is cut out of; None for a scene that is drawn."""
    number: int


@dataclass(frozen=True, slots=True)
class _Found:
    name: str
    faces: int
    usable: int
    only_far: bool
    """Whether nothing was found before it was searched for small faces and in the shadow."""
    visitors: int


def measure(engines: Engines, folder: Path, many: int) -> dict[str, Any]:
    """Return what is found in parts of a folder's pictures, which show nobody, and in drawn scenes, half each.

    Raises InputError for a folder without pictures.
    """
    paths = everywhere(folder)
    if not paths:
        raise InputError(f"{folder} has no pictures")
    tasks = [_Task(paths[number // 2 % len(paths)] if number % 2 else None, number) for number in range(many)]
    found = engines.run(_look, tasks, "empty doors")
    shown = [each for each in found if each.faces]
    return {
        "pictures": len(found),
        "with_a_face": len(shown),
        "faces": sum(each.faces for each in shown),
        "usable_faces": sum(each.usable for each in shown),
        "only_in_the_far_search": sum(each.only_far for each in shown),
        "visitors": sum(each.visitors for each in shown),
        "of_which": dict(Counter(each.name for each in shown).most_common()),
    }


def _look(task: _Task) -> _Found:
    name = "drawn" if task.path is None else task.path.name
    random = np.random.default_rng(
        int.from_bytes(blake2b(f"{name}/{task.number}".encode(), digest_size=8).digest())
    )
    try:
        scene = _drawn(random) if task.path is None else _part(decode(read(task.path)), random)
    except (NotAnImageError, TooLargeError) as err:
        raise InputError(f"{task.path} is not a picture: {err}") from err
    noise, quality = float(random.uniform(0, NOISE)), int(random.integers(40, 95))
    # The wind, or a camera that trembles.
    moved = [np.array([[1, 0, x], [0, 1, y]], np.float32) for x, y in random.normal(0, 1.0, (FRAMES, 2))]
    sight = Sight()

    def frame(number: int) -> bytes:
        image = cv2.warpAffine(scene, moved[number], scene.shape[1::-1], borderMode=cv2.BORDER_REFLECT)
        return encode_jpeg(noisy(image, noise, random), quality)

    first = frame(0)
    near = sight.near(first)
    faces = near if near.faces else sight.far(first, near)
    if not faces.faces:
        return _Found(name, 0, 0, only_far=False, visitors=0)
    usable = sum(each.quality.usable for each in faces.faces)
    return _Found(name, len(faces.faces), usable, not near.faces, _visitors(first, frame, sight))


def _visitors(first: bytes, frame: Callable[[int], bytes], sight: Sight) -> int:
    """Return how many visitors a look makes of it, whatever is decided of them."""
    look = Look(NOW)
    model = sight.near(first).model
    gallery, at = Gallery([], model), NOW
    for number in range(FRAMES):
        data = frame(number) if number else first
        near = sight.near(data)
        # As generous as a look ever is.
        faces = near if near.faces or (look.min_face >= NEAR and number % 2) else sight.far(data, near)
        at = NOW + timedelta(seconds=number * FRAME_EVERY)
        look.add(faces, at, gallery, at)
    verdicts = look.finish(gallery, at)
    return sum(verdict.reason is not UnclearReason.NO_USABLE_FACE for _, verdict in verdicts)


def _part(image: Pixels, random: np.random.Generator) -> Pixels:
    """Return a part of a picture in some size and light."""
    height, width = image.shape[:2]
    share = float(random.uniform(0.3, 1.0))
    across, down = max(1, round(width * share)), max(1, round(height * share))
    left, top = int(random.integers(0, width - across + 1)), int(random.integers(0, height - down + 1))
    part = image[top : top + down, left : left + across]
    scale = min(SIZE[0] / across, SIZE[1] / down) * float(random.uniform(0.4, 1.0))
    part = cv2.resize(
        part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    )
    if random.random() < 0.5:
        part = part[:, ::-1]
    return _lit(np.ascontiguousarray(part), random)


def _lit(image: Pixels, random: np.random.Generator) -> Pixels:
    """Return a picture with more or less light from a side, and sometimes without colour."""
    height, width = image.shape[:2]
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    from_where = float(random.uniform(0, 2 * np.pi))
    slope = 1 + float(random.uniform(0, 0.9)) * (x * np.cos(from_where) + y * np.sin(from_where)) / 2
    lit = levels(image * slope[..., None] * float(random.uniform(0.15, 1.2)))
    if random.random() < 0.3:
        lit = cv2.cvtColor(cv2.cvtColor(lit, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR).astype(np.uint8)
    return lit


def _drawn(random: np.random.Generator) -> Pixels:
    """Return a made-up door: a wall with bricks or boards, a door with a window, leaves, lamps and shadows."""
    width, height = SIZE
    colour = random.integers(40, 220, 3)
    image = np.full((height, width, 3), colour, np.float64)
    # What grows and what is rough: noise of all sizes.
    for size in (4, 12, 40, 120):
        grain = random.normal(0, 1, (height // size + 2, width // size + 2, 1))
        rough = cv2.resize(grain, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]
        image += rough * float(random.uniform(0, 18))
    pitch = int(random.integers(12, 80))
    for at in range(0, height, pitch):
        cv2.line(image, (0, at), (width, at), tuple((colour * 0.7).tolist()), int(random.integers(1, 4)))
    for _ in range(int(random.integers(5, 60))):
        middle = (int(random.integers(0, width)), int(random.integers(0, height)))
        reach = (int(random.integers(3, 90)), int(random.integers(3, 90)))
        shade = tuple(random.integers(0, 255, 3).tolist())
        kind = int(random.integers(0, 3))
        if kind == 0:
            cv2.ellipse(image, middle, reach, float(random.uniform(0, 180)), 0, 360, shade, -1)
        elif kind == 1:
            end = (middle[0] + reach[0], middle[1] + reach[1])
            cv2.rectangle(image, middle, end, shade, int(random.choice([-1, 2])))
        else:
            # Two of a kind side by side and one below: sockets, handles, lamps of a car.
            step = reach[0] + 4
            for dx, dy in ((-step, 0), (step, 0), (0, step)):
                cv2.circle(image, (middle[0] + dx, middle[1] + dy), max(2, reach[0] // 3), shade, -1)
    image = cv2.GaussianBlur(image, (0, 0), float(random.uniform(0.3, 2.0)))
    return _lit(levels(image), random)
