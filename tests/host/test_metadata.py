"""What leaves with a picture: the picture."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
import random
import struct
from typing import Any
import zlib

from PIL import Image, ImageSequence, PngImagePlugin
import pytest

from custom_components.familiar_faces.host.metadata import without_metadata
from tests.common import pictures
from tests.common.engine_process import run_in_engine
from tests.common.phone_photos import phone_photo

PLACE = b"52.370216 N 4.895168 E, Dam 1, Amsterdam"
XMP = b"http://ns.adobe.com/xap/1.0/\0<exif:GPSLatitude>" + PLACE + b"</exif:GPSLatitude>"
ORIENTATION, GPS, LATITUDE, MAKER_NOTE = 0x0112, 0x8825, 2, 0x927C
PNG = b"\x89PNG\r\n\x1a\n"
DECODE = """
import cv2, hashlib
import numpy as np
from engine.pixels import NotAnImageError, TooLargeError, decode
def seen(path):
    try:
        pixels = decode(path.read_bytes())
    except (NotAnImageError, TooLargeError):
        return None
    return [list(pixels.shape), hashlib.sha256(pixels.tobytes()).hexdigest()]
print(json.dumps([seen(path) for path in sorted(Path(sys.argv[1]).iterdir())]))
"""

type Decode = Callable[..., list[Any]]


@pytest.fixture
def decode(tmp_path: Path) -> Decode:
    """Return a function that tells what the engine decodes images to: size and a hash; None when it refuses."""

    def decode(*images: bytes) -> list[Any]:
        for number, image in enumerate(images):
            (tmp_path / f"{number:05}").write_bytes(image)
        seen: list[Any] = run_in_engine(DECODE, tmp_path)
        return seen

    return decode


def saved(kind: str, image: Image.Image | None = None, **options: object) -> bytes:
    image = (image or pictures.astronaut().resize((90, 60))).copy()
    # What its own file said beside it.
    image.info = {}
    data = BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


def segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def tiff(orientation: int | None = 6, order: str = "<") -> bytes:
    """Return EXIF as a phone writes it: make, orientation, a GPS directory, and a place in words."""
    entries = [(0x010F, 2, len(PLACE), 200), (GPS, 4, 1, 100)]
    if orientation is not None:
        value = orientation if order == "<" else orientation << 16
        entries.append((ORIENTATION, 3, 1, value))
    head = b"II*\0" if order == "<" else b"MM\0*"
    data = head + struct.pack(order + "IH", 8, len(entries))
    data += b"".join(struct.pack(order + "HHII", *entry) for entry in sorted(entries)) + bytes(4)
    data = data.ljust(100, b"\0") + struct.pack(order + "HHHIIII", 1, LATITUDE, 5, 3, 130, 0, 0)
    data = data.ljust(130, b"\0") + struct.pack(order + "6I", 52, 1, 22, 1, 12, 1)
    return data.ljust(200, b"\0") + PLACE


def exif(orientation: int | None = 6, order: str = "<") -> bytes:
    return segment(0xE1, b"Exif\0\0" + tiff(orientation, order))


def into_jpeg(*segments: bytes, image: bytes | None = None, behind: bytes = b"") -> bytes:
    image = image or saved("JPEG")
    return image[:2] + b"".join(segments) + image[2:] + behind


def into_png(*chunks: bytes, last: bytes = b"", behind: bytes = b"", image: bytes | None = None) -> bytes:
    image = image or saved("PNG")
    return image[:33] + b"".join(chunks) + image[33:-12] + last + image[-12:] + behind


def kinds(png: bytes) -> list[bytes]:
    """Return the kinds of a PNG's chunks, and see that each checksum is right."""
    at, found = len(PNG), []
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        (told,) = struct.unpack_from(">I", png, at + 8 + length)
        assert told == zlib.crc32(png[at + 4 : at + 8 + length])
        found.append(kind)
        at += 12 + length
    return found


def markers(jpeg: bytes) -> list[int]:
    """Return the markers of a JPEG up to its first scan."""
    at, found = 2, list[int]()
    while not found or found[-1] != 0xDA:
        assert jpeg[at] == 0xFF
        found.append(jpeg[at + 1])
        at += 2 + struct.unpack_from(">H", jpeg, at + 2)[0]
    return found


def tells(image: bytes) -> dict[int, Any]:
    """Return the EXIF that somebody else reads in an image."""
    with Image.open(BytesIO(image)) as opened:
        told = opened.getexif()
        assert not told.get_ifd(GPS)
        assert set(opened.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "exif", "dpi"} | {
            "adobe", "adobe_transform", "progressive", "progression", "loop", "background", "timestamp",
            "duration", "transparency", "bbox", "blend", "disposal", "default_image",
        }  # fmt: skip
        return dict(told)


@pytest.mark.parametrize("order", ["<", ">"])
def test_of_a_phones_jpeg_only_its_orientation_leaves(decode: Decode, order: str) -> None:
    image = into_jpeg(exif(6, order), segment(0xE1, XMP), segment(0xE2, b"ICC_PROFILE\0\1\1" + PLACE))
    with Image.open(BytesIO(image)) as opened:
        assert opened.getexif().get_ifd(GPS)[LATITUDE] == (52, 22, 12), "the test's own photo has a place"
    stripped = without_metadata(image)
    assert tells(stripped) == {ORIENTATION: 6}
    assert struct.pack(order + "6I", 52, 1, 22, 1, 12, 1) not in stripped
    assert PLACE not in stripped
    before, after = decode(image, stripped)
    assert before == after
    assert before[0] == [90, 60, 3]


@pytest.mark.parametrize(
    "beside",
    [
        segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + PLACE),
        segment(0xE1, b"Exif\0\0" + PLACE),
        segment(0xE1, PLACE),
        segment(0xE0, b"JFXX\0\x10" + PLACE),
        segment(0xE2, b"MPF\0" + tiff() + PLACE),
        segment(0xE3, PLACE),
        segment(0xEC, b"Ducky" + PLACE),
        segment(0xED, b"Photoshop 3.0\0008BIM\x04\x04" + PLACE),
        segment(0xEF, PLACE),
        segment(0xFE, PLACE),
        segment(0xF5, PLACE),
        b"\xff\xff" + segment(0xFE, PLACE),
        segment(0xFE, b"garbage between two segments") + PLACE + segment(0xFE, PLACE),
    ],
    ids=[
        "XMP, continued", "EXIF that is none", "APP1", "JFXX", "MPF", "APP3", "Ducky", "IPTC", "APP15", "comment",
        "JPG5", "fill bytes", "garbage",
    ],
)  # fmt: skip
def test_whatever_else_lies_in_a_jpeg_stays_here(decode: Decode, beside: bytes) -> None:
    image = saved("JPEG")
    odd = into_jpeg(beside, exif(None), beside)
    assert without_metadata(odd) == image
    before, after = decode(odd, image)
    # Of marker F5 the engine's decoder thinks that it cannot go on.
    assert before == (None if beside[1] == 0xF5 else after)


def test_a_thumbnail_stays_here(decode: Decode) -> None:
    image = saved("JPEG")
    assert image[2:4] == b"\xff\xe0"
    jfif = segment(0xE0, image[6:18] + b"\x0d\x01" + PLACE[:39])
    stripped = without_metadata(image[:2] + jfif + image[20:])
    assert stripped[:2] + stripped[20:] == image[:2] + image[20:]
    assert tells(stripped) == {}


def test_adobes_mark_is_kept_because_it_tells_the_colours(decode: Decode) -> None:
    image = bytearray(saved("JPEG", pictures.astronaut().convert("CMYK"), quality=90))
    at = image.index(b"\xff\xee\0\x0eAdobe")
    # Read as YCCK from here on.
    image[at + 15] = 2
    whole = bytes(image)
    longer = whole[:at] + segment(0xEE, whole[at + 4 : at + 16] + PLACE) + whole[at + 16 :]
    assert without_metadata(whole) == whole
    assert without_metadata(longer) == whole
    kept, without = decode(whole, whole[:at] + whole[at + 16 :])
    assert kept != without, "the test's own image needs it"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_lies_as_before(decode: Decode, orientation: int) -> None:
    webp = saved("WEBP", exif=tiff(orientation, ">"))
    images = [
        into_jpeg(exif(orientation)),
        into_jpeg(segment(0xE1, XMP), exif(None, ">"), exif(orientation, ">"), exif(3)),
        into_png(chunk(b"eXIf", tiff(orientation))),
        into_png(last=chunk(b"eXIf", tiff(orientation, ">"))),
        webp,
    ]
    stripped = [without_metadata(image) for image in images]
    seen = decode(*images, *stripped)
    assert seen[:5] == seen[5:]
    assert [size for size, _ in seen] == [[90, 60, 3] if orientation > 4 else [60, 90, 3]] * 10
    for image in stripped:
        assert tells(image) == {ORIENTATION: orientation}
        assert PLACE not in image


def test_an_orientation_that_does_not_count_does_not_begin_to(decode: Decode) -> None:
    plain = saved("JPEG")
    unsaid = bytearray(saved("WEBP", exif=tiff(6)))
    assert unsaid[20] == 0x08
    unsaid[20] = 0
    images = [
        into_jpeg(exif(1), exif(6)),
        plain[:-2] + exif(6) + plain[-2:],
        into_jpeg(segment(0xE1, b"Exif\0\xff" + tiff())),
        into_jpeg(segment(0xE1, b"Exif\0\0" + tiff()[:15])),
        into_png(chunk(b"eXIf", b"Exif\0\0" + tiff())),
        into_png(chunk(b"eXIf", tiff(1)), last=chunk(b"eXIf", tiff(6))),
        bytes(unsaid),
    ]
    seen = decode(*images, *map(without_metadata, images))
    assert seen[:7] == seen[7:]
    assert {tuple(size) for size, _ in seen} == {(60, 90, 3)}


def test_a_png_keeps_its_pixels_only(decode: Decode) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", PLACE.decode())
    text.add_text("Location", PLACE.decode() * 9, zip=True)
    text.add_itxt("XML:com.adobe.xmp", PLACE.decode())
    image = saved("PNG", pnginfo=text, exif=tiff(), icc_profile=PLACE, dpi=(300, 300))
    image = into_png(chunk(b"zzZz", PLACE), chunk(b"tIME", bytes(7)), image=image, behind=PLACE)
    assert {b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"iCCP", b"zzZz"} <= set(kinds(image[: -len(PLACE)]))
    stripped = without_metadata(image)
    assert kinds(stripped) == [b"IHDR", b"eXIf", b"IDAT", b"IEND"]
    assert tells(stripped) == {ORIENTATION: 6}
    before, after = decode(image, stripped)
    assert before == after != None  # noqa: E711


def test_a_webp_keeps_its_pictures_only(decode: Decode) -> None:
    images = [
        saved("WEBP", exif=tiff(), xmp=XMP, icc_profile=PLACE, lossless=lossless, background=(0, 0, 0, 0))
        for lossless in (True, False)
    ]
    # After the pictures, inside the container and behind it.
    images.append(
        images[0][:4] + struct.pack("<I", len(images[0]) + 40) + images[0][8:] + b"ZZZZ\x28\0\0\0" + PLACE
    )
    images.append(images[0] + PLACE)
    plain = saved("WEBP")
    images.append(plain[:4] + struct.pack("<I", len(plain) + 40) + plain[8:] + b"EXIF\x28\0\0\0" + PLACE)
    stripped = [without_metadata(image) for image in images]
    for image in stripped:
        assert PLACE not in image
        assert struct.unpack_from("<I", image, 4)[0] == len(image) - 8
        assert image[12:16] != b"VP8X" or image[20] == 0x08, "no promise of an XMP or a profile"
    assert [tells(image) for image in stripped] == [{ORIENTATION: 6}] * 4 + [{}]
    assert stripped[4] == plain
    seen = decode(*images, *stripped)
    assert seen[:5] == seen[5:]
    assert None not in seen


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
@pytest.mark.parametrize("mode", ["RGBA", "RGB"])
def test_transparency_and_animation_are_kept(decode: Decode, kind: str, mode: str) -> None:
    first = pictures.astronaut().resize((90, 61)).convert(mode)
    if mode == "RGBA":
        first.putalpha(Image.linear_gradient("L").resize(first.size))
    others = [Image.new(mode, first.size, colour) for colour in ("green", "red")]
    still = saved(kind, first, exif=tiff(None))
    moving = saved(kind, first, save_all=True, append_images=others, duration=100, exif=tiff(None))
    stripped = [without_metadata(still), without_metadata(moving)]
    seen = decode(still, moving, *stripped)
    assert seen[:2] == seen[2:]
    assert None not in seen
    assert all(PLACE not in image and tells(image) == {} for image in stripped)
    with Image.open(BytesIO(stripped[1])) as opened:
        assert sum(1 for _ in ImageSequence.Iterator(opened)) == 3


def test_what_hides_in_a_frame_of_an_animation_stays_here(decode: Decode) -> None:
    others = [Image.new("RGB", (90, 60), colour) for colour in ("green", "red")]
    image = saved("WEBP", others[0], save_all=True, append_images=others[1:], duration=100)
    hidden = b"ZZZZ" + struct.pack("<I", len(PLACE)) + PLACE
    at = image.index(b"ANMF")
    (length,) = struct.unpack_from("<I", image, at + 4)
    end = at + 8 + length + length % 2
    odd = image[:at] + b"ANMF" + struct.pack("<I", end - at - 8 + len(hidden)) + image[at + 8 : end] + hidden
    odd = b"RIFF" + struct.pack("<I", len(image) - 8 + len(hidden)) + odd[8:] + image[end:]
    assert without_metadata(odd) == image


def test_a_film_behind_a_photo_stays_here(decode: Decode) -> None:
    film = b"\0\0\0\x18ftypmp42" + bytes(8) + b"\xa9xyz" + PLACE
    image = saved("JPEG", pictures.astronaut())
    for behind in (film, into_jpeg(exif()), b"\0" * 9 + film):
        assert without_metadata(into_jpeg(exif(None), image=image, behind=behind)) == image


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0, "quality": 98}])
@pytest.mark.parametrize("restart", [0, 3])
def test_a_picture_alone_leaves_as_it_is(options: dict[str, Any], restart: int) -> None:
    image = saved("JPEG", pictures.astronaut(), restart_marker_blocks=restart, **options)
    assert (b"\xff\xd3" in image) is bool(restart)
    assert (image.count(b"\xff\xda") > 1) is ("progressive" in options)
    assert without_metadata(image) is image
    assert without_metadata(into_jpeg(segment(0xFE, PLACE), image=image)) == image
    png = saved("PNG")
    assert without_metadata(png) is png
    webp = saved("WEBP")
    assert without_metadata(webp) == webp


def test_comments_between_scans_stay_here(decode: Decode) -> None:
    image = saved("JPEG", pictures.astronaut(), progressive=True)
    second = image.index(b"\xff\xda", image.index(b"\xff\xda") + 2)
    odd = image[:second] + segment(0xFE, PLACE) + segment(0xE1, XMP) + image[second:]
    assert without_metadata(odd) == image


@pytest.mark.parametrize(
    "image",
    [
        b"II*\0" + tiff()[4:],
        b"GIF89a" + PLACE,
        b"RIFF\xff\0\0\0WAVE" + PLACE,
        b"<html>" + PLACE,
        PLACE,
    ],
    ids=["TIFF", "GIF", "WAVE", "HTML", "text"],
)
def test_of_what_is_no_picture_a_few_bytes_leave(decode: Decode, image: bytes) -> None:
    """They hold a place, too; the engine refuses them from their first bytes."""
    assert without_metadata(image) == image[:4]
    assert decode(image, image[:4]) == [None, None]


def test_nothing_is_nothing() -> None:
    assert without_metadata(b"") == b""


def test_a_photo_that_is_cut_off_takes_no_place_along(decode: Decode) -> None:
    """Wherever it ends, no more leaves than of a whole one, and the engine refuses it as before."""
    images = [
        into_jpeg(segment(0xE1, XMP), exif()),
        into_png(chunk(b"tEXt", PLACE), chunk(b"eXIf", tiff())),
        saved("WEBP", exif=tiff(), xmp=XMP),
    ]
    for image in images:
        parts = [without_metadata(image[:length]) for length in range(len(image))]
        assert not [part for part in parts if PLACE[:12] in part]
        # Of a JPEG the end mark and the lowest blocks may be missing.
        late = len(parts) * 3 // 4 if image[:2] == b"\xff\xd8" else -3
        assert decode(*parts[:: len(parts) // 40], parts[late])[-1] is None


def test_damaged_pictures_look_as_before(decode: Decode) -> None:
    """Whatever the engine reads of a damaged picture it reads of what leaves of it."""
    chance = random.Random(4)
    sources = [
        into_jpeg(exif(6), segment(0xFE, PLACE)),
        into_jpeg(exif(8, ">"), image=saved("JPEG", progressive=True, restart_marker_blocks=2)),
        into_png(chunk(b"eXIf", tiff(6)), chunk(b"tEXt", PLACE)),
        saved("WEBP", exif=tiff(6)),
        saved("WEBP", save_all=True, append_images=[Image.new("RGB", (90, 60))], exif=tiff(6)),
    ]
    images = []
    for number in range(500):
        source = sources[number % len(sources)]
        image = bytearray(source)
        told = max(source.find(b"II*\0"), source.find(b"MM\0*"))
        # What is damaged beside the picture is read in other ways by others.
        where = [at for at in range(len(image)) if not told - 16 <= at < told + len(tiff()) + 16]
        for at in chance.choices(where, k=1 + number % 7):
            image[at] = chance.randrange(256)
        images.append(bytes(image))
    seen = decode(*images, *map(without_metadata, images))
    before, after = seen[:500], seen[500:]
    assert 200 < sum(each is not None for each in before) < 450
    assert [a for b, a in zip(before, after, strict=True) if b is not None] == [
        b for b in before if b is not None
    ]


def test_nothing_raises() -> None:
    chance = random.Random(5)
    sources = [
        into_jpeg(exif(), segment(0xE1, XMP)),
        saved("PNG", exif=tiff()),
        saved("WEBP", exif=tiff(), xmp=XMP),
        saved("WEBP", save_all=True, append_images=[Image.new("RGB", (90, 60))], exif=tiff()),
    ]
    starts = (b"\xff\xd8\xff", PNG, b"RIFF\x80\0\0\0WEBP", b"RIFF\x80\0\0\0WEBPVP8X", b"")
    for number in range(4000):
        image = bytearray(sources[number % len(sources)])
        for _ in range(1 + number % 20):
            image[chance.randrange(len(image))] = chance.randrange(256)
        if number % 11 == 0:
            del image[chance.randrange(len(image)) :]
        noise = starts[number % len(starts)] + chance.randbytes(chance.randrange(200))
        for odd in (bytes(image), noise):
            stripped = without_metadata(odd)
            assert without_metadata(stripped) == stripped, "of what is left nothing more goes"
            assert len(stripped) <= len(odd) + 30


def test_many_small_parts_take_no_time() -> None:
    for image in (
        b"\xff\xd8\xff" + b"\xff\xfe\0\2" * 1_000_000,
        PNG + chunk(b"tEXt", b"") * 500_000,
        b"RIFF" + struct.pack("<I", 8_000_004) + b"WEBP" + b"ZZZZ\0\0\0\0" * 1_000_000,
        b"\xff\xd8" + b"\xff" * 4_000_000,
    ):
        assert len(without_metadata(image)) < 20


@pytest.mark.parametrize("kind", ["heic", "avif"])
@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("tile", [0, 64])
def test_a_phones_photo_keeps_its_picture_alone(
    decode: Decode, kind: str, orientation: int, tile: int
) -> None:
    picture = pictures.astronaut().crop((60, 30, 200, 130))
    photo = phone_photo(picture, kind, orientation=orientation, place=PLACE.decode(), tile=tile)
    assert PLACE in photo
    cleared = without_metadata(photo)
    assert PLACE not in cleared
    assert b"Exif" not in cleared
    assert len(cleared) == len(photo)
    before, after = decode(photo, cleared)
    assert before[0] == ([140, 100, 3] if orientation == 6 else [100, 140, 3])
    assert after == before


@pytest.mark.parametrize("kind", ["heic", "avif"])
def test_of_half_a_phones_photo_nothing_leaves(decode: Decode, kind: str) -> None:
    photo = phone_photo(pictures.astronaut(), kind, place=PLACE.decode())
    ends = random.Random(0).sample(range(len(photo)), 60)
    left = [without_metadata(photo[:end]) for end in ends]
    assert all(PLACE not in each and len(each) <= 16 for each in left)
    assert decode(*left) == [None] * 60


@pytest.mark.parametrize("kind", ["heic", "avif"])
def test_damaged_boxes_never_let_a_place_out(kind: str) -> None:
    rng = random.Random(1)
    photo = phone_photo(pictures.astronaut(), kind, place=PLACE.decode())
    begin = photo.index(b"mdat")
    out = 0
    for _ in range(2000):
        damaged = bytearray(photo)
        for _ in range(rng.randrange(1, 4)):
            damaged[rng.randrange(begin)] = rng.randrange(256)
        out += PLACE in without_metadata(bytes(damaged))
    # Only where the damage itself says that the place is a part of the picture.
    assert out <= 60
