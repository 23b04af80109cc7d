"""What decoding an image takes, judged by its header, and where it is decoded: here, or in a process of its own.

The engine has 450 MB in all, and an image says little with its bytes: 389 KB of PNG can be 50 million pixels of 16
bits, and a JPEG can have a hundred scans. So nothing is decoded before its pixels, as the decoder holds them, were
counted. What is small and quick is decoded where it is looked at. The rest is decoded by a process that has a limit
of memory and time, and is gone afterwards (`apart`).
"""

from dataclasses import dataclass

from .headers import Header, Kind, TooLargeError
from .protocol import MAX_PIXELS

MAX_DECODED = 12_600_000
"""Pixels that are made of an image at most, as it is searched and compared: 38 MB."""
NEAR = 40 << 20
"""Bytes that may be taken where images are looked at: a plain JPEG of 12.6 megapixels."""
NEAR_SCANS = 40_000_000
"""Pixels times scans that are decoded there: 0.4 s of one core. A plain JPEG has one scan."""
APART = 112 << 20
"""Bytes that may be taken in a process of its own."""
LIBRARIES = 24 << 20
"""Bytes that OpenCV and numpy take in that process before they decode anything."""
STEPS = (1, 2, 4, 8)
"""How many pixels of a JPEG one may stand for when it is decoded."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How an image is decoded."""

    finest: int
    """How many of its pixels one of the decoded has to stand for at least; 1 for formats that are decoded whole."""
    apart: bool
    """Whether by a process of its own."""


def plan(header: Header, length: int) -> Plan:
    """Return how an image of `length` bytes is decoded; raise TooLargeError with a sentence for people."""
    pixels = header.width * header.height
    words = f"the image has {header.width} x {header.height} pixels, "
    if header.jpeg is None:
        needed = pixels * header.apart_bytes + length
        most_bytes = APART - (LIBRARIES if header.kind in (Kind.WEBP, Kind.MOVING_WEBP) else 0)
        if needed > most_bytes:
            most = max(0, most_bytes - length) / header.apart_bytes
            raise TooLargeError(
                f"{words}and of its kind and size {most / 1e6:.1f} million can be decoded; as a JPEG it may have more"
            )
        near = header.kind in (Kind.PNG, Kind.WEBP) and pixels * header.pixel_bytes <= NEAR
        return Plan(1, not near)
    if pixels > MAX_PIXELS:
        raise TooLargeError(f"{words}more than {MAX_PIXELS // 1_000_000} million")
    jpeg = header.jpeg
    for step in STEPS:
        decoded = -(-header.width // step) * -(-header.height // step)
        needed = decoded * header.pixel_bytes + jpeg.held
        if jpeg.refines:
            # Whether all of it is there is seen by decoding it twice more.
            needed += 2 * (decoded * header.pixel_bytes + length)
        if decoded <= MAX_DECODED and needed <= APART - LIBRARIES:
            quick = not jpeg.slow and pixels * jpeg.scans <= NEAR_SCANS
            # Reduced, a plain one is quick at any size; but its decoder goes through all of its data.
            return Plan(step, not (quick and needed <= NEAR))
    raise TooLargeError(f"{words}too many for a progressive JPEG")
