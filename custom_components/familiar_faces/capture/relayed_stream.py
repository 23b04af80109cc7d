"""The stream of a camera as Home Assistant's own stream has it, which may hold the camera's only connection."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
import io
import logging
import time
from typing import TYPE_CHECKING

from homeassistant.components.stream.const import HLS_PROVIDER

from .piece_writer import CLOCK, CODECS, PieceWriter
from .stream_origin import Receiver, StreamEnd

if TYPE_CHECKING:
    import av
    from homeassistant.components.camera import Camera
    from homeassistant.components.stream import Stream
    from homeassistant.components.stream.core import Segment, StreamOutput

_LOGGER = logging.getLogger(__name__)

PART_SECONDS = 8.0
"""Seconds without news after which the stream is given up; a part comes every second, or every two."""
LOOK_EVERY = 1.0
"""Seconds after which it is looked whether Home Assistant still has the stream."""


@dataclass(frozen=True, slots=True)
class RelayedStream:
    """The stream that Home Assistant has of a camera at the moment."""

    camera: Camera
    turn: int = 0
    name: str = "Home Assistant's stream"

    def reader(self, receiver: Receiver) -> RelayReader:
        """Return what reads it."""
        return RelayReader(self.camera, receiver)


def is_running(stream: Stream | None) -> bool:
    """Return whether Home Assistant reads a stream now, and gets something; without starting it."""
    if stream is None or not stream.available:
        return False
    # One that is loaded in advance goes on when nobody takes anything of it.
    return bool(stream.outputs()) or stream.dynamic_stream_settings.preload_stream


class RelayReader:
    """Takes the parts of a stream that Home Assistant has, as they become complete.

    They are pieces of MP4 with the frames of about a second, and there while Home Assistant reads the stream for
    somebody else: it is neither started nor kept open. What was there before counts only once something follows it,
    as a stream that stands still keeps its last parts.
    """

    def __init__(self, camera: Camera, receiver: Receiver) -> None:
        """Read the stream of a camera entity."""
        self.number = receiver.number
        """The number of the last piece."""
        self._camera = camera
        self._receiver = receiver
        self._task: asyncio.Task[None] | None = None
        self._cutting: asyncio.Future[bool] | None = None
        self._stack = ExitStack()
        self._writer: PieceWriter | None = None
        self._format: tuple[str, bytes | None] | None = None
        self._stream_id: int | None = None

    def start(self) -> None:
        """Begin to read, on the event loop."""
        self._task = asyncio.create_task(self._async_run(), name="familiar_faces relayed stream")

    def stop(self) -> None:
        """Read no further."""
        if self._task is not None:
            self._task.cancel()

    async def _async_run(self) -> None:
        end = StreamEnd.STOPPED
        try:
            end = await self._async_read()
        except Exception:
            # What a stream of Home Assistant consists of is not promised, and there are other ways to pictures.
            _LOGGER.warning("Home Assistant's stream could not be read", exc_info=True)
            end = StreamEnd.UNFIT
        finally:
            if self._cutting is not None:
                await asyncio.wait((self._cutting,))
            self._stack.close()
            self._receiver.on_end(end)

    async def _async_read(self) -> StreamEnd:
        stream = self._camera.stream
        if stream is None or not is_running(stream):
            return StreamEnd.REFUSED
        output = stream.add_provider(HLS_PROVIDER)
        if stream.dynamic_stream_settings.preload_stream:
            # It is to run all the time, and may not have begun.
            await stream.start()
        loop = asyncio.get_running_loop()
        at, news = _end_of(output), loop.time()
        while True:
            if (now := _end_of(output)) > at:
                found = _since(output, at, from_key=self._writer is None)
                at, news, arrived = now, loop.time(), time.monotonic()
                for segment, data in found:
                    self._cutting = loop.run_in_executor(None, self._cut, segment, data, arrived)
                    if not await asyncio.shield(self._cutting):
                        return StreamEnd.UNFIT
                continue
            if not self._is_there(stream, output) or loop.time() - news > PART_SECONDS:
                return StreamEnd.LOST if self._writer is not None else StreamEnd.REFUSED
            await output.part_recv(LOOK_EVERY)

    def _is_there(self, stream: Stream, output: StreamOutput) -> bool:
        same = self._camera.stream is stream and stream.outputs().get(HLS_PROVIDER) is output
        return same and stream.available

    def _cut(self, segment: Segment, data: bytes, arrived: float) -> bool:
        """Make pieces of MP4 whose last frame arrived at a moment; return whether it is of use."""
        import av

        if segment.stream_id != self._stream_id:
            self._stream_id = segment.stream_id
            self._receiver.timeline.restart()
        with av.open(io.BytesIO(segment.init + data), "r", format="mp4") as container:
            stream = container.streams.video[0]
            if stream.codec_context.name not in CODECS:
                return False
            writer = self._writer_of(stream)
            packets = [each for each in container.demux(stream) if each.size]
            times = [float((each.dts or 0) * (each.time_base or CLOCK)) for each in packets]
            for packet, shown in zip(packets, times, strict=True):
                writer.write(packet, arrived - max(0.0, times[-1] - shown))
            self.number = writer.number
        return True

    def _writer_of(self, stream: av.VideoStream) -> PieceWriter:
        """Return what writes a stream like this one; another one where the camera was set otherwise."""
        form = (stream.codec_context.name, stream.codec_context.extradata)
        if self._writer is None or form != self._format:
            self._stack.close()
            self._writer = self._stack.enter_context(PieceWriter(stream, self._receiver, self.number))
            self._format = form
        return self._writer


def _end_of(output: StreamOutput) -> tuple[int, int]:
    """Return how far a stream has come: the number of its last segment, and how many parts that has."""
    last = output.last_segment
    return (-1, 0) if last is None else (last.sequence, len(last.parts))


def _since(output: StreamOutput, at: tuple[int, int], *, from_key: bool) -> Sequence[tuple[Segment, bytes]]:
    """Return what came after a place in a stream, by segments.

    `from_key`: also what was before it in its segment, from the last part on that has a key frame.
    """
    found = []
    for segment in output.get_segments():
        if segment.sequence < at[0]:
            continue
        first = at[1] if segment.sequence == at[0] else 0
        if first and from_key:
            first = max((each for each in range(first) if segment.parts[each].has_keyframe), default=first)
        if data := b"".join(part.data for part in segment.parts[first:]):
            found.append((segment, data))
    return found
