"""Fetches a pinned file: goes on where it stopped, and takes nothing but the very bytes that are pinned."""

import asyncio
from collections.abc import Callable
import hashlib
from http import HTTPStatus
import logging
from pathlib import Path

import aiohttp

from .engine_errors import EnvironmentFailed
from .pins import Pin

_LOGGER = logging.getLogger(__name__)

TRIES = 3
"""How often each address is asked, as long as it sends something new each time."""
TIMEOUT = aiohttp.ClientTimeout(total=None, connect=20, sock_read=30)
_PIECE = 256 * 1024


class _NotFetched(Exception):
    """Nothing, or not all of it, came."""


class _Refused(Exception):
    """Something else came."""


class _Part:
    """What came of a file so far, with the SHA-256 of that. All but its attributes blocks."""

    def __init__(self, path: Path, size: int) -> None:
        """Go on at the end of what is at `path`, of a file of `size` bytes."""
        self.done = 0
        self._path = path
        self._digest = hashlib.sha256()
        self._file = path.open("a+b")
        try:
            if self._file.tell() > size:
                self._file.truncate(0)
            self._file.seek(0)
            while piece := self._file.read(_PIECE):
                self._digest.update(piece)
                self.done += len(piece)
        except BaseException:
            self._file.close()
            raise

    @property
    def sha256(self) -> str:
        """Return the hash in hex."""
        return self._digest.hexdigest()

    def append(self, piece: bytes) -> None:
        """Add what came."""
        self._file.write(piece)
        self._digest.update(piece)
        self.done += len(piece)

    def start_over(self) -> None:
        """Drop what came."""
        self._file.truncate(0)
        self._digest = hashlib.sha256()
        self.done = 0

    def finish(self, path: Path) -> None:
        """Be the file at `path`."""
        self._file.close()
        self._path.replace(path)

    def close(self) -> None:
        """Keep what came."""
        self._file.close()


async def fetch(
    session: aiohttp.ClientSession,
    pin: Pin,
    path: Path,
    *,
    mirror: str | None,
    on_bytes: Callable[[int], None],
) -> None:
    """Have a pinned package at `path`, from the first address that has it.

    What came so far is kept beside it, however it ends. `on_bytes` is called with how many bytes are there. Raises
    EnvironmentFailed (`offline`, or `hash_refused` when somebody sent something else), or OSError when the disk does.
    """
    if await asyncio.to_thread(_is, path, pin):
        on_bytes(pin.size)
        return
    part = await asyncio.to_thread(_Part, path.with_name(f"{path.name}.part"), pin.size)
    try:
        await _from_any(session, pin, part, mirror, on_bytes)
        await asyncio.to_thread(part.finish, path)
    finally:
        await asyncio.to_thread(part.close)


async def _from_any(
    session: aiohttp.ClientSession,
    pin: Pin,
    part: _Part,
    mirror: str | None,
    on_bytes: Callable[[int], None],
) -> None:
    """Complete a part from the first address that has the rest of it."""
    refused: str | None = None
    said = ""
    for url in pin.urls(mirror):
        for _ in range(TRIES):
            before = part.done
            try:
                if before < pin.size:
                    await _receive(session, url, part, pin.size, on_bytes)
                _compare(part, pin)
            except _Refused as err:
                refused = said = f"{url}: {err}"
                _LOGGER.debug("Refused %s", refused)
                await asyncio.to_thread(part.start_over)
                # Perhaps only what was there before was wrong: from the beginning, once.
                if not before:
                    break
            except _NotFetched as err:
                said = f"{url}: {err}"
                _LOGGER.debug("Not fetched: %s", said)
                if part.done <= before:
                    break
            else:
                return
    if refused is not None:
        raise EnvironmentFailed("hash_refused", f"{pin.name} was refused: {refused}", pin.name)
    raise EnvironmentFailed("offline", f"{pin.name} could not be fetched: {said}")


def _compare(part: _Part, pin: Pin) -> None:
    if part.sha256 != pin.sha256:
        raise _Refused("its SHA-256 is not the pinned one")


async def _receive(
    session: aiohttp.ClientSession, url: str, part: _Part, size: int, on_bytes: Callable[[int], None]
) -> None:
    """Append to a part what an address has after its end."""
    begin = part.done
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={begin}-"} if begin else {})
    try:
        async with session.get(url, headers=headers, timeout=TIMEOUT) as answer:
            if answer.status not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
                raise _NotFetched(f"status {answer.status}")
            if begin and answer.status == HTTPStatus.OK:
                # All of it is sent again.
                await asyncio.to_thread(part.start_over)
                begin = 0
            if begin and not answer.headers.get("Content-Range", "").startswith(f"bytes {begin}-"):
                raise _Refused("the rest of it is not sent alone")
            if answer.content_length not in (None, size - begin):
                raise _Refused(f"it has not {size} bytes")
            async for piece in answer.content.iter_chunked(_PIECE):
                if part.done + len(piece) > size:
                    raise _Refused(f"it has more than {size} bytes")
                await asyncio.to_thread(part.append, piece)
                on_bytes(part.done)
    except (aiohttp.ClientError, TimeoutError) as err:
        raise _NotFetched(str(err) or type(err).__name__) from err
    if part.done < size:
        raise _NotFetched(f"only {part.done} of {size} bytes came")


def _is(path: Path, pin: Pin) -> bool:
    """Return whether the pinned package is there. Blocks."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == pin.sha256
    except FileNotFoundError:
        return False
