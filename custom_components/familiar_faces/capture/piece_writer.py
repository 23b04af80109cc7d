"""Cuts a stream into frames, each a piece of MPEG-TS, without decoding anything."""

from contextlib import ExitStack
from fractions import Fraction
import io
from types import TracebackType
from typing import TYPE_CHECKING, Self, override

from .packets import TICK, Piece
from .stream_origin import Receiver

if TYPE_CHECKING:
    import av

CODECS = frozenset({"h264", "hevc"})
CLOCK = Fraction(1, 90_000)
"""The clock of MPEG-TS."""
MUX_OPTIONS = {
    "mpegts_copyts": "1",
    "flush_packets": "1",
    # A decoder need not wait for the next frame to know where one ends.
    "omit_video_pes_length": "0",
}


class PieceWriter:
    """Makes pieces of the packets of one video stream. A context; belongs to one thread at a time."""

    def __init__(self, stream: av.VideoStream, receiver: Receiver, number: int) -> None:
        """Write a stream like this one. Pieces are counted from a number on."""
        self._stream = stream
        self._receiver = receiver
        self._whole = False
        self._stack = ExitStack()
        self.number = number
        """The number of the last piece."""

    def __enter__(self) -> Self:
        """Begin."""
        import av

        self._sink = _Sink()
        self._muxer = self._stack.enter_context(
            av.open(self._sink, "w", format="mpegts", options=dict(MUX_OPTIONS))
        )
        self._out = self._muxer.add_stream_from_template(self._stream)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the muxer."""
        self._stack.close()

    def write(self, packet: av.Packet[av.VideoStream], arrived: float) -> None:
        """Make a piece of a packet that arrived at a moment, in seconds of a clock that is never set."""
        # After a gap a decoder would mix old and new, until the next key frame.
        self._whole = not packet.is_corrupt and (self._whole or packet.is_keyframe)
        if not packet.size or not self._whole:
            return
        base = packet.time_base or CLOCK
        decode, show = self._receiver.timeline.place(
            None if packet.dts is None else float(packet.dts * base),
            None if packet.pts is None else float(packet.pts * base),
            arrived,
        )
        packet.time_base = CLOCK
        packet.dts, packet.pts = round(decode / TICK), round(show / TICK)
        packet.stream = self._out
        key = packet.is_keyframe
        self._muxer.mux_one(packet)
        if data := self._sink.take():
            self.number += 1
            self._receiver.on_piece(Piece(self.number, arrived, show, key, data))


class _Sink(io.RawIOBase):
    """Takes what the muxer writes for one frame."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, data: object, /) -> int:
        part = bytes(data)  # type: ignore[call-overload]
        self._parts.append(part)
        return len(part)

    def take(self) -> bytes:
        """Return what was written since the last time."""
        data = b"".join(self._parts)
        self._parts.clear()
        return data
