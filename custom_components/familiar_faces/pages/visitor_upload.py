"""Photos as a browser sends them: read in pieces, one at a time, and never past the limits."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from aiohttp import BodyPartReader, hdrs, web

from ..engine.photo_formats import photo_format
from .guard import UNREADABLE, FormRefused

MAX_PHOTOS_SENT = 8
MAX_PHOTO_BYTES = 48 * 1024 * 1024
"""Photos of 200 megapixels have 25 to 45 MB."""
MAX_BODY = MAX_PHOTOS_SENT * MAX_PHOTO_BYTES + 1024 * 1024
"""What surrounds the photos is a few hundred bytes each."""
UPLOAD_SECONDS = 300.0
IDLE_SECONDS = 20.0
"""How long nothing may come: a lost network blocks nobody from sending again."""
_PIECE = 64 * 1024
_MAX_PARTS = 64


@dataclass(frozen=True, slots=True)
class Sent:
    """One file of a form."""

    photo: bytes
    problem: str | None = None
    """Why it is not looked at: `too_large`, `too_many` or `not_an_image`; it holds no bytes then."""


async def photos_sent(request: web.Request) -> AsyncGenerator[Sent]:
    """Yield the files of a form, one after the other; raise FormRefused for what is no such form.

    What is too large or too many is read past and dropped, so that the others get their answer.
    """
    if request.content_type != "multipart/form-data" or hdrs.CONTENT_ENCODING in request.headers:
        raise FormRefused
    # Every browser says how much it sends. What is too much is refused before any of it is read.
    if request.content_length is None or request.content_length > MAX_BODY:
        raise FormRefused
    loop, found = asyncio.get_running_loop(), 0
    deadline = loop.time() + UPLOAD_SECONDS
    try:
        reader = await request.multipart()
        for _ in range(_MAX_PARTS):
            # Only around the reading: what is done with a photo has limits of its own.
            async with asyncio.timeout_at(deadline):
                async with asyncio.timeout(IDLE_SECONDS):
                    part = await reader.next()
                if part is None:
                    return
                if not isinstance(part, BodyPartReader):
                    raise FormRefused
                wanted = part.name == "photo" and bool(part.filename)
                found += wanted
                sent = await _read(part, keep=wanted and found <= MAX_PHOTOS_SENT)
            if wanted:
                yield sent
    except UNREADABLE as err:
        raise FormRefused from err
    raise FormRefused


async def _read(part: BodyPartReader, *, keep: bool) -> Sent:
    """Read to the end of a part, keeping in memory only what may be kept."""
    photo, problem = bytearray(), None if keep else "too_many"
    while piece := await _piece(part):
        if problem is not None:
            continue
        photo += piece
        if len(photo) > MAX_PHOTO_BYTES:
            photo.clear()
            problem = "too_large"
    if problem is None and photo_format(bytes(photo[:128])) is None:
        problem = "not_an_image"
    return Sent(b"", problem) if problem else Sent(bytes(photo))


async def _piece(part: BodyPartReader) -> bytes:
    async with asyncio.timeout(IDLE_SECONDS):
        return await part.read_chunk(_PIECE)
