"""Small films, made once a run, and a door that plays them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path

from camera_lab import films
from camera_lab.door import Door
from camera_lab.faces import Appearance
from camera_lab.rtsp import RtspServer
from PIL import Image
import pytest

type Doors = Callable[[str, int], Coroutine[None, None, tuple[Door, RtspServer]]]
RED = (230, 20, 20)


@pytest.fixture(scope="session")
def film_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("films")


def visitor(folder: Path) -> Appearance:
    """Somebody who is easily told from a garden."""
    path = folder / "red.png"
    Image.new("RGB", (60, 60), RED).save(path)
    return Appearance("red", path, (60, 60), 20, moves=False)


async def film(folder: Path, codec: str, every: int) -> films.Film:
    form = films.Format(codec, 320, 180, every, fps=10)
    return await films.make(folder, form, visitor(folder))


@pytest.fixture
async def opened(film_folder: Path, socket_enabled: None) -> AsyncIterator[Doors]:
    """What opens a door of a codec and a distance of key frames, with an RTSP camera."""
    async with AsyncExitStack() as stack:

        async def open_door(codec: str, every: int) -> tuple[Door, RtspServer]:
            door = Door({"red": await film(film_folder, codec, every)})
            server = RtspServer(door)
            await server.start()
            door.start()
            stack.push_async_callback(server.stop)
            stack.push_async_callback(door.stop)
            await asyncio.sleep(0)
            return door, server

        yield open_door
