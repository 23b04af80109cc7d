"""What is asked about a picture or a stream, read from a query."""

from collections.abc import Mapping
from dataclasses import dataclass
import re

from .pipeline import Wish
from .protocol import MAX_FACES, MIN_FACE

LEAST_FACE = 10
"""The detector finds none smaller."""
LARGEST_FACE = 10_000
MOST_FACES = 100
_SWITCHES = ("crops", "portraits", "mirrored", "search_turned", "search_shadows", "judge", "upload")
_KNOWN = frozenset({"min_face", "max_faces", "rotate", *_SWITCHES})
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class StreamWish:
    """What is asked about a stream."""

    wish: Wish
    after: float
    """Only frames that are shown later, in seconds since the first one, are meant; -1 when all are."""
    picture: bool
    """Whether the frame itself is to be answered, too."""


def read_wish(query: Mapping[str, str]) -> Wish:
    """Return what a query asks about a picture; raise ValueError with a sentence."""
    if unknown := sorted(set(query) - _KNOWN):
        raise ValueError(f"{unknown[0]} is not a parameter")
    rotate = _number(query.get("rotate"), "rotate", 0, 0, 270)
    if rotate % 90:
        raise ValueError("rotate must be 0, 90, 180 or 270")
    return Wish(
        min_face=_number(query.get("min_face"), "min_face", MIN_FACE, LEAST_FACE, LARGEST_FACE),
        max_faces=_number(query.get("max_faces"), "max_faces", MAX_FACES, 1, MOST_FACES),
        rotate=rotate,
        **{name: _switch(query, name) for name in _SWITCHES},
    )


def read_stream_wish(query: Mapping[str, str]) -> StreamWish:
    """Return what a query asks about a stream; raise ValueError with a sentence."""
    after = query.get("after")
    if after is not None and not _SECONDS.fullmatch(after):
        raise ValueError("after must be a number of seconds")
    rest = {name: value for name, value in query.items() if name not in ("after", "picture")}
    return StreamWish(read_wish(rest), -1.0 if after is None else float(after), _switch(query, "picture"))


def _switch(query: Mapping[str, str], name: str) -> bool:
    return bool(_number(query.get(name), name, 0, 0, 1))


def _number(text: str | None, name: str, default: int, least: int, most: int) -> int:
    if text is None:
        return default
    # Only plain digits: int() would also take signs, spaces and underscores.
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and least <= int(text) <= most):
        raise ValueError(f"{name} must be a whole number from {least} to {most}")
    return int(text)
