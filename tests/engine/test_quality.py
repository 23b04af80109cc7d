"""The verdict on a face, and why."""

import numpy as np
from PIL import Image, ImageFilter
import pytest

from custom_components.familiar_faces.engine.protocol import Quality
from tests.common import pictures
from tests.common.engine_process import EngineProcess, run_in_engine

YAW = """
import math
import numpy as np
from engine.quality import NOSE_DEPTH, yaw
# A head with eyes 60 mm apart, turned about the upright axis and seen from afar.
def seen(degrees, roll=0.0):
    turn = math.radians(degrees)
    points = np.array([[-30, 0, 0], [30, 0, 0], [0, 35, 60 * NOSE_DEPTH], [-25, 65, 10], [25, 65, 10]], float)
    x = points[:, 0] * math.cos(turn) + points[:, 2] * math.sin(turn)
    flat = np.column_stack([x, points[:, 1]])
    angle = math.radians(roll)
    return flat @ np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]).T + 300
print(json.dumps({
    "turned": [yaw(seen(degrees)) for degrees in (-70, -30, 0, 15, 60)],
    "upright": yaw(seen(0)),
    "one point": yaw(np.zeros((5, 2))),
}))
"""


def _quality(engine: EngineProcess, image: Image.Image, **query: object) -> Quality:
    (face,) = engine.faces(pictures.jpeg(image, 90), **query).faces
    return face.quality


@pytest.mark.parametrize("width", [24, 30, 45, 90])
def test_small_faces_stay_usable_from_24_pixels(engine: EngineProcess, width: int) -> None:
    side = round(270 * width / 90)
    frame = Image.new("RGB", (320, 320), "grey")
    frame.paste(pictures.astronaut().resize((side, side), Image.Resampling.LANCZOS), (10, 10))
    quality = _quality(engine, frame, min_face=16)
    assert quality.size == pytest.approx(width, rel=0.2)
    assert (quality.usable, quality.reason) == (True, None)


def _face(change: str) -> Image.Image:
    picture = pictures.astronaut()
    match change:
        case "too_small":
            frame = Image.new("RGB", (320, 320), "grey")
            frame.paste(picture.resize((39, 39), Image.Resampling.LANCZOS), (10, 10))
            return frame
        case "too_blurred":
            return picture.filter(ImageFilter.GaussianBlur(6))
        case "too_dark":
            return picture.point([round(level * 0.06) for level in range(256)] * 3)
        case _:
            return picture.point([min(255, round(150 + level * 0.6)) for level in range(256)] * 3)


@pytest.mark.parametrize("reason", ["too_small", "too_blurred", "too_dark", "too_bright"])
def test_a_poor_face_is_unusable_and_says_why(engine: EngineProcess, reason: str) -> None:
    quality = _quality(engine, _face(reason), min_face=10)
    assert (quality.usable, quality.reason) == (False, reason)


def test_a_face_in_the_dark_is_not_called_blurred(engine: EngineProcess) -> None:
    picture = pictures.astronaut()
    for share in (0.5, 0.25, 0.15):
        quality = _quality(engine, picture.point([round(level * share) for level in range(256)] * 3))
        assert quality.reason in (None, "too_dark")


def test_a_face_in_haze_is_not_called_blurred(engine: EngineProcess) -> None:
    picture = pictures.variant(pictures.astronaut(), blur=1.2)
    hazy = _quality(engine, picture.point([round(170 + level * 0.2) for level in range(256)] * 3))

    assert hazy.ordinary_sharpness < 5
    assert hazy.reason is None


def test_the_figures_follow_the_picture(engine: EngineProcess) -> None:
    picture = pictures.astronaut()
    plain = _quality(engine, picture)
    darker = _quality(engine, pictures.variant(picture, light=0.5))
    softer = _quality(engine, pictures.variant(picture, blur=2))
    assert darker.brightness == pytest.approx(plain.brightness / 2, rel=0.05)
    assert softer.sharpness < plain.sharpness / 4
    assert abs(plain.yaw) < 15


def test_a_turned_head_is_told_in_degrees(prepared: None) -> None:
    result = run_in_engine(YAW)
    assert result["turned"] == pytest.approx([-70, -30, 0, 15, 60], abs=0.5)
    assert abs(result["one point"]) == 90


def test_a_head_turned_too_far_is_unusable(prepared: None) -> None:
    verdict = run_in_engine(
        "import numpy as np\n"
        "from engine.quality import judge\n"
        "crop = np.random.default_rng(0).integers(60, 200, (112, 112, 3), dtype=np.uint8)\n"
        "away = np.array([[40, 50], [55, 50], [76, 70], [45, 90], [60, 90]], float)\n"
        "ahead = np.array([[38, 50], [74, 50], [56, 70], [42, 92], [70, 92]], float)\n"
        "print(json.dumps([judge(crop, points, 80.0).reason for points in (away, ahead)]))"
    )
    assert verdict == ["turned_away", None]


def test_every_level_of_light_is_judged(prepared: None) -> None:
    reasons = run_in_engine(
        "import numpy as np\n"
        "from engine.quality import judge\n"
        "ahead = np.array([[38, 50], [74, 50], [56, 70], [42, 92], [70, 92]], float)\n"
        "crops = [np.full((112, 112, 3), level, np.uint8) for level in range(256)]\n"
        "print(json.dumps([judge(crop, ahead, 80.0).reason for crop in crops]))"
    )
    assert reasons[:10] == ["too_dark"] * 10
    assert set(reasons[10:221]) == {"too_blurred"}
    assert reasons[221:] == ["too_bright"] * 35


def test_the_parts_of_a_quality_are_finite(engine: EngineProcess, portrait: bytes) -> None:
    quality = engine.faces(portrait).faces[0].quality
    assert np.isfinite([quality.sharpness, quality.yaw, quality.brightness]).all()
