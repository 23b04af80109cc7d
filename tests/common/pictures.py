"""Pictures to recognise: camera-like variants of a public-domain portrait and of sample photos of others."""

from functools import cache, lru_cache
from hashlib import sha256
from importlib.util import find_spec
from io import BytesIO
from itertools import count
from pathlib import Path
import re
import struct
import time
import zlib

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

SIZE = (1280, 720)
_NUMBERS = count(time.time_ns())
_FRAMES: dict[tuple[object, ...], bytes] = {}
"""Frames that were made, by what is in them: the same are shown in hundreds of tests."""
_KEPT_FRAMES = 400


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{name} is missing: run script/setup")
    return Path(spec.origin).parent


@cache
def astronaut() -> Image.Image:
    """Return the head and shoulders of Eileen Collins, a NASA portrait in the public domain; face 95 px wide."""
    with Image.open(_package("skimage") / "data" / "astronaut.png") as image:
        return image.convert("RGB").crop((90, 0, 360, 270))


@cache
def group() -> Image.Image:
    """Return a photo of six people."""
    with Image.open(_package("insightface") / "data" / "images" / "t1.jpg") as image:
        return image.convert("RGB")


@cache
def stranger(number: int = 0) -> Image.Image:
    """Return the head of one of the group."""
    boxes = ((380, 203, 650, 473), (1052, 203, 1280, 463), (0, 197, 250, 460))
    return group().crop(boxes[number])


def jpeg(image: Image.Image, quality: int = 85) -> bytes:
    """Return an image as JPEG."""
    data = BytesIO()
    image.save(data, "JPEG", quality=quality)
    return data.getvalue()


def taken_anew(picture: bytes) -> bytes:
    """Return a JPEG of the same pixels that no other picture equals, as a camera takes one again."""
    if not picture.startswith(b"\xff\xd8"):
        return picture
    # A quantisation table that no component uses: it is a part of the picture, and changes nothing in it.
    table = b"\x03" + next(_NUMBERS).to_bytes(8).hex().encode()[-8:] + b"\x01" * 56
    return picture[:2] + b"\xff\xdb" + (2 + len(table)).to_bytes(2) + table + picture[2:]


def png(image: Image.Image) -> bytes:
    """Return an image as a PNG, quickly."""
    data = BytesIO()
    image.save(data, "PNG", compress_level=1)
    return data.getvalue()


def variant(
    image: Image.Image, *, light: float = 1.0, angle: float = 0.0, mirrored: bool = False, blur: float = 0.0
) -> Image.Image:
    """Return an image in other light, turned by some degrees, mirrored or blurred."""
    if mirrored:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if angle:
        image = image.rotate(angle, Image.Resampling.BICUBIC, fillcolor=(120, 120, 125))
    if blur:
        image = image.filter(ImageFilter.GaussianBlur(blur))
    return ImageEnhance.Brightness(image).enhance(light)


def turned(amount: float) -> Image.Image:
    """Return the astronaut with the nose moved sideways, as when the head is turned.

    `amount`: a share of the portrait's width, positive to the viewer's right; 0.08 is some 16 degrees.
    """
    image = astronaut()
    pixels, width = np.asarray(image, np.float32), image.width
    # Her cheeks stay where they are, and so does all that is beyond them.
    left, nose, right = 0.33 * width, 0.495 * width, 0.66 * width
    column = np.interp(
        np.arange(width),
        [0, left, nose + amount * width, right, width - 1],
        [0, left, nose, right, width - 1],
    )
    first = np.clip(column.astype(int), 0, width - 2)
    share = (column - first)[None, :, None]
    return Image.fromarray((pixels[:, first] * (1 - share) + pixels[:, first + 1] * share).astype(np.uint8))


def porch(seed: int = 0) -> Image.Image:
    """Return what a door camera sees with nobody there: two plain walls and sensor noise."""
    return _porch(seed).copy()


@lru_cache(30)
def _porch(seed: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    pixels = np.full((SIZE[1], SIZE[0], 3), (120, 120, 125), np.int16)
    pixels[500:] = (90, 84, 80)
    pixels += rng.integers(-4, 5, pixels.shape, np.int16)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def frame(*people: Image.Image, seed: int = 0, scale: float = 1.0) -> bytes:
    """Return a 1280x720 JPEG of people on the porch, side by side, each frame a little different."""
    key = (*((person.size, sha256(person.tobytes()).digest()) for person in people), seed, scale)
    if key not in _FRAMES:
        while len(_FRAMES) >= _KEPT_FRAMES:
            del _FRAMES[next(iter(_FRAMES))]
        _FRAMES[key] = _frame(people, seed, scale)
    return _FRAMES[key]


def _frame(people: tuple[Image.Image, ...], seed: int, scale: float) -> bytes:
    rng = np.random.default_rng(seed)
    scene = porch(seed)
    for number, person in enumerate(people):
        size = round(person.width * scale), round(person.height * scale)
        turned = variant(person, light=rng.uniform(0.85, 1.1), angle=rng.uniform(-3, 3)).resize(size)
        left = SIZE[0] * (number + 1) // (len(people) + 1) - size[0] // 2 + int(rng.integers(-10, 11))
        scene.paste(turned, (left, 180 + int(rng.integers(-8, 9))))
    return jpeg(scene, 80)


def huge_png(side: int = 30_000) -> bytes:
    """Return a small file that says it is a picture of `side` by `side` pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def tall_jpeg(width: int, height: int, orientation: int = 1) -> bytes:
    """Return a photo of the astronaut, the portrait 720 pixels wide, in a scene as large as a phone's camera takes.

    `height`: a multiple of 16. Both as it is stored; turned by the EXIF `orientation`, 1 or 6, it is upright.
    The scene's rows of blocks start afresh, so that those of a strip can be repeated without making the whole of it.
    """
    # 48 rows for the repeated part, and a strip with the portrait.
    plain = Image.fromarray(
        np.random.default_rng(0).integers(100, 140, (48, width, 3), dtype=np.uint8)
    ).filter(ImageFilter.BoxBlur(2))
    person = astronaut().resize((720, 720), Image.Resampling.LANCZOS)
    if orientation == 6:
        person = person.transpose(Image.Transpose.ROTATE_90)
    scene = Image.new("RGB", (width, 768))
    for top in range(0, 768, 48):
        scene.paste(plain, (0, top))
    scene.paste(person, (width // 3, 24))
    exif = Image.Exif()
    exif[0x0112] = orientation
    (head, person_rows), (_, plain_rows) = (_rows_of_blocks(image, exif) for image in (scene, plain))
    at = head.index(b"\xff\xc0") + 5
    head = head[:at] + struct.pack(">H", height) + head[at + 2 :]
    rows = plain_rows * ((height - 768) // 96) + person_rows
    rows += plain_rows * -(-(height // 16 - len(rows)) // len(plain_rows))
    rows = rows[: height // 16]
    data = b"".join(row + b"\xff" + bytes([0xD0 + number % 8]) for number, row in enumerate(rows))
    return head + data[:-2] + b"\xff\xd9"


def _rows_of_blocks(image: Image.Image, exif: Image.Exif) -> tuple[bytes, list[bytes]]:
    """Return an image's JPEG up to its data, and the data of each of its rows of blocks."""
    data = BytesIO()
    image.save(data, "JPEG", quality=85, exif=exif, restart_marker_rows=1)
    whole = data.getvalue()
    start = whole.index(b"\xff\xda")
    start += 2 + int.from_bytes(whole[start + 2 : start + 4])
    return whole[:start], re.split(rb"\xff[\xd0-\xd7]", whole[start:-2])


def enrolment_photos() -> list[bytes]:
    """Return photos to enrol the astronaut with, none of which is ever a frame of a camera."""
    big = astronaut().resize((540, 540), Image.Resampling.LANCZOS)
    return [
        jpeg(variant(big, light=1.05)),
        jpeg(variant(big, mirrored=True, light=0.8)),
        jpeg(variant(big, angle=8, light=1.2)),
    ]


def photos_of(person: Image.Image) -> list[bytes]:
    """Return photos to enrol somebody with, none of which is ever a frame of a camera."""
    big = person.resize((540, 540 * person.height // person.width), Image.Resampling.LANCZOS)
    return [jpeg(variant(big, light=1.05)), jpeg(variant(big, mirrored=True, light=0.8))]


def different_photos() -> list[bytes]:
    """Return the portrait stretched as no two cameras see it: as far from each other as different photos."""
    big = astronaut().resize((540, 540), Image.Resampling.LANCZOS)
    return [
        jpeg(variant(big, light=1.05)),
        jpeg(variant(big.resize((400, 540)), mirrored=True, light=0.9)),
        jpeg(variant(big.resize((540, 400)), light=1.1)),
    ]


def jittered_photos(count: int) -> list[bytes]:
    """Return one picture over and over, each time in slightly other light and of another JPEG quality."""
    big = astronaut().resize((540, 540), Image.Resampling.LANCZOS)
    return [jpeg(variant(big, light=0.9 + 0.02 * number), quality=75 + 2 * number) for number in range(count)]
