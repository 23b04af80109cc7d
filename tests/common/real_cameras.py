"""Home Assistant's own cameras, and doors that they show: what fails is the door, as it does in a home."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

from aiohttp import web
from homeassistant.components.camera.helper import get_camera_from_entity_id
from homeassistant.components.push.camera import PushCamera
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry

from .pictures import taken_anew

type Give = Callable[[bytes], Awaitable[None]]

TITLE = "Front door"
EVERY = 0.08
"""Seconds between two snapshots."""


class Fault(StrEnum):
    """What a door's camera does when it does not do what it should."""

    ERROR = "error"
    """It answers 500, with a page that is another each time."""
    REFUSES = "refuses"
    """It closes each connection without an answer."""
    FROZEN = "frozen"
    """It gives its last picture for ever, or no further one comes."""


class RealDoor:
    """What stands before the camera."""

    def __init__(self, frames: Sequence[bytes]) -> None:
        """Show these, over and over, each time as a new picture."""
        self.frames = frames
        self.fault: Fault | None = None
        self._shown = 0
        self._last = b""

    def picture(self) -> bytes:
        """Return a picture of now, or the last one once it is frozen."""
        if self.fault is not Fault.FROZEN or not self._last:
            self._shown += 1
            self._last = taken_anew(self.frames[self._shown % len(self.frames)])
        return self._last


async def _answers(door: RealDoor, stack: AsyncExitStack) -> str:
    """Serve a door's pictures, and return their address."""

    async def answer(request: web.Request) -> web.Response:
        if door.fault is Fault.REFUSES:
            assert request.transport is not None
            request.transport.abort()
        if door.fault is Fault.ERROR:
            door._shown += 1
            return web.Response(status=500, text=f"<html>error {door._shown}</html>")
        return web.Response(body=door.picture(), content_type="image/jpeg")

    app = web.Application()
    app.add_routes([web.get("/still.jpg", answer)])
    runner = web.AppRunner(app)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}/still.jpg"


async def _add(hass: HomeAssistant, stack: AsyncExitStack, integration: str, options: dict[str, Any]) -> None:
    entry = MockConfigEntry(
        domain=integration, version=2 if integration == "generic" else 1, title=TITLE, options=options
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    stack.push_async_callback(hass.config_entries.async_unload, entry.entry_id)


async def _put_up_by_address(
    hass: HomeAssistant, stack: AsyncExitStack, integration: str, door: RealDoor
) -> None:
    address = await _answers(door, stack)
    options: dict[str, dict[str, Any]] = {
        "generic": {
            "still_image_url": address,
            "content_type": "image/jpeg",
            "advanced": {"framerate": 20, "verify_ssl": False},
        },
        "mjpeg": {
            "mjpeg_url": address,
            "still_image_url": address,
            "authentication": "basic",
            "password": "",
            "verify_ssl": False,
        },
    }
    await _add(hass, stack, integration, options[integration])


async def _put_up_file(hass: HomeAssistant, stack: AsyncExitStack, folder: Path, door: RealDoor) -> Give:
    path = folder / "snapshot.jpg"
    hass.config.allowlist_external_dirs = {str(folder)}

    def write(picture: bytes) -> None:
        path.with_suffix(".new").write_bytes(picture)
        path.with_suffix(".new").replace(path)

    await asyncio.to_thread(write, door.picture())
    await _add(hass, stack, "local_file", {"name": TITLE, "file_path": str(path)})

    async def give(picture: bytes) -> None:
        await asyncio.to_thread(write, picture)

    return give


async def _put_up_push(hass: HomeAssistant, stack: AsyncExitStack) -> Give:
    config = {"platform": "push", "name": TITLE, "webhook_id": "a_secret", "buffer": 2}
    assert await async_setup_component(hass, "camera", {"camera": config})
    await hass.async_block_till_done()
    entity = get_camera_from_entity_id(hass, "camera.front_door")
    assert isinstance(entity, PushCamera)

    async def push(picture: bytes) -> None:
        await entity.update_image(picture, "a.jpg")  # type: ignore[no-untyped-call]

    def expire() -> None:
        if entity._expired_listener is not None:
            entity._expired_listener()

    stack.callback(expire)
    return push


async def _give(door: RealDoor, give: Give) -> None:
    """Give a snapshot after the other, as long as nothing is wrong."""
    while True:
        if door.fault is None:
            await give(door.picture())
        await asyncio.sleep(EVERY)


@asynccontextmanager
async def put_up_real(
    hass: HomeAssistant, integration: str, folder: Path, frames: Sequence[bytes]
) -> AsyncGenerator[RealDoor]:
    """Set up a camera of one of Home Assistant's integrations, as `camera.front_door`, and yield its door."""
    door = RealDoor(frames)
    async with AsyncExitStack() as stack:
        if integration in ("generic", "mjpeg"):
            await _put_up_by_address(hass, stack, integration, door)
            yield door
            return
        if integration == "local_file":
            give = await _put_up_file(hass, stack, folder, door)
        else:
            give = await _put_up_push(hass, stack)
        giving = asyncio.create_task(_give(door, give))
        try:
            yield door
        finally:
            giving.cancel()
            await asyncio.wait((giving,))
