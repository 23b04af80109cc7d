"""One stream at the engine: pieces go in, and what is seen in its newest frame comes out."""

import asyncio
from collections.abc import Callable
import contextlib
from typing import Any, Unpack
from urllib.parse import urlencode

import aiohttp

from ..engine.proof import ProofError, StreamSeal
from ..engine.protocol import Faces
from ..engine.stream_protocol import BUSY, END, MAX_PIECE, NO_FRAME, NOT_A_STREAM, OVER, TOO_MUCH, SeenFrame
from .engine_answers import PARSE_ELSEWHERE, PROBLEM_MAX, parse, seen_of
from .engine_errors import (
    EngineBusy,
    EngineForged,
    EngineIncompatible,
    EngineTimedOut,
    EngineUnavailable,
    ImageRejected,
    NoNewFrame,
    StreamEnded,
)
from .engine_questions import Asked, query_of

FEED_SECONDS = 10.0
"""How long the engine may leave a piece lying."""
LOOK_SECONDS = 10.0
"""How long an answer may take: the engine waits a second for a frame."""
CLOSE_SECONDS = 2.0


class StreamSession:
    """A stream that is open. One task may feed it while another looks."""

    def __init__(
        self,
        socket: aiohttp.ClientWebSocketResponse,
        on_silent: Callable[[], None],
        on_gone: Callable[[], None],
        on_faces: Callable[[Faces], None],
        seal: StreamSeal | None = None,
    ) -> None:
        """Take over a connection.

        `on_silent` is called when a question went unanswered, `on_gone` when the engine is gone, and `on_faces`
        with every answer. `seal` opens the answers where they have a proof.
        """
        self._socket = socket
        self._on_silent = on_silent
        self._on_gone = on_gone
        self._on_faces = on_faces
        self._seal = seal
        self._answers: asyncio.Queue[str | None] = asyncio.Queue()
        self._turn = asyncio.Lock()
        self._reading = asyncio.create_task(self._read(), name="familiar_faces stream answers")

    async def feed(self, data: bytes) -> None:
        """Send a piece of the MPEG transport stream; raise StreamEnded, EngineUnavailable or EngineTimedOut.

        It takes as long as the engine needs to have room for it.
        """
        for at in range(0, len(data), MAX_PIECE):
            await self._send(data[at : at + MAX_PIECE])

    async def end(self) -> None:
        """Say that no more comes; errors as `feed`."""
        await self._send(END)

    async def look(
        self,
        *,
        after: float | None = None,
        picture: bool = False,
        timeout: float = LOOK_SECONDS,
        **asked: Unpack[Asked],
    ) -> SeenFrame:
        """Return what is seen in the newest frame, one that is shown after so many seconds of the stream.

        Raises NoNewFrame when none came in time, StreamEnded when none will, ImageRejected when the stream cannot
        be decoded, EngineBusy, EngineUnavailable, EngineTimedOut or EngineIncompatible.
        """
        query = query_of(**asked)
        query["picture"] = str(int(picture))
        if after is not None and after >= 0:
            query["after"] = f"{after:.6f}"
        question = urlencode(query)
        async with self._turn:
            try:
                async with asyncio.timeout(timeout):
                    await self._send(question)
                    answer = await self._answers.get()
            except BaseException as err:
                # The answer may come yet, and would be taken for the next question's.
                self._answers.put_nowait(None)
                await self.close()
                if not isinstance(err, TimeoutError):
                    raise
                self._on_silent()
                raise EngineTimedOut(f"The engine did not answer within {timeout:g} s") from None
            if answer is None:
                self._answers.put_nowait(None)
                raise self._ended()
            answer = await self._open(question, answer)
            if len(answer) > PARSE_ELSEWHERE:
                seen = await asyncio.to_thread(_understood, answer)
            else:
                seen = _understood(answer)
            self._on_faces(seen.faces)
            return seen

    async def close(self) -> None:
        """End it."""
        with contextlib.suppress(TimeoutError, aiohttp.ClientError, OSError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._socket.close()
        self._reading.cancel()
        await asyncio.wait((self._reading,))

    async def _open(self, question: str, answer: str) -> str:
        """Return an answer whose proof is right."""
        try:
            return answer if self._seal is None else self._seal.open(question, answer)
        except ProofError as err:
            self._answers.put_nowait(None)
            await self.close()
            raise EngineForged("The answer does not prove that it is the engine's") from err

    async def _send(self, what: bytes | str) -> None:
        if self._socket.closed:
            raise self._ended()
        try:
            async with asyncio.timeout(FEED_SECONDS):
                if isinstance(what, str):
                    await self._socket.send_str(what)
                else:
                    if self._seal is not None:
                        # Before the answer can be there.
                        self._seal.fed(what)
                    await self._socket.send_bytes(what)
        except TimeoutError:
            raise EngineTimedOut(f"The engine took nothing within {FEED_SECONDS:g} s") from None
        except (aiohttp.ClientError, OSError) as err:
            raise self._ended() from err

    def _ended(self) -> StreamEnded | EngineUnavailable:
        """Return what it means that the connection is closed."""
        if self._socket.close_code in (aiohttp.WSCloseCode.OK, aiohttp.WSCloseCode.POLICY_VIOLATION):
            return StreamEnded("The stream is over")
        self._on_gone()
        return EngineUnavailable("The connection to the engine is closed")

    async def _read(self) -> None:
        """Take in answers as they come, and with them the signs of life that a connection needs."""
        try:
            async for message in self._socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    return
                self._answers.put_nowait(message.data)
        finally:
            self._answers.put_nowait(None)


def _understood(text: str) -> SeenFrame:
    """Return what was seen; raise what a problem means."""
    data: Any = parse(text)
    if not isinstance(data, dict):
        raise EngineIncompatible("The engine's answer cannot be understood")
    status = data.get("status")
    if status is None:
        return seen_of(data)
    detail = str(data.get("detail"))[:PROBLEM_MAX]
    if status == NO_FRAME:
        raise NoNewFrame(detail)
    if status == OVER:
        raise StreamEnded(detail)
    if status == BUSY:
        raise EngineBusy(1.0)
    if status in (NOT_A_STREAM, TOO_MUCH):
        raise ImageRejected("not_a_stream" if status == NOT_A_STREAM else "too_large", detail)
    raise EngineIncompatible(f"The engine does not take the question ({detail})")
