"""Which pictures of a camera are known already, so that an old one is no evidence of who is there now. Pure."""

import asyncio
from collections import OrderedDict
from enum import StrEnum
from hashlib import blake2b

from ..host.metadata import without_metadata

REMEMBERED = 256
"""How many pictures of a camera are remembered, 16 bytes each."""
DIGEST_ELSEWHERE = 1024 * 1024
"""Bytes above which a picture's digest is made in a thread: this many take about a millisecond."""
SCRAP = 100
"""Bytes that no picture is as small as."""
LATELY = 3.0
"""Seconds since the last fetch within which a new picture shows the present."""


class Freshness(StrEnum):
    """What is known of when a picture was made."""

    FRESH = "fresh"
    """The camera gave another one a moment ago, so this one was made since."""
    UNPROVEN = "unproven"
    """It was not seen before, but nobody looked for a while: it may be from any moment since."""
    REPEATED = "repeated"
    """It was seen before."""


class KnownPictures:
    """The digests of a camera's last pictures. They outlive a look, and nothing can be seen in them."""

    def __init__(self) -> None:
        """Know nothing."""
        self._digests: OrderedDict[bytes, None] = OrderedDict()
        self._last: float | None = None

    def note(self, digest: bytes) -> bool:
        """Remember a picture; return whether it was known."""
        known = digest in self._digests
        self._digests[digest] = None
        self._digests.move_to_end(digest)
        if len(self._digests) > REMEMBERED:
            self._digests.popitem(last=False)
        return known

    def judge(self, digest: bytes, began: float, ended: float) -> Freshness:
        """Return how old a picture is that was fetched from `began` to `ended`, and remember it.

        Seconds of a clock that is never set. Fetches that overlap are judged in the order of their ends.
        """
        last, self._last = self._last, ended
        if self.note(digest):
            return Freshness.REPEATED
        return Freshness.FRESH if last is not None and began - last <= LATELY else Freshness.UNPROVEN


def digest_of(picture: bytes) -> bytes:
    """Return what tells a picture from others, 16 bytes; without its metadata, in which a clock may stand."""
    bare = without_metadata(picture)
    # Of what is no picture, little is left.
    return blake2b(bare if len(bare) > SCRAP else picture, digest_size=16).digest()


async def async_digest(picture: bytes) -> bytes:
    """Return the same without holding up the event loop."""
    if len(picture) > DIGEST_ELSEWHERE:
        return await asyncio.to_thread(digest_of, picture)
    return digest_of(picture)
