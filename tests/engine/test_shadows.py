"""Faces in the shadow."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
import pytest

from tests.common import pictures
from tests.common.engine_process import EngineProcess


def _scene(width: int = 60) -> Image.Image:
    """Return a porch with somebody on it whose face is `width` pixels wide, in the light of day."""
    scene = pictures.porch().crop((0, 0, 640, 480))
    side = round(270 * width / 95)
    scene.paste(pictures.astronaut().resize((side, side)), (200, 120))
    return scene


def _by_a_lamp_aside(scene: Image.Image, light: float) -> bytes:
    """Return the picture with the light that falls past somebody: black, but for a strip of the face."""
    levels = np.asarray(scene, float)
    across = np.arange(levels.shape[1])[None, :, None]
    gain = 0.02 + light * np.exp(-(((across - 310) / 40) ** 2))
    noise = np.random.default_rng(1).normal(0, 1, levels.shape)
    return pictures.jpeg(Image.fromarray(np.clip(levels * gain + noise, 0, 255).astype(np.uint8)), 90)


def _by_a_lamp_below(scene: Image.Image, middle: int) -> Image.Image:
    """Return the picture with a little light that falls up: some rows of the face, and black above and below them."""
    levels = np.asarray(scene, float)
    down = np.arange(levels.shape[0])[:, None, None]
    gain = 0.02 + 0.05 * np.exp(-(((down - middle) / 25) ** 2))
    noise = np.random.default_rng(1).normal(0, 1, levels.shape)
    return Image.fromarray(np.clip(levels * gain + noise, 0, 255).astype(np.uint8))


def _drawn_face(scene: Image.Image, x: int, y: int) -> Image.Image:
    """Return the picture with a face that is no more than two spots and a line, 260 pixels wide, on a sign."""
    scene = scene.copy()
    sign = Image.new("RGB", (280, 360), (120, 120, 120))
    draw = ImageDraw.Draw(sign)
    draw.ellipse((10, 11, 270, 349), fill=(220, 200, 190))
    for eye in (82, 198):
        draw.ellipse((eye - 13, 138, eye + 13, 164), fill=(40, 40, 40))
    draw.arc((75, 206, 205, 270), 0, 180, fill=(40, 40, 40), width=4)
    scene.paste(sign.filter(ImageFilter.GaussianBlur(2)), (x, y))
    return scene


@pytest.mark.parametrize("middle", [216, 222, 228])
def test_a_face_that_a_first_look_sees_in_part_is_looked_at_again(engine: EngineProcess, middle: int) -> None:
    """The lit rows of the face are found before the face is: what is seen there has to be aimed at again."""
    picture = pictures.jpeg(_by_a_lamp_below(_scene(), middle), 90)

    found = engine.faces(picture, min_face=40, search_shadows=1)

    (face,) = found.faces
    left, top, width, height = face.box
    assert found.in_shadow
    # Where she is in the light of day: 255, 153, 60 wide and 80 high.
    assert abs(left + width / 2 - 285) < 10
    assert abs(top + height / 2 - 193) < 10


def test_what_has_nothing_of_a_face_but_its_spots_is_nobody(engine: EngineProcess) -> None:
    grey = Image.new("RGB", (640, 480), (120, 120, 120))

    assert engine.faces(pictures.jpeg(_drawn_face(grey, 180, 60), 95)).faces == ()


def test_it_does_not_hide_who_is_in_the_shadow(engine: EngineProcess) -> None:
    picture = pictures.jpeg(_drawn_face(_by_a_lamp_below(_scene(), 216), 350, 100), 90)

    found = engine.faces(picture, min_face=40, search_shadows=1)

    assert [face.box[0] for face in found.faces] == [pytest.approx(255, abs=10)]


@pytest.mark.parametrize("light", [0.3, 0.05])
def test_a_face_in_the_shadow_is_found_when_it_is_searched_for(engine: EngineProcess, light: float) -> None:
    day = engine.faces(pictures.jpeg(_scene(), 95))
    picture = _by_a_lamp_aside(_scene(), light)

    found = engine.faces(picture, search_shadows=1)

    assert day.in_shadow is False
    assert found.in_shadow or light > 0.1
    (face,), (same,) = found.faces, day.faces
    off = np.linalg.norm(np.array(face.landmarks) - np.array(same.landmarks), axis=1)
    assert off.mean() < 0.15 * same.box[2]
    # Still her: different people have 0.35 in one pair of 500.
    assert float(face.embedding @ same.embedding) > 0.35


def test_where_somebody_is_seen_nothing_changes(engine: EngineProcess) -> None:
    picture = pictures.jpeg(_scene(), 95)

    plain, searched = engine.faces(picture), engine.faces(picture, search_shadows=1)

    assert searched.in_shadow is False
    assert [face.box for face in searched.faces] == [face.box for face in plain.faces]
    np.testing.assert_array_equal(searched.faces[0].embedding, plain.faces[0].embedding)


@pytest.mark.parametrize(
    "name",
    [
        "brick.png",
        "grass.png",
        "gravel.png",
        "coffee.png",
        "clock_motion.png",
        "page.png",
        "motorcycle_left.png",
    ],
)
@pytest.mark.parametrize("light", [1.0, 0.15])
def test_no_thing_becomes_a_face_by_it(engine: EngineProcess, name: str, light: float) -> None:
    import skimage

    path = Path(skimage.__file__).parent / "data" / name
    with Image.open(path) as image:
        thing = image.convert("RGB").resize((640, 480))
    levels = np.asarray(thing, float) * light + np.random.default_rng(2).normal(0, 3, (480, 640, 3))
    dim = Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))

    found = engine.faces(pictures.jpeg(dim), min_face=12, search_shadows=1)

    assert found.in_shadow is False
    assert len(found.faces) == len(engine.faces(pictures.jpeg(dim), min_face=12).faces)


@pytest.mark.parametrize(("part", "least"), [("yaleb-s4", 0.9), ("yaleb-s5", 0.8)])
def test_faces_with_the_lamp_far_aside_are_found_and_known(
    engine: EngineProcess, labelled: Path, part: str, least: float
) -> None:
    if not (labelled / part).is_dir():
        pytest.skip(f"there is no {part} among the labelled photos")
    enrolled = {
        person.name: np.mean(
            [
                engine.faces(photo.read_bytes(), mirrored=1).faces[0].embedding
                for photo in sorted(person.iterdir())
            ],
            axis=0,
        )
        for person in sorted((labelled / part / "gallery").iterdir())
    }
    photos = sorted((labelled / part / "probe").rglob("*.jpg"))[::7]
    right = []
    for photo in photos:
        faces = engine.faces(photo.read_bytes(), search_shadows=1).faces
        likest = max(enrolled, key=lambda name: float(enrolled[name] @ faces[0].embedding)) if faces else None
        right.append(likest == photo.parent.name)

    assert len(right) >= 20
    assert np.mean(right) >= least


def test_what_cannot_be_wished_is_refused(engine: EngineProcess, portrait: bytes) -> None:
    answer = engine.request("POST", "/v1/faces?search_shadows=2", portrait)

    assert answer.status == 400
    assert "search_shadows" in answer.json()["detail"]
