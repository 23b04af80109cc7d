"""Somebody between Home Assistant and an engine, who reads and changes what goes through."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

_OWN = {"host", "content-length", "transfer-encoding", "connection", "upgrade"}


def _same[T](what: T) -> T:
    return what


@dataclass
class OnTheWay:
    """What is done to what goes through. Everything is heard."""

    target: str
    """The engine's address."""
    url: str = ""
    picture: Callable[[bytes], bytes] = _same
    query: Callable[[str], str] = _same
    answer: Callable[[bytes], bytes] = _same
    headers: Callable[[dict[str, str]], Mapping[str, str]] = _same
    status: Callable[[int], int] = _same
    piece: Callable[[bytes], bytes] = _same
    asked: Callable[[str], str] = _same
    said: Callable[[str], str] = _same
    heard: list[str] = field(default_factory=list)
    request_headers: dict[str, str] = field(default_factory=dict)
    """Of the newest request, as the engine gets them."""

    async def pass_on(self, request: web.Request) -> web.StreamResponse:
        """Pass a request on, and its answer back."""
        self.heard.append(f"{request.method} {request.path_qs} {dict(request.headers)}")
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _OWN}
        self.request_headers = headers
        async with aiohttp.ClientSession(self.target, auto_decompress=False) as session:
            if "Upgrade" in request.headers:
                return await self._stream(request, session, headers)
            body = self.picture(await request.read())
            target = self.query(request.path_qs)
            async with session.request(
                request.method, target, data=body or None, headers=headers, allow_redirects=False
            ) as back:
                said = {name: value for name, value in back.headers.items() if name.lower() not in _OWN}
                return web.Response(
                    status=self.status(back.status),
                    body=self.answer(await back.read()),
                    headers=self.headers(said),
                )

    async def _stream(
        self, request: web.Request, session: aiohttp.ClientSession, headers: Mapping[str, str]
    ) -> web.WebSocketResponse:
        near = web.WebSocketResponse(max_msg_size=0)
        async with session.ws_connect(
            "/v1/stream",
            headers={k: v for k, v in headers.items() if not k.lower().startswith("sec-")},
            max_msg_size=0,
        ) as far:
            await near.prepare(request)

            async def back() -> None:
                async for message in far:
                    await near.send_str(self.said(message.data))
                await near.close()

            task = asyncio.create_task(back())
            async for message in near:
                if message.type is web.WSMsgType.BINARY:
                    await far.send_bytes(self.piece(message.data))
                elif message.type is web.WSMsgType.TEXT:
                    await far.send_str(self.asked(message.data))
            task.cancel()
            await asyncio.wait((task,))
            with suppress(aiohttp.ClientError):
                await far.close()
        return near


@asynccontextmanager
async def on_the_way(target: str) -> AsyncGenerator[OnTheWay]:
    """Yield somebody on the way to an engine."""
    somebody = OnTheWay(target)
    application = web.Application(client_max_size=1 << 30)
    application.router.add_route("*", "/{path:.*}", somebody.pass_on)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    somebody.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield somebody
    finally:
        await runner.cleanup()
