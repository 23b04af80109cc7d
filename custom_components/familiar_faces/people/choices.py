"""What a person agreed to besides recognition: the cameras, what may be kept, and pictures."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

ANYWHERE: Final = "anywhere"
"""Stands for any camera at all, where it does not matter which."""
NO_CAMERA: Final = ""
"""Stands for a camera that is none of those that are set up."""
UPLOADED: Final = "uploaded"
"""Stands for a picture that somebody uploads: no camera took it just now."""


class Keeping(StrEnum):
    """What may be made of it when somebody is recognised."""

    VISITS = "visits"
    """They are announced, and their visits are kept."""
    NOTHING = "nothing"
    """They are announced, and nothing of it is kept."""
    SILENT = "silent"
    """They are matched in memory only, so that no event, name, alert or record is made of them."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Each a yes or no of its own. By default everything that the first consent text asked for."""

    cameras: frozenset[str] | None = None
    """Ids of the config subentries of the cameras; None for every camera of this home, later ones too."""
    keeping: Keeping = Keeping.VISITS
    pictures: bool = True
    """Whether a picture may be kept with a visit, and shown in notifications."""
    uploads: bool = False
    """Whether they may be looked for in a picture that somebody uploads. No text before the fourth asked for it."""

    def at(self, camera_id: str) -> bool:
        """Return whether being recognised at a camera, or in an uploaded picture, was agreed to."""
        if camera_id == UPLOADED:
            return self.uploads
        return self.cameras is None or camera_id == ANYWHERE or camera_id in self.cameras

    @property
    def announced(self) -> bool:
        """Return whether anything may be said of them."""
        return self.keeping is not Keeping.SILENT

    @property
    def keeps_visits(self) -> bool:
        """Return whether visits may be kept."""
        return self.keeping is Keeping.VISITS

    @property
    def keeps_pictures(self) -> bool:
        """Return whether pictures of visits may be kept."""
        return self.keeps_visits and self.pictures


NOTHING_AGREED = Choices(cameras=frozenset(), keeping=Keeping.SILENT, pictures=False)
"""What counts for somebody without a consent."""
