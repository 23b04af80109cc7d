"""A camera's picture with a frame around each face, for a dialog: Home Assistant decodes no pictures, a browser does."""

from base64 import b64encode
from typing import Final

from ..engine.protocol import Faces

_TYPES: Final = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png", b"RIFF": "image/webp"}
"""How the pictures begin that every browser shows, and what they are."""
_GOOD, _POOR = "#4fc3f7", "#ffb74d"
"""The colours of a frame, as the panel has them."""
_LINE = 0.005
"""Width of a frame's line, as a share of the picture's width."""


def framed(picture: bytes, faces: Faces, turn: int = 0) -> bytes | None:
    """Return an SVG of a picture with a frame around each face; None for a picture that browsers may not show.

    `turn`: by how many degrees clockwise, 0, 90, 180 or 270, the picture has to be turned to lie as the faces do.
    """
    kind = next((kind for begin, kind in _TYPES.items() if picture.startswith(begin)), None)
    width, height = faces.size
    if kind is None or width <= 0 or height <= 0:
        return None
    lying = turn % 180 != 0
    moved = {
        90: f"translate({width} 0) ",
        180: f"translate({width} {height}) ",
        270: f"translate(0 {height}) ",
    }
    frames = "".join(
        f'<rect x="{left:.0f}" y="{top:.0f}" width="{wide:.0f}" height="{high:.0f}"'
        f' stroke="{_GOOD if face.quality.reason is None else _POOR}"/>'
        for face in faces.faces
        for left, top, wide, high in [face.box]
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f'<image href="data:{kind};base64,{b64encode(picture).decode()}" preserveAspectRatio="none"'
        f' width="{height if lying else width}" height="{width if lying else height}"'
        f' transform="{moved.get(turn, "")}rotate({turn})"/>'
        f'<g fill="none" stroke-width="{max(width * _LINE, 1):.1f}">{frames}</g></svg>'
    ).encode()
