"""Where the faces are."""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
import pytest

from tests.common import pictures
from tests.common.engine_process import EngineProcess, engine_weights, run_in_engine

SCALES = """
from engine.detector import scales
print(json.dumps({
    f"{width}x{height} {face}": scales((width, height), face)
    for width, height, face in ((640, 480, 10), (1920, 1080, 40), (3840, 2160, 40), (8000, 6000, 16))
}))
"""
SHRUNK = """
import numpy as np
from engine.detector import _resized
result = {}
for width, height, scale in ((1920, 1080, 0.4), (1921, 1079, 0.4), (640, 480, 1.0), (3, 1000, 0.05), (1, 1, 0.1)):
    # A pixel's value is its place, so that the small image tells where it looks.
    across = np.broadcast_to(np.arange(width, dtype=np.float32)[None, :, None], (height, width, 3))
    small, step = _resized(np.ascontiguousarray(across), scale)
    seen = small[small.shape[0] // 2, :, 0]
    expected = (np.arange(len(seen)) + 0.5) * step[0] - 0.5
    inner = slice(1, -1) if len(seen) > 2 else slice(0, 0)
    result[f"{width}x{height} {scale}"] = [small.shape[:2], float(np.abs(seen - expected)[inner].max(initial=0))]
print(json.dumps(result))
"""
REFINED = """
from engine.detector import Detector, scale_for
from engine.models import load
from engine.pixels import open_frame
least = int(sys.argv[3])
frame = open_frame(Path(sys.argv[2]).read_bytes(), scale_for(least))
before = frame.step
(face,) = Detector(load(Path(sys.argv[1])).detector).detect(frame, least, 20)
print(json.dumps([before, frame.step, face.box[0], face.box[2]]))
"""


PARTS = """
import itertools
from engine.detector import PART, _parts
wrong = []
for length in range(1, 9000, 13):
    for most, overlap in itertools.product(PART, (1, 30, 110, 300)):
        parts = _parts(length, most, overlap)
        ends = parts[0][0] == 0 and parts[-1][1] == length
        same = len({end - start for start, end in parts}) == 1 and parts[0][1] <= most
        shared = all(one[1] - other[0] >= overlap - 1 for one, other in zip(parts, parts[1:]))
        if not (ends and same and shared):
            wrong.append([length, most, overlap, parts])
print(json.dumps(wrong))
"""


def _scene(width: int, *, at: tuple[int, int] = (700, 300), size: tuple[int, int] = (1920, 1080)) -> bytes:
    """Return a frame before a soft background in which the portrait's face is `width` pixels wide."""
    coarse = np.random.default_rng(2).integers(60, 200, (27, 48, 3), dtype=np.uint8)
    frame = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    side = round(270 * width / 90)
    frame.paste(pictures.astronaut().resize((side, side), Image.Resampling.LANCZOS), at)
    return pictures.jpeg(frame, 90)


@pytest.mark.parametrize("width", [44, 60, 90, 150, 240])
def test_a_face_in_a_large_frame_is_found_where_it_is(engine: EngineProcess, width: int) -> None:
    (face,) = engine.faces(_scene(width)).faces
    left, top, wide, high = face.box
    assert wide == pytest.approx(width, rel=0.15)
    assert high == pytest.approx(1.25 * wide, rel=0.15)
    # In the portrait the middle of the face is at half its width and 0.46 of its height.
    side = 270 * width / 90
    assert left + wide / 2 == pytest.approx(700 + 0.5 * side, abs=0.12 * width)
    assert top + high / 2 == pytest.approx(300 + 0.46 * side, abs=0.15 * width)


@pytest.mark.parametrize("width", [44, 60, 90])
def test_a_face_without_colour_is_found_as_at_night(engine: EngineProcess, width: int) -> None:
    with Image.open(BytesIO(_scene(width))) as frame:
        night = frame.convert("L").point([round(level * 0.4) for level in range(256)])
    (face,) = engine.faces(pictures.jpeg(night)).faces
    assert face.box[2] == pytest.approx(width, rel=0.15)


@pytest.mark.parametrize("width", [44, 60, 90])
def test_landmarks_of_a_small_face_are_as_good_as_those_of_a_large_one(
    engine: EngineProcess, portrait: bytes, width: int
) -> None:
    (small,) = engine.faces(_scene(width)).faces
    (large,) = engine.faces(portrait).faces
    assert float(small.embedding @ large.embedding) > 0.85


@pytest.mark.parametrize(
    "corner", [(-60, -20), (1920 - 210, -20), (-60, 1080 - 200), (1920 - 210, 1080 - 200)]
)
def test_a_face_at_the_edge_is_found(engine: EngineProcess, corner: tuple[int, int]) -> None:
    (face,) = engine.faces(_scene(90, at=corner)).faces
    assert face.box[2] == pytest.approx(90, rel=0.15)


@pytest.mark.parametrize(
    "size", [(640, 480), (480, 640), (1283, 717), (2560, 1440), (3840, 2160), (4001, 301)]
)
def test_the_frame_may_have_any_size_one_after_the_other(
    engine: EngineProcess, portrait: bytes, size: tuple[int, int]
) -> None:
    (face,) = engine.faces(_scene(90, at=(20, 20), size=size)).faces
    (same,) = engine.faces(portrait).faces
    assert float(face.embedding @ same.embedding) > 0.9


@pytest.mark.parametrize("width", [60, 300, 700])
def test_a_frame_decoded_coarsely_shows_the_same_as_one_decoded_in_full(
    engine: EngineProcess, width: int
) -> None:
    jpeg = _scene(width, at=(300, 100), size=(3840, 2160))
    with Image.open(BytesIO(jpeg)) as image:
        in_full = pictures.png(image)

    # Twice: the second time it is known how finely such a frame has to be decoded.
    for _ in range(2):
        (coarse,) = engine.faces(jpeg, portraits=1).faces
        (full,) = engine.faces(in_full, portraits=1).faces
        np.testing.assert_allclose(coarse.box, full.box, atol=0.03 * width)
        np.testing.assert_allclose(coarse.landmarks, full.landmarks, atol=0.03 * width)
        assert float(coarse.embedding @ full.embedding) > 0.97
        assert coarse.portrait is not None
        assert full.portrait is not None
        with Image.open(BytesIO(coarse.portrait)) as one, Image.open(BytesIO(full.portrait)) as other:
            assert np.abs(np.subtract(one.size, other.size)).max() <= 4


FRAMES = """
import cv2, numpy as np
from engine.pixels import open_frame
steps = {}
for name, size in (("4K", (3840, 2160)), ("1080p", (1920, 1080))):
    jpeg = bytes(cv2.imencode(".jpg", np.zeros((size[1], size[0], 3), np.uint8))[1])
    for scale in (0.1, 0.5, 0.6):
        frame = open_frame(jpeg, scale)
        before = frame.step
        frame.refine(0.9)
        steps[f"{name} {scale}"] = [before, frame.step, frame.size == size, frame.needed]
print(json.dumps(steps))
"""


def test_only_large_frames_are_decoded_coarsely(prepared: None) -> None:
    assert run_in_engine(FRAMES) == {
        "4K 0.1": [8, 1, True, 0.9],
        "4K 0.5": [2, 1, True, 0.9],
        "4K 0.6": [1, 1, True, 0.9],
        "1080p 0.1": [1, 1, True, 0.9],
        "1080p 0.5": [1, 1, True, 0.9],
        "1080p 0.6": [1, 1, True, 0.9],
    }


def test_each_of_a_group_is_found_once(engine: EngineProcess) -> None:
    faces = engine.faces(pictures.jpeg(pictures.group(), 95)).faces
    assert len(faces) == 6
    middles = np.array([[box[0] + box[2] / 2, box[1] + box[3] / 2] for box in (face.box for face in faces)])
    apart = np.linalg.norm(middles[:, None] - middles[None], axis=2)
    assert apart[~np.eye(6, dtype=bool)].min() > 50


def test_a_frame_is_looked_at_no_larger_than_needed(prepared: None) -> None:
    assert run_in_engine(SCALES) == {
        "640x480 10": [1.0],
        "1920x1080 40": [0.5],
        "3840x2160 40": [0.5, 640 / 3840],
        # No finer than 12.5 million pixels.
        "8000x6000 16": [pytest.approx((12.5e6 / 48e6) ** 0.5), 640 / 8000],
    }


def test_a_place_in_the_small_frame_is_the_right_place_in_the_frame(prepared: None) -> None:
    for name, (size, error) in run_in_engine(SHRUNK).items():
        assert min(size) >= 1, name
        assert error < 0.75, name


def test_the_parts_of_a_large_frame_cover_it(prepared: None) -> None:
    assert run_in_engine(PARTS) == []


@pytest.mark.parametrize("at", [(820, 500), (1300, 700), (0, 0), (3500, 1800)])
def test_a_face_on_the_border_of_two_parts_is_found_once(engine: EngineProcess, at: tuple[int, int]) -> None:
    (face,) = engine.faces(_scene(90, at=at, size=(3840, 2160))).faces
    assert face.box[2] == pytest.approx(90, rel=0.15)


def test_a_frame_at_reduced_scale_is_refined_as_far_as_its_faces_need(prepared: None, tmp_path: Path) -> None:
    steps = {}
    for width, least in ((90, 40), (150, 40), (300, 40), (450, 40), (450, 200), (450, 400)):
        path = tmp_path / f"{width} {least}.jpg"
        path.write_bytes(_scene(width, size=(3840, 2160)))
        before, after, left, wide = run_in_engine(REFINED, engine_weights(), path, least)
        steps[f"{width} {least}"] = (before, after)
        # In pixels of the whole frame, however it was decoded.
        assert wide == pytest.approx(width, rel=0.15)
        assert left + wide / 2 == pytest.approx(700 + 1.5 * width, abs=0.12 * width)
    assert steps == {
        "90 40": (2, 1),
        "150 40": (2, 1),
        "300 40": (2, 2),
        "450 40": (2, 2),
        "450 200": (8, 4),
        "450 400": (8, 4),
    }


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_large_frame_on_its_side_is_found_as_a_small_one_is(
    engine: EngineProcess, orientation: int
) -> None:
    with Image.open(BytesIO(_scene(240, size=(3001, 1999)))) as image:
        turned = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
        stored = image.transpose(turned[orientation]) if orientation in turned else image
        exif = Image.Exif()
        exif[0x0112] = orientation
        large, whole = BytesIO(), BytesIO()
        stored.save(large, "JPEG", quality=92, exif=exif)
        image.save(whole, "PNG")
    reduced, full = engine.faces(large.getvalue()), engine.faces(whole.getvalue())
    assert reduced.size == full.size == (3001, 1999)
    (one,), (other,) = reduced.faces, full.faces
    assert np.abs(np.subtract(one.box, other.box)).max() < 0.03 * 240
    assert np.abs(np.subtract(one.landmarks, other.landmarks)).max() < 0.02 * 240
    assert float(one.embedding @ other.embedding) > 0.98


def test_a_portrait_from_a_large_frame_is_as_large_as_from_a_small_one(engine: EngineProcess) -> None:
    (face,) = engine.faces(_scene(240, size=(3840, 2160)), portraits=1).faces
    assert face.portrait is not None
    with Image.open(BytesIO(face.portrait)) as portrait:
        assert max(portrait.width / 320, portrait.height / 400) == pytest.approx(1.0, abs=0.01)


def test_large_frames_leave_no_memory_behind(prepared: None) -> None:
    own = EngineProcess().start()
    try:
        own.faces(_scene(90))
        for size in ((3840, 2160), (7000, 7000)):
            assert len(own.faces(_scene(90, size=size)).faces) == 1
        assert own.memory_mb() < 400
    finally:
        own.kill()
