"""A picture with a frame around each face, as a browser draws it."""

from base64 import b64decode
from math import cos, radians, sin
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from custom_components.familiar_faces.engine.protocol import Face, Faces, Quality
from custom_components.familiar_faces.flows.framed_picture import framed

JPEG = b"\xff\xd8\xff\xe0 a picture"
SVG = "{http://www.w3.org/2000/svg}"
WIDTH, HEIGHT = 640, 360


def a_face(left: float, reason: str | None = None) -> Face:
    """Return a face, a good one or not."""
    quality = Quality(reason is None, reason, 500.0, 0.0, 120.0, 80)
    return Face((left, 50.4, 80.0, 100.0), ((0.0, 0.0),) * 5, 0.9, quality, np.zeros(128, np.float32))


def seen(*faces: Face) -> Faces:
    """Return what was seen in an upright picture."""
    return Faces("made up", (WIDTH, HEIGHT), faces, {})


def drawing(faces: Faces, turn: int = 0) -> ET.Element:
    """Return what was drawn."""
    drawn = framed(JPEG, faces, turn)
    assert drawn is not None
    return ET.fromstring(drawn)  # noqa: S314 - it was drawn here


def test_each_face_has_a_frame() -> None:
    """It is where the face is, in another colour where the face is no good one; the picture is as it came."""
    svg = drawing(seen(a_face(10.0), a_face(300.0, "too_dark")))
    assert (svg.get("width"), svg.get("height")) == ("640", "360")
    (image,) = svg.iter(f"{SVG}image")
    kind, _, data = image.attrib["href"].partition(",")
    assert (kind, b64decode(data)) == ("data:image/jpeg;base64", JPEG)
    frames = [[each.get(key) for key in ("x", "y", "width", "height")] for each in svg.iter(f"{SVG}rect")]
    assert frames == [["10", "50", "80", "100"], ["300", "50", "80", "100"]]
    assert len({each.get("stroke") for each in svg.iter(f"{SVG}rect")}) == 2


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_picture_that_lies(turn: int) -> None:
    """It is turned clockwise, and fills the drawing exactly."""
    (image,) = drawing(seen(), turn).iter(f"{SVG}image")
    moved = re.fullmatch(
        r"(?:translate\((?P<right>\d+) (?P<down>\d+)\) )?rotate\((?P<turn>\d+)\)", image.attrib["transform"]
    )
    assert moved is not None
    right, down, angle = int(moved["right"] or 0), int(moved["down"] or 0), radians(int(moved["turn"]))
    across, along = int(image.attrib["width"]), int(image.attrib["height"])

    def at(x: int, y: int) -> tuple[int, int]:
        return round(x * cos(angle) - y * sin(angle)) + right, round(x * sin(angle) + y * cos(angle)) + down

    corners = [at(0, 0), at(across, 0), at(across, along), at(0, along)]
    upright = [(0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT)]
    quarters = turn // 90
    assert corners == upright[quarters:] + upright[:quarters]


def test_what_browsers_may_not_show() -> None:
    """A picture of another kind is not shown at all."""
    assert framed(b"\x00\x00\x00\x18ftypheic", seen()) is None
