"""One stream at a real engine, as a client has it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import aiohttp

from custom_components.familiar_faces.engine.stream_protocol import SeenFrame, seen_from_json

from . import films
from .engine_process import EngineProcess
from .films import FPS, Film

ANSWER_SECONDS = 15


class StreamClient:
    """One stream of a client."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def feed(self, *pieces: films.Piece) -> None:
        for piece in pieces:
            if piece.data:
                await self.socket.send_bytes(piece.data)

    async def feed_live(self, film: Film, *, first: int = 0, fps: int = FPS) -> None:
        """Send pieces as a camera does, but for the `first` ones, which come at once."""
        await self.feed(*film.pieces[:first])
        for piece in film.pieces[first:]:
            await asyncio.sleep(1 / fps)
            await self.feed(piece)

    async def end(self) -> None:
        await self.socket.send_str("end")

    async def ask(self, **query: object) -> dict[str, Any]:
        await self.socket.send_str(urlencode(query))
        return await self.answer()

    async def answer(self) -> dict[str, Any]:
        answer: dict[str, Any] = await self.socket.receive_json(timeout=ANSWER_SECONDS)
        return answer

    async def see(self, **query: object) -> SeenFrame:
        answer = await self.ask(**query)
        assert "status" not in answer, answer
        return seen_from_json(answer)

    async def see_to_the_end(self, **query: object) -> list[SeenFrame]:
        """Return what is seen in one frame after the other."""
        seen: list[SeenFrame] = []
        while True:
            known = {"after": seen[-1].time} if seen else {}
            answer = await self.ask(**known, **query)
            if "status" in answer:
                assert answer["status"] == 410
                return seen
            seen.append(seen_from_json(answer))

    async def closed(self) -> int | None:
        """Wait until the engine closes, and return its code."""
        message = await self.socket.receive(timeout=ANSWER_SECONDS)
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
        return self.socket.close_code


@asynccontextmanager
async def a_stream(engine: EngineProcess, **headers: str) -> AsyncGenerator[StreamClient]:
    known = {} if engine.token is None else {"Authorization": f"Bearer {engine.token}"}
    connector = None if engine.socket is None else aiohttp.UnixConnector(str(engine.socket))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.ws_connect(
            f"{engine.url or 'http://engine'}/v1/stream", headers={**known, **headers}, max_msg_size=0
        ) as socket,
    ):
        yield StreamClient(socket)
