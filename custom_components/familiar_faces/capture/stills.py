"""The stills of a look: fetched one at a time, only fresh ones, the newest wins, bounded in time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from ..host.engine_errors import EngineBusy, EngineUnavailable
from .known_pictures import Freshness, KnownPictures, async_digest
from .picture_source import Ask, NoPicture, Seen, Trouble, Wish

EVERY = 0.1
"""Seconds between two fetches at least: closer pictures show nothing new."""
AFTER_REPEATED = 0.4
"""Seconds between two fetches, at most, while the camera repeats itself: it may be a picture of now at any moment."""
ENGINE_PATIENCE = 20.0
"""Seconds that a look goes on longer at most while the engine is away: the visitor is still there when it is back."""
ENGINE_AGAIN = 7.0
"""Seconds that a look has at least after the engine failed, so that it sees the engine come back."""
AFTER_FAILURE = 0.5
"""Seconds until a failed fetch is tried again."""

type Fetch = Callable[[], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Still:
    """A picture as the camera gave it."""

    image: bytes = field(repr=False)
    at: datetime
    """When it arrived."""


class Stills:
    """Fetches pictures while the last one is still being looked at, and keeps only the newest fresh one.

    What was known before, in this look or an earlier one, is no evidence: a camera that fails may give its last
    picture again. Neither is the first picture after a pause, unless its successor shows that the camera gives
    new ones. A fetch that fails is tried again: a camera that was asleep needs a moment.
    """

    def __init__(self, camera: str, fetch: Fetch, known: KnownPictures, ask: Ask) -> None:
        """Fetch for a look at `camera`, by its entity id, as long as is asked."""
        self.waited = 0.0
        self.trouble: Trouble | None = Trouble.NO_PICTURE
        self._camera = camera
        self._fetch = fetch
        self._known = known
        self._ask = ask
        self._newest: Still | None = None
        self._tried: Still | None = None
        self._failure: Exception | None = None
        self._end = self._first_until = self._latest = 0.0
        self._last = datetime.min.replace(tzinfo=UTC)
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def newest(self) -> bytes | None:
        """Return the newest picture, if it was not looked at yet."""
        return None if self._newest is None else self._newest.image

    async def __aenter__(self) -> Self:
        """Begin to fetch."""
        self._end = asyncio.get_running_loop().time() + self._ask.seconds
        self._latest = self._end + ENGINE_PATIENCE
        patience = self._ask.patience
        self._first_until = self._end if patience is None else self._end - self._ask.seconds + patience
        self._task = asyncio.create_task(self._run(), name="familiar_faces stills")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop fetching."""
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait((self._task,))
        self._newest = self._tried = self._failure = None

    async def ready(self) -> bool:
        """Wait for a fresh picture that was not looked at; return False when there will be no more."""
        assert self._task is not None
        loop = asyncio.get_running_loop()
        since = loop.time()
        if self._newest is None and not self._task.done():
            self._news.clear()
            news = asyncio.create_task(self._news.wait())
            try:
                await asyncio.wait((news, self._task), return_when=asyncio.FIRST_COMPLETED)
            finally:
                news.cancel()
        self.waited += loop.time() - since
        if self._newest is not None:
            return True
        if not self._task.cancelled():
            self._task.result()
        if self.trouble is not None:
            raise NoPicture(self.trouble, self._camera) from self._failure
        return False

    async def see(self, wish: Wish) -> Seen:
        """Have the engine look at the newest picture."""
        still, self._newest = self._newest, None
        if still is None:
            raise ValueError("there is no picture to look at")
        try:
            faces = await self._ask.faces(still.image, wish)
        except EngineBusy, EngineUnavailable:
            now = asyncio.get_running_loop().time()
            self._end = max(self._end, min(now + ENGINE_AGAIN, self._latest))
            # Once more, unless a newer one has come: the engine may be back in a moment.
            if self._newest is None and still is not self._tried:
                self._newest = self._tried = still
            raise
        return Seen(faces, still.at, still.image, self._ask.turn)

    async def _run(self) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        pause = EVERY
        while True:
            began = loop.time()
            try:
                image = await self._fetch()
                digest = await async_digest(image)
            except Exception as err:
                if task is not None and task.cancelling():
                    # Home Assistant's way to a camera's picture takes being cancelled for one that did not come.
                    raise asyncio.CancelledError from err
                self._failure = err
                if isinstance(err, NoPicture) and err.old is not None:
                    # Whatever comes after it is new.
                    self._known.judge(await async_digest(err.old), began, loop.time())
                    err.old = None
                if isinstance(err, NoPicture) and self.trouble is Trouble.NO_PICTURE:
                    # What came is known to be old without looking at it.
                    self.trouble = err.trouble
                pause = AFTER_FAILURE
            else:
                freshness = self._known.judge(digest, began, loop.time())
                if freshness is Freshness.FRESH:
                    self.trouble = None
                    self._newest = Still(image, self._later())
                    self._news.set()
                elif self.trouble is Trouble.NO_PICTURE:
                    self.trouble = Trouble.OLD_PICTURE
                # Whether the camera is a live one shows at once.
                slower = min(max(pause, EVERY) * 1.5, AFTER_REPEATED)
                pause = {Freshness.FRESH: EVERY, Freshness.UNPROVEN: 0.0, Freshness.REPEATED: slower}[
                    freshness
                ]
            wait = began + pause - loop.time()
            if loop.time() + max(wait, 0) >= self._until:
                return
            if wait > 0:
                await asyncio.sleep(wait)

    @property
    def _until(self) -> float:
        """Return until when pictures are fetched: shorter as long as none was fresh, where there is another source."""
        return self._end if self.trouble is None else min(self._end, self._first_until)

    def _later(self) -> datetime:
        """Return the time, but always later than the picture before: clocks are set back now and then."""
        self._last = max(datetime.now(UTC), self._last + timedelta(milliseconds=1))
        return self._last
