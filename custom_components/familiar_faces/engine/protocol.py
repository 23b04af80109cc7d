"""What the engine and its clients say to each other: protocols 1 and 2.

Imported on both sides, so it needs nothing but numpy.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

Embedding = NDArray[np.float32]
"""A unit-length float32 vector of `Faces.model`'s dimensions: the dot product of two is their cosine."""

MIN_FACE = 40
MAX_FACES = 20
AT_ONCE = 2
"""Pictures that an engine of one worker wants at once, and one that does not say."""
MAX_AT_ONCE = 256
MAX_REASON = 500
"""Characters of a reason that are shown."""
MAX_BYTES = 64 * 1024 * 1024
MAX_PIXELS = 16384 * 12288
"""200 megapixels, as the largest sensors of phones have them; what is decoded of them at once is less."""


REQUEST = "X-Request-Id"
"""Header with a word that is new for each request, and which the answer has again: so an answer that was kept from
another picture is not taken for this one's. 32 hexadecimal digits."""
SPEAKS = "X-Protocol"
"""Header of a request with the newest protocol that the client speaks; without it that is 1."""


class ProtocolError(ValueError):
    """The other side said something that is not of the protocol."""


ORDINARY_LIGHT = 118.0
"""Median of `Quality.brightness` over 200 undamaged photos of LFW view 1."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Whether a face is good enough to be compared, and if not, why."""

    usable: bool
    reason: str | None
    """None when usable, else `too_small`, `too_blurred`, `too_dark`, `too_bright`, `turned_away` or `turned`: lying on its
    side or upside down in the picture."""
    sharpness: float
    """Variance of the Laplacian of the aligned crop, grey levels squared."""
    yaw: float
    """How far the head is turned, degrees, positive to the viewer's right; estimated from the landmarks."""
    brightness: float
    """Mean grey level of the aligned crop, 0 to 255."""
    size: int
    """Width of the face in the frame as it came, pixels."""

    @property
    def ordinary_sharpness(self) -> float:
        """Return the sharpness that it would have in ordinary light: it grows with the square of the light."""
        return self.sharpness * (ORDINARY_LIGHT / self.brightness) ** 2 if self.brightness else 0.0


@dataclass(frozen=True, slots=True)
class Face:
    """One detection in one frame."""

    box: tuple[float, float, float, float]
    """Left, top, width and height in pixels of the upright frame."""
    landmarks: tuple[tuple[float, float], ...]
    """Right eye, left eye, nose tip, right and left mouth corner, as the person has them."""
    score: float
    """The detector's own confidence that this is a face, 0 to 1."""
    quality: Quality
    embedding: Embedding
    crop: bytes | None = None
    """The aligned 112x112 JPEG, when asked for."""
    portrait: bytes | None = None
    """The face with hair and shoulders as a JPEG of at most 320x400, when asked for."""
    length: float | None = None
    """How long the recogniser's output was before it was made 1: the less of a face it sees, the shorter. In the
    units of the model; None when the engine does not say."""
    real: float | None = None
    """The probability that it is a person's and no picture of one, 0 to 1; no proof. None when it was not asked for, or
    cannot be judged there: without colour, in poor light, or too small."""


@dataclass(frozen=True, slots=True)
class Faces:
    """What the engine saw in one image."""

    model: str
    """Name of the embedding space: templates of another one cannot be compared."""
    size: tuple[int, int]
    """Width and height of the upright image, pixels."""
    faces: tuple[Face, ...]
    ms: Mapping[str, float]
    """Milliseconds spent on `decode`, `detect`, `align`, `embed`, and `total` with waiting left out."""
    turned: int = 0
    """By how many degrees clockwise, 0, 90, 180 or 270, the picture has to be turned so that people stand upright
    in it, after the turning that was asked for. Where a search was asked for, `size` and `faces` are of it turned;
    otherwise all faces in it are `turned`."""
    in_shadow: bool | None = None
    """Whether the faces were found only when the picture's shadows were lifted, which is done where it was asked for.
    None when the engine does not know how."""
    judges: bool = False
    """Whether the engine can say how likely each face is no picture (`Face.real`) when it is asked to."""


@dataclass(frozen=True, slots=True)
class Health:
    """What the engine says about itself."""

    version: str
    protocol: int
    """The newest that both sides speak, where there is one; otherwise the nearest that the engine speaks."""
    model: Mapping[str, Any]
    """The model card: name, dimensions, SHA-256 of the weights, licence, published accuracy."""
    at_once: int = AT_ONCE
    """How many pictures it wants at once: those that it works on, and one that lies ready so that it never idles."""
    up_seconds: float | None = None
    """How long it has been answering; None for an engine, or several, that do not say."""
    memory: int | None = None
    """Bytes of memory that it takes; None as above."""
    fell_back: str = ""
    """Why a graphics card that it was asked to use is not used; empty otherwise, and where it does not say."""
    judges: bool = False
    """Whether it can say how likely a face is no picture, see `Face.real`."""


def encode_embedding(embedding: Embedding) -> str:
    """Return an embedding as base64 of little-endian float32."""
    return base64.b64encode(embedding.astype("<f4").tobytes()).decode()


def decode_embedding(text: str) -> Embedding:
    """Return the embedding that `encode_embedding` wrote; raise ProtocolError otherwise."""
    try:
        vector = np.frombuffer(base64.b64decode(text, validate=True), dtype="<f4")
    except (binascii.Error, TypeError, ValueError) as err:
        raise ProtocolError("an embedding is not base64 of float32") from err
    if vector.size == 0 or not np.isfinite(vector).all():
        raise ProtocolError("an embedding is empty or not finite")
    return vector.astype(np.float32)


def faces_to_json(faces: Faces) -> dict[str, Any]:
    """Return the answer of `POST /v1/faces`."""
    return {
        "model": faces.model,
        "size": list(faces.size),
        "faces": [_face_to_json(face) for face in faces.faces],
        "ms": {name: round(value, 2) for name, value in faces.ms.items()},
        "turned": faces.turned,
        "in_shadow": bool(faces.in_shadow),
        "judges": faces.judges,
    }


def faces_from_json(data: Mapping[str, Any]) -> Faces:
    """Return what `faces_to_json` wrote; raise ProtocolError when it is something else."""
    try:
        width, height = data["size"]
        return Faces(
            model=str(data["model"]),
            size=(int(width), int(height)),
            faces=tuple(_face_from_json(face) for face in data["faces"]),
            ms={str(name): float(value) for name, value in data["ms"].items()},
            # Engines before it do not say.
            turned=int(data.get("turned", 0)) % 360,
            in_shadow=bool(data["in_shadow"]) if "in_shadow" in data else None,
            judges=data.get("judges") is True,
        )
    except (AttributeError, KeyError, TypeError, ValueError) as err:
        raise ProtocolError(f"the answer is not of the protocol: {err!r}") from err


def health_from_json(data: Mapping[str, Any]) -> Health:
    """Return the answer of `GET /v1/health`; raise ProtocolError when it is something else."""
    try:
        at_once = min(max(1, int(data.get("at_once", AT_ONCE))), MAX_AT_ONCE)
        up, memory = data.get("up_seconds"), data.get("memory")
        return Health(
            str(data["version"]),
            int(data["protocol"]),
            dict(data["model"]),
            at_once,
            None if up is None else _finite(up),
            None if memory is None else max(0, int(memory)),
            str(data.get("provider", {}).get("why", ""))[:MAX_REASON],
            data.get("judges") is True,
        )
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as err:
        raise ProtocolError(f"the answer is not of the protocol: {err!r}") from err


def _finite(value: Any) -> float:
    """Return a number that is not below zero; raise ValueError for one that never ends."""
    number = float(value)
    if not isfinite(number):
        raise ValueError("a number is not finite")
    return max(0.0, number)


def _face_to_json(face: Face) -> dict[str, Any]:
    quality = face.quality
    data: dict[str, Any] = {
        "box": [round(value, 1) for value in face.box],
        "landmarks": [[round(x, 1), round(y, 1)] for x, y in face.landmarks],
        "score": round(face.score, 4),
        "quality": {
            "usable": quality.usable,
            "reason": quality.reason,
            "sharpness": round(quality.sharpness, 1),
            "yaw": round(quality.yaw, 1),
            "brightness": round(quality.brightness, 1),
            "size": quality.size,
        },
        "embedding": encode_embedding(face.embedding),
    }
    if face.length is not None:
        data["length"] = round(face.length, 3)
    if face.real is not None:
        data["real"] = round(face.real, 4)
    for name, image in (("crop", face.crop), ("portrait", face.portrait)):
        if image is not None:
            data[name] = base64.b64encode(image).decode()
    return data


def _face_from_json(data: Mapping[str, Any]) -> Face:
    quality = data["quality"]
    left, top, width, height = map(float, data["box"])
    return Face(
        box=(left, top, width, height),
        landmarks=tuple((float(x), float(y)) for x, y in data["landmarks"]),
        score=float(data["score"]),
        quality=Quality(
            usable=bool(quality["usable"]),
            reason=quality["reason"],
            sharpness=float(quality["sharpness"]),
            yaw=float(quality["yaw"]),
            brightness=float(quality["brightness"]),
            size=int(quality["size"]),
        ),
        embedding=decode_embedding(data["embedding"]),
        crop=_image_from_json(data, "crop"),
        portrait=_image_from_json(data, "portrait"),
        length=_length_from_json(data),
        real=_real_from_json(data),
    )


def _length_from_json(data: Mapping[str, Any]) -> float | None:
    # Engines before it do not say.
    if (value := data.get("length")) is None:
        return None
    length = float(value)
    if not (isfinite(length) and length > 0.0):
        raise ValueError(f"{length} is not the length of an embedding")
    return length


def _real_from_json(data: Mapping[str, Any]) -> float | None:
    if (value := data.get("real")) is None:
        return None
    real = float(value)
    if not 0.0 <= real <= 1.0:
        raise ValueError(f"{real} is not a probability")
    return real


def _image_from_json(data: Mapping[str, Any], name: str) -> bytes | None:
    text = data.get(name)
    return None if text is None else base64.b64decode(text, validate=True)
