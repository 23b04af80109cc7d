"""What an image may be, asked of a real engine over HTTP."""

from io import BytesIO
import struct
import time
from typing import Any
import zlib

import numpy as np
from PIL import Image
import pytest

from tests.common import pictures
from tests.common.engine_process import EngineProcess

FACE = 95


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    data = BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


def _png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )


def _embedding(engine: EngineProcess, image: bytes) -> np.ndarray:
    faces = engine.faces(image).faces
    assert len(faces) == 1
    return faces[0].embedding


def _noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize(
    "kind",
    [
        "png",
        "webp",
        "webp, lossless",
        "cmyk",
        "grey",
        "grey png",
        "16 bit grey",
        "palette",
        "alpha",
        "progressive",
        "animated webp",
        "apng",
    ],
)
def test_every_kind_of_image_shows_the_same_face(engine: EngineProcess, portrait: bytes, kind: str) -> None:
    picture = pictures.astronaut()
    others = [Image.new("RGB", picture.size, "green"), Image.new("RGB", picture.size, "red")]
    grey = np.asarray(picture.convert("L")).astype(np.uint16) * 257
    image = {
        "png": lambda: _saved(picture, "PNG"),
        "webp": lambda: _saved(picture, "WEBP", quality=90),
        "webp, lossless": lambda: _saved(picture, "WEBP", lossless=True),
        "cmyk": lambda: _saved(picture.convert("CMYK"), "JPEG", quality=95),
        "grey": lambda: _saved(picture.convert("L"), "JPEG", quality=95),
        "grey png": lambda: _saved(picture.convert("L"), "PNG"),
        "16 bit grey": lambda: _saved(Image.fromarray(grey), "PNG"),
        "palette": lambda: _saved(picture.quantize(256), "PNG"),
        "alpha": lambda: _saved(picture.convert("RGBA"), "PNG"),
        "progressive": lambda: _saved(picture, "JPEG", quality=95, progressive=True),
        "animated webp": lambda: _saved(picture, "WEBP", save_all=True, append_images=others, duration=100),
        "apng": lambda: _saved(picture, "PNG", save_all=True, append_images=others, duration=100),
    }[kind]()
    assert float(_embedding(engine, image) @ _embedding(engine, portrait)) > 0.8


def test_colours_of_cmyk_are_not_turned_round(engine: EngineProcess) -> None:
    picture = pictures.astronaut()
    plain = engine.faces(_saved(picture, "JPEG", quality=95)).faces[0].quality.brightness
    cmyk = engine.faces(_saved(picture.convert("CMYK"), "JPEG", quality=95)).faces[0].quality.brightness
    assert cmyk == pytest.approx(plain, abs=6)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_rotated_by_exif_is_turned_upright(
    engine: EngineProcess, portrait: bytes, orientation: int
) -> None:
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    picture = Image.new("RGB", (400, 300), "grey")
    picture.paste(pictures.astronaut(), (20, 10))
    stored = picture.transpose(back[orientation]) if orientation in back else picture
    exif = Image.Exif()
    exif[0x0112] = orientation
    faces = engine.faces(_saved(stored, "JPEG", quality=95, exif=exif))
    assert faces.size == (400, 300)
    (face,) = faces.faces
    assert float(face.embedding @ _embedding(engine, portrait)) > 0.9
    right_eye, left_eye, _, right_mouth, _ = face.landmarks
    assert right_eye[0] < left_eye[0]
    assert right_eye[1] < right_mouth[1]


def test_what_is_see_through_is_not_looked_at(engine: EngineProcess) -> None:
    hidden = pictures.astronaut().convert("RGBA")
    hidden.putalpha(0)
    assert engine.faces(_saved(hidden, "PNG")).faces == ()


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (b"", "no image in it"),
        (b"hello", "not a JPEG, PNG, WebP, HEIC or AVIF"),
        (b"\xff\xd8\xff", "cut off"),
        (b"\xff\xd8\xff\xd9", "no picture"),
        (b"\xff\xd8" + b"\xff" * 100_000, "cut off"),
        (b"\x89PNG\r\n\x1a\n", "cut off"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "header"),
        (_png(0, 10), "empty"),
        (_png(100, 100), "cannot be decoded"),
        (_png(100, 100, (b"IDAT", b"not zlib")), "cannot be decoded"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "cut off"),
        (b"RIFF\x0c\0\0\0WEBPJUNK\0\0\0\0", "no picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a JPEG, PNG, WebP, HEIC or AVIF"),
        (b"/etc/passwd", "not a JPEG, PNG, WebP, HEIC or AVIF"),
        (b"http://127.0.0.1/photo.jpg", "not a JPEG, PNG, WebP, HEIC or AVIF"),
    ],
)
def test_what_is_no_image_is_refused(engine: EngineProcess, image: bytes, words: str) -> None:
    answer = engine.post(image)
    assert answer.status == 400
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert words in answer.json()["detail"]


JPEGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "full colour": {"subsampling": 0},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_rows": 1},
    "many restarts": {"restart_marker_blocks": 1},
}
"""Ways to write a JPEG, as options of Pillow."""


def _door(kind: str) -> bytes:
    """Return a picture of 640 x 480 with a face in its lower half."""
    scene = pictures.porch().resize((640, 480))
    scene.paste(pictures.astronaut(), (200, 200))
    # Every row of blocks needs data of its own.
    return _saved(Image.blend(scene, _noise(640, 480), 0.1), "JPEG", quality=85, **JPEGS[kind])


@pytest.mark.parametrize("kind", JPEGS)
@pytest.mark.parametrize("end", [b"", b"\xff", bytes(500)])
def test_a_missing_end_mark_changes_nothing(engine: EngineProcess, kind: str, end: bytes) -> None:
    image = _door(kind)
    assert image.endswith(b"\xff\xd9")
    (whole,), (without,) = engine.faces(image).faces, engine.faces(image[:-2] + end).faces
    assert without.box == whole.box
    assert (without.embedding == whole.embedding).all()


@pytest.mark.parametrize("kind", JPEGS)
@pytest.mark.parametrize("end", [b"", b"\xff\xd9"])
def test_what_lost_more_than_its_lowest_blocks_is_refused(
    engine: EngineProcess, kind: str, end: bytes
) -> None:
    image = _door(kind)
    first = image.rindex(b"\xff\xda") if kind == "progressive" else image.index(b"\xff\xda")
    scan = len(image) - first
    # 30 rows of blocks, or 60: a share of 0.01 is less than one of them.
    assert engine.post(image[: -scan // 100] + end).status == 200
    for share in (0.1, 0.5, 0.9):
        answer = engine.post(image[: -int(scan * share)] + end)
        assert (answer.status, answer.json()["detail"]) == (400, "the image is cut off")


@pytest.mark.parametrize("end", [b"", b"\xff\xd9"])
def test_a_progressive_picture_without_its_later_scans_is_refused(engine: EngineProcess, end: bytes) -> None:
    image = _door("progressive")
    scans = [at for at in range(len(image)) if image.startswith(b"\xff\xda", at)]
    assert len(scans) > 5
    for start in scans[1:]:
        assert engine.post(image[:start] + end).status == 400


def test_grey_pictures_are_not_taken_for_cut_off_ones(engine: EngineProcess) -> None:
    # Half a wall in exactly the grey that a decoder fills with, with end mark and without.
    scene = Image.new("RGB", (640, 480), (128, 128, 128))
    scene.paste(pictures.astronaut(), (200, 20))
    for kind in JPEGS.values():
        image = _saved(scene, "JPEG", quality=90, **kind)
        assert len(engine.faces(image).faces) == 1
        assert len(engine.faces(image[:-2]).faces) == 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_picture_that_lost_its_half_is_refused(engine: EngineProcess, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = _saved(_noise(640, 480), "JPEG", exif=exif)
    for end in (b"", b"\xff\xd9"):
        assert engine.post(image[: len(image) // 2] + end).status == 400


def test_print_colours_that_lost_their_half_are_refused(engine: EngineProcess) -> None:
    image = _saved(pictures.porch().convert("CMYK"), "JPEG", quality=90)
    assert engine.post(image[:-2]).status == 200
    for end in (b"", b"\xff\xd9"):
        assert engine.post(image[: len(image) // 2] + end).status == 400


def test_a_gif_is_refused_in_words(engine: EngineProcess) -> None:
    frames = [Image.new("P", (64, 64), colour) for colour in range(3)]
    answer = engine.post(_saved(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert answer.status == 400
    assert "not a JPEG, PNG, WebP, HEIC or AVIF" in answer.json()["detail"]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("part", [0.02, 0.5, 0.9])
def test_a_cut_off_image_is_refused_whole(engine: EngineProcess, kind: str, part: float) -> None:
    image = _saved(_noise(320, 240), kind)
    answer = engine.post(image[: int(len(image) * part)])
    assert answer.status == 400
    assert "cut off" in answer.json()["detail"]


def test_a_thumbnail_does_not_hide_that_a_jpeg_is_cut_off(engine: EngineProcess) -> None:
    # A picture inside EXIF has an end mark of its own.
    exif = Image.Exif()
    exif[0x9286] = _saved(_noise(32, 32), "JPEG")
    image = _saved(_noise(320, 240), "JPEG", exif=exif)
    assert image.count(b"\xff\xd9") == 2
    assert engine.post(image).status == 200
    assert engine.post(image[: int(len(image) * 0.7)]).status == 400


def test_bytes_after_the_picture_do_no_harm(engine: EngineProcess, portrait: bytes) -> None:
    assert len(engine.faces(portrait + b"\0" * 1000).faces) == 1


def test_a_huge_picture_is_refused_before_it_is_decoded(engine: EngineProcess) -> None:
    # 30,000 x 30,000 pixels that compress to 2.6 MB would be 2.7 GB.
    row = b"\0" * (1 + 3 * 30_000)
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(row * 100) for _ in range(300)) + packer.flush()
    image = _png(30_000, 30_000, (b"IDAT", packed))
    begun = time.monotonic()
    answer = engine.post(image)
    assert answer.status == 413
    assert "30000 x 30000" in answer.json()["detail"]
    assert time.monotonic() - begun < 1
    assert engine.memory_mb() < 400


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_a_huge_claim_is_refused(engine: EngineProcess, kind: str) -> None:
    image = bytearray(_saved(_noise(64, 64), kind))
    if kind == "JPEG":
        at = image.find(b"\xff\xc0") + 5
        image[at : at + 4] = struct.pack(">HH", 60_000, 60_000)
    else:
        image[26:30] = struct.pack("<HH", 0x3FFF, 0x3FFF)
    assert engine.post(bytes(image)).status == 413


def test_more_than_64_mb_are_refused(engine: EngineProcess) -> None:
    answer = engine.post(b"\xff\xd8\xff" + bytes(64 * 1024 * 1024))
    assert answer.status == 413
    assert "64 MB" in answer.json()["detail"]


def test_damaged_images_never_end_the_engine(engine: EngineProcess, portrait: bytes) -> None:
    rng = np.random.default_rng(7)
    sources = [portrait, _saved(pictures.astronaut(), "PNG"), _saved(pictures.astronaut(), "WEBP")]
    for number in range(150):
        image = bytearray(sources[number % 3])
        for at in rng.integers(0, len(image), 1 + number // 10):
            image[at] = rng.integers(256)
        assert engine.post(bytes(image)).status in (200, 400, 413)
    assert engine.process is not None
    assert engine.process.poll() is None
    assert len(engine.faces(portrait).faces) == 1


# Widths, heights and what phones call them; the last is the largest that is taken.
PHONES = [(8160, 6144), (12000, 9024), (16320, 12240), (16384, 12288)]


@pytest.mark.parametrize(("width", "height"), PHONES)
@pytest.mark.parametrize("turned", [False, True])
def test_large_photos_are_decoded_within_memory(
    prepared: None, portrait: bytes, width: int, height: int, turned: bool
) -> None:
    image = pictures.tall_jpeg(width, height, 6 if turned else 1)
    own = EngineProcess().start()
    try:
        before = own.memory_mb()
        begun = time.monotonic()
        seen = own.faces(image, mirrored=1, portraits=1)
        assert time.monotonic() - begun < 30
        assert own.peak_mb() - before < 200
        assert own.memory_mb() - before < 128
        assert seen.size == ((height, width) if turned else (width, height))
        (face,) = seen.faces
        assert face.quality.usable
        assert face.quality.size == pytest.approx(95 * 720 / 270, rel=0.15)
        assert float(face.embedding @ own.faces(portrait, mirrored=1).faces[0].embedding) > 0.8
    finally:
        assert own.stop() == 0


def test_more_than_200_megapixels_are_refused_in_words(engine: EngineProcess) -> None:
    image = bytearray(pictures.tall_jpeg(4000, 3000))
    at = image.find(b"\xff\xc0") + 5
    image[at : at + 4] = struct.pack(">HH", 12_289, 16_384)
    answer = engine.post(bytes(image))
    assert answer.status == 413
    assert "16384 x 12289 pixels, more than 201 million" in answer.json()["detail"]


def test_a_progressive_jpeg_that_needs_too_much_memory_is_refused(engine: EngineProcess) -> None:
    # All coefficients of a progressive one are held at once: here 600 MB.
    image = bytearray(_saved(_noise(64, 64), "JPEG", progressive=True))
    at = image.find(b"\xff\xc2") + 5
    image[at : at + 4] = struct.pack(">HH", 12_288, 16_384)
    before = engine.memory_mb()
    answer = engine.post(bytes(image))
    assert answer.status == 413
    assert "progressive" in answer.json()["detail"]
    assert engine.memory_mb() < before + 10


def test_a_large_png_is_refused_with_what_to_do(engine: EngineProcess) -> None:
    answer = engine.post(_png(12_000, 9_000))
    assert answer.status == 413
    assert "as a JPEG" in answer.json()["detail"]
