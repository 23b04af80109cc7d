"""Protocol 1 over HTTP, on a Unix socket or a TCP port."""

import asyncio
from collections.abc import Awaitable, Callable
import contextlib
from dataclasses import dataclass
import hmac
import logging
import os
from pathlib import Path
import re
import signal
import sys
import threading
from typing import IO, Any, cast

from aiohttp import hdrs, web

from . import PROTOCOL, VERSION
from .apart import BEHIND
from .decoding_apart import Received, unnamed_file
from .memory import give_back
from .model_card import model_card
from .pipeline import Pipeline, Wish
from .pixels import CutOffError, HeavyError, NotAnImageError, TooLargeError
from .protocol import MAX_BYTES, REQUEST, Faces, faces_to_json
from .streaming import Streams
from .wishes import read_wish
from .work_queue import PLACES, BusyError, WorkQueue

_LOGGER = logging.getLogger(__name__)

UPLOAD_SECONDS = 30
"""How long a client may take to send its image."""
STUCK_SECONDS = 30
"""How long one image may take before the engine calls itself stuck; the largest takes a few."""
UPLOAD_PLACES = 6
UPLOAD_ROOM = 24 * 1024 * 1024
"""Bytes of photos that may wait to be looked at, besides one that is larger."""
ALIVE = "/v1/alive"
"""The one path that asks for no token."""
_CHUNK = 64 * 1024
RETRY_AFTER = "1"
GRACE_SECONDS = 5
_REQUEST = re.compile(r"[0-9a-f]{32}", re.ASCII)

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Listen:
    """Where the engine listens, and who may ask."""

    socket: Path | None = None
    host: str = "127.0.0.1"
    port: int = 0
    token: str | None = None
    """Asked for when given; a TCP port is never opened without."""


def problem(status: int, detail: str, name: str | None = None, **headers: str) -> web.Response:
    """Return an error as RFC 9457 has it; with a `name` where the status alone says too little."""
    body = {
        "type": f"#{name}" if name else "about:blank",
        "title": _title(status),
        "status": status,
        "detail": detail,
    }
    return web.json_response(body, status=status, content_type="application/problem+json", headers=headers)


def make_app(pipeline: Pipeline, token: str | None = None, places: int = PLACES) -> web.Application:
    """Return the engine as an aiohttp application."""
    queue = WorkQueue(places)
    # What people send in, and what takes long to decode: one at a time, and nobody at a door waits for it.
    uploads = WorkQueue(min(places, UPLOAD_PLACES), UPLOAD_ROOM, _stand_back)
    streams = Streams(pipeline, queue)

    async def look(request: web.Request, wish: Wish, size: int) -> Faces:
        with queue.place(size):
            async with asyncio.timeout(UPLOAD_SECONDS):
                data = await request.read()
            try:
                return await queue.run(lambda: pipeline.see(data, wish, heavy=False))
            except HeavyError:
                return await uploads.run(lambda: pipeline.see_heavy(data, wish), urgent=True)

    async def upload(request: web.Request, wish: Wish, size: int) -> Faces:
        with uploads.place(size), unnamed_file() as file:
            async with asyncio.timeout(UPLOAD_SECONDS):
                data = await _receive(request, file)
            try:
                return await uploads.run(lambda: _see_upload(pipeline, data, wish))
            finally:
                # What they took is not kept for the next frame of a camera.
                await queue.run(give_back)

    async def faces(request: web.Request) -> web.Response:
        try:
            wish = read_wish(request.query)
        except ValueError as err:
            return problem(400, str(err))
        if (request.content_length or 0) > MAX_BYTES:
            return problem(413, f"the image has more than {MAX_BYTES >> 20} MB")
        size = MAX_BYTES if request.content_length is None else request.content_length
        try:
            result = await (upload if wish.upload else look)(request, wish, size)
        except BusyError:
            return problem(503, "the engine is busy", **{hdrs.RETRY_AFTER: RETRY_AFTER})
        except MemoryError:
            return problem(503, "memory is short", **{hdrs.RETRY_AFTER: RETRY_AFTER})
        except TimeoutError:
            return problem(408, "the image did not arrive in time")
        except web.HTTPRequestEntityTooLarge:
            return problem(413, f"the image has more than {MAX_BYTES >> 20} MB")
        except TooLargeError as err:
            return problem(413, str(err))
        except CutOffError as err:
            return problem(400, str(err), "cut_off")
        except NotAnImageError as err:
            return problem(400, str(err))
        return web.json_response(faces_to_json(result))

    async def stream(request: web.Request) -> web.StreamResponse:
        try:
            return await streams.serve(request)
        except BusyError:
            return problem(503, "the engine decodes enough streams", **{hdrs.RETRY_AFTER: RETRY_AFTER})

    async def health(_: web.Request) -> web.Response:
        if queue.running_for > STUCK_SECONDS:
            return problem(503, f"one image has taken {queue.running_for:.0f} s")
        return web.json_response(
            {"version": VERSION, "protocol": PROTOCOL, "model": model_card(pipeline.variant)}
        )

    async def alive(_: web.Request) -> web.Response:
        # For whoever restarts what hangs: a watchdog knows no token, and learns nothing here.
        return web.Response(status=204 if queue.running_for <= STUCK_SECONDS else 503)

    async def end_streams(_: web.Application) -> None:
        await streams.close()

    async def close(_: web.Application) -> None:
        queue.close()
        uploads.close()

    app = web.Application(
        middlewares=[_name_the_request, _problems, _guard(token)], client_max_size=MAX_BYTES
    )
    app.router.add_post("/v1/faces", faces)
    app.router.add_get("/v1/stream", stream)
    app.router.add_get("/v1/health", health)
    app.router.add_get(ALIVE, alive)
    app.on_shutdown.append(end_streams)
    app.on_cleanup.append(close)
    return app


async def serve(
    pipeline: Pipeline,
    listen: Listen,
    *,
    exit_with_parent: bool = False,
    places: int = PLACES,
    ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Answer until SIGTERM, SIGINT, or with `exit_with_parent` the end of standard input.

    `ready` is told the address once requests are answered. Raises OSError when the address is taken.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if exit_with_parent:
        _watch_parent(loop, stop)
    # With handler_cancellation a client that hangs up leaves the queue.
    runner = web.AppRunner(
        make_app(pipeline, listen.token, places),
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=GRACE_SECONDS,
    )
    await runner.setup()
    try:
        ready(await _listen(runner, listen))
        await stop.wait()
    finally:
        _end_soon()
        await runner.cleanup()
        if listen.socket is not None:
            listen.socket.unlink(missing_ok=True)


async def _receive(request: web.Request, file: IO[bytes]) -> bytes:
    """Put a request's body into a file in memory and return it; raise HTTPRequestEntityTooLarge."""
    size = 0
    async for chunk in request.content.iter_chunked(_CHUNK):
        size += len(chunk)
        if size > MAX_BYTES:
            raise web.HTTPRequestEntityTooLarge(MAX_BYTES, size)
        file.write(chunk)
    # As good as bytes for whoever only looks into it.
    return cast("bytes", Received.of(file)) if size else b""


def _see_upload(pipeline: Pipeline, data: bytes, wish: Wish) -> Faces:
    # What was kept for the next frame of a camera is room that a decoder needs now.
    give_back()
    return pipeline.see(data, wish)


def _stand_back() -> None:
    """Have this thread stand back behind the one that looks, also where there is one core."""
    thread = threading.get_native_id()
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + BEHIND)


async def _listen(runner: web.AppRunner, listen: Listen) -> str:
    if listen.socket is None:
        if listen.token is None:
            raise ValueError("a TCP port needs a token")
        tcp = web.TCPSite(runner, listen.host, listen.port)
        await tcp.start()
        host, port = runner.addresses[0][:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    listen.socket.unlink(missing_ok=True)
    # Nobody else may connect, not even in the instant between bind and chmod.
    before = os.umask(0o177)
    try:
        await web.UnixSite(runner, str(listen.socket)).start()
    finally:
        os.umask(before)
    return f"unix:{listen.socket}"


def _watch_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Stop when standard input ends, which is when the process that holds its other end is gone."""

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _end_soon() -> None:
    """See to it that an inference which never returns does not keep the process alive."""
    timer = threading.Timer(2 * GRACE_SECONDS, os._exit, [1])
    timer.daemon = True
    timer.start()


def _guard(token: str | None) -> Any:
    """Return the middleware that lets in only who knows the token."""
    expected = None if token is None else f"Bearer {token}".encode()

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get(hdrs.AUTHORIZATION, "").encode("utf-8", "surrogateescape")
        if request.path == ALIVE:
            return await handler(request)
        if expected is not None and not hmac.compare_digest(given, expected):
            return problem(401, "the token is missing or wrong", **{hdrs.WWW_AUTHENTICATE: "Bearer"})
        return await handler(request)

    return guard


@web.middleware
async def _name_the_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Say in each answer which request it is for, and that nobody may keep it."""
    response = await handler(request)
    if not response.prepared:
        response.headers[hdrs.CACHE_CONTROL] = "no-store"
        if _REQUEST.fullmatch(name := request.headers.get(REQUEST, "")):
            response.headers[REQUEST] = name
    return response


@web.middleware
async def _problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into a problem, and never let one end the process."""
    try:
        return await handler(request)
    except web.HTTPException as err:
        headers = {"Allow": err.headers["Allow"]} if "Allow" in err.headers else {}
        return problem(err.status, err.reason, **headers)
    except ConnectionError:
        raise
    except Exception:
        _LOGGER.exception("%s %s failed", request.method, request.path)
        return problem(500, "the engine failed on this request; its log says why")


def _title(status: int) -> str:
    return {
        400: "Bad request",
        401: "Unauthorized",
        408: "Request timeout",
        413: "Content too large",
        503: "Service unavailable",
    }.get(status, "Error")
