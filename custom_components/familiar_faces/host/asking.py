"""How engines are asked, be it one or several."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol, Unpack

from ..engine.protocol import Faces, Health
from .engine_questions import Asked
from .stream_session import StreamSession


class Asking(Protocol):
    """Turns pictures into faces. Errors as `client.EngineClient` has them."""

    @property
    def latency_ms(self) -> float | None:
        """Return the median of the recent times for a picture in milliseconds; None before the first."""

    async def health(self, timeout: float = 5) -> Health:
        """Return what the engine says about itself."""

    async def faces(self, image: bytes, *, timeout: float = 10, **asked: Unpack[Asked]) -> Faces:
        """Return the faces in a picture."""

    def stream(self, timeout: float = 5) -> AbstractAsyncContextManager[StreamSession]:
        """Open a stream."""
