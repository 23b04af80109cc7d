"""Pictures that take far more to decode than their bytes tell."""

from collections.abc import Iterable, Mapping
import io
import struct
import zlib

from PIL import Image

_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Values of a pixel by the PNG's kind of colour."""


def flat_png(
    width: int,
    height: int,
    *,
    depth: int = 8,
    colour: int = 2,
    interlaced: bool = False,
    chunks: Iterable[tuple[bytes, bytes]] = (),
) -> bytes:
    """Return a PNG of zeros, which has a thousandth of the bytes of its pixels."""
    packer = zlib.compressobj(9)
    row = bytes(1 + width * _SAMPLES[colour] * depth // 8)
    rows = height * 2 if interlaced else height
    packed = b"".join(packer.compress(row * 50) for _ in range(-(-rows // 50))) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    palette = [(b"PLTE", bytes(768))] if colour == 3 else []
    parts = [(b"IHDR", header), *palette, *chunks, (b"IDAT", packed), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )


def texts(count: int = 100, megabytes: int = 7) -> list[tuple[bytes, bytes]]:
    """Return chunks of packed text, each of some megabytes when it is unpacked."""
    packed = zlib.compress(bytes(megabytes << 20), 9)
    return [(b"zTXt", b"t%d\0\0" % number + packed) for number in range(count)]


def profile(megabytes: int = 200) -> tuple[bytes, bytes]:
    """Return a chunk with a colour profile of many megabytes."""
    return b"iCCP", b"p\0\0" + zlib.compress(bytes(megabytes << 20), 9)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return an image as a file's bytes."""
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


def many_scans(width: int, height: int, scans: int = 90) -> bytes:
    """Return a progressive JPEG whose last scan comes again and again: each goes through all of the picture."""
    data = saved(Image.new("RGB", (width, height), "grey"), "JPEG", progressive=True)
    begin, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    return data[:end] + data[begin:end] * scans + data[end:]


def pictures() -> Mapping[str, bytes]:
    """Return some that are just small enough to be decoded, or not, by what is special about them."""
    small = Image.new("RGB", (2300, 2300))
    large = Image.new("RGB", (5800, 4100), "grey")
    return {
        "the one that stopped it": flat_png(7071, 7071, depth=16, colour=6),
        "png, 16 bits": flat_png(4500, 4500, depth=16, colour=6),
        "png, profile": flat_png(500, 500, chunks=[profile()]),
        "png, texts": flat_png(500, 500, chunks=texts()),
        "large png, texts": flat_png(4000, 4000, colour=6, chunks=texts()),
        "jpeg, progressive": saved(large, "JPEG", progressive=True),
        "jpeg, many scans": many_scans(1600, 1200),
        "jpeg, plain": saved(large.resize((4000, 3000)).convert("CMYK"), "JPEG"),
        "webp, lossless": saved(large.resize((4000, 3000)), "WEBP", lossless=True, method=0),
        "webp, moving": saved(
            small, "WEBP", save_all=True, append_images=[Image.new("RGB", small.size, "red")]
        ),
    }
