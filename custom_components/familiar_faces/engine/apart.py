"""Decodes one image in a process of its own: standard input, a file, to standard output.

For what takes much: photos in the formats of phones, whose decoders are large and had errors that a made-up file
could use to take over the process, and whatever else would take long or much memory. So that process has nothing but
the image, may use little memory and time, write no file, stands back behind all others, and is gone afterwards. It
also keeps the engine from ending with it.

Prints the width and height of the upright image, and of the pixels that follow, which are fewer where the image is
large; then the pixels, blue first.
"""

# Python 3.13 evaluates annotations, and Pillow is not loaded before the process has confined itself.
from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
import mmap
import os
import resource
import struct
import sys
from typing import TYPE_CHECKING, BinaryIO, cast

from .budget import APART, MAX_DECODED
from .headers import Header, Kind, read_header
from .limits import leave_no_core, limit_growth

if TYPE_CHECKING:
    from PIL import Image

SECONDS = 12
"""Of the processor; a PC takes one for 24 megapixels, and three for 200 of a JPEG."""
SPARE = 36 << 20
"""Bytes of addresses besides what the budget counts: rows, tables, the stripe that is written, and what is never used."""
FAILED, TOO_MUCH = 3, 4
"""What it ends with when the image cannot be decoded, and when that takes more memory than it may."""
SIZES = struct.Struct("<4I")
BEHIND = 2
"""How much it stands back behind what looks, which stands back behind Home Assistant already."""
_STRIPE = 256
"""Rows that are made ready at once."""
_ORIENTATION = 0x0112
_OF_MEMORY = ("out of memory", "memory allocation", "insufficient memory", "bad_alloc", "cannot allocate")
"""How decoders word that they got no memory."""


def confine() -> None:
    """Give up what decoding does not need."""
    for name, limit in (
        # Until the libraries are loaded; they reserve more than they use.
        (resource.RLIMIT_DATA, 3 * APART),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
    ):
        resource.setrlimit(name, (limit, limit))
    leave_no_core()
    os.nice(BEHIND)


def decode(data: bytes, finest: int, out: BinaryIO) -> None:
    """Write an image, a JPEG at most at 1/`finest` of its width; raises what its decoder does."""
    header = read_header(data)
    if header.kind is Kind.HEIC:
        _write_heic(data, out)
    elif header.kind in (Kind.PNG, Kind.AVIF):
        _write_by_pillow(header.kind, out)
    else:
        _write_by_opencv(data, header, finest, out)


def _step(width: int, height: int) -> int:
    """Return how many pixels one has to stand for across and down."""
    return next(each for each in (1, 2, 4, 8, 16) if width * height <= MAX_DECODED * each * each)


def _write_heic(data: bytes, out: BinaryIO) -> None:
    from PIL import Image
    import pillow_heif

    # Each thread takes memory; the engine's other work goes on beside it.
    pillow_heif.options.DECODE_THREADS = 1
    pillow_heif.options.THUMBNAILS = False
    pillow_heif.options.DEPTH_IMAGES = False
    pillow_heif.options.AUX_IMAGES = False
    limit_growth(APART + SPARE)
    photo = pillow_heif.open_heif(data[:], convert_hdr_to_8bit=True)
    width, height = photo.size
    # Not made into an image of Pillow's, which would be all of it once more.
    pixels = memoryview(photo.data)
    mode, stride = photo.mode, photo.stride
    if mode not in ("RGB", "RGBA", "RGBa", "L", "LA", "La"):
        raise ValueError(f"mode {mode}")
    step = _step(width, height)

    def stripes() -> Iterator[Image.Image]:
        for top, rows in _stripes(height, step):
            part = bytes(pixels[top * stride : (top + rows) * stride])
            yield Image.frombuffer(mode, (width, rows), part, "raw", mode, stride, 1)

    _write(((width, height), step), stripes(), out)


def _write_by_pillow(kind: Kind, out: BinaryIO) -> None:
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = None
    if kind is Kind.AVIF:
        from PIL import AvifImagePlugin

        # Each thread would hold pictures of its own.
        AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    limit_growth(APART + SPARE)
    with Image.open(sys.stdin.buffer, formats=(kind.name,)) as photo:
        photo.load()
        image: Image.Image = photo
        size, step = photo.size, _step(*photo.size)
        # Pillow says of an AVIF how the file has it turned. A see-through picture is no camera's.
        orientation = photo.getexif().get(_ORIENTATION, 1)
        if orientation in range(2, 9) and (kind is Kind.AVIF or not image.has_transparency_data):
            if step > 1:
                image = image.reduce(step)
            image = ImageOps.exif_transpose(image)
            turned = image.size if step == 1 else size[::-1] if orientation >= 5 else size
            whole = 1
        else:
            turned, whole = size, step
        parts = (image.crop((0, top, image.width, top + rows)) for top, rows in _stripes(image.height, whole))
        _write((turned, whole), parts, out, image.size if whole == 1 else None)


def _write_by_opencv(data: bytes, header: Header, finest: int, out: BinaryIO) -> None:
    import cv2
    import numpy as np

    from .decoding import decode_here

    cv2.setNumThreads(1)
    limit_growth(APART + SPARE)
    pixels = decode_here(data, header, finest)
    size = (header.width, header.height)
    lies = pixels.shape[1] != -(-header.width // finest)
    size = size[::-1] if lies else size
    step = _step(pixels.shape[1], pixels.shape[0])
    if step > 1:
        pixels = cv2.resize(
            pixels, (-(-pixels.shape[1] // step), -(-pixels.shape[0] // step)), interpolation=cv2.INTER_AREA
        )
    out.write(SIZES.pack(*size, pixels.shape[1], pixels.shape[0]))
    out.write(memoryview(np.ascontiguousarray(pixels)).cast("B"))
    out.flush()


def _stripes(height: int, step: int) -> Iterator[tuple[int, int]]:
    """Return where stripes begin and how many rows they have, each but the last a multiple of `step`."""
    for top in range(0, height, _STRIPE * step):
        yield top, min(_STRIPE * step, height - top)


def _write(
    shape: tuple[tuple[int, int], int],
    stripes: Iterable[Image.Image],
    out: BinaryIO,
    made: tuple[int, int] | None = None,
) -> None:
    """Write an image of a size, one pixel for `step` across and down; what is see-through lies on white."""
    from PIL import Image

    size, step = shape
    out.write(SIZES.pack(*size, *(made or (-(-size[0] // step), -(-size[1] // step)))))
    for stripe in stripes:
        part = _in_8_bits(stripe)
        if part.has_transparency_data:
            part = part.convert("RGBA")
            white = Image.new("RGB", part.size, "white")
            white.paste(part, mask=part.getchannel("A"))
            part = white
        part = part.convert("RGB")
        if step > 1:
            part = part.reduce(step)
        out.write(part.tobytes("raw", "BGR"))
    out.flush()


def _in_8_bits(part: Image.Image) -> Image.Image:
    """Return an image without the lower half of 16 bits of grey; Pillow would cut off what is above 255."""
    from PIL import Image

    if part.mode != "I;16":
        return part
    return Image.frombytes("L", part.size, part.tobytes()[1::2])


def main() -> int:
    """Decode standard input; the last argument is how many pixels of a JPEG one has to stand for at least."""
    confine()
    try:
        with mmap.mmap(sys.stdin.fileno(), 0, access=mmap.ACCESS_READ) as data:
            # As good as bytes for a reader, and not a copy.
            decode(cast("bytes", data), int(sys.argv[-1]), sys.stdout.buffer)
    except MemoryError:
        return TOO_MUCH
    # Each decoder has errors of its own.
    except Exception as err:  # noqa: BLE001
        words = f"{type(err).__name__}: {err}"
        with suppress(OSError):
            os.write(sys.stderr.fileno(), words.encode())
        return TOO_MUCH if any(each in words.lower() for each in _OF_MEMORY) else FAILED
    return 0
