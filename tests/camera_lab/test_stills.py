"""The lab's cameras for single pictures: never the same picture twice, unless they are frozen."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
import time

import aiohttp
from camera_lab.door import Door, Fault
from camera_lab.stills import AFTER_RING, STILL, STREAM, Snapshots, StillServer
import pytest

from tests.camera_lab.conftest import film


@pytest.fixture
async def door(film_folder: Path, socket_enabled: None) -> AsyncIterator[Door]:
    door = Door({"red": await film(film_folder, "mjpeg", 1)})
    door.start()
    await asyncio.sleep(0.05)
    yield door
    await door.stop()


@pytest.fixture
async def server(door: Door) -> AsyncIterator[StillServer]:
    server = StillServer(door)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(1)) as session:
        yield session


async def _get(session: aiohttp.ClientSession, server: StillServer) -> bytes:
    async with session.get(server.url + STILL) as response:
        response.raise_for_status()
        return await response.read()


async def test_pictures_differ_until_it_is_frozen(
    door: Door, server: StillServer, session: aiohttp.ClientSession
) -> None:
    pictures = {await _get(session, server) for _ in range(5)}
    assert len(pictures) == 5
    door.break_down(Fault.FROZEN)
    frozen = {await _get(session, server) for _ in range(5)}
    assert len(frozen) == 1
    assert frozen <= pictures


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.ERROR, aiohttp.ClientResponseError),
        (Fault.REFUSES, aiohttp.ClientConnectionError),
        (Fault.UNREACHABLE, TimeoutError),
    ],
)
async def test_faults_begin_and_end(
    door: Door, server: StillServer, session: aiohttp.ClientSession, fault: Fault, error: type[Exception]
) -> None:
    # The connection is kept open for the next request.
    await _get(session, server)
    door.break_down(fault)
    await asyncio.sleep(0.3)
    with pytest.raises(error):
        await _get(session, server)
    door.break_down(None)
    await asyncio.sleep(0.3)
    assert await _get(session, server)


async def test_a_stream_has_pictures_in_parts(server: StillServer, session: aiohttp.ClientSession) -> None:
    async with session.get(server.url + STREAM) as response:
        reader = aiohttp.MultipartReader.from_response(response)
        parts = [bytes(await (await reader.next()).read()) for _ in range(3)]
    assert len(set(parts)) == 3


async def test_snapshots_come_after_the_ring_and_not_from_a_camera_that_is_gone(door: Door) -> None:
    sent: list[float] = []

    async def send(picture: bytes) -> None:
        assert picture.startswith(b"\xff\xd8")
        sent.append(time.monotonic())

    snapshots = Snapshots(door, send)
    rung = time.monotonic()
    snapshots.ring()
    await asyncio.sleep(AFTER_RING + 1.4)
    assert [round(at - rung, 1) for at in sent] == pytest.approx([AFTER_RING, AFTER_RING + 1], abs=0.3)
    door.break_down(Fault.UNREACHABLE)
    await asyncio.sleep(1.2)
    assert len(sent) == 2
    await snapshots.stop()
