"""Whatever is done to a picture: an answer in words or the right picture, in time and memory, and no end."""

from io import BytesIO
import struct
import time

import numpy as np
import pytest

from tests.common import pictures
from tests.common.engine_process import EngineProcess
from tests.common.phone_photos import phone_photo

KINDS = ("jpeg", "progressive", "png", "webp", "heic", "avif")
APART = ("heic", "avif")
"""Those whose decoder is started for each photo."""
SIZES = (0, 1, 0x7FFF, 0xFFFF)


def _picture(kind: str) -> bytes:
    image = pictures.astronaut()
    if kind in APART:
        return phone_photo(image, kind)
    data = BytesIO()
    options = {"progressive": True} if kind == "progressive" else {}
    image.save(data, "JPEG" if kind == "progressive" else kind.upper(), **options)
    return data.getvalue()


def _damaged(image: bytes, kind: str, rng: np.random.Generator) -> bytes:
    """Return a picture with bytes changed, cut off, doubled, or another size in its header."""
    changed = bytearray(image)
    match int(rng.integers(5)):
        case 0:
            # Near the beginning more depends on each byte.
            for at in rng.integers(0, rng.choice([200, len(changed)]), rng.integers(1, 20)):
                changed[at] = rng.integers(256)
        case 1:
            del changed[int(rng.integers(len(changed))) :]
        case 2:
            first, last = sorted(rng.integers(0, len(changed), 2))
            changed[first:first] = changed[first:last]
        case 3:
            first, last = sorted(rng.integers(0, len(changed), 2))
            del changed[first:last]
        case _:
            mark = {"jpeg": b"\xff\xc0", "progressive": b"\xff\xc2", "png": b"IHDR", "webp": b"VP8 "}.get(
                kind, b"ispe"
            )
            at = changed.find(mark) + {"jpeg": 5, "progressive": 5, "png": 4, "webp": 14}.get(kind, 8)
            size = [int(rng.choice(SIZES)) for _ in range(2)]
            new = struct.pack(
                {"png": ">II", "heic": ">II", "avif": ">II", "webp": "<HH"}.get(kind, ">HH"), *size
            )
            changed[at : at + len(new)] = new
    return bytes(changed)


@pytest.mark.parametrize("kind", KINDS)
def test_damage_never_ends_the_engine(engine: EngineProcess, portrait: bytes, kind: str) -> None:
    rng = np.random.default_rng(KINDS.index(kind))
    image = _picture(kind)
    before = engine.memory_mb()
    for _ in range(15 if kind in APART else 60):
        begun = time.monotonic()
        answer = engine.post(_damaged(image, kind, rng))
        assert time.monotonic() - begun < 30
        assert answer.status in (200, 400, 413)
        if answer.status != 200:
            assert answer.json()["detail"].startswith(
                ("the image ", "this is not ", "the JPEG ", "the PNG ", "the WebP ", "the request ")
            )
    assert engine.process is not None
    assert engine.process.poll() is None
    assert engine.memory_mb() - before < 150
    assert len(engine.faces(portrait).faces) == 1


def test_many_parts_take_no_time(engine: EngineProcess) -> None:
    """Pictures that consist of markers, chunks or boxes alone."""
    for image in (
        b"\xff\xd8" + b"\xff\xfe\0\2" * 4_000_000,
        b"\xff\xd8\xff" + b"\xff\xd0" * 8_000_000,
        b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + bytes(17) + b"\0\0\0\0teST\0\0\0\0" * 1_000_000,
        b"\0\0\0\x10ftypheic" + bytes(4) + b"\0\0\0\x08free" * 2_000_000,
    ):
        begun = time.monotonic()
        assert engine.post(image).status == 400
        assert time.monotonic() - begun < 5
