"""Decodes one HEIC or AVIF photo in a process of its own: standard input to standard output.

Their decoders are large, and had errors that a made-up file could use to take over the process that decodes it. So
that process has nothing but the photo, may use little memory and time, write no file, and is gone afterwards. It
also keeps the engine from ending with it.

Prints the width and height of the upright photo, and of the pixels that follow, which are half or a quarter as wide
and high where the photo is large; then the pixels, blue first.
"""

import io
import resource
import struct
import sys
from typing import BinaryIO

MEMORY = 640 * 1024 * 1024
SECONDS = 20
FAILED = 3
"""What it ends with when the photo cannot be decoded."""
SIZES = struct.Struct("<4I")


def confine() -> None:
    """Give up what decoding does not need."""
    for name, limit in (
        (resource.RLIMIT_DATA, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(name, (limit, limit))


def decode(data: bytes, kind: str, most: int, out: BinaryIO) -> None:
    """Write a photo of kind `heic` or `avif`, of at most `most` pixels; raises what its decoder does."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = None
    if kind == "heic":
        import pillow_heif

        # Each thread takes memory; the engine's other work goes on beside it.
        pillow_heif.options.DECODE_THREADS = 1
        pillow_heif.options.THUMBNAILS = False
        pillow_heif.register_heif_opener()
    with Image.open(io.BytesIO(data), formats=("HEIF",) if kind == "heic" else ("AVIF",)) as photo:
        photo.load()
        image: Image.Image = photo
        step = next(each for each in (1, 2, 4, 8, 16) if image.width * image.height <= most * each * each)
        if step > 1:
            image = image.reduce(step)
        size = (photo.width, photo.height)
        if kind == "avif":
            # Pillow says there how the file has it turned; the decoder of the other has turned it.
            if photo.getexif().get(0x0112, 1) >= 5:
                size = size[::-1]
            image = ImageOps.exif_transpose(image)
        if image.has_transparency_data:
            image = image.convert("RGBA")
            white = Image.new("RGB", image.size, "white")
            white.paste(image, mask=image.getchannel("A"))
            image = white
        image = image.convert("RGB")
    out.write(SIZES.pack(*size, *image.size))
    # In stripes: all of it at once would be there twice.
    out.writelines(
        image.crop((0, top, image.width, min(top + 256, image.height))).tobytes("raw", "BGR")
        for top in range(0, image.height, 256)
    )
    out.flush()


def main() -> int:
    """Decode standard input; the arguments are its kind and the most pixels."""
    confine()
    try:
        decode(sys.stdin.buffer.read(), sys.argv[1], int(sys.argv[2]), sys.stdout.buffer)
    except (OSError, ValueError, SyntaxError, RuntimeError, MemoryError, EOFError) as err:
        sys.stderr.write(f"{type(err).__name__}: {err}\n")
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
