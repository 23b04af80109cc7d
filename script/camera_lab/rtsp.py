"""An RTSP camera: what plays at a door, to several who watch, over TCP or UDP, with the faults of real ones."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
import random
import re
from typing import Protocol

from .door import Door, Fault, Shown
from .films import Unit
from .rtp import CLOCK, description, packet, payloads

BEHIND = 4_000_000
"""Bytes that may wait for a client; who is slower misses pictures until the next key frame."""
_STATUS = {200: "OK", 404: "Not Found", 453: "Not Enough Bandwidth", 454: "Session Not Found",
           455: "Method Not Valid in This State", 461: "Unsupported Transport", 500: "Internal Server Error",
           501: "Not Implemented"}  # fmt: skip
_PORTS = re.compile(r"client_port=(\d+)-(\d+)")
_CHANNELS = re.compile(r"interleaved=(\d+)-(\d+)")


@lru_cache(maxsize=600)
def _payloads(codec: str, unit: Unit) -> list[bytes]:
    return payloads(codec, unit)


class RtspServer:
    """Serves a door's films at one port of this machine."""

    def __init__(self, door: Door) -> None:
        """Serve what plays there."""
        self.port = 0
        self.path = "door"
        self.opened = 0
        """How many sessions were ever set up."""
        self._door = door
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        door.on_fault.append(self._follow)
        self._changes: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Return where it is."""
        return f"rtsp://127.0.0.1:{self.port}/{self.path}"

    @property
    def playing(self) -> int:
        """Return how many watch now."""
        return sum(each.playing for each in self._connections)

    async def start(self) -> None:
        """Listen, on the same port as before."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening, and end all connections."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for each in tuple(self._connections):
            each.abort()

    def _follow(self) -> None:
        """Do what belongs to a fault that began or ended."""
        fault = self._door.fault
        if fault in (Fault.REFUSES, Fault.ERROR):
            for each in tuple(self._connections):
                each.abort()
        if fault is Fault.REFUSES and self._server is not None:
            self._server.close()
            self._server = None
        elif fault is not Fault.REFUSES and self._server is None and self.port:
            task = asyncio.create_task(self.start())
            self._changes.add(task)
            task.add_done_callback(self._changes.discard)
        if fault is None:
            # Nobody who was left without an answer gets a late one.
            for each in tuple(self._connections):
                if each.unheard:
                    each.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(self, self._door, reader, writer)
        self._connections.add(connection)
        try:
            await connection.run()
        except ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError:
            # Who watched has left, or speaks something else.
            pass
        finally:
            connection.abort()
            self._connections.discard(connection)


class _Way(Protocol):
    """How packets get to a client."""

    def send(self, packets: list[bytes]) -> bool:
        """Send one picture's packets; return whether they were sent."""

    def close(self) -> None:
        """Send no more."""


class _Interleaved:
    """Between the answers of the RTSP connection."""

    def __init__(self, writer: asyncio.StreamWriter, channel: int) -> None:
        self._writer = writer
        self._head = bytes([0x24, channel])

    def send(self, packets: list[bytes]) -> bool:
        if self._writer.transport.get_write_buffer_size() > BEHIND:
            return False
        self._writer.write(b"".join(self._head + len(each).to_bytes(2) + each for each in packets))
        return True

    def close(self) -> None:
        pass


class _Datagrams(asyncio.DatagramProtocol):
    """As UDP packets."""

    def __init__(self) -> None:
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.DatagramTransport)
        self._transport = transport

    def send(self, packets: list[bytes]) -> bool:
        assert self._transport is not None
        for each in packets:
            self._transport.sendto(each)
        return True

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class _Connection:
    """One client."""

    def __init__(
        self, server: RtspServer, door: Door, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.unheard = False
        """Whether it was left without an answer."""
        self._server, self._door = server, door
        self._reader, self._writer = reader, writer
        self._session = f"{random.getrandbits(32):08x}"
        self._source, self._sequence = random.getrandbits(32), random.getrandbits(16)
        self._zero = random.getrandbits(32)
        self._way: _Way | None = None
        self._silence: Callable[[], None] | None = None
        self._missing = False

    @property
    def playing(self) -> bool:
        return self._silence is not None

    def abort(self) -> None:
        if self._silence is not None:
            self._silence()
            self._silence = None
        if self._way is not None:
            self._way.close()
        with suppress(RuntimeError):
            self._writer.transport.abort()

    async def run(self) -> None:
        """Answer requests until the client leaves."""
        while (first := await self._reader.readexactly(1)) is not None:
            if first == b"$":
                # A receiver's report, which no camera needs.
                head = await self._reader.readexactly(3)
                await self._reader.readexactly(int.from_bytes(head[1:]))
                continue
            lines = (first + await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            method, url, _ = lines[0].split(" ", 2)
            headers = dict(line.split(":", 1) for line in lines[1:] if line)
            headers = {name.strip().lower(): value.strip() for name, value in headers.items()}
            if length := int(headers.get("content-length", 0)):
                await self._reader.readexactly(length)
            if self._door.fault is Fault.UNREACHABLE:
                self.unheard = True
                continue
            status, more, body = await self._answer(method, url.rstrip("/"), headers)
            said = [f"RTSP/1.0 {status} {_STATUS[status]}", f"CSeq: {headers.get('cseq', '0')}", *more]
            if body:
                said += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
            self._writer.write(("\r\n".join(said) + "\r\n\r\n" + body).encode())
            await self._writer.drain()
            if method == "PLAY" and status == 200:
                self._play()
            elif method == "TEARDOWN" or status == 500:
                return

    async def _answer(self, method: str, url: str, headers: dict[str, str]) -> tuple[int, list[str], str]:
        if self._door.fault is Fault.ERROR:
            return 500, [], ""
        session = [f"Session: {self._session};timeout=60"]
        match method:
            case "OPTIONS":
                return 200, ["Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"], ""
            case "DESCRIBE" if url.endswith(f"/{self._server.path}"):
                return 200, [f"Content-Base: {url}/"], description(self._door.film)
            case "DESCRIBE":
                return 404, [], ""
            case "SETUP":
                others = self._server.playing - self.playing
                if self._door.single and others:
                    return 453, [], ""
                if (transport := await self._set_up(headers.get("transport", ""))) is None:
                    return 461, [], ""
                self._server.opened += 1
                return 200, [f"Transport: {transport}", *session], ""
            case "PLAY":
                return (200, [*session, "Range: npt=now-"], "") if self._way is not None else (455, [], "")
            case "GET_PARAMETER" | "SET_PARAMETER" | "TEARDOWN":
                return 200, session, ""
        return 501, [], ""

    async def _set_up(self, wanted: str) -> str | None:
        """Choose the way that a client asks for first; return what it is told of it, None when there is none."""
        for each in wanted.split(","):
            if found := _CHANNELS.search(each):
                self._way = _Interleaved(self._writer, int(found[1]))
                return f"RTP/AVP/TCP;unicast;interleaved={found[1]}-{found[2]};ssrc={self._source:08X}"
            if "TCP" not in each and (found := _PORTS.search(each)):
                host = self._writer.get_extra_info("peername")[0]
                transport, self._way = await asyncio.get_running_loop().create_datagram_endpoint(
                    _Datagrams, remote_addr=(host, int(found[1])), local_addr=("127.0.0.1", 0)
                )
                port = transport.get_extra_info("sockname")[1]
                return f"{each.strip()};server_port={port}-{port + 1};ssrc={self._source:08X}"
        return None

    def _play(self) -> None:
        if self._silence is None:
            # As it comes: the first pictures may need a key frame that was before them.
            self._silence = self._door.listen(self._show)

    def _show(self, shown: Shown) -> None:
        if self._way is None or self._door.fault in (Fault.UNREACHABLE, Fault.FREEZES):
            self._missing = True
            return
        if self._missing and not shown.unit.key:
            return
        form = self._door.film.format
        parts = _payloads(form.codec, shown.unit)
        timestamp = self._zero + shown.number * CLOCK // form.fps
        packets = [
            packet(
                part,
                sequence=self._sequence + at,
                timestamp=timestamp,
                source=self._source,
                marker=at == len(parts) - 1,
            )
            for at, part in enumerate(parts)
        ]
        self._missing = not self._way.send(packets)
        self._sequence += len(packets)
