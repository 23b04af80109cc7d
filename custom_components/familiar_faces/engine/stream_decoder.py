"""The decoder of one stream: a thread that decodes every frame and hands out the newest.

OpenCV decodes, with its own FFmpeg: nothing is needed in the engine's environment that is not there already.
"""

from collections.abc import Callable
from dataclasses import dataclass
import logging
import os
import threading
from zlib import crc32

import cv2
import numpy as np

from .memory import named_shortage
from .pixels import Pixels
from .stream_pipe import StreamPipe
from .stream_protocol import (
    BUSY,
    MAX_ROOM,
    MAX_STREAM_BYTES,
    MAX_STREAM_FRAMES,
    MAX_STREAM_PIXELS,
    MAX_STREAM_SECONDS,
    NOT_A_STREAM,
    TOO_MUCH,
)
from .stream_room import StreamRoom, bytes_for

_LOGGER = logging.getLogger(__name__)

OPTIONS = "input_format;mpegts|fpsprobesize;0|probesize;8000000|analyzeduration;9000000"
"""How FFmpeg opens a stream. Only as MPEG-TS: other formats name files and addresses to open. A stream that begins
with a key frame is open after its first 3 frames whatever may be probed; one that does not needs the rest."""
OPTIONS_VARIABLE = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
FIRST = 8 * 1024
"""Bytes before which it is not tried to open a stream."""
MORE = 1.1
"""By how much there must be more data before it is tried again, which bounds how often it is."""
MAX_HEAD = MAX_ROOM - 64 * 1024
"""Bytes within which a stream must have shown a picture: twenty seconds without a key frame at 6 Mbit/s."""
MAX_DAMAGED = 1_000
"""Frames in a row that cannot be decoded: without a key frame none can."""
MAX_DAMAGED_AT_END = 64
ROOM_SECONDS = 8.0
"""How long it waits for memory, which is as long as somebody stands at a door."""
SAMPLED = 3
"""Of so many pixels one is compared, each way: no encoder changes less than a block of four by four."""


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """One frame of a stream."""

    pixels: Pixels
    time: float
    """When it is shown, in seconds since the first frame that was sent."""
    digest: int
    """What tells it from a frame that shows the very same."""


@dataclass(frozen=True, slots=True)
class StreamProblem:
    """Why a stream is decoded no further."""

    status: int
    detail: str


def use_options() -> None:
    """Set how streams are opened, for this process; before any is."""
    os.environ[OPTIONS_VARIABLE] = OPTIONS
    # What is damaged in a camera's stream is no news, and would fill the log.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")


class StreamDecoder:
    """Decodes a stream in a thread of its own. All methods may be called from any thread."""

    def __init__(self, room: StreamRoom, on_news: Callable[[], None], on_end: Callable[[], None]) -> None:
        """Begin to decode, in memory of `room`.

        `on_news` and `on_end` are called in the decoder's thread: when there is a newer frame or more room in the
        pipe, and when the thread is about to end.
        """
        self._room = room
        self._held = 0
        """Bytes of the room that are taken."""
        self._pipe = StreamPipe(MAX_STREAM_SECONDS)
        self._on_news = on_news
        self._on_end = on_end
        self._lock = threading.Lock()
        self._newest: DecodedFrame | None = None
        self._after: float | None = None
        self._taken: int | None = None
        self._bytes = 0
        self._over = False
        self._problem: StreamProblem | None = None
        threading.Thread(target=self._run, name="stream", daemon=True).start()

    @property
    def pending(self) -> int:
        """Return how many bytes wait to be decoded."""
        return self._pipe.pending

    @property
    def behind(self) -> bool:
        """Return whether more than about a frame waits to be decoded."""
        return self._pipe.behind

    @property
    def problem(self) -> StreamProblem | None:
        """Return why it is decoded no further, None while it is or was to its end."""
        return self._problem

    @property
    def over(self) -> bool:
        """Return whether no more frames come."""
        return self._over

    def feed(self, data: bytes) -> None:
        """Add a piece of the stream."""
        if self._over:
            return
        self._bytes += len(data)
        if self._bytes > MAX_STREAM_BYTES:
            self._fail(TOO_MUCH, f"the stream has more than {MAX_STREAM_BYTES >> 20} MB")
            self._pipe.stop()
        self._pipe.feed(data)

    def finish(self) -> None:
        """Say that no more data comes."""
        self._pipe.finish()

    def close(self) -> None:
        """Decode no further; the thread ends by itself."""
        self._pipe.stop()

    def take(self, after: float) -> DecodedFrame | None:
        """Return the newest frame shown later than `after`; None when it has yet to come.

        A frame that is the same, to the last pixel, as the one before is none: a camera that hangs goes on sending
        its last picture, and where nothing changes there is nothing new to see.

        A frame is turned into pixels when somebody waits for one, or when there is nothing else to do.
        """
        with self._lock:
            frame = self._newest
            if frame is not None and frame.time > after:
                self._newest = self._after = None
                self._taken = frame.digest
                return frame
            self._after = after
            return None

    def _run(self) -> None:
        try:
            with named_shortage():
                self._decode()
        except MemoryError:
            self._fail(BUSY, "memory is short")
        except cv2.error:
            self._fail(NOT_A_STREAM, "the stream cannot be decoded")
        except Exception:
            _LOGGER.exception("decoding a stream failed")
            self._fail(NOT_A_STREAM, "the engine failed on this stream; its log says why")
        finally:
            self._over = True
            self._pipe.stop()
            self._room.give(self._held)
            self._on_news()
            self._on_end()

    def _decode(self) -> None:
        capture = self._open()
        if capture is None:
            return
        frames = damaged = 0
        try:
            self._pipe.go()
            while self._problem is None:
                if not capture.grab():
                    damaged += 1
                    if damaged > (MAX_DAMAGED_AT_END if self._pipe.starved else MAX_DAMAGED):
                        break
                    continue
                damaged = 0
                frames += 1
                if frames > MAX_STREAM_FRAMES:
                    self._fail(TOO_MUCH, f"the stream has more than {MAX_STREAM_FRAMES} frames")
                    return
                self._offer(capture)
                self._on_news()
        finally:
            capture.release()
        if self._pipe.late:
            self._fail(TOO_MUCH, f"the stream took longer than {MAX_STREAM_SECONDS:g} s")
        elif not frames or not self._pipe.starved:
            self._fail(NOT_A_STREAM, "nothing of the stream can be decoded")

    def _open(self) -> cv2.VideoCapture | None:
        """Return the opened stream, None when it never becomes one."""
        size: float = FIRST
        while self._problem is None:
            last = not self._pipe.wait_for(int(size))
            self._pipe.again()
            have = self._pipe.pending
            wanted = 0
            if have:
                # One at a time: what it takes to open one is not counted.
                with self._room.opening:
                    capture, wanted = self._try_to_open(last=last)
                if capture is not None:
                    return capture
            if wanted:
                if not self._room.wait(wanted, ROOM_SECONDS, lambda: not self._pipe.stopped):
                    self._fail(BUSY, "other streams take all the memory")
                else:
                    self._held += wanted
                continue
            if last or have > MAX_HEAD:
                self._fail(NOT_A_STREAM, "the stream is not MPEG-TS with H.264 or H.265, or has no key frame")
            size = max(have * MORE, have + 1)
        return None

    def _try_to_open(self, *, last: bool) -> tuple[cv2.VideoCapture | None, int]:
        """Return the stream, if it can be opened and there is memory for it; else how much memory it waits for."""
        capture = cv2.VideoCapture(self._pipe, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
        pixels = _pixels(capture)
        missing = 0
        # Who met the end of the data while it was opened takes it for the end of the stream.
        if capture.isOpened() and pixels > 0 and (last or not self._pipe.starved):
            missing = self._claim(pixels)
            if self._problem is None and not missing:
                return capture, 0
        capture.release()
        return None, missing

    def _claim(self, pixels: int) -> int:
        """Take the memory for frames of so many pixels; return how many bytes are not free. Fail where they never fit."""
        needed = bytes_for(pixels)
        if pixels > MAX_STREAM_PIXELS or needed > self._room.size:
            self._fail(
                TOO_MUCH,
                f"the stream has frames of {pixels / 1e6:.1f} megapixels, more than there is memory for; "
                "choose a smaller stream of the camera",
            )
            return 0
        missing = max(0, needed - self._held)
        if missing and not self._room.take(missing):
            return missing
        self._held += missing
        return 0

    def _offer(self, capture: cv2.VideoCapture) -> None:
        """Keep the frame that was decoded, when somebody waits for it or there is time."""
        time = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        with self._lock:
            wanted = self._after is not None and time > self._after
        if not wanted and self._pipe.behind:
            return
        # They may grow while it goes on.
        if self._claim(_pixels(capture)):
            self._fail(BUSY, "other streams take all the memory")
        if self._problem is not None:
            return
        done, pixels = capture.retrieve()
        if not done or pixels is None or pixels.ndim != 3 or pixels.size > 3 * MAX_STREAM_PIXELS:
            return
        frame = DecodedFrame(pixels, time, crc32(np.ascontiguousarray(pixels[::SAMPLED, ::SAMPLED])))
        with self._lock:
            if frame.digest != self._taken:
                self._newest = frame

    def _fail(self, status: int, detail: str) -> None:
        if self._problem is None:
            self._problem = StreamProblem(status, detail)


def _pixels(capture: cv2.VideoCapture) -> int:
    """Return how many pixels a frame of a stream has, 0 where it does not say."""
    width, height = (int(capture.get(side)) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    return max(0, width) * max(0, height)
