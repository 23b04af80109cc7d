"""What a camera does to a picture: small, blurred, dark or grey faces, and its compression."""

import argparse
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Any

import cv2
import numpy as np

from custom_components.familiar_faces.engine.pixels import Pixels, encode_jpeg

LIGHT = 0.25
"""Which share of the light is left in the dark."""
NOISE = 4.0
"""Standard deviation of the sensor's noise in the dark, grey levels, each pixel and colour on its own."""
JPEG = 95
"""Quality at which a changed picture is sent, when no other is asked for."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What is done to a picture, in this order; nothing at all sends the file as it is."""

    face_width: int | None = None
    """Scale the picture so that the labelled face becomes this wide, pixels."""
    blur: float | None = None
    """Standard deviation of a Gaussian, pixels of the scaled picture."""
    dark: bool = False
    grey: bool = False
    jpeg: int | None = None

    @property
    def as_is(self) -> bool:
        """Return whether pictures stay as they are."""
        return self == Condition()

    def to_json(self) -> dict[str, Any]:
        """Return what was asked for, without the rest."""
        return {name: value for name, value in asdict(self).items() if value not in (None, False)}

    def __str__(self) -> str:
        """Return the condition in words."""
        words = [
            f"{self.face_width} px" if self.face_width is not None else "",
            f"blur {self.blur:g}" if self.blur is not None else "",
            "dark" if self.dark else "",
            "grey" if self.grey else "",
            f"JPEG {self.jpeg}" if self.jpeg is not None else "",
        ]
        return ", ".join(word for word in words if word) or "as is"

    def apply(self, image: Pixels, face: float | None, name: str) -> bytes:
        """Return the picture as a camera would send it, a JPEG.

        `face`: how wide the labelled face is in `image`, pixels; needed for `face_width`. `name`: seeds the
        noise, so that a picture always gets the same.
        """
        if self.face_width is not None:
            if face is None:
                raise ValueError("how wide the face is must be known to scale it")
            image = _scaled(image, self.face_width / face)
        if self.blur is not None:
            image = cv2.GaussianBlur(image, (0, 0), self.blur)
        if self.dark:
            image = _in_the_dark(image, name)
        if self.grey:
            image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        return encode_jpeg(image, JPEG if self.jpeg is None else self.jpeg)


def _scaled(image: Pixels, scale: float) -> Pixels:
    size = tuple(max(1, round(length * scale)) for length in image.shape[1::-1])
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=way), np.uint8)


def _in_the_dark(image: Pixels, name: str) -> Pixels:
    seed = int.from_bytes(blake2b(name.encode(), digest_size=8).digest())
    noise = np.random.default_rng(seed).normal(0.0, NOISE, image.shape)
    return np.clip(np.rint(image * LIGHT + noise), 0, 255).astype(np.uint8)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Let the caller choose a condition."""
    group = parser.add_argument_group(
        "camera conditions",
        "what the camera sees, in this order; the pictures to enrol with stay as they are",
    )
    group.add_argument(
        "--face-width", type=between(int, 8, 1000), metavar="W", help="labelled faces are W pixels wide"
    )
    group.add_argument(
        "--blur", type=between(float, 0.1, 20), metavar="SIGMA", help="out of focus, Gaussian, pixels"
    )
    group.add_argument(
        "--dark", action="store_true", help=f"{LIGHT:.0%} of the light, and noise of {NOISE:g} grey levels"
    )
    group.add_argument("--grey", action="store_true", help="without colour, as at night")
    group.add_argument(
        "--jpeg", type=between(int, 1, 100), metavar="Q", help=f"JPEG quality ({JPEG} for a changed picture)"
    )


def chosen(asked: argparse.Namespace) -> Condition:
    """Return the condition that was asked for."""
    return Condition(asked.face_width, asked.blur, asked.dark, asked.grey, asked.jpeg)


def between(kind: type[int | float], least: float, most: float) -> Callable[[str], float]:
    """Return a function that reads a number in a range."""

    def number(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = kind(-1)
        if not least <= value <= most:
            what = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(f"{text!r} is not {what} from {least:g} to {most:g}")
        return value

    return number
