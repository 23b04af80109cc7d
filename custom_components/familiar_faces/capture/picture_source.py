"""The words of capture: what a source of pictures is asked for, and what it answers."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from homeassistant.exceptions import HomeAssistantError

from ..const import DOMAIN
from ..engine.protocol import MIN_FACE, Faces
from ..host.asking import Asking

type AskEngine = Callable[[], Asking]
"""Returns how to ask the engine; raises EngineUnavailable while it is not ready."""


class Trouble(StrEnum):
    """Why a camera gave no evidence."""

    NO_PICTURE = "no_picture"
    """It gave no picture at all."""
    OLD_PICTURE = "old_picture"
    """It gave only pictures that were known before, or that may be old."""


class NoPicture(HomeAssistantError):
    """A camera gave no fresh picture."""

    def __init__(self, trouble: Trouble, camera: str, old: bytes | None = None) -> None:
        """Say why; `camera` is its entity id, `old` the picture that it shows and that is known to be an old one."""
        if trouble is Trouble.NO_PICTURE:
            super().__init__(
                translation_domain=DOMAIN,
                translation_key="camera_no_picture",
                translation_placeholders={"camera": camera},
            )
        else:
            super().__init__(
                translation_domain=DOMAIN,
                translation_key="camera_old_picture",
                translation_placeholders={"camera": camera},
            )
        self.trouble = trouble
        self.old = old


@contextmanager
def failing_as_home_assistant(entity_id: str) -> Generator[None]:
    """Turn whatever an integration raises while it fetches a picture into a HomeAssistantError.

    Home Assistant's way to a picture takes being cancelled for one that did not come; here it is being cancelled.
    """
    task = asyncio.current_task()
    try:
        yield
    except Exception as err:
        if task is not None and task.cancelling():
            raise asyncio.CancelledError from err
        if isinstance(err, HomeAssistantError):
            raise
        raise HomeAssistantError(f"{entity_id} gave no picture: {type(err).__name__}") from err
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


@dataclass(frozen=True, slots=True)
class Wish:
    """How the engine is to look at a picture."""

    min_face: int = MIN_FACE
    """Width in pixels of the smallest face to look for."""
    search_shadows: bool = False
    """Whether to search again with the shadows lifted when nobody is found."""
    judge: bool = False
    """Whether to say of each face how likely it is no picture."""
    portraits: bool = False
    """Whether to cut out a picture of each face."""
    mirrored: bool = False
    """Whether embeddings are to be as steady as those of reference photos."""


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
    turn: int = 0
    """By how many degrees clockwise pictures have to be turned to be upright."""
    patience: float | None = None
    """Seconds within which the first picture has to come, where there is another source to try; None: all the time."""
    thrifty: bool = False
    """Whether most likely nobody is there, so that a still is enough: to decode a stream costs more."""

    async def faces(self, image: bytes, wish: Wish) -> Faces:
        """Return what the engine sees in a picture; errors as `EngineClient.faces`."""
        return await self.engine().faces(
            image,
            min_face=wish.min_face,
            portraits=wish.portraits,
            mirrored=wish.mirrored,
            rotate=self.turn,
            search_shadows=wish.search_shadows,
            judge=wish.judge,
            timeout=self.timeout,
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """What the engine saw in a fresh picture."""

    faces: Faces
    at: datetime
    """When the picture was made, as far as that is known; otherwise when it arrived."""
    picture: bytes | None = field(default=None, repr=False)
    """The picture (JPEG), where the source has one."""
    turn: int = 0
    """By how many degrees clockwise the picture has to be turned to be upright, as the faces are."""


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
