"""Films of a door that is empty, then visited for eight seconds, then empty; made once and kept."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
import json
from pathlib import Path
from random import Random

from imageio_ffmpeg import get_ffmpeg_exe
from PIL import Image, ImageDraw

from demo.client import DemoFailed
from demo.scene import garden

from .faces import Appearance

VERSION = 1
"""Of the films: count it up when they would come out otherwise, so that they are made again."""
VISIT_SECONDS = 8
LOOP_SECONDS = 4
"""How long nobody is there in the part that is repeated while nobody comes."""
FACE = 0.11
"""How wide a visitor's face is, as a share of the picture's shorter side."""
H264, H265, MJPEG = "h264", "h265", "mjpeg"
_START = b"\x00\x00\x01"


@dataclass(frozen=True, slots=True)
class Format:
    """How a camera films."""

    codec: str
    width: int
    height: int
    every: int = 1
    """Seconds between two key frames."""
    fps: int = 15
    fisheye: bool = False

    @property
    def megabits(self) -> float:
        """Return megabits a second, as cameras are set."""
        return max(1.0, 2.0 * self.width * self.height / (1920 * 1080))


@dataclass(frozen=True, slots=True)
class Unit:
    """All of one picture."""

    data: bytes = field(repr=False)
    key: bool

    @property
    def nals(self) -> list[bytes]:
        """Return its NAL units, without the delimiter of pictures."""
        return [nal for nal in split_nals(self.data) if not _is_delimiter(nal)]


@dataclass(frozen=True)
class Film:
    """A visit; also the empty door when `begins` is never reached."""

    format: Format
    units: Sequence[Unit]
    begins: int
    """The first unit that shows the visitor."""

    @property
    def loop(self) -> int:
        """Return how many units at its beginning are repeated while nobody comes."""
        return loop_seconds(self.format) * self.format.fps

    @cached_property
    def headers(self) -> list[bytes]:
        """Return the parameter sets: SPS and PPS, for H.265 VPS before them."""
        kinds = (7, 8) if self.format.codec == H264 else (32, 33, 34)
        found = {nal_kind(self.format.codec, nal): nal for nal in self.units[0].nals}
        return [found[kind] for kind in kinds]


def nal_kind(codec: str, nal: bytes) -> int:
    """Return the type of a NAL unit."""
    return nal[0] & 0x1F if codec == H264 else nal[0] >> 1 & 0x3F


def split_nals(data: bytes) -> Iterator[bytes]:
    """Yield the NAL units of an Annex B byte stream, without their start codes."""
    at = data.find(_START)
    while at >= 0:
        after = data.find(_START, at + 3)
        nal = data[at + 3 : after if after >= 0 else None]
        # The zero before a start code of four bytes is no part of the unit before it.
        yield nal.rstrip(b"\x00")
        at = after


def split_units(codec: str, data: bytes) -> list[Unit]:
    """Return the pictures of a file that ffmpeg wrote; those of H.264 and H.265 begin with a delimiter."""
    if codec == MJPEG:
        return [Unit(b"\xff\xd8" + part, key=True) for part in data.split(b"\xff\xd8")[1:]]
    delimiter, keys = (9, {5}) if codec == H264 else (35, {16, 17, 18, 19, 20, 21})
    units: list[list[bytes]] = []
    for nal in split_nals(data):
        if nal_kind(codec, nal) == delimiter:
            units.append([])
        units[-1].append(nal)
    return [
        Unit(
            b"".join(b"\x00" + _START + nal for nal in nals),
            key=any(nal_kind(codec, nal) in keys for nal in nals),
        )
        for nals in units
    ]


def _is_delimiter(nal: bytes) -> bool:
    return (len(nal) == 2 and nal[0] & 0x1F == 9) or (len(nal) == 3 and nal[0] >> 1 == 35)


def loop_seconds(form: Format) -> int:
    """Return how long the repeated part of a film is: whole groups of pictures."""
    return -(-LOOP_SECONDS // form.every) * form.every


async def make(folder: Path, form: Format, who: Appearance | None) -> Film:
    """Return the film of somebody's visit, or of nobody's; make it when it is not in the folder; raise DemoFailed."""
    about = json.dumps([VERSION, repr(form), who.key if who else None])
    path = folder / f"{blake2b(about.encode(), digest_size=12).hexdigest()}.{form.codec}"
    # Somewhere between two key frames, as people come; the same film always at the same place.
    phase = Random(path.stem).uniform(0.1, 0.9) * form.every
    begins = round((loop_seconds(form) + phase) * form.fps)
    seconds = (
        -(-(begins / form.fps + VISIT_SECONDS) // form.every) * form.every if who else loop_seconds(form)
    )
    frames = round(seconds * form.fps)
    if (units := await asyncio.to_thread(_read, path, form.codec, frames)) is None:
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        await _encode(path, form, who, begins / form.fps, seconds)
        units = await asyncio.to_thread(_read, path, form.codec, frames)
    if units is None:
        raise DemoFailed(f"{path} did not become the film that it was to be.")
    return Film(form, units, begins if who else len(units))


def _read(path: Path, codec: str, frames: int) -> list[Unit] | None:
    """Return a film's pictures; None when there is none of so many."""
    try:
        units = split_units(codec, path.read_bytes())
    except FileNotFoundError, IndexError:
        return None
    return units if len(units) == frames and units[0].key else None


async def _encode(path: Path, form: Format, who: Appearance | None, begins: float, seconds: float) -> None:
    temporary = path.with_suffix(".part")
    background = path.with_suffix(".png")
    await asyncio.to_thread(doorway(form, who).save, background)
    ffmpeg = await asyncio.create_subprocess_exec(
        *(get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-y"),
        *_inputs(form, background, who, begins),
        *("-t", str(seconds), "-r", str(form.fps), "-an", *_codec(form), str(temporary)),
        stderr=asyncio.subprocess.PIPE,
        stdin=asyncio.subprocess.DEVNULL,
    )
    try:
        _, said = await ffmpeg.communicate()
    finally:
        if ffmpeg.returncode is None:
            ffmpeg.kill()
        background.unlink(missing_ok=True)
    if ffmpeg.returncode:
        raise DemoFailed(f"ffmpeg could not make {path.name}: {said.decode(errors='replace').strip()[-500:]}")
    temporary.replace(path)


def _inputs(form: Format, background: Path, who: Appearance | None, begins: float) -> list[str]:
    lens = "v360=flat:fisheye:ih_fov=95:iv_fov=95:h_fov=140:v_fov=140," if form.fisheye else ""
    # A sensor's noise, so that no two pictures are the same; ffmpeg keeps its seed.
    end = f"{lens}noise=alls=6:allf=t,format=yuv420p"
    # The picture is decoded once and repeated: decoding it for each frame took longer than the rest.
    still = f"loop=-1:1:0,setpts=N/({form.fps}*TB)"
    view = f"[0:v]format=yuv420p,{still}"
    rate = ["-framerate", str(form.fps)]
    inputs = [*rate, "-i", str(background)]
    if who is None:
        return [*inputs, "-filter_complex", f"{view},{end}"]
    width, height = size_of(form, who)
    x, y = place_of(form, who)
    sway = f"+{0.01 * form.width:.1f}*sin(t*1.7)" if not who.moves else ""
    source = ["-stream_loop", "-1"] if who.moves else rate
    moving = f"fps={form.fps},scale={width}:{height}" + ("" if who.moves else f",format=yuva420p,{still}")
    overlay = (
        f"[1:v]{moving}[who];{view}[view];[view][who]overlay=x='{x}{sway}':y={y}:"
        f"enable='between(t,{begins - 0.001:.3f},{begins + VISIT_SECONDS:.3f})',{end}"
    )
    return [*inputs, *source, "-i", str(who.path), "-filter_complex", overlay]


def _codec(form: Format) -> list[str]:
    rate = ["-b:v", f"{form.megabits}M", "-maxrate", f"{form.megabits}M", "-bufsize", f"{form.megabits}M"]
    key = form.every * form.fps
    quick = "ultrafast" if form.width * form.height > 1920 * 1080 else "veryfast"
    if form.codec == MJPEG:
        return ["-c:v", "mjpeg", "-q:v", "4", "-pix_fmt", "yuvj420p", "-f", "mjpeg"]
    if form.codec == H264:
        settings = f"keyint={key}:min-keyint={key}:scenecut=0:aud=1:bframes=0:threads=2"
        return ["-c:v", "libx264", "-preset", quick, "-x264-params", settings, *rate, "-f", "h264"]
    settings = f"keyint={key}:min-keyint={key}:scenecut=0:open-gop=0:aud=1:repeat-headers=1:bframes=0:log-level=error"
    return ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", settings, *rate, "-f", "hevc"]


def size_of(form: Format, who: Appearance) -> tuple[int, int]:
    """Return how large a visitor's picture is in the film, pixels."""
    scale = FACE * min(form.width, form.height) / who.face_width
    # What shows a room with somebody in it is never larger than the door.
    scale = min(scale, 0.96 * form.width / who.size[0], 0.9 * form.height / who.size[1])
    return round(who.size[0] * scale / 2) * 2, round(who.size[1] * scale / 2) * 2


def place_of(form: Format, who: Appearance) -> tuple[int, int]:
    """Return where the upper left corner of a visitor's picture is: in the middle, down to the lower edge."""
    width, height = size_of(form, who)
    return (form.width - width) // 2, form.height - height


def doorway(form: Format, who: Appearance | None) -> Image.Image:
    """Return the view without anybody: a garden behind the frame of a door."""
    view = garden()
    scale = max(form.width / view.width, form.height / view.height)
    view = view.resize((round(view.width * scale), round(view.height * scale)))
    left, top = (view.width - form.width) // 2, (view.height - form.height) // 2
    view = view.crop((left, top, left + form.width, top + form.height))
    if who is not None and who.moves:
        (x, y), (width, height) = place_of(form, who), size_of(form, who)
    else:
        x, y, width, height = form.width // 5, form.height // 12, form.width * 3 // 5, form.height
    thick = max(6, form.width // 80)
    ImageDraw.Draw(view).rectangle(
        (x - thick, y - thick, x + width + thick, y + height + thick), outline=(92, 62, 40), width=thick
    )
    return view
