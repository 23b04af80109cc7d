"""Streams over the engine's HTTP: the frames of one are decoded as they come, and the newest is looked at."""

import asyncio
from collections.abc import Mapping
import contextlib
import json
import logging
from urllib.parse import parse_qsl
import weakref

from aiohttp import WSCloseCode, WSMsgType, web

from .entrance import seal_of
from .memory import STREAMS
from .metrics import Kind, Metrics
from .pipeline import Pipeline
from .pixels import encode_jpeg
from .proof import StreamSeal
from .protocol import Faces
from .stream_decoder import DecodedFrame, StreamDecoder, StreamProblem
from .stream_protocol import (
    BUSY,
    CATCH_UP_SECONDS,
    END,
    FRAME_SECONDS,
    HEARTBEAT,
    LAST,
    MAX_PIECE,
    MAX_ROOM,
    MAX_STREAM_SECONDS,
    MAX_STREAMS,
    MAX_WISHES,
    NO_FRAME,
    NOT_A_STREAM,
    OVER,
    WRONG,
    seen_to_json,
)
from .stream_room import StreamRoom
from .wishes import StreamWish, read_stream_wish
from .work_queue import BusyError, WorkQueue

_LOGGER = logging.getLogger(__name__)

MAX_WISH = 1_000
"""Characters of a question."""


class Streams:
    """The streams that are decoded at this moment. Belongs to one event loop."""

    def __init__(
        self,
        pipeline: Pipeline,
        queue: WorkQueue,
        metrics: Metrics,
        room: int = STREAMS,
        most: int = MAX_STREAMS,
    ) -> None:
        """Decode at most so many streams at once in `room` bytes, and look at their frames in the queue's turn."""
        self.room = StreamRoom(room)
        self._metrics = metrics
        self._pipeline = pipeline
        self._queue = queue
        self._most = most
        self._open = 0
        self._sockets: weakref.WeakSet[web.WebSocketResponse] = weakref.WeakSet()

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Answer what is asked about one stream until it is over; raise BusyError when there are too many."""
        if self._open >= self._most:
            raise BusyError
        # A message of just so many bytes is refused, too.
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=MAX_PIECE + 1, compress=False)
        if not socket.can_prepare(request):
            raise web.HTTPUpgradeRequired
        self._open += 1
        try:
            await socket.prepare(request)
            session = _Session(self, socket, seal_of(request))
        except BaseException:
            self._open -= 1
            raise
        self._sockets.add(socket)
        try:
            await session.run()
        finally:
            session.close()
        return socket

    @property
    def count(self) -> int:
        """Return how many are decoded."""
        return self._open

    async def close(self) -> None:
        """End all streams."""
        for socket in tuple(self._sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY)

    def ended(self) -> None:
        """Take note that the thread of a stream has ended."""
        self._open -= 1

    async def see(self, frame: DecodedFrame, asked: StreamWish) -> tuple[Faces, bytes | None]:
        """Return what is seen in a frame, and the frame where it was asked for; raise BusyError."""

        def work() -> tuple[Faces, bytes | None]:
            faces = self._pipeline.see_pixels(frame.pixels, asked.wish)
            return faces, encode_jpeg(frame.pixels, 85) if asked.picture else None

        # It has its place in memory already.
        with self._metrics.picture(Kind.STREAM) as counted, self._queue.place(0):
            seen = await self._queue.run(work)
            counted.work = seen[0].ms["total"] / 1000
            return seen


class _Session:
    """One client and its stream."""

    def __init__(self, streams: Streams, socket: web.WebSocketResponse, seal: StreamSeal | None) -> None:
        loop = asyncio.get_running_loop()
        self._streams = streams
        self._seal = seal
        self._socket = socket
        self._news = asyncio.Event()
        self._wishes: asyncio.Queue[str] = asyncio.Queue(MAX_WISHES)

        def tell() -> None:
            # The loop is closed when the engine ends before the thread.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._news.set)

        def end() -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(streams.ended)

        self._decoder = StreamDecoder(streams.room, tell, end)

    def close(self) -> None:
        """Have the decoder's thread end."""
        self._decoder.close()

    async def run(self) -> None:
        """Take in pieces and questions until either side has enough."""
        answering = asyncio.create_task(self._answer_all())
        try:
            async with asyncio.timeout(MAX_STREAM_SECONDS + CATCH_UP_SECONDS):
                await self._listen()
        except TimeoutError:
            pass
        finally:
            answering.cancel()
            await asyncio.wait((answering,))
        if not answering.cancelled():
            answering.result()
        await self._socket.close()

    async def _listen(self) -> None:
        async for message in self._socket:
            if message.type is WSMsgType.BINARY:
                if self._seal is not None:
                    self._seal.fed(message.data)
                self._decoder.feed(message.data)
                await self._wait_for_room()
            elif message.type is not WSMsgType.TEXT:
                return
            elif message.data == END:
                self._decoder.finish()
            elif self._wishes.full() or len(message.data) > MAX_WISH:
                await self._socket.close(code=WSCloseCode.POLICY_VIOLATION)
                return
            else:
                self._wishes.put_nowait(message.data)

    async def _wait_for_room(self) -> None:
        while self._decoder.pending > MAX_ROOM and not self._decoder.over:
            await self._wait_for_news(1.0)

    async def _wait_for_news(self, seconds: float) -> None:
        self._news.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()

    async def _answer_all(self) -> None:
        """Answer the questions one after the other, and close after the last one that can be answered."""
        with contextlib.suppress(ConnectionError):
            while True:
                question = await self._wishes.get()
                answer = await self._answer(question)
                if isinstance(answer, StreamProblem):
                    await self._say(question, {"status": answer.status, "detail": answer.detail})
                    if answer.status in LAST or answer is self._decoder.problem:
                        await self._socket.close()
                        return
                else:
                    await self._say(question, answer)

    async def _say(self, question: str, answer: Mapping[str, object]) -> None:
        text = json.dumps(answer)
        await self._socket.send_str(text if self._seal is None else self._seal.seal(question, text))

    async def _answer(self, text: str) -> Mapping[str, object] | StreamProblem:
        query = parse_qsl(text, keep_blank_values=True)
        try:
            asked = read_stream_wish(dict(query))
        except ValueError as err:
            return StreamProblem(WRONG, str(err))
        frame = await self._frame(asked.after)
        if isinstance(frame, StreamProblem):
            return frame
        try:
            faces, picture = await self._streams.see(frame, asked)
        except BusyError:
            return StreamProblem(BUSY, "the engine is busy")
        except MemoryError:
            return StreamProblem(BUSY, "memory is short")
        except Exception:
            # Nobody else would answer, and a client that waits in vain takes the engine for dead.
            _LOGGER.exception("A frame of a stream could not be looked at")
            return StreamProblem(NOT_A_STREAM, "the engine failed at this frame; its log says why")
        return seen_to_json(faces, frame.time, picture)

    async def _frame(self, after: float) -> DecodedFrame | StreamProblem:
        """Return the newest frame after a moment of the stream, waiting for one."""
        loop = asyncio.get_running_loop()
        last = loop.time() + CATCH_UP_SECONDS
        until = loop.time() + FRAME_SECONDS
        while True:
            over = self._decoder.over
            if (frame := self._decoder.take(after)) is not None:
                return frame
            if over:
                return self._decoder.problem or StreamProblem(OVER, "the stream is over")
            if self._decoder.behind:
                until = min(last, loop.time() + FRAME_SECONDS)
            if loop.time() >= until:
                return StreamProblem(NO_FRAME, "no new frame came in time")
            await self._wait_for_news(until - loop.time())
