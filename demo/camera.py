"""The camera of a door: frames over HTTP, as an IP camera gives them."""

import asyncio
from itertools import count

from aiohttp import web

from .pictures import Person
from .scene import Visit, frame

STILL = "/still.jpg"
STREAM = "/stream.mjpg"
CONTROL = "/visitor"
READY = 20
"""Frames that are drawn before somebody rings: drawing is not to be measured along with the camera."""
STREAM_EVERY = 0.25
"""Seconds between two frames of the stream."""
BOUNDARY = "frame"


class Camera:
    """Plays the person who is at the door; each request gets the next frame, and no two are the same."""

    def __init__(self, people: dict[str, Person]) -> None:
        """Play these people, by name; nobody at first."""
        self.url = ""
        self._people = people
        self._seeds = count(1)
        self._visit = Visit(None, 0)
        self._numbers = count()
        self._drawn: dict[int, bytes] = {}
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen on a free port of this machine alone."""
        app = web.Application()
        app.add_routes(
            [
                web.get(STILL, self._still),
                web.get(STREAM, self._stream),
                web.post(CONTROL, self._control),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def show(self, name: str | None, ready: int = READY) -> None:
        """Let somebody come to the door, or everybody leave; return when the first frames are drawn."""
        visit = Visit(self._people[name] if name else None, next(self._seeds))
        drawn = {}
        for number in range(ready if name else 1):
            drawn[number] = await asyncio.to_thread(frame, visit, number)
        self._visit, self._drawn, self._numbers = visit, drawn, count()

    async def _next(self) -> bytes:
        visit, number = self._visit, next(self._numbers)
        if (drawn := self._drawn.get(number)) is not None:
            return drawn
        return await asyncio.to_thread(frame, visit, number)

    async def _still(self, _request: web.Request) -> web.Response:
        return web.Response(body=await self._next(), content_type="image/jpeg")

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Type": f"multipart/x-mixed-replace;boundary={BOUNDARY}"}
        )
        await response.prepare(request)
        try:
            while True:
                image = await self._next()
                head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(image)}\r\n\r\n"
                await response.write(head.encode() + image + b"\r\n")
                await asyncio.sleep(STREAM_EVERY)
        except ConnectionResetError:
            # Who watched has left.
            return response

    async def _control(self, request: web.Request) -> web.Response:
        """Choose the visitor: POST a name, or nothing for an empty porch."""
        name = (await request.text()).strip() or None
        if name is not None and name not in self._people:
            return web.Response(status=404, text=f"Nobody here is called {name}: {', '.join(self._people)}")
        await self.show(name)
        return web.Response(status=204)
