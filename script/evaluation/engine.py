"""The shipped engine in this process' children, one of one thread for each processor."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
import multiprocessing
import os
from pathlib import Path
import sys
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from custom_components.familiar_faces.engine.pipeline import Pipeline, Wish
from custom_components.familiar_faces.engine.pixels import NotAnImageError, TooLargeError, decode
from custom_components.familiar_faces.engine.protocol import Face, Faces
from custom_components.familiar_faces.engine.weights import WeightsError, prepare
from custom_components.familiar_faces.visits.look import NEAR, far_face

from .conditions import Condition
from .errors import InputError
from .places import Box, Place

WEIGHTS = "FAMILIAR_FACES_ENGINE_WEIGHTS"
LOCATED = Wish(min_face=20, search_shadows=True)
"""How the labelled face is found in the picture as it is, to scale it from there."""
CHUNK = 8
"""Pictures that a process takes at once."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A labelled picture file."""

    path: Path
    label: str | None
    """Whose face is nearest the middle; None when it is nobody who could be enrolled."""

    @property
    def name(self) -> str:
        """Return what tells it from others wherever the set lies."""
        return f"{self.path.parent.name}/{self.path.name}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the engine saw in a picture."""

    picture: Picture
    faces: Faces | None
    """All faces; None when the labelled face was not found in the picture as it is, and nothing could be done to it."""
    face: Face | None
    """The labelled face; None when no face was found."""
    located: Place | None
    """Where the labelled face is in the picture as it is; known when something had to be done to it."""

    @property
    def label(self) -> str | None:
        """Return whose face it is."""
        return self.picture.label


@dataclass(frozen=True, slots=True)
class Sight:
    """How pictures are looked at."""

    condition: Condition = Condition()
    min_face: int | None = None
    """Width of the smallest face to ask the engine for, pixels; None to search as a look does."""
    mirrored: bool = False
    """As photos to enrol with are looked at."""

    def see(self, data: bytes) -> Faces:
        """Return the faces in a picture; only in a process of `Engines`.

        As the action `identify`: for faces of ordinary width, and when there is nobody for smaller ones and in the
        shadow.
        """
        near = self.near(data)
        return near if near.faces else self.far(data, near)

    def near(self, data: bytes) -> Faces:
        """Return the faces of ordinary width; only in a process of `Engines`."""
        return pipeline().see(data, Wish(min_face=self.min_face or NEAR, mirrored=self.mirrored))

    def far(self, data: bytes, near: Faces) -> Faces:
        """Return the smaller ones and those in the shadow, where a look would search for them.

        `near`: what `near` returned.
        """
        far = self.min_face or far_face(near.size)
        return pipeline().see(data, Wish(min_face=far, mirrored=self.mirrored, search_shadows=True))


class Workers:
    """Processes that were prepared in the same way; use as a context manager.

    `prepare` is called once in each with `arguments`, functions given to `run` then with one item each.
    """

    def __init__(self, prepare: Callable[..., None], *arguments: object) -> None:
        """Start nothing yet."""
        self._executor = ProcessPoolExecutor(
            os.process_cpu_count() or 1,
            # A fresh interpreter: a copy of this process would share its locks and threads' state.
            multiprocessing.get_context("spawn"),
            initializer=prepare,
            initargs=arguments,
        )

    def __enter__(self) -> Self:
        """Return these workers."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the processes, without what was not begun yet."""
        self._executor.shutdown(cancel_futures=True)

    def run[Item, Result](
        self, function: Callable[[Item], Result], items: Sequence[Item], what: str, chunk: int = CHUNK
    ) -> list[Result]:
        """Return the results in the order of the items; raise InputError as the function does."""
        try:
            done = self._executor.map(function, items, chunksize=chunk)
            return list(_shown(done, what, len(items)))
        except BrokenProcessPool as err:
            raise InputError("a process that looked at pictures ended: is there memory for it?") from err


class Engines(Workers):
    """The shipped engine."""

    def __init__(self, weights: Path) -> None:
        """Load the models in each process; `weights` is where the engine keeps them."""
        super().__init__(_prepare, weights)

    def see(self, pictures: Sequence[Picture], sight: Sight, what: str = "pictures") -> list[Seen]:
        """Return what was seen in each picture. Raises InputError for a file that is no picture."""
        return self.run(_see, [(picture, sight) for picture in pictures], what)


def weights_home() -> Path:
    """Return where the engine keeps its weights; raise InputError."""
    home = os.environ.get(WEIGHTS)
    if not home:
        raise InputError(f"{WEIGHTS} does not name the folder of the engine's weights: use script/eval")
    if not (folder := Path(home)).is_dir():
        raise InputError(f"{WEIGHTS} names {home}, which is not a folder")
    try:
        # Once, before several processes would do it at the same time.
        prepare(folder)
    except (WeightsError, OSError) as err:
        raise InputError(str(err)) from err
    return folder


def read(path: Path) -> bytes:
    """Return a file's bytes; raise InputError."""
    try:
        return path.read_bytes()
    except OSError as err:
        raise InputError(f"{path} cannot be read: {err.strerror}") from err


def labelled(faces: Faces, place: Place | None = None) -> Face | None:
    """Return the labelled face: the one nearest the middle of the picture, None when it was not found.

    Where it is known in which `place` it has to be, it is the one nearest to that: somebody beside a face that is
    missed does not stand for it.
    """
    boxes = [face.box for face in faces.faces]
    index = nearest(boxes, faces.size, place)
    return None if index is None else faces.faces[index]


def nearest(boxes: Sequence[Box], size: tuple[int, int], place: Place | None = None) -> int | None:
    """Return which of the boxes `labelled` means."""
    wanted, reach = np.array(size) / 2, float("inf")
    if place is not None:
        wanted, reach = np.array(place.middle), place.width
    distances = [float(np.hypot(*(_centre(box) - wanted))) for box in boxes]
    return int(np.argmin(distances)) if distances and min(distances) <= reach else None


def _centre(box: Box) -> NDArray[np.float64]:
    return np.array([box[0] + box[2] / 2, box[1] + box[3] / 2])


def pipeline() -> Pipeline:
    """Return this process' engine; only in a process of `Engines`."""
    if _loaded is None:
        raise RuntimeError("the engine is loaded in the processes of Engines only")
    return _loaded


_loaded: Pipeline | None = None


def _prepare(weights: Path) -> None:
    global _loaded  # noqa: PLW0603 - a process has one engine
    try:
        _loaded = Pipeline(weights)
        _hush()
    except WeightsError as err:
        # An initialiser that raises is printed with its traceback, and breaks the pool anyway.
        print(f"eval: {err}", file=sys.stderr)
        os._exit(2)


def _hush() -> None:
    """Keep what libjpeg says of a damaged picture off standard error; Python's own words still go there.

    It cannot be told to be quiet, and what is wrong with a picture is said in a sentence.
    """
    said = os.fdopen(os.dup(2), "w", buffering=1)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    sys.stderr = said


def _see(task: tuple[Picture, Sight]) -> Seen:
    picture, sight = task
    data, located, place = read(picture.path), None, None
    try:
        if not sight.condition.as_is:
            image = decode(data)
            if sight.condition.needs_place:
                face = labelled(pipeline().see(data, LOCATED))
                if face is None:
                    return Seen(picture, None, None, None)
                located = Place.of(face)
            sent = sight.condition.apply(image, located, picture.name)
            data, place = sent.data, sent.place
        faces = sight.see(data)
    except (NotAnImageError, TooLargeError) as err:
        raise InputError(f"{picture.path} is not a picture: {err}") from err
    return Seen(picture, faces, labelled(faces, place), located)


def _shown[Result](results: Iterable[Result], what: str, total: int) -> Iterator[Result]:
    """Yield results, and show how far they are where somebody sees it."""
    shown = sys.stderr.isatty()
    try:
        for number, result in enumerate(results, 1):
            if shown:
                print(f"\r{what}: {number} of {total}\033[K", end="", file=sys.stderr, flush=True)
            yield result
    finally:
        if shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
