"""SHA-256, in hexadecimal digits. Imported on both sides, so it needs nothing but the standard library."""

import asyncio
import hashlib
from pathlib import Path

_ELSEWHERE = 1024 * 1024
"""Bytes above which a thread makes it: this many take about a millisecond."""


def sha256_of_file(path: Path) -> str:
    """Return that of a file; raise OSError. Blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def sha256_of(data: bytes) -> str:
    """Return that of bytes without holding up the event loop."""
    if len(data) > _ELSEWHERE:
        return await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
    return hashlib.sha256(data).hexdigest()
