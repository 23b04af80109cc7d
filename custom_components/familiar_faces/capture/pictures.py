"""The words of capture: what a source of pictures is asked for, and what it answers."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from homeassistant.exceptions import HomeAssistantError

from ..const import DOMAIN
from ..engine.protocol import MIN_FACE, Faces
from ..host.client import EngineClient

type AskEngine = Callable[[], EngineClient]
"""Returns how to ask the engine; raises EngineUnavailable while it is not ready."""


class Trouble(StrEnum):
    """Why a camera gave no evidence."""

    NO_PICTURE = "no_picture"
    """It gave no picture at all."""
    OLD_PICTURE = "old_picture"
    """It gave only pictures that were known before, or that may be old."""


class NoPicture(HomeAssistantError):
    """A camera gave no fresh picture."""

    def __init__(self, trouble: Trouble, camera: str) -> None:
        """Say why; `camera` is its entity id."""
        super().__init__(
            translation_domain=DOMAIN,
            translation_key=f"camera_{trouble}",
            translation_placeholders={"camera": camera},
        )
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class Ask:
    """What a look asks of a source."""

    at: datetime
    """When what starts the look happened: older pictures are no evidence."""
    seconds: float
    """How long pictures are looked for."""
    engine: AskEngine
    """How to ask the engine."""
    timeout: float = 5.0
    """Seconds for one answer of the engine."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How the engine is to look at a picture."""

    min_face: int = MIN_FACE
    """Width in pixels of the smallest face to look for."""
    portraits: bool = False
    """Whether to cut out a picture of each face."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the engine saw in a fresh picture."""

    faces: Faces
    at: datetime
    """When the picture was made, as far as that is known; otherwise when it arrived."""
    picture: bytes | None = field(default=None, repr=False)
    """The picture (JPEG), where the source has one."""


class Pictures(Protocol):
    """The fresh pictures of one look, the newest first."""

    @property
    def waited(self) -> float:
        """Return how many seconds `ready` spent waiting for the camera."""

    @property
    def newest(self) -> bytes | None:
        """Return the newest picture (JPEG), where the source has one; it may not have been looked at yet."""

    @property
    def trouble(self) -> Trouble | None:
        """Return why there was no fresh picture so far; None once there was one."""

    async def ready(self) -> bool:
        """Wait for a fresh picture that was not looked at; return False when there will be no more.

        Raises NoPicture when there will be none and there was none.
        """

    async def see(self, wish: Wish) -> Seen:
        """Have the engine look at the newest picture; `ready` has said that there is one.

        Raises EngineBusy or EngineUnavailable, after which the picture is offered once more; or ImageRejected.
        """


class Source(Protocol):
    """Where the pictures of a camera come from."""

    def open(self, ask: Ask) -> AbstractAsyncContextManager[Pictures]:
        """Take pictures for a look from now on, until the context ends."""
