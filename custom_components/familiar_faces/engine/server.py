"""The engine over HTTP, on a Unix socket or a TCP port."""

import asyncio
from collections.abc import Callable
import contextlib
from dataclasses import dataclass
import hashlib
import os
from pathlib import Path
import signal
import ssl
import sys
import threading
import time
from typing import IO, cast

from aiohttp import web

from . import OLDEST, PROTOCOL, VERSION
from .apart import BEHIND
from .decoding_apart import Received, unnamed_file
from .digests import sha256_of
from .entrance import ALIVE, ChangedError, check_body, guard, sign
from .memory import STREAMS, give_back, resident
from .metrics import METRICS, Asked, Kind, Metrics
from .model_card import model_card, space
from .pipeline import Pipeline, Wish
from .pixels import CutOffError, HeavyError, NotAnImageError, TooLargeError
from .problems import busy, problem, problems
from .protocol import MAX_BYTES, SPEAKS, Faces, faces_to_json
from .streaming import Streams
from .wishes import read_wish
from .work_queue import PLACES, BusyError, WorkQueue

UPLOAD_SECONDS = 30
"""How long a client may take to send its image."""
STUCK_SECONDS = 30
"""How long one image may take before the engine calls itself stuck; the largest takes a few."""
UPLOAD_PLACES = 6
UPLOAD_ROOM = 24 * 1024 * 1024
"""Bytes of photos that may wait to be looked at, besides one that is larger."""
_CHUNK = 64 * 1024
GRACE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Listen:
    """Where the engine listens, and who may ask."""

    socket: Path | None = None
    host: str = "127.0.0.1"
    port: int = 0
    token: str | None = None
    """Asked for when given; a TCP port is never opened without."""
    metrics_token: str | None = None
    """Opens the figures for monitoring, and nothing else; `token` opens them as well."""
    certificate: Path | None = None
    """PEM file of the TLS certificate and what signed it; plain HTTP without. Read again at SIGHUP."""
    key: Path | None = None
    """PEM file of its private key, when that is another file."""


def make_app(
    pipeline: Pipeline,
    token: str | None = None,
    places: int = PLACES,
    workers: int = 1,
    metrics_token: str | None = None,
    *,
    stream_room: int = STREAMS,
) -> web.Application:
    """Return the engine as an aiohttp application that looks at so many pictures at a time."""
    began = time.monotonic()
    metrics = Metrics(space(pipeline.variant), workers, pipeline.card)
    queue = WorkQueue(places, workers=workers, newest_wins=True)
    # What people send in, and what takes long to decode: one at a time, and nobody at a door waits for it.
    uploads = WorkQueue(min(places, UPLOAD_PLACES), UPLOAD_ROOM, _stand_back)
    streams = Streams(pipeline, queue, metrics, stream_room)
    metrics.watch(lambda: queue.inside, lambda: uploads.inside, lambda: streams.count)

    async def look(request: web.Request, wish: Wish, size: int) -> Faces:
        with queue.place(size):
            async with asyncio.timeout(UPLOAD_SECONDS):
                data = await request.read()
            check_body(request, await sha256_of(data))
            try:
                return await queue.run(lambda: pipeline.see(data, wish, heavy=False))
            except HeavyError:
                return await uploads.run(lambda: pipeline.see_heavy(data, wish), urgent=True)

    async def upload(request: web.Request, wish: Wish, size: int) -> Faces:
        with uploads.place(size), unnamed_file() as file:
            async with asyncio.timeout(UPLOAD_SECONDS):
                data, digest = await _receive(request, file)
            check_body(request, digest)
            try:
                return await uploads.run(lambda: _see_upload(pipeline, data, wish))
            finally:
                # What they took is not kept for the next frame of a camera.
                await queue.run(give_back)

    async def faces(request: web.Request) -> web.Response:
        with metrics.picture(Kind.CAMERA) as asked:
            response = await seen(request, asked)
            asked.answer(response.status)
            return response

    async def seen(request: web.Request, asked: Asked) -> web.Response:
        try:
            wish = read_wish(request.query)
        except ValueError as err:
            return problem(400, str(err))
        if wish.upload:
            asked.kind = Kind.UPLOAD
        if (request.content_length or 0) > MAX_BYTES:
            return problem(413, f"the image has more than {MAX_BYTES >> 20} MB")
        size = MAX_BYTES if request.content_length is None else request.content_length
        try:
            result = await (upload if wish.upload else look)(request, wish, size)
        except BusyError:
            return busy("the engine is busy")
        except MemoryError:
            return busy("memory is short")
        except ChangedError:
            return problem(400, "the image was changed on its way", "changed")
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
        asked.work = result.ms["total"] / 1000
        return web.json_response(faces_to_json(result))

    async def stream(request: web.Request) -> web.StreamResponse:
        try:
            return await streams.serve(request)
        except BusyError:
            return busy("the engine decodes enough streams")

    async def health(request: web.Request) -> web.Response:
        if queue.running_for > STUCK_SECONDS:
            return problem(503, f"one image has taken {queue.running_for:.0f} s")
        return web.json_response(
            {
                "version": VERSION,
                "protocol": _common(request.headers.get(SPEAKS, "1")),
                "model": model_card(pipeline.variant),
                # One lies ready, so that no worker idles.
                "at_once": workers + 1,
                "judges": pipeline.judges,
                "up_seconds": round(time.monotonic() - began, 3),
                "memory": resident(),
                "provider": pipeline.card.to_json(),
            }
        )

    async def alive(_: web.Request) -> web.Response:
        # For programs that restart what hangs: a watchdog knows no token, and learns nothing here.
        return web.Response(status=204 if queue.running_for <= STUCK_SECONDS else 503)

    async def end_streams(_: web.Application) -> None:
        await streams.close()

    async def close(_: web.Application) -> None:
        queue.close()
        uploads.close()

    app = web.Application(
        middlewares=[sign, problems, guard(token, metrics_token, metrics.refused)], client_max_size=MAX_BYTES
    )
    app.router.add_post("/v1/faces", faces)
    app.router.add_get("/v1/stream", stream)
    app.router.add_get("/v1/health", health)
    app.router.add_get(ALIVE, alive)
    app.router.add_get(METRICS, metrics.serve)
    app.on_shutdown.append(end_streams)
    app.on_cleanup.append(close)
    return app


async def serve(
    pipeline: Pipeline,
    listen: Listen,
    *,
    exit_with_parent: bool = False,
    places: int = PLACES,
    workers: int = 1,
    stream_room: int = STREAMS,
    ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Answer until SIGTERM, SIGINT, or with `exit_with_parent` the end of standard input.

    `ready` is told the address once requests are answered. Raises OSError when the address is taken or the
    certificate cannot be used.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if exit_with_parent:
        _watch_parent(loop, stop)
    tls = _tls(loop, listen)
    # With handler_cancellation a client that hangs up leaves the queue.
    runner = web.AppRunner(
        make_app(pipeline, listen.token, places, workers, listen.metrics_token, stream_room=stream_room),
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=GRACE_SECONDS,
    )
    await runner.setup()
    try:
        ready(await _listen(runner, listen, tls))
        await stop.wait()
    finally:
        _end_soon()
        await runner.cleanup()
        if listen.socket is not None:
            listen.socket.unlink(missing_ok=True)


def _common(newest: str) -> int:
    """Return the newest protocol that is spoken here and by a client that says its own newest."""
    known = int(newest) if newest.isascii() and newest.isdecimal() and len(newest) < 10 else OLDEST
    return min(PROTOCOL, max(OLDEST, known))


async def _receive(request: web.Request, file: IO[bytes]) -> tuple[bytes, str]:
    """Put a request's body into a file in memory; return it and its SHA-256, or raise HTTPRequestEntityTooLarge."""
    size, digest = 0, hashlib.sha256()
    async for chunk in request.content.iter_chunked(_CHUNK):
        size += len(chunk)
        if size > MAX_BYTES:
            raise web.HTTPRequestEntityTooLarge(MAX_BYTES, size)
        digest.update(chunk)
        file.write(chunk)
    # As good as bytes for a reader.
    return (cast("bytes", Received.of(file)) if size else b""), digest.hexdigest()


def _see_upload(pipeline: Pipeline, data: bytes, wish: Wish) -> Faces:
    # What was kept for the next frame of a camera is room that a decoder needs now.
    give_back()
    return pipeline.see(data, wish)


def _stand_back() -> None:
    """Have this thread stand back behind the one that looks, also where there is one core."""
    thread = threading.get_native_id()
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + BEHIND)


def _tls(loop: asyncio.AbstractEventLoop, listen: Listen) -> ssl.SSLContext | None:
    """Return what answers TLS; it goes on with a new certificate at SIGHUP."""
    if listen.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(listen.certificate, listen.key)

    def again() -> None:
        # One that is half written, or whose key is not there yet, is no reason to end: the old one goes on. It is tried
        # elsewhere first, for a certificate that does not fit its key would take the old key with it.
        with contextlib.suppress(OSError):
            for each in (ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), context):
                each.load_cert_chain(listen.certificate or "", listen.key)

    loop.add_signal_handler(signal.SIGHUP, again)
    return context


async def _listen(runner: web.AppRunner, listen: Listen, tls: ssl.SSLContext | None) -> str:
    if listen.socket is None:
        if listen.token is None:
            raise ValueError("a TCP port needs a token")
        tcp = web.TCPSite(runner, listen.host, listen.port, ssl_context=tls)
        await tcp.start()
        host, port = runner.addresses[0][:2]
        scheme = "http" if tls is None else "https"
        return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
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
