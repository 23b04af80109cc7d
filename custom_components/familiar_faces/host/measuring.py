"""How long an engine takes for a picture, as Home Assistant waits for it."""

from collections.abc import Iterator
from functools import cache
import math
from statistics import median
import struct
import time

from .asking import Asking

SIZE = (1920, 1080)
PICTURES = 5
BEFORE = 2
"""Pictures that are not counted: an engine is slower with its first one."""


async def measure(client: Asking, picture: bytes) -> float:
    """Return the median time for a picture in milliseconds, the way there and back included; raise EngineError."""
    took = []
    for number in range(BEFORE + PICTURES):
        begun = time.perf_counter()
        await client.faces(picture)
        if number >= BEFORE:
            took.append((time.perf_counter() - begun) * 1000)
    return median(took)


@cache
def sample() -> bytes:
    """Return a JPEG that shows nobody and is of nowhere: waves of grey. Takes some tens of milliseconds.

    It is written here because no picture may be among the files of this integration.
    """
    width, height = SIZE
    return b"".join(
        (
            b"\xff\xd8",
            # Quantised so that the first coefficient of a block is its grey level less 128.
            _segment(0xDB, b"\x00" + b"\x08" * 64),
            _segment(0xC0, struct.pack(">BHHB3B", 8, height, width, 1, 1, 0x11, 0)),
            # Differences of 0 to 7 bits, each announced by four bits, and one bit for "nothing else in this block".
            _segment(0xC4, b"\x00" + bytes((0, 0, 0, 8, *(0,) * 12)) + bytes(range(8))),
            _segment(0xC4, b"\x10" + bytes((1, *(0,) * 15)) + b"\x00"),
            _segment(0xDA, bytes((1, 1, 0x00, 0, 63, 0))),
            _packed("".join(_blocks(width // 8, height // 8))),
            b"\xff\xd9",
        )
    )


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def _blocks(across: int, down: int) -> Iterator[str]:
    """Yield the bits of each block."""
    before = 0
    for row in range(down):
        for column in range(across):
            level = round(25 * math.sin(column / 11) + 25 * math.cos(row / 7 + column / 40))
            difference, before = level - before, level
            size = abs(difference).bit_length()
            bits = difference if difference >= 0 else difference + (1 << size) - 1
            yield f"{size:04b}{bits:0{size}b}0" if size else "00000"


def _packed(bits: str) -> bytes:
    """Return bits as bytes, filled up with ones; what would be a marker is followed by a zero."""
    bits += "1" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8).replace(b"\xff", b"\xff\x00")
