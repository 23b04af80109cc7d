"""Pictures of a camera's stream: what the engine sees in one frame after the other, always the newest."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
import time

from ..host.engine_errors import (
    EngineBusy,
    EngineError,
    EngineIncompatible,
    EngineUnavailable,
    ImageRejected,
    NoNewFrame,
    StreamEnded,
    StreamsUnknown,
)
from ..host.stream_session import StreamSession
from .camera_stream import CameraStream, Subscription
from .packets import Piece
from .picture_source import Ask, NoPicture, Pictures, Seen, Trouble, Wish

BEFORE = 1.5
"""Seconds that a frame may be older than what starts the look: who rings stood there before."""
LATE = 30.0
"""Seconds after which a look that had to wait begins with the present."""
LAG = 2
"""Pieces that a decoder needs after a frame until it hands that out."""
REJECTED = 2
"""How many times in a row the engine may find that it cannot decode a stream."""
FAILURES = 2
"""How many times a stream may fail at the beginning of a look, until something else is tried."""
BUSY_AGAIN = 0.25
"""Seconds until the engine is asked again whether it has room for a stream."""
BUSY_SECONDS = 8.0
"""How much longer a look goes on, at most, because the engine had no room for its stream: the frames since the ring are
kept meanwhile, and who rang is in them."""
AWAY_AGAIN = 0.5
LOOK_SECONDS = 6.0
"""How long the engine may take for a frame; it waits up to five for it to come."""


class StreamPictures:
    """The frames of a camera's stream. Each has a time, so it is known to be fresh."""

    def __init__(self, stream: CameraStream, camera: str, *, every_picture: bool = False) -> None:
        """Take pictures of a stream; `camera` is its entity id.

        `every_picture`: have every frame back as a JPEG, and not just the first; that takes the engine a quarter
        longer.
        """
        self._stream = stream
        self._camera = camera
        self._every_picture = every_picture

    def open(self, ask: Ask) -> AbstractAsyncContextManager[Pictures]:
        """Take pictures for a look from now on."""
        return self._async_open(ask)

    @asynccontextmanager
    async def _async_open(self, ask: Ask) -> AsyncGenerator[Pictures]:
        since = (datetime.now(UTC) - ask.at).total_seconds()
        # A clock that was set says nothing of how long ago something happened.
        at = time.monotonic() - (since if 0 <= since <= LATE else 0.0)
        async with self._stream.subscribe(at - BEFORE) as subscription:
            look = _LookAtStream(
                self._stream, subscription, self._camera, ask, at - BEFORE, every_picture=self._every_picture
            )
            task = asyncio.create_task(look.feed(), name="familiar_faces stream to engine")
            try:
                yield look
            finally:
                task.cancel()
                await asyncio.wait((task,))
                if not task.cancelled():
                    # Not hidden: it never ends by itself but by a mistake of ours.
                    task.result()


class _LookAtStream:
    """The frames of one look."""

    def __init__(
        self,
        stream: CameraStream,
        subscription: Subscription,
        camera: str,
        ask: Ask,
        since: float,
        *,
        every_picture: bool,
    ) -> None:
        self.waited = 0.0
        self.newest: bytes | None = None
        self.trouble: Trouble | None = Trouble.NO_PICTURE
        self._stream = stream
        self._subscription = subscription
        self._camera = camera
        self._ask = ask
        self._since = since
        self._every_picture = every_picture
        self._began = asyncio.get_running_loop().time()
        self._busy_since: float | None = None
        """Since when the engine has had no room for it."""
        self._busy_for = 0.0
        """How long it had none before."""
        self._session: StreamSession | None = None
        self._base = 0.0
        """When the first frame that this session was fed with is shown, in the stream's time."""
        self._fed: list[float] = []
        """When the frames are shown that the engine was fed with and that were not looked at."""
        self._last = -1.0
        """When the last frame that was looked at is shown, in the stream's time."""
        self._failure: EngineError | None = None
        self._unfit = False
        self._first: list[Piece] = []
        """What the next session is fed with first."""
        self._rejected = 0
        """How many times in a row the engine could not decode the stream."""
        self._made = datetime.min.replace(tzinfo=UTC)
        self._news = asyncio.Event()

    async def ready(self) -> bool:
        loop = asyncio.get_running_loop()
        since = loop.time()
        try:
            while True:
                until = self._until
                first = self.trouble is not None
                # A look that had to wait for the engine still gets its first frame.
                if self._has_frame and (first or loop.time() < until):
                    return True
                if first and (self._unfit or self._subscription.failures >= FAILURES):
                    raise NoPicture(self.trouble or Trouble.NO_PICTURE, self._camera)
                if self._unfit:
                    return False
                patience = self._ask.patience if first and not self._waits_for_engine else None
                end = until if patience is None else min(until, self._began + patience)
                if loop.time() >= end:
                    if first:
                        raise NoPicture(self.trouble or Trouble.NO_PICTURE, self._camera) from self._failure
                    return False
                self._news.clear()
                with suppress(TimeoutError):
                    # The keeper of the stream tells of a failure through nobody else.
                    async with asyncio.timeout(min(end - loop.time(), 0.25)):
                        await self._news.wait()
        finally:
            self.waited += loop.time() - since

    @property
    def _until(self) -> float:
        """Return until when frames are looked at."""
        busy = self._busy_for
        if self._busy_since is not None:
            busy += asyncio.get_running_loop().time() - self._busy_since
        return self._began + self._ask.seconds + min(busy, BUSY_SECONDS)

    @property
    def _has_frame(self) -> bool:
        return self._session is not None and len(self._fed) > LAG

    @property
    def _waits_for_engine(self) -> bool:
        return self._session is None and self._failure is not None

    async def see(self, wish: Wish) -> Seen:
        session = self._session
        if session is None:
            raise EngineUnavailable("The connection to the engine is closed")
        timeline = self._subscription.timeline
        turn = (self._ask.turn + self._stream.turn) % 360
        after = max(self._last, timeline.time_of(self._since)) - self._base
        try:
            seen = await session.look(
                # Rounded on its way, the last frame must not be a newer one.
                after=max(after + 1e-3, 0.0) if after > 0 else None,
                picture=self._every_picture or self.newest is None,
                min_face=wish.min_face,
                portraits=wish.portraits,
                mirrored=wish.mirrored,
                rotate=turn,
                search_shadows=wish.search_shadows,
                judge=wish.judge,
                timeout=LOOK_SECONDS,
            )
        except NoNewFrame as err:
            self._fed.clear()
            raise ImageRejected("no_frame", str(err)) from err
        except StreamEnded as err:
            self._lose(session)
            raise ImageRejected("stream_ended", str(err)) from err
        except EngineBusy:
            raise
        except ImageRejected:
            self._rejected += 1
            self._unfit = self._rejected >= REJECTED
            self._lose(session)
            raise
        except EngineUnavailable, EngineIncompatible:
            self._lose(session)
            raise
        self._rejected = 0
        shown = self._base + seen.time
        self._last = shown
        self._fed = [each for each in self._fed if each > shown]
        if seen.picture is not None:
            self.newest = seen.picture
        self.trouble = None
        old = max(0.0, time.monotonic() - timeline.made(shown))
        made = datetime.now(UTC) - timedelta(seconds=old)
        # Clocks are set, and a stream's delay turns out to be another one.
        self._made = max(made, self._made + timedelta(milliseconds=1))
        return Seen(seen.faces, self._made, seen.picture, turn)

    async def feed(self) -> None:
        """Open a stream at the engine and pass the camera's on, again where that is cut off."""
        while not self._unfit:
            # The engine decodes a few streams at once: a camera that has yet to send something takes no place.
            while not self._first:
                self._first = await self._subscription.take()
            try:
                async with AsyncExitStack() as stack:
                    session = await stack.enter_async_context(self._ask.engine().stream())
                    self._failure = None
                    if self._busy_since is not None:
                        self._busy_for += asyncio.get_running_loop().time() - self._busy_since
                        self._busy_since = None
                    await self._pass_on(session)
            except StreamsUnknown as err:
                self._failure, self._unfit = err, True
            except EngineBusy as err:
                self._failure = err
                if self._busy_since is None:
                    self._busy_since = asyncio.get_running_loop().time()
                await asyncio.sleep(BUSY_AGAIN)
            except EngineError as err:
                self._failure = err
                await asyncio.sleep(AWAY_AGAIN)
            finally:
                self._session = None
                self._news.set()
            if not self._first:
                # The engine has lost what came before.
                self._stream.restart(self._subscription, max(self._since, time.monotonic() - BEFORE))

    async def _pass_on(self, session: StreamSession) -> None:
        self._fed.clear()
        pieces, self._first = self._first, []
        self._base = pieces[0].time
        self._session = session
        while self._session is session:
            await session.feed(b"".join(piece.data for piece in pieces))
            self._fed += [piece.time for piece in pieces if piece.time > self._last]
            self._news.set()
            pieces = await self._subscription.take()

    def _lose(self, session: StreamSession) -> None:
        """Take note that a session is of no use now; another is opened."""
        if self._session is session:
            self._session = None
            self._subscription.news.set()
