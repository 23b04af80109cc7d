"""Anyone who has a link sends pictures: what they take of the engine, and of those who ring meanwhile."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
import struct
import zlib

from demo.house import NAME
from demo.scene import photos, selfies

from .attack import Room
from .grounds import FACE_OF, FACES, SAME_VISIT, VISITOR, Grounds, Home
from .guest import Answer, Guest
from .outcome import Promise, Trial

ROOM = Room(Promise.UPLOADS, "docs/engine-limits.md#memory-and-time")
MOST_MB = 450
"""What docs/engine-limits.md says of the engine."""
MOST_DELAY_MS = 2000
"""By how much a ring may be named later while pictures are sent, milliseconds."""
BACK_SECONDS = 2.0
ANSWERED_SECONDS = 60.0
EVERY = 0.05
SIDES = (7071, 5119)
"""Of pictures that are just below what is taken of a photo, and of any picture: 400 and 210 MB of pixels."""


def png(width: int, height: int, *, bits: int = 16, colour: int = 6, rows: int | None = None) -> bytes:
    """Return a PNG of one colour, small as a file; `rows`: how many are there in truth.

    `bits` of each of a pixel's samples, of which colour type 6 has four, 2 three and 0 one (W3C PNG, 11.2.1).
    """
    samples = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    packed = zlib.compressobj(9)
    row = bytes(1 + width * samples * bits // 8)
    data = b"".join(packed.compress(row) for _ in range(height if rows is None else rows)) + packed.flush()
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def odd_files() -> dict[str, bytes]:
    """Return what is no photo, or pretends to be another one, by what it is."""
    photo = photos()[0]
    return {
        "an empty file": b"",
        "a text": b"no picture at all",
        "a photo cut off": photo[: len(photo) // 2],
        "a photo's first bytes": photo[:20],
        "a photo with a page behind it": photo[:200]
        + b"<html><script>alert(1)</script></html>"
        + bytes(2000),
        "a page": b"<html><script>alert(1)</script></html>",
        "a drawing": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        "a GIF": b"GIF89a" + bytes(2000),
        "a playlist": b"#EXTM3U\nfile:///etc/passwd\n",
        "a PNG that lies about its size": png(60000, 60000, rows=4),
        "a PNG without pixels": png(4000, 4000, rows=0),
        "a PNG of 2^31": png(2**31 - 1, 1, bits=1, colour=0, rows=0),
        "a long thin PNG": png(65535, 2),
        "a damaged PNG": png(200, 200)[:-30] + bytes(30),
        "noise called HEIC": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(range(256)) * 8,
        "noise called WebP": b"RIFF\xff\xff\xff\x7fWEBPVP8X" + bytes(range(256)) * 8,
    }


@dataclass(slots=True)
class Watched:
    """The engine's process, as it was seen meanwhile."""

    peak_mb: float = 0.0
    gone_seconds: float = 0.0
    """For how long at a stretch there was none."""


@asynccontextmanager
async def watched(at: Home) -> AsyncGenerator[Watched]:
    """Look at the engine's memory all the time."""
    seen = Watched()

    async def look() -> None:
        loop, gone_at = asyncio.get_running_loop(), 0.0
        while True:
            resident = [_resident_mb(pid) for pid in engines(at.running.process.pid)]
            if resident:
                seen.peak_mb, gone_at = max(seen.peak_mb, *resident), 0.0
            else:
                gone_at = gone_at or loop.time()
                seen.gone_seconds = max(seen.gone_seconds, loop.time() - gone_at)
            await asyncio.sleep(EVERY)

    task = asyncio.create_task(look())
    try:
        yield seen
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def engines(parent: int) -> list[int]:
    """Return the engine's processes below a Home Assistant."""
    return [pid for pid in _below(parent) if "serve" in _command(pid) and "--weights" in _command(pid)]


def _below(parent: int) -> Iterator[int]:
    for thread in Path(f"/proc/{parent}/task").glob("*"):
        with suppress(OSError):
            for child in (thread / "children").read_text().split():
                yield int(child)
                yield from _below(int(child))


def _command(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0")
    except OSError:
        return []


def _resident_mb(pid: int) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0


async def _meanwhile(grounds: Grounds, trial: Trial, guests: list[Guest]) -> None:
    """Have each guest send huge pictures, and somebody ring meanwhile."""
    at = await grounds.live()
    pictures = [await asyncio.to_thread(png, side, side) for side in SIDES]
    calm = await grounds.ring(at, NAME)
    if not trial.holds(
        calm is not None and calm.person == NAME, f"{NAME} was not named before anything was sent"
    ):
        return
    assert calm is not None
    async with watched(at) as engine:
        sending = [asyncio.create_task(_send_all(guest, pictures)) for guest in guests]
        await asyncio.sleep(0.5)
        ring = await grounds.ring(at, VISITOR, 30)
        answers = [each for sent in await asyncio.gather(*sending) for each in sent]
    trial.holds(
        engine.peak_mb <= MOST_MB, f"the engine took {engine.peak_mb:.0f} MB, which is more than {MOST_MB} MB"
    )
    trial.holds(engine.gone_seconds <= BACK_SECONDS, f"the engine was gone for {engine.gone_seconds:.1f} s")
    for answer, took in answers:
        trial.holds(answer.status in (200, 413, 429, 503), f"a picture is answered {answer.status}")
        trial.holds(took <= ANSWERED_SECONDS, f"a picture is answered after {took:.0f} s")
    if trial.holds(
        ring is not None and ring.person == VISITOR, f"{VISITOR} was not named while pictures were sent"
    ):
        assert ring is not None
        trial.holds(
            ring.ms <= calm.ms + MOST_DELAY_MS,
            f"a ring was named after {ring.ms} ms while pictures were sent, and after {calm.ms} ms before",
        )


async def _send_all(guest: Guest, pictures: list[bytes]) -> list[tuple[Answer, float]]:
    return [await _timed(guest, each) for each in pictures]


async def _timed(guest: Guest, picture: bytes) -> tuple[Answer, float]:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    return await guest.give_photo(picture, "selfie.png"), loop.time() - begun


@ROOM.attack()
async def one_huge_picture(grounds: Grounds, trial: Trial) -> None:
    """Send PNGs of 200 and 390 kB that are 210 and 400 MB of pixels, while somebody rings."""
    at = await grounds.live()
    guest = at.guest()
    await guest.accept(await at.invite(), "Corwin")
    await _meanwhile(grounds, trial, [guest])
    await guest.withdraw()


@ROOM.attack(check=False)
async def six_huge_pictures(grounds: Grounds, trial: Trial) -> None:
    """Send six of them at once, from six phones."""
    at = await grounds.live()
    guests = []
    for number in range(6):
        guests.append(at.guest())
        await guests[-1].accept(await at.invite(), f"Corwin {'abcdef'[number]}")
    # The last ring was less than half a minute ago: who comes now would be on the same visit.
    await asyncio.sleep(SAME_VISIT)
    await _meanwhile(grounds, trial, guests)
    for guest in guests:
        await guest.withdraw()


@ROOM.attack()
async def odd_pictures(grounds: Grounds, trial: Trial) -> None:
    """Send what is no photo, is broken, is two things at once, or lies about its size."""
    at = await grounds.live()
    guest = at.guest()
    await guest.accept(await at.invite(), "Corwin")
    async with watched(at) as engine:
        for what, data in (await asyncio.to_thread(odd_files)).items():
            answer, took = await _timed(guest, data)
            trial.holds(answer.status in (200, 413), f"{what} is answered {answer.status}")
            trial.holds(took <= 15, f"{what} is answered after {took:.0f} s")
            trial.holds("verdict taken" not in answer.text, f"{what} was taken for a photo")
    trial.holds(engine.peak_mb <= MOST_MB, f"the engine took {engine.peak_mb:.0f} MB")
    trial.holds(engine.gone_seconds <= BACK_SECONDS, f"the engine was gone for {engine.gone_seconds:.1f} s")
    await guest.withdraw()
    # One that is there already, which is told after it was looked at.
    visitor = at.guest(grounds.links[VISITOR])
    answer = await visitor.give_photo(selfies(FACES[FACE_OF[VISITOR]])[0])
    looked = 'class="verdict' in answer.text and "Not checked" not in answer.text
    trial.holds(looked, "after them a good photo is not checked")
