"""What a camera does to a picture."""

import json
import math
import subprocess
from typing import Any

import pytest

from tests.common import pictures
from tests.common.engine_process import engine_python, engine_weights
from tests.evaluation.conftest import ROOT

MEASURED = """
import hashlib, json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from evaluation.conditions import NAMED, Condition
from evaluation.engine import LOCATED, labelled
from evaluation.places import Place
from custom_components.familiar_faces.engine.pipeline import Pipeline, Wish
from custom_components.familiar_faces.engine.pixels import decode
pipeline = Pipeline(Path(sys.argv[2]))
data = sys.stdin.buffer.read()
image = decode(data)
place = Place.of(labelled(pipeline.see(data, LOCATED)))
def measure(condition, name="a"):
    sent = condition.apply(image, place, name).data
    seen = decode(sent)
    spread = float(abs(seen[..., 0].astype(int) - seen[..., 2]).max())
    edges = float(abs(seen[1:].astype(int) - seen[:-1]).mean())
    return [*seen.shape[:2], float(seen.mean()), spread, edges, len(sent), hash(sent)]
def drawn(condition):
    sent = condition.apply(image, place, "a")
    again = condition.apply(image, place, "a").data == sent.data
    seen = decode(sent.data)
    points = [*sent.place.landmarks, sent.place.onto(__import__("numpy").array([[56.0, 20.0]]))[0]]
    levels = [
        float(seen[max(0, int(y) - 1) : int(y) + 2, max(0, int(x) - 1) : int(x) + 2].mean()) for x, y in points
    ]
    rotate = 360 - condition.turned if condition.turned else 0
    faces = pipeline.see(sent.data, Wish(min_face=20))
    upright = pipeline.see(sent.data, Wish(min_face=20, rotate=rotate))
    face = labelled(faces, sent.place)
    return {
        "again": again,
        "size": [seen.shape[1], seen.shape[0]],
        "levels": levels,
        "mean": float(seen.mean()),
        "grey": float(abs(seen[..., 0].astype(int) - seen[..., 2]).max()),
        "width": sent.place.width,
        "middle": list(sent.place.middle),
        "landmarks": sent.place.landmarks.tolist(),
        "found": face and [list(face.landmarks), face.box[2]],
        "turned": face and face.quality.reason,
        "upright": [each.quality.usable for each in upright.faces],
    }
print(json.dumps({
    "plain": measure(Condition()),
    "small": measure(Condition(face_width=38)),
    "large": measure(Condition(face_width=190)),
    "blur": measure(Condition(blur=1.5)),
    "motion": measure(Condition(motion=9)),
    "dark": measure(Condition(dark=True)),
    "again": measure(Condition(dark=True)),
    "other": measure(Condition(dark=True), "b"),
    "dark grey": measure(Condition(dark=True, grey=True)),
    "light": measure(Condition(light=50)),
    "jpeg": measure(Condition(jpeg=30)),
    "words": [str(Condition()), str(Condition(30, 1.5, True, True, 70)), str(NAMED["porch"])],
    "as is": [Condition().as_is, Condition(grey=True).as_is],
    "needs": [Condition(dark=True, motion=3).needs_place, Condition(roll=3).needs_place],
    "width": place.width,
    "named": {name: drawn(condition) for name, condition in NAMED.items()},
    "bare": drawn(Condition(face_width=60)),
    "framed": drawn(Condition(face_width=60, framed=True)),
}))
"""


@pytest.fixture(scope="module")
def found() -> Any:
    done = subprocess.run(
        [engine_python(), "-I", "-c", MEASURED, ROOT / "script", engine_weights()],
        input=pictures.jpeg(pictures.astronaut(), 95),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_conditions(found: Any) -> None:
    plain = found["plain"]
    assert plain[:2] == [270, 270]
    assert found["small"][:2] == [round(270 * 38 / found["width"])] * 2
    assert found["large"][:2] == [round(270 * 190 / found["width"])] * 2
    assert found["blur"][4] < 0.6 * plain[4]
    # Only what crosses the movement is blurred.
    assert found["blur"][4] < found["motion"][4] < plain[4]
    assert found["dark"][2] == pytest.approx(plain[2] / 4, abs=2)
    assert found["dark"][-1] == found["again"][-1] != found["other"][-1]
    assert found["dark"][3] > 0 == found["dark grey"][3]
    assert found["light"][2] == pytest.approx(plain[2] / 2, abs=2)
    assert found["jpeg"][5] < 0.5 * plain[5]
    assert found["words"] == [
        "as is",
        "30 px, blur 1.5, dark, grey, JPEG 70",
        "lamp above, 40 px, motion 5, JPEG 50",
    ]
    assert found["as is"] == [True, False]
    assert found["needs"] == [False, True]


def test_each_named_one_is_the_same_again_and_keeps_the_face_where_it_says(found: Any) -> None:
    for name, one in found["named"].items():
        assert one["again"], name
        assert one["width"] == pytest.approx(40 if name == "porch" else 60), name
        assert all(0 < each < size for each, size in zip(one["middle"], one["size"], strict=True)), name
        if one["found"] is not None and not name.startswith(("turned", "scarf", "mask")):
            seen, width = one["found"]
            off = [math.dist(was, told) / width for was, told in zip(seen, one["landmarks"], strict=True)]
            assert sum(off) / 5 < 0.12, name
            assert width == pytest.approx(one["width"], rel=0.35), name


def test_what_is_worn_covers_what_it_should(found: Any) -> None:
    eye, nose, mouth, forehead = 0, 2, 3, 5
    bare = found["bare"]["levels"]
    worn = {name: one["levels"] for name, one in found["named"].items()}
    assert worn["sunglasses"][eye] < 60 < bare[eye] + 30
    assert worn["sunglasses"][mouth] == pytest.approx(bare[mouth], abs=6)
    assert worn["cap"][forehead] < 70 < bare[forehead]
    assert worn["cap"][eye] < 0.8 * bare[eye]
    assert worn["cap and sunglasses"][eye] < 60
    assert worn["cap and sunglasses"][forehead] < 70
    for name in ("mask", "scarf"):
        assert abs(worn[name][mouth] - bare[mouth]) > 12, name
        assert worn[name][eye] == pytest.approx(bare[eye], abs=6)
    assert worn["thick glasses"][mouth] == pytest.approx(bare[mouth], abs=6)
    assert worn["thick glasses"][nose] == pytest.approx(bare[nose], abs=6)


def test_light(found: Any) -> None:
    forehead, mouth = 5, 3
    bare = found["bare"]
    named = found["named"]
    assert named["infrared"]["grey"] == named["infrared with glare"]["grey"] == 0
    assert named["infrared with glare"]["levels"][2] > named["infrared"]["levels"][2] + 60
    above = named["lamp above"]["levels"]
    assert above[mouth] / above[forehead] < 0.5 * bare["levels"][mouth] / bare["levels"][forehead]
    right, left = named["side light"]["levels"][:2]
    assert max(right, left) > 2 * min(right, left)
    assert named["backlight"]["levels"][2] < 0.6 * bare["levels"][2]
    assert named["over-exposed"]["mean"] > 1.3 * bare["mean"]
    spread = [max(one["levels"]) - min(one["levels"]) for one in (named["haze"], bare)]
    assert spread[0] < 0.5 * spread[1]


def test_how_a_camera_hangs(found: Any) -> None:
    named = found["named"]
    for degrees in (15, 20, 30):
        right, left = named[f"roll {degrees}"]["landmarks"][:2]
        was_right, was_left = found["bare"]["landmarks"][:2]
        tilt = math.degrees(math.atan2(left[1] - right[1], left[0] - right[0]))
        was = math.degrees(math.atan2(was_left[1] - was_right[1], was_left[0] - was_right[0]))
        assert tilt - was == pytest.approx(degrees, abs=0.5)
    for degrees in (90, 180, 270):
        # The picture that is turned back shows an upright face.
        assert True in named[f"turned {degrees}"]["upright"]
        assert named[f"turned {degrees}"]["turned"] in (None, "turned")
    eyes = [one["landmarks"] for one in (named["from above"], found["bare"])]
    heights = [points[3][1] - points[0][1] for points in eyes]
    assert heights[0] < 0.9 * heights[1]


def test_a_frame_has_the_face_in_its_middle(found: Any) -> None:
    framed = found["framed"]
    assert framed["size"] == [640, 480]
    assert framed["middle"] == pytest.approx([320, 240], abs=1)
    seen, width = framed["found"]
    assert width == pytest.approx(60, rel=0.35)
    for was, told in zip(seen, framed["landmarks"], strict=True):
        assert math.dist(was, told) < 0.12 * width
