"""Reads a camera's stream in a thread of its own, and cuts it into frames without decoding anything."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from fractions import Fraction
import io
import logging
import threading
import time
from typing import TYPE_CHECKING, override
from urllib.parse import urlsplit

from .packets import TICK, Piece, Timeline

if TYPE_CHECKING:
    import av
    from av.container import InputContainer, OutputContainer

_LOGGER = logging.getLogger(__name__)

LIVE = frozenset({"rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "tcp", "udp", "rtp", "srt"})
"""Kinds of addresses behind which there is a camera. A file would be read as fast as the disk gives it."""
SEGMENTED = frozenset({"hls", "applehttp", "dash", "mov", "mp4", "matroska", "webm"})
"""FFmpeg's formats of files, and of playlists, which begin some segments back."""
CODECS = frozenset({"h264", "hevc"})
OPEN_SECONDS = 5.0
READ_SECONDS = 4.0
"""A server that is frozen is noticed after about twice this time."""
CLOCK = Fraction(1, 90_000)
"""The clock of MPEG-TS."""
OPTIONS: Mapping[str, str] = {"fflags": "nobuffer", "flags": "low_delay", "fpsprobesize": "0"}
RTSP_OPTIONS: Mapping[str, str] = {"rtsp_transport": "tcp", "probesize": "32", "analyzeduration": "1"}
"""What is in an RTSP stream is known before its first packet."""
OTHER_OPTIONS: Mapping[str, str] = {"probesize": "65536", "analyzeduration": "500000"}
MUX_OPTIONS: Mapping[str, str] = {
    "mpegts_copyts": "1",
    "flush_packets": "1",
    # A decoder need not wait for the next frame to know where one ends.
    "omit_video_pes_length": "0",
}


class StreamEnd(StrEnum):
    """Why a stream is read no further."""

    STOPPED = "stopped"
    """It was asked to stop."""
    REFUSED = "refused"
    """It could not be opened."""
    UNFIT = "unfit"
    """There is no H.264 or H.265 in it."""
    LOST = "lost"
    """It came to its end, or nothing more came."""


def is_live(address: str) -> bool:
    """Return whether a camera's stream lies behind an address."""
    return urlsplit(address).scheme.lower() in LIVE


class StreamReader:
    """Reads one stream until it ends or is to stop. A new one is needed for each try."""

    def __init__(
        self,
        address: str,
        options: Mapping[str, str],
        *,
        timeline: Timeline,
        on_piece: Callable[[Piece], None],
        on_end: Callable[[StreamEnd], None],
        number: int = 0,
    ) -> None:
        """Read from an address; `options` are FFmpeg's and go before ours. Pieces are counted from a number on.

        `on_piece` and `on_end` are called in the reader's thread.
        """
        self.timeline = timeline
        self._address = address
        ours = RTSP_OPTIONS if urlsplit(address).scheme.lower().startswith("rtsp") else OTHER_OPTIONS
        self._options = {**OPTIONS, **ours, **options}
        self._on_piece = on_piece
        self._on_end = on_end
        self._stopping = False
        self._first = number
        self.number = number
        """The number of the last piece."""

    def start(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._run, name="familiar_faces stream", daemon=True).start()

    def stop(self) -> None:
        """Read no further. The thread ends with the next packet, or when none comes in time."""
        self._stopping = True

    def _run(self) -> None:
        # Not before: Home Assistant loads it when a camera's stream is first used.
        import av

        end = StreamEnd.REFUSED
        try:
            end = self._read()
        except (av.FFmpegError, OSError, ValueError) as err:
            # The address, in which a password may stand, is in the text of FFmpeg's errors.
            _LOGGER.debug("Reading a stream failed: %s", type(err).__name__)
            end = StreamEnd.LOST if self.number != self._first else StreamEnd.REFUSED
        finally:
            self._on_end(StreamEnd.STOPPED if self._stopping else end)

    def _read(self) -> StreamEnd:
        import av

        with av.open(self._address, options=self._options, timeout=(OPEN_SECONDS, READ_SECONDS)) as container:
            if not container.streams.video or not _is_live(container):
                return StreamEnd.UNFIT
            stream = container.streams.video[0]
            if stream.codec_context.name not in CODECS:
                return StreamEnd.UNFIT
            sink = _Sink()
            with av.open(sink, "w", format="mpegts", options=dict(MUX_OPTIONS)) as muxer:
                self._pass_on(container, stream, muxer, sink)
        return StreamEnd.LOST

    def _pass_on(
        self, container: InputContainer, stream: av.VideoStream, muxer: OutputContainer, sink: _Sink
    ) -> None:
        out = muxer.add_stream_from_template(stream)
        whole = False
        for packet in container.demux(stream):
            if self._stopping:
                return
            # After a gap a decoder would mix old and new, until the next key frame.
            whole = not packet.is_corrupt and (whole or packet.is_keyframe)
            if not packet.size or not whole:
                continue
            arrived = time.monotonic()
            base = packet.time_base or CLOCK
            decode, show = self.timeline.place(
                None if packet.dts is None else float(packet.dts * base),
                None if packet.pts is None else float(packet.pts * base),
                arrived,
            )
            packet.time_base = CLOCK
            packet.dts, packet.pts = round(decode / TICK), round(show / TICK)
            packet.stream = out
            key = packet.is_keyframe
            muxer.mux_one(packet)
            if data := sink.take():
                self.number += 1
                self._on_piece(Piece(self.number, arrived, show, key, data))


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


def _is_live(container: InputContainer) -> bool:
    """Return whether a stream shows the present: of segments in a playlist, or of a file, nobody knows how old they are."""
    formats = set(container.format.name.split(","))
    return formats.isdisjoint(SEGMENTED) and not (container.duration or 0) > 0
