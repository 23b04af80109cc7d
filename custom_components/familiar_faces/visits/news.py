"""What listeners learn from a look while it is taken, before anybody in it is decided. Pure."""

from dataclasses import dataclass, field
from enum import StrEnum

from .turns import Urgency


class Stage(StrEnum):
    """How far a look is."""

    STARTED = "started"
    """Something happened that it is taken for."""
    FETCHED = "fetched"
    """The camera gave the first frame."""
    COMPARED = "compared"
    """A frame's faces were compared."""
    ENDED = "ended"
    """No more frames come, whatever came of it."""


@dataclass(frozen=True, slots=True)
class LookNews:
    """Something new about a look."""

    camera_id: str
    stage: Stage
    urgency: Urgency
    frame: bytes | None = field(default=None, repr=False)
    """The first frame as the camera gave it; with `FETCHED`."""
    frames: int = 0
    """How many frames were compared."""
    faces: int = 0
    """How many faces the last one showed; with `COMPARED`."""
