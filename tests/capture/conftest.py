"""A camera's stream to read, from this machine."""

from collections.abc import AsyncGenerator

import pytest
import pytest_socket

from tests.common import films
from tests.common.live_streams import LiveStream, live

FPS = 15


@pytest.fixture
def local_streams(socket_enabled: None) -> None:
    """Let the test reach this machine, and the engine's Unix socket."""
    pytest_socket.socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)


@pytest.fixture(scope="session")
def door_film() -> films.Film:
    """Return twelve seconds of somebody at a door."""
    return films.film(films.visited(size=(640, 368)), size=(640, 368), seconds=12, bit_rate=500_000)


@pytest.fixture
async def door_stream(local_streams: None, door_film: films.Film) -> AsyncGenerator[LiveStream]:
    """Return a camera's server that sends it over and over, a key frame every two seconds."""
    async with live(door_film.pieces, FPS) as server:
        yield server
