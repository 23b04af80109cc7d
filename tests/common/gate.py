"""A way to a server that can be shut: browsers behind it see what they see when Home Assistant restarts."""

import asyncio
from contextlib import suppress


class Gate:
    """Passes connections on to a server, until it is shut: then those that there are break, and new ones are refused."""

    def __init__(self, host: str, port: int) -> None:
        """Lead to this server."""
        self._to = host, port
        self.port = 0
        """Where it is reached: the same port each time that it is open."""
        self._server: asyncio.Server | None = None
        self._passing: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Let connections through."""
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """Break the connections, and refuse new ones."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        for each in list(self._passing):
            each.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)
        await server.wait_closed()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._passing.add(task)
        try:
            there, back = await asyncio.open_connection(*self._to)
            try:
                await asyncio.gather(_copy(reader, back), _copy(there, writer))
            finally:
                back.close()
        except OSError, asyncio.CancelledError:
            # Either side went, or the gate was shut.
            pass
        finally:
            self._passing.discard(task)
            writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    with suppress(OSError, RuntimeError):
        writer.write_eof()
