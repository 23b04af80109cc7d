"""Who comes: people of labelled clips where there are any, else those of the demo."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
import re

from imageio_ffmpeg import get_ffmpeg_exe

from demo.client import DemoFailed
from demo.pictures import ASTRONAUT, GUEST, NEIGHBOUR, Person, cut_out
from demo.scene import photos, selfies

ENROLLED_CLIPS = 2
"""Of somebody's clips, how many their reference photos are taken from; the others are their visits."""
PHOTO_SECONDS = (0.4, 1.2)
"""Where in a clip a photo is taken."""
VARIANTS = 2
"""In how many ways somebody comes at most."""
CLIP_FACE = 56
"""How wide faces are in the labelled clips, pixels, more or less."""
_DURATION = re.compile(rb"Duration: (\d+):(\d+):([\d.]+).*?, (\d{3,4})x(\d{3,4})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Appearance:
    """How somebody looks at a door: a clip, or a figure that was cut out of a picture."""

    key: str
    path: Path
    size: tuple[int, int]
    """Pixels."""
    face_width: int
    """Pixels."""
    moves: bool
    """Whether it is a clip."""


@dataclass(frozen=True, slots=True)
class Face:
    """Somebody who comes."""

    name: str
    photos: tuple[bytes, ...]
    """To enrol them with; none of those who agreed to nothing."""
    appearances: tuple[Appearance, ...]


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody."""

    known: tuple[Face, ...]
    stranger: Face


async def cast(folder: Path, labelled: Path | None) -> Cast:
    """Return who comes; `labelled` has `clips/<person>/`, cut-out figures are written into `folder`."""
    clips = labelled / "clips" if labelled else None
    if clips is not None and clips.is_dir():
        people = [sorted(each.glob("*.mkv")) for each in sorted(clips.iterdir()) if each.is_dir()]
        people = [each for each in people if len(each) > ENROLLED_CLIPS]
        if len(people) >= 3:
            anna, ben, stranger = people[:3]
            return Cast((await _filmed("Anna", anna), await _filmed("Ben", ben)), await _filmed("", stranger))
    return Cast(
        (
            _drawn(folder, "Eileen", ASTRONAUT, photos()),
            _drawn(folder, "Robin", GUEST, selfies(GUEST)),
        ),
        _drawn(folder, "", NEIGHBOUR, []),
    )


def _drawn(folder: Path, name: str, person: Person, taken: list[bytes]) -> Face:
    figure = cut_out(person)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name or 'stranger'}.png"
    figure.save(path)
    appearance = Appearance(repr(person), path, figure.size, person.face_width, moves=False)
    return Face(name, tuple(taken), (appearance,))


async def _filmed(name: str, clips: list[Path]) -> Face:
    """Return somebody of clips: the first ones to enrol with, the last ones to come in."""
    taken = []
    if name:
        for clip in clips[:ENROLLED_CLIPS]:
            taken += [await _picture(clip, second) for second in PHOTO_SECONDS]
    visits = clips[ENROLLED_CLIPS:][:VARIANTS]
    return Face(name, tuple(taken), tuple([await _appearance(clip) for clip in visits]))


async def _appearance(clip: Path) -> Appearance:
    said = await _ffmpeg("-i", str(clip), wanted_status=1)
    if (found := _DURATION.search(said)) is None:
        raise DemoFailed(f"{clip} is not a clip that can be read.")
    size = (int(found[4]), int(found[5]))
    return Appearance(f"{clip.parent.name}/{clip.name}", clip, size, CLIP_FACE, moves=True)


async def _picture(clip: Path, second: float) -> bytes:
    """Return a photo out of a clip, enlarged as a telephone would take it from nearer."""
    options = ("-frames:v", "1", "-vf", "scale=1280:-2:flags=lanczos", "-q:v", "2", "-f", "mjpeg", "pipe:1")
    return await _ffmpeg("-loglevel", "error", "-ss", str(second), "-i", str(clip), *options)


async def _ffmpeg(*arguments: str, wanted_status: int = 0) -> bytes:
    """Run ffmpeg; return what it wrote, or said when it is only asked about a file."""
    process = await asyncio.create_subprocess_exec(
        get_ffmpeg_exe(),
        *("-hide_banner", "-nostdin", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    written, said = await process.communicate()
    if process.returncode != wanted_status:
        raise DemoFailed(f"ffmpeg failed: {said.decode(errors='replace')[-300:]}")
    return said if wanted_status else written
