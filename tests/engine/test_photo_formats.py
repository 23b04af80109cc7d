"""What a format is told by, and HEIC and AVIF asked of a real engine."""

from pathlib import Path
import struct
import tempfile
import time

from PIL import Image
import pytest

from custom_components.familiar_faces.engine.photo_formats import PhotoFormat, photo_format
from tests.common import pictures
from tests.common.engine_process import EngineProcess, run_in_engine
from tests.common.phone_photos import phone_photo

KINDS = ("heic", "avif")
TURNS = {
    3: Image.Transpose.ROTATE_180,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}


def _scene() -> Image.Image:
    picture = Image.new("RGB", (400, 300), "grey")
    picture.paste(pictures.astronaut(), (20, 10))
    return picture


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", [1, *TURNS])
def test_a_phones_photo_shows_the_same_face(
    engine: EngineProcess, portrait: bytes, kind: str, orientation: int
) -> None:
    scene = _scene()
    stored = scene.transpose(TURNS[orientation]) if orientation in TURNS else scene
    faces = engine.faces(phone_photo(stored, kind, orientation=orientation))
    assert faces.size == (400, 300)
    (face,) = faces.faces
    assert float(face.embedding @ engine.faces(portrait).faces[0].embedding) > 0.9


def test_a_heic_of_tiles_is_put_together(engine: EngineProcess) -> None:
    whole, tiled = (engine.faces(phone_photo(_scene(), "heic", tile=tile)).faces[0] for tile in (0, 128))
    assert b"grid" in phone_photo(_scene(), "heic", tile=128)
    assert float(whole.embedding @ tiled.embedding) > 0.97


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_see_through_lies_on_white(engine: EngineProcess, kind: str) -> None:
    hidden = _scene().convert("RGBA")
    assert len(engine.faces(phone_photo(hidden, kind)).faces) == 1
    hidden.putalpha(0)
    assert engine.faces(phone_photo(hidden, kind)).faces == ()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", [0.01, 0.1, 0.5, 0.9, 0.999])
def test_a_cut_off_photo_is_refused_in_words(engine: EngineProcess, kind: str, part: float) -> None:
    image = phone_photo(_scene(), kind)
    answer = engine.post(image[: int(len(image) * part)])
    assert (answer.status, answer.json()["detail"]) == (400, "the image is cut off")


def test_a_large_one_is_decoded_within_memory_and_a_larger_one_refused(prepared: None) -> None:
    scene = Image.new("RGB", (4400, 3200), "grey")
    scene.paste(pictures.astronaut().resize((1080, 1080)), (1500, 1000))
    image = phone_photo(scene, "avif")
    own = EngineProcess().start()
    try:
        before = own.memory_mb()
        seen = own.faces(image, mirrored=1, portraits=1)
        # What the decoder takes is another process's, and that is gone.
        assert own.peak_mb() - before < 128
        assert seen.size == (4400, 3200)
        (face,) = seen.faces
        assert face.quality.usable
        assert face.quality.size == pytest.approx(95 * 4, rel=0.15)
        larger = bytearray(image)
        at = larger.find(b"ispe") + 8
        larger[at : at + 8] = struct.pack(">II", 8064, 6048)
        answer = own.post(bytes(larger))
        assert answer.status == 413
        assert "as a JPEG it may have more" in answer.json()["detail"]
    finally:
        assert own.stop() == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_huge_claim_is_refused_before_it_is_decoded(engine: EngineProcess, kind: str) -> None:
    image = bytearray(phone_photo(_scene(), kind))
    at = image.find(b"ispe") + 8
    for size, status in (((30_000, 30_000), 413), ((0, 10), 400)):
        image[at : at + 8] = struct.pack(">II", *size)
        begun = time.monotonic()
        assert engine.post(bytes(image)).status == status
        assert time.monotonic() - begun < 2


NOTHING = "the image cannot be decoded"
STRANGE = {
    "memory": ("import sys; sys.exit(4)", "the image takes more memory to decode than an image may"),
    "crash": ("import os; os.abort()", NOTHING),
    "never": ("import time; time.sleep(60)", "the image takes longer to decode than an image may"),
    "leaves somebody behind": (
        "import subprocess; subprocess.Popen(['sleep', '40'])",
        "the image takes longer to decode than an image may",
    ),
    "lies": ("import sys; sys.stdout.buffer.write(bytes([255]) * 100_000)", NOTHING),
    "short": ("import struct, sys; sys.stdout.buffer.write(struct.pack('<4I', 9, 9, 9, 9) + b'x')", NOTHING),
    "larger than said": (
        "import struct, sys; sys.stdout.buffer.write(struct.pack('<4I', 99, 9, 99, 9) + bytes(9999))",
        NOTHING,
    ),
}
"""What a decoder may do when a photo has taken it over, or brought it to an end."""


@pytest.mark.parametrize("name", STRANGE)
def test_a_decoder_that_goes_wrong_does_no_harm(prepared: None, tmp_path: Path, name: str) -> None:
    code, words = STRANGE[name]
    (tmp_path / "__main__.py").write_text(code)
    assert (
        run_in_engine(
            """
from engine import decoding_apart
from engine.headers import Header, Kind, NotAnImageError, TooLargeError
decoding_apart.__file__ = sys.argv[1] + "/decoding_apart.py"
decoding_apart.SECONDS = 3
try:
    decoding_apart.decode_apart(b"photo", Header(20, 20, kind=Kind.HEIC), 1)
except (NotAnImageError, TooLargeError) as err:
    print(json.dumps(str(err)))
""",
            tmp_path,
            timeout=30,
        )
        == words
    )


def test_what_the_decoder_says_is_heard(prepared: None) -> None:
    """How it ended, and why: it may write no file, and that counts for what it complains into as well."""
    code = """
import logging, os
from engine import decoding_apart
from engine.headers import Header, Kind, NotAnImageError
said = []
class Note(logging.Handler):
    def emit(self, record):
        said.append(record.getMessage())
decoding_apart._LOGGER.addHandler(Note())
decoding_apart._LOGGER.setLevel(logging.INFO)
wait = decoding_apart.subprocess.Popen.wait
def waited(child, *arguments, **more):
    said.append(wait(child, *arguments, **more))
    return said[-1]
decoding_apart.subprocess.Popen.wait = waited
try:
    decoding_apart.decode_apart(b"no photo at all", Header(20, 20, kind=Kind.HEIC), 1)
except NotAnImageError:
    print(json.dumps(said))
"""
    ended, again, words = run_in_engine(code, timeout=30)
    assert ended == again == 3
    assert words.startswith("an image could not be decoded: ")
    assert "Error" in words


def test_the_decoder_writes_no_file(prepared: None) -> None:
    code = """
import os, subprocess
from engine import apart
apart.confine()
try:
    with open(sys.argv[1], "wb") as file:
        file.write(b"x")
except OSError as err:
    print(json.dumps(err.errno))
"""
    with tempfile.NamedTemporaryFile() as file:
        assert (
            run_in_engine("import signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n" + code, file.name)
            == 27
        )


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (b"\xff\xd8\xff\xe0", PhotoFormat.JPEG),
        (b"\x89PNG\r\n\x1a\n", PhotoFormat.PNG),
        (b"RIFF\0\0\0\0WEBPVP8 ", PhotoFormat.WEBP),
        (b"RIFF\0\0\0\0WAVEfmt ", None),
        (b"\0\0\0\x1cftypheic", PhotoFormat.HEIC),
        (b"\0\0\0\x1cftypavif", PhotoFormat.AVIF),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", PhotoFormat.AVIF),
        (b"\0\0\0\x1cftypmp42", None),
        (b"PK\x03\x04", None),
        (b"<svg", None),
        (b"", None),
    ],
)
def test_formats_by_content(start: bytes, expected: PhotoFormat | None) -> None:
    """What a file starts with says what it is; its name and type say nothing."""
    assert photo_format(start) is expected
