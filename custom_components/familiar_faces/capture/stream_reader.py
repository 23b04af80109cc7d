"""Reads a camera's stream in a thread of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
import logging
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .piece_writer import CODECS, PieceWriter
from .stream_origin import Receiver, StreamEnd

if TYPE_CHECKING:
    from av.container import InputContainer

_LOGGER = logging.getLogger(__name__)

LIVE = frozenset({"rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "tcp", "udp", "rtp", "srt"})
"""Kinds of addresses behind which there is a camera. A file would be read as fast as the disk gives it."""
SEGMENTED = frozenset({"hls", "applehttp", "dash", "mov", "mp4", "matroska", "webm"})
"""FFmpeg's formats of files, and of playlists, which begin some segments back."""
OPEN_SECONDS = 5.0
READ_SECONDS = 4.0
"""A server that is frozen is noticed after about twice this time."""
OPTIONS: Mapping[str, str] = {"fflags": "nobuffer", "flags": "low_delay", "fpsprobesize": "0"}
RTSP_OPTIONS: Mapping[str, str] = {"rtsp_transport": "tcp", "probesize": "32", "analyzeduration": "1"}
"""What is in an RTSP stream is known before its first packet."""
OTHER_OPTIONS: Mapping[str, str] = {"probesize": "65536", "analyzeduration": "500000"}


def is_live(address: str) -> bool:
    """Return whether a camera's stream lies behind an address."""
    return urlsplit(address).scheme.lower() in LIVE


@dataclass(frozen=True, slots=True)
class StreamAddress:
    """Where a stream is read over the network. A password may stand in it, so it is shown nowhere."""

    url: str = field(repr=False)
    options: Mapping[str, str] = field(default_factory=dict)
    """FFmpeg's options that Home Assistant has for this camera."""
    turn: int = 0
    """By how many degrees clockwise its pictures have to be turned, as Home Assistant has it."""
    name: str = "the camera"

    def reader(self, receiver: Receiver) -> StreamReader:
        """Return what reads it."""
        return StreamReader(self.url, self.options, receiver)


class StreamReader:
    """Reads one stream until it ends or is to stop. A new one is needed for each try."""

    def __init__(self, address: str, options: Mapping[str, str], receiver: Receiver) -> None:
        """Read from an address; `options` are FFmpeg's and go before ours. Calls come from the reader's thread."""
        self._receiver = receiver
        self._address = address
        ours = RTSP_OPTIONS if urlsplit(address).scheme.lower().startswith("rtsp") else OTHER_OPTIONS
        self._options = {**OPTIONS, **ours, **options}
        self._stopping = False
        self.number = receiver.number
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
            end = StreamEnd.LOST if self.number != self._receiver.number else StreamEnd.REFUSED
        finally:
            self._receiver.on_end(StreamEnd.STOPPED if self._stopping else end)

    def _read(self) -> StreamEnd:
        import av

        with av.open(self._address, options=self._options, timeout=(OPEN_SECONDS, READ_SECONDS)) as container:
            if not container.streams.video or not _is_live(container):
                return StreamEnd.UNFIT
            stream = container.streams.video[0]
            if stream.codec_context.name not in CODECS:
                return StreamEnd.UNFIT
            with PieceWriter(stream, self._receiver, self.number) as writer:
                try:
                    for packet in container.demux(stream):
                        if self._stopping:
                            break
                        writer.write(packet, time.monotonic())
                finally:
                    self.number = writer.number
        return StreamEnd.LOST


def _is_live(container: InputContainer) -> bool:
    """Return whether a stream shows the present: of segments in a playlist, or of a file, nobody knows how old they are."""
    formats = set(container.format.name.split(","))
    return formats.isdisjoint(SEGMENTED) and not (container.duration or 0) > 0
