"""Pictures on their side and upside down, asked of a real engine."""

import math
import os
from pathlib import Path

from PIL import Image
import pytest

from tests.common import pictures
from tests.common.engine_process import EngineProcess, run_in_engine

TURNS = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}
"""How a picture was turned, by how many degrees clockwise it is put right again."""


def _scene() -> Image.Image:
    scene = pictures.porch().crop((0, 0, 800, 600))
    scene.paste(pictures.astronaut(), (300, 150))
    return scene


@pytest.mark.parametrize("degrees", TURNS)
def test_a_turned_picture_is_found_and_put_right(engine: EngineProcess, degrees: int) -> None:
    upright = engine.faces(pictures.jpeg(_scene())).faces[0]
    seen = engine.faces(pictures.jpeg(_scene().transpose(TURNS[degrees])), search_turned=1, portraits=1)
    assert seen.turned == degrees
    assert seen.size == (800, 600)
    (face,) = seen.faces
    assert face.quality.usable
    assert face.box == pytest.approx(upright.box, abs=8)
    assert float(face.embedding @ upright.embedding) > 0.9


@pytest.mark.parametrize("degrees", TURNS)
def test_a_wish_turns_the_picture_before(engine: EngineProcess, degrees: int) -> None:
    turned = pictures.jpeg(_scene().transpose(TURNS[degrees]))
    seen = engine.faces(turned, rotate=degrees)
    assert (seen.turned, seen.size) == (0, (800, 600))
    assert seen.faces[0].quality.usable
    # What is found besides comes on top of it.
    assert engine.faces(turned, rotate=(degrees + 180) % 360, search_turned=1).turned == 180


def test_an_upright_picture_is_not_turned(engine: EngineProcess) -> None:
    for image in (_scene(), pictures.group()):
        plain, searched = (engine.faces(pictures.jpeg(image), search_turned=wish) for wish in (0, 1))
        assert (plain.turned, searched.turned) == (0, 0)
        assert [face.box for face in plain.faces] == [face.box for face in searched.faces]
        assert all(face.quality.reason != "turned" for face in plain.faces)


def test_nobody_is_found_where_nobody_is(engine: EngineProcess) -> None:
    seen = engine.faces(pictures.jpeg(pictures.porch()), search_turned=1)
    assert (seen.turned, seen.faces) == (0, ())


def test_what_lies_is_not_usable_as_it_lies(engine: EngineProcess) -> None:
    seen = engine.faces(pictures.jpeg(_scene().transpose(TURNS[180])))
    assert seen.turned == 180
    assert [face.quality.reason for face in seen.faces] == ["turned"]
    assert not any(face.quality.usable for face in seen.faces)


@pytest.mark.parametrize("angle", [0, 10, -20, 20])
def test_a_tilted_head_is_usable(engine: EngineProcess, angle: int) -> None:
    image = pictures.jpeg(pictures.variant(_scene(), angle=angle))
    assert [face.quality.reason for face in engine.faces(image).faces] == [None]


@pytest.mark.parametrize("angle", [-70, -55, 55, 70, 110, 150])
def test_a_head_tilted_too_far_is_not(engine: EngineProcess, angle: int) -> None:
    image = pictures.jpeg(pictures.variant(_scene(), angle=angle))
    assert not any(face.quality.usable for face in engine.faces(image).faces)


@pytest.mark.parametrize("query", ["rotate=45", "rotate=360", "rotate=-90", "search_turned=2"])
def test_what_cannot_be_wished_is_refused(engine: EngineProcess, portrait: bytes, query: str) -> None:
    answer = engine.request("POST", f"/v1/faces?{query}", portrait)
    assert answer.status == 400
    assert query.partition("=")[0] in answer.json()["detail"]


def test_a_large_picture_is_turned_before_it_is_refined(engine: EngineProcess) -> None:
    # A face too small for the coarse decoding, so that the frame is decoded again.
    scene = Image.new("RGB", (3200, 2400), "grey")
    scene.paste(pictures.astronaut().resize((180, 180)), (1500, 700))
    upright = engine.faces(pictures.jpeg(scene, 95), portraits=1).faces[0]
    seen = engine.faces(pictures.jpeg(scene.transpose(TURNS[90]), 95), rotate=90, portraits=1)
    assert float(seen.faces[0].embedding @ upright.embedding) > 0.95


def test_real_photos(engine: EngineProcess) -> None:
    folder = os.environ.get("FAMILIAR_FACES_TEST_FACES")
    if not folder or not Path(folder).is_dir():
        pytest.skip("FAMILIAR_FACES_TEST_FACES names no folder with photos")
    photos = sorted(Path(folder, "identify", "gallery").glob("*/*.jpg"))[2::10][:8]
    right = 0
    for photo in photos:
        with Image.open(photo) as image:
            whole = image.convert("RGB").resize((500, 500))
        for degrees, turn in TURNS.items():
            turned = pictures.jpeg(whole.transpose(turn))
            assert not any(face.quality.usable for face in engine.faces(turned).faces)
            right += engine.faces(turned, search_turned=1).turned == degrees
    assert right >= math.floor(0.95 * 3 * len(photos))


def test_the_roll_of_landmarks_is_measured_clockwise() -> None:
    assert run_in_engine("""
import numpy as np
from engine.turning import roll
level = np.array([[0, 0], [10, 0], [5, 5], [2, 10], [8, 10]], float)
print(json.dumps([round(roll(level @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])) * 1.0)
                  for a in np.radians([0, 30, 90, -41, 180])]))
""") == [0, 30, 90, -41, 180]
