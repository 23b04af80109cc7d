"""Films as cameras send them, made with PyAV: MPEG-TS in pieces, with a number in every frame that can be read back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
import io
from typing import Any, override

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from . import pictures

FPS = 15
BITS = 12
BLOCK = 24
"""Pixels that a bit of the frame's number is wide and high."""

type Pixels = NDArray[np.uint8]
type Scene = Callable[[int], Image.Image]
"""From a frame's number to what is seen."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What a camera sends for one frame."""

    at: float
    """When the frame was taken, in seconds since the film began."""
    key: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class Film:
    """A film in pieces."""

    pieces: Sequence[Piece]

    @property
    def data(self) -> bytes:
        """Return all of it."""
        return b"".join(piece.data for piece in self.pieces)

    def after(self, number: int) -> Film:
        """Return what follows a piece: a film that begins in the middle."""
        return Film(self.pieces[number:])


class _Sink(io.RawIOBase):
    """Takes what a muxer writes, until it is taken away."""

    def __init__(self) -> None:
        super().__init__()
        self._data = bytearray()

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, data: object) -> int:
        view = memoryview(data)  # type: ignore[arg-type]
        self._data += view
        return view.nbytes

    def take(self) -> bytes:
        """Return what was written since the last time."""
        data, self._data = bytes(self._data), bytearray()
        return data


@cache
def _porch(size: tuple[int, int]) -> Image.Image:
    return pictures.porch().resize(size)


def empty(size: tuple[int, int] = (1280, 720)) -> Scene:
    """Return a door with nobody there."""
    return lambda _: _porch(size)


def visited(
    person: Image.Image | None = None,
    *,
    size: tuple[int, int] = (1280, 720),
    first: int = 0,
    last: int = 1 << BITS,
) -> Scene:
    """Return a door at which somebody stands from one frame to another; the face is a tenth of its width."""
    shown = pictures.astronaut() if person is None else person
    width = size[0] // 4
    shown = shown.resize((width, width * shown.height // shown.width))

    @cache
    def place(left: int) -> Image.Image:
        image = _porch(size).copy()
        image.paste(shown, (left, size[1] // 6))
        return image

    def scene(number: int) -> Image.Image:
        if not first <= number <= last:
            return _porch(size)
        return place(size[0] // 3 + 4 * (number % 10))

    return scene


def numbered(image: Image.Image, number: int) -> Pixels:
    """Return the pixels of an image with a number at its foot, red first."""
    pixels = np.array(image.convert("RGB"))
    for bit in range(BITS):
        grey = 235 if number >> bit & 1 else 20
        pixels[-BLOCK:, bit * BLOCK : (bit + 1) * BLOCK] = grey
    return pixels


def number_in(image: bytes | Image.Image) -> int:
    """Return the number at the foot of a picture."""
    opened = Image.open(io.BytesIO(image)) if isinstance(image, bytes) else image
    grey = np.asarray(opened.convert("L"))[-BLOCK * 3 // 4 : -BLOCK // 4]
    return sum(
        (int(grey[:, bit * BLOCK + BLOCK // 4 : (bit + 1) * BLOCK - BLOCK // 4].mean()) > 128) << bit
        for bit in range(BITS)
    )


def film(
    scene: Scene | None = None,
    *,
    seconds: float = 4.0,
    key_every: float = 2.0,
    codec: str = "libx264",
    fps: int = FPS,
    b_frames: int = 0,
    audio: bool = False,
    size: tuple[int, int] = (1280, 720),
    bit_rate: int = 1_500_000,
    container_format: str = "mpegts",
    start: float = 0.0,
    shown: Callable[[int], int] = lambda number: number,
    steady: bool = False,
) -> Film:
    """Return a film as a camera sends it: a key frame every so many seconds, one piece a frame.

    `start`: the first frame's time in the stream, in seconds. `shown`: what each frame shows, another one where the
    camera hangs. `steady`: where nothing changes, nothing is sent; otherwise the encoder uses the rate that it has to
    improve what was sent.
    """
    scene = visited(size=size) if scene is None else scene
    sink = _Sink()
    options = {"mpegts_copyts": "1", "flush_packets": "1"} if container_format == "mpegts" else {}
    pieces: list[Piece] = []
    with av.open(sink, "w", format=container_format, options=options) as out:
        stream = out.add_stream(codec, rate=fps)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.bit_rate = bit_rate
        # The muxer's, so that nothing is rounded on the way; older codecs do not know it.
        stream.codec_context.time_base = Fraction(1, 90_000 if codec.startswith("libx26") else fps)
        stream.codec_context.gop_size = round(key_every * fps)
        if codec.startswith("libx26"):
            keys = f"keyint={round(key_every * fps)}:min-keyint={round(key_every * fps)}:scenecut=0:bframes={b_frames}"
            if steady:
                keys += ":qp=26"
            stream.codec_context.options = {
                "preset": "ultrafast",
                "x264-params" if codec == "libx264" else "x265-params": keys
                + ("" if codec == "libx264" else ":log-level=none:pools=1:frame-threads=1"),
                **({} if b_frames else {"tune": "zerolatency"}),
            }
        sound = out.add_stream("aac", rate=16_000, layout="mono") if audio else None
        heard = 0
        for number in range(round(seconds * fps)):
            frame = av.VideoFrame.from_ndarray(numbered(scene(shown(number)), shown(number)), format="rgb24")
            frame.pts = round((start + number / fps) * 90_000)
            frame.time_base = Fraction(1, 90_000)
            for packet in stream.encode(frame):
                out.mux(packet)
                pieces.append(_piece(packet, sink, start))
            while sound is not None and heard < (number + 1) / fps * 16_000:
                silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
                silence.sample_rate, silence.pts = 16_000, round(start * 16_000) + heard
                silence.time_base = Fraction(1, 16_000)
                for packet in sound.encode(silence):
                    out.mux(packet)
                heard += 1024
        for packet in stream.encode(None):
            out.mux(packet)
            pieces.append(_piece(packet, sink, start))
    if rest := sink.take():
        last = pieces[-1]
        pieces[-1] = Piece(last.at, last.key, last.data + rest)
    return Film(pieces)


def _piece(packet: av.Packet[Any], sink: _Sink, start: float) -> Piece:
    assert packet.pts is not None
    assert packet.time_base is not None
    return Piece(float(packet.pts * packet.time_base) - start, packet.is_keyframe, sink.take())
