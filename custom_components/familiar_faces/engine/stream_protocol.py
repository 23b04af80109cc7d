"""What the engine and its clients say to each other about a stream: `GET /v1/stream`, a WebSocket.

The client sends pieces of one MPEG transport stream with H.264 or H.265 as binary messages, and what it wants to
know as text: a query with the parameters of `POST /v1/faces`, `after` and `picture`, or `end`. Each query is answered
with one text message, in order: what is seen in the newest frame that was decoded, or a problem as RFC 9457 has it.
Where the request had a proof (`proof`), so has each answer.

Imported on both sides, so it needs nothing but numpy.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .protocol import Faces, ProtocolError, faces_from_json, faces_to_json

END = "end"
"""The text that says that no more data comes."""
MAX_PIECE = 4 * 1024 * 1024
"""Bytes of one message, at most; a key frame in 4K has half a megabyte."""
MAX_ROOM = 8 * 1024 * 1024
"""Bytes that may wait to be decoded; anyone who sends more has to wait."""
MAX_STREAM_BYTES = 512 * 1024 * 1024
"""Bytes of one stream: two minutes at 35 Mbit/s."""
MAX_STREAM_SECONDS = 120.0
"""How long a stream may take: a look is much shorter."""
MAX_STREAM_FRAMES = 120 * 60
MAX_STREAM_PIXELS = 17_000_000
"""Pixels of one frame: the largest cameras that people own have 5120 x 2880."""
MAX_STREAMS = 4
"""Streams at once: each has a thread, and a few frames in memory."""
MAX_WISHES = 4
"""Questions about one stream that may wait for their answer."""
FRAME_SECONDS = 1.0
"""How long a question waits for a frame while there is nothing to decode: others wait behind the one who asks it."""
CATCH_UP_SECONDS = 5.0
"""How long it waits while what was sent is decoded: small machines take that long for some seconds of 4K."""
HEARTBEAT = 10.0
"""Seconds between two signs of life."""

NOT_A_STREAM = 415
"""Status: nothing of it can be decoded. Nothing more is answered, as with the next two."""
TOO_MUCH = 413
"""Status: it has more bytes, seconds, frames or pixels than are decoded."""
OVER = 410
"""Status: the stream is over, and all its frames were looked at."""
NO_FRAME = 408
"""Status: no frame after the one that is known was there in time. It may be asked again, as after the next two."""
BUSY = 503
WRONG = 400
LAST = frozenset({NOT_A_STREAM, TOO_MUCH, OVER})
"""Statuses after which a stream is closed."""


@dataclass(frozen=True, slots=True)
class SeenFrame:
    """What the engine saw in one frame of a stream."""

    faces: Faces
    time: float
    """When the frame is shown, in seconds since the first frame that was sent."""
    picture: bytes | None = field(default=None, repr=False)
    """The frame as a JPEG, when asked for."""


def seen_to_json(faces: Faces, time: float, picture: bytes | None) -> dict[str, Any]:
    """Return the answer to a question about a stream."""
    data = faces_to_json(faces) | {"time": round(time, 6)}
    if picture is not None:
        data["picture"] = base64.b64encode(picture).decode()
    return data


def seen_from_json(data: Mapping[str, Any]) -> SeenFrame:
    """Return what `seen_to_json` wrote; raise ProtocolError when it is something else."""
    faces = faces_from_json(data)
    try:
        picture = None if data.get("picture") is None else base64.b64decode(data["picture"], validate=True)
        return SeenFrame(faces, float(data["time"]), picture)
    except (binascii.Error, KeyError, TypeError, ValueError) as err:
        raise ProtocolError(f"the answer is not of the protocol: {err!r}") from err
