"""Cameras that give single pictures: over HTTP, into a file, or pushed; with the faults of real ones."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from io import BytesIO
from itertools import count

from aiohttp import web
from PIL import Image, ImageDraw

from .door import Door, Fault

STILL = "/still.jpg"
STREAM = "/stream.mjpg"
BOUNDARY = "picture"
AFTER_RING = 0.8
"""Seconds from the ring to the first snapshot of a camera that sends them by itself."""
SNAPSHOTS = 5
"""How many it sends, one a second: the last one still shows who rang."""


class Stills:
    """A door's pictures, no two the same: each bears a clock, as cameras write it into the picture."""

    def __init__(self, door: Door) -> None:
        """Show what is at the door."""
        self._door = door
        self._numbers = count()
        self._last = b""

    async def take(self) -> bytes:
        """Return the picture of now; of a frozen camera the last one."""
        if self._door.fault is Fault.FROZEN and self._last:
            return self._last
        assert self._door.current is not None
        self._last = await asyncio.to_thread(_stamped, self._door.current.unit.data, next(self._numbers))
        return self._last


def _stamped(picture: bytes, number: int) -> bytes:
    image = Image.open(BytesIO(picture)).convert("RGB")
    draw = ImageDraw.Draw(image)
    draw.rectangle((8, 8, 150, 26), fill=(0, 0, 0))
    draw.text((12, 10), f"2026-11-30 {number:08}", fill=(255, 255, 255))
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


class StillServer:
    """Serves stills and an MJPEG stream at one port of this machine."""

    def __init__(self, door: Door) -> None:
        """Serve what is at the door."""
        self.port = 0
        self._door = door
        self._stills = Stills(door)
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._changes: set[asyncio.Task[None]] = set()
        door.on_fault.append(self._follow)

    @property
    def url(self) -> str:
        """Return where it is."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen on a free port."""
        app = web.Application()
        app.add_routes([web.get(STILL, self._still), web.get(STREAM, self._stream)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await self._listen()

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _listen(self) -> None:
        assert self._runner is not None
        self._site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await self._site.start()
        self.port = self._runner.addresses[0][1]

    def _follow(self) -> None:
        async def refuse() -> None:
            if self._site is not None:
                await self._site.stop()
                self._site = None
            if self._runner is not None and self._runner.server is not None:
                # A connection that is kept for the next request would be answered.
                await self._runner.server.shutdown(0.1)

        if self._door.fault is Fault.REFUSES:
            self._change(refuse())
        elif self._site is None:
            self._change(self._listen())

    def _change(self, work: Awaitable[None]) -> None:
        async def change() -> None:
            await work

        task = asyncio.create_task(change())
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)

    async def _answer(self) -> bytes:
        """Return the picture of now, or what comes of a fault."""
        if self._door.fault is Fault.ERROR:
            raise web.HTTPInternalServerError
        while self._door.fault in (Fault.UNREACHABLE, Fault.FREEZES):
            await asyncio.sleep(0.5)
        return await self._stills.take()

    async def _still(self, _request: web.Request) -> web.Response:
        return web.Response(body=await self._answer(), content_type="image/jpeg")

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Type": f"multipart/x-mixed-replace;boundary={BOUNDARY}"}
        )
        await response.prepare(request)
        with suppress(ConnectionResetError, web.HTTPInternalServerError):
            while True:
                image = await self._answer()
                head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(image)}\r\n\r\n"
                await response.write(head.encode() + image + b"\r\n")
                await asyncio.sleep(1 / self._door.film.format.fps)
        return response


class Snapshots:
    """A camera that sends a few snapshots when somebody rings: the first a moment later."""

    def __init__(self, door: Door, send: Callable[[bytes], Awaitable[None]]) -> None:
        """Send each to where Home Assistant finds it."""
        self._stills, self._door, self._send = Stills(door), door, send
        self._sending: asyncio.Task[None] | None = None

    async def once(self) -> None:
        """Send one, as when it is set up."""
        await self._send(await self._stills.take())

    def ring(self) -> None:
        """Begin to send."""
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End."""
        if self._sending is not None:
            self._sending.cancel()
            with suppress(asyncio.CancelledError):
                await self._sending

    async def _run(self) -> None:
        await asyncio.sleep(AFTER_RING)
        for _ in range(SNAPSHOTS):
            # A camera that is gone sends nothing: yesterday's snapshot stays.
            if self._door.fault is None or self._door.fault in (Fault.IDLES, Fault.FROZEN):
                await self.once()
            await asyncio.sleep(1.0)
