"""What may be shown of a visit at a moment."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ..visits.visit import Decision


class Picture(StrEnum):
    """Whether there is a picture of a visit, or why there is none."""

    SHOWN = "shown"
    NAMELESS = "nameless"
    """Of a visitor without a name no picture is kept."""
    NOT_AGREED = "not_agreed"
    """The person did not agree to pictures."""
    SWITCHED_OFF = "switched_off"
    """The owner keeps no pictures."""
    OVER = "over"
    """It was kept for as long as it may be."""
    NONE = "none"
    """The look gave none."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A visit that may be shown."""

    visit_id: str
    camera_id: str
    decision: Decision
    started_at: datetime
    last_seen_at: datetime
    announced_at: datetime
    """When it was said who it is; of what was known before a start, when the visit began."""
    kept: bool
    """Whether it may be written down, as Home Assistant's recorder writes down every state."""
    picture: Picture
    person_id: str | None = None
    name: str | None = None
    """What the person is called now."""
    confidence: float | None = None
    confirmed: bool = False
    """Whether the owner said that it was this person."""
