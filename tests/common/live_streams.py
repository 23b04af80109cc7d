"""A camera's stream server: a film over and over, in its own time, as MPEG-TS over TCP; and what goes wrong with it."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
import time

from .films import Piece


class LiveStream:
    """Sends the film at the moment at which it is asked, as a camera does."""

    def __init__(self, pieces: Sequence[Piece], fps: int) -> None:
        self._pieces = pieces
        self._fps = fps
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._began = time.monotonic()
        self.address = ""
        self.connections = 0
        self.refusing = False
        self.frozen = False

    def number_at(self, moment: float) -> int:
        """Return the number of the frame that is shown at a moment, in seconds of the clock that is never set."""
        return int((moment - self._began) * self._fps) % len(self._pieces)

    async def drop(self) -> None:
        """Hang up on everybody."""
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self._writers.add(writer)
        try:
            if self.refusing:
                return
            sent = int((time.monotonic() - self._began) * self._fps)
            while True:
                now = int((time.monotonic() - self._began) * self._fps)
                while sent < now and not self.frozen:
                    sent += 1
                    writer.write(self._pieces[sent % len(self._pieces)].data)
                await writer.drain()
                await asyncio.sleep(0.01)
        except ConnectionError, asyncio.CancelledError:
            pass
        finally:
            self._writers.discard(writer)
            self._tasks.discard(task)
            writer.close()

    async def close(self) -> None:
        """End all connections."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


@asynccontextmanager
async def live(pieces: Sequence[Piece], fps: int = 15) -> AsyncGenerator[LiveStream]:
    """Yield a server of a film."""
    stream = LiveStream(pieces, fps)
    server = await asyncio.start_server(stream.serve, "127.0.0.1", 0)
    stream.address = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield stream
    finally:
        await stream.close()
        server.close()
        await server.wait_closed()
