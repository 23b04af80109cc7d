"""The stream of a camera as go2rtc shares it on."""

import asyncio
from dataclasses import dataclass, field

from homeassistant.components.camera import Camera
from homeassistant.core import HomeAssistant

from ..internals.go2rtc_server import async_restream_of
from .stream_origin import Receiver, StreamEnd
from .stream_reader import StreamReader


@dataclass(frozen=True, slots=True)
class Restream:
    """A camera that go2rtc may share. It is asked only when nothing better is there."""

    hass: HomeAssistant = field(repr=False)
    camera: Camera
    turn: int = 0
    """Home Assistant has go2rtc turn its pictures."""
    name: str = "go2rtc"

    def reader(self, receiver: Receiver) -> RestreamReader:
        """Return what reads it."""
        return RestreamReader(self, receiver)


class RestreamReader:
    """Asks go2rtc where the stream is, and reads it."""

    def __init__(self, origin: Restream, receiver: Receiver) -> None:
        """Read what go2rtc has of an origin's camera."""
        self._origin = origin
        self._receiver = receiver
        self._reader: StreamReader | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def number(self) -> int:
        """Return the number of the last piece."""
        return self._receiver.number if self._reader is None else self._reader.number

    def start(self) -> None:
        """Begin, on the event loop."""
        self._task = asyncio.create_task(self._async_run(), name="familiar_faces restream")

    def stop(self) -> None:
        """Read no further."""
        if self._reader is not None:
            self._reader.stop()
        elif self._task is not None:
            self._task.cancel()

    async def _async_run(self) -> None:
        end = StreamEnd.STOPPED
        try:
            address = await async_restream_of(self._origin.hass, self._origin.camera)
            end = StreamEnd.REFUSED
            if address is not None:
                self._reader = StreamReader(address, {}, self._receiver)
                self._reader.start()
        finally:
            if self._reader is None:
                self._receiver.on_end(end)
