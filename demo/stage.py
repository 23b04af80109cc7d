"""A new home for a scenario: a running Home Assistant, with cameras that play visitors."""

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import aiohttp

from . import home
from .camera import Camera
from .client import Client, DemoFailed, Websocket
from .house import CAMERA, FAMILIAR, STRANGERS, House
from .pictures import ASTRONAUT, GUEST, NEIGHBOUR, Person, find

BEGAN = monotonic()
DOOR = {FAMILIAR: ASTRONAUT, STRANGERS[0]: GUEST, STRANGERS[1]: NEIGHBOUR}
"""Who comes to the door."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A running Home Assistant with cameras that play visitors."""

    folder: Path
    url: str
    camera: Camera
    """The front door's."""
    client: Client
    session: aiohttp.ClientSession
    socket: Websocket
    house: House
    running: home.Running


@asynccontextmanager
async def staged(
    folder: Path,
    port: int,
    people: dict[str, Person] = DOOR,
    *integrations: str,
    doors: Iterable[str] = (CAMERA,),
    prepare: Callable[[Path], None] | None = None,
    prelude: str = "",
) -> AsyncGenerator[Stage]:
    """Run Home Assistant in a folder, with doors that these people may come to, the front door among them.

    `prelude`: Python that it runs before anything else.
    """
    for person in people.values():
        find(person)
    home.install(folder)
    home.configure(folder, port, *integrations)
    if prepare is not None:
        prepare(folder)
    async with AsyncExitStack() as stack:
        cameras = {name: Camera(people) for name in doors}
        for camera in cameras.values():
            await camera.start()
            stack.push_async_callback(camera.stop)

        say("Home Assistant starts; the first time it fetches its frontend and what else it needs.")
        running = await stack.enter_async_context(home.launched(folder, port, prelude=prelude))
        url = running.url
        session = await stack.enter_async_context(aiohttp.ClientSession())
        client = Client(session, url)
        await client.onboard(home.USER, home.PASSWORD)
        socket = await stack.enter_async_context(await client.websocket())
        house = House(client, socket, say)
        try:
            await house.wait_until_running()
            say(f"Home Assistant runs at {url}.")
            await house.add_doors(cameras)
            yield Stage(folder, url, cameras[CAMERA], client, session, socket, house, running)
        except DemoFailed as err:
            raise DemoFailed(f"{err}\nThe last of Home Assistant's log:\n{home.last_lines(folder)}") from err


def say(text: str) -> None:
    """Print a line with the seconds since the start."""
    print(f"[{monotonic() - BEGAN:5.1f} s] {text}", flush=True)
