"""Phones with the companion app: a small receiver stands in for them, and for the push servers before them.

Home Assistant's own mobile_app is talked to as the apps of both makers do; only what is pushed goes to this machine.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from .client import Client, DemoFailed, Json
from .home import USER
from .house import Say
from .told import Told

PHONE = f"{USER.capitalize()}'s Pixel"
"""What the owner's is called."""
PUSH = "/push"
CLEAR = "clear_notification"
ANDROID, IOS = "Android", "iOS"
MAKERS = {ANDROID: ("Google", "Pixel"), IOS: ("Apple", "iPhone")}
JPEG = b"\xff\xd8"


@dataclass(slots=True)
class Phone:
    """A registered phone of a user."""

    name: str
    system: str
    client: Client = field(repr=False)
    webhook_id: str
    shown: dict[str, Json] = field(default_factory=dict)
    """What it shows, by the tags."""

    async def press(self, tag: str, title: str) -> None:
        """Press a button of a notification that it shows."""
        actions = self.shown.get(tag, {}).get("data", {}).get("actions", [])
        action = next((each["action"] for each in actions if each["title"] == title), None)
        if action is None:
            raise DemoFailed(f"{self.name} shows no notification with a button “{title}”.")
        await self.client.webhook(
            self.webhook_id,
            {
                "type": "fire_event",
                "data": {
                    "event_type": "mobile_app_notification_action",
                    "event_data": {"action": action, "tag": tag},
                },
            },
        )


class Receiver:
    """Takes what is pushed to the phones, and says each notification as a line."""

    def __init__(self, say: Say) -> None:
        """Have no phones yet."""
        self.told: list[Told] = []
        self.step = ""
        self.phones: dict[str, Phone] = {}
        self._say = say
        self._url = ""
        self._tags: dict[str, int] = {}
        self._runner: web.AppRunner | None = None
        self._taken = asyncio.Condition()

    async def start(self) -> None:
        """Listen on a free port of this machine alone."""
        app = web.Application()
        app.add_routes([web.post(PUSH, self._take)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self._url = f"http://{host}:{port}{PUSH}"

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def add_phone(self, name: str, system: str, client: Client) -> Phone:
        """Register a phone of the client's user, as the app does after logging in."""
        maker, model = MAKERS[system]
        webhook_id = await client.register_phone(
            {
                "app_id": "io.robbie.HomeAssistant",
                "app_name": "Home Assistant",
                "app_version": "2026.10",
                "device_id": name,
                "device_name": name,
                "manufacturer": maker,
                "model": model,
                "os_name": system,
                "os_version": "26",
                "supports_encryption": False,
                "app_data": {"push_token": name, "push_url": self._url},
            }
        )
        phone = self.phones[name] = Phone(name, system, client, webhook_id)
        return phone

    async def hear(self, step: str, count: int, patience: float, quiet: float) -> list[Told]:
        """Return what is told from the step's beginning on: wait for so many, and then for any too many."""

        def heard() -> list[Told]:
            return [each for each in self.told if each.step == step]

        try:
            async with asyncio.timeout(patience), self._taken:
                await self._taken.wait_for(lambda: len(heard()) >= count)
        except TimeoutError:
            return heard()
        await asyncio.sleep(quiet)
        return heard()

    async def _take(self, request: web.Request) -> web.Response:
        step, pushed = self.step, await request.json()
        phone = self.phones.get(pushed.get("push_token"))
        if phone is None:
            return web.json_response({"errorMessage": "This phone is not known."}, status=404)
        data = pushed.get("data", {})
        tag = data.get("tag", "")
        cleared = pushed["message"] == CLEAR
        if cleared:
            phone.shown.pop(tag, None)
        else:
            phone.shown[tag] = pushed
        told = Told(
            step=step,
            phone=phone.name,
            title=pushed.get("title", ""),
            message=pushed["message"],
            tag=self._tags.setdefault(tag, len(self._tags) + 1),
            silent=_silent(phone.system, data),
            cleared=cleared,
            picture=await _picture(phone, data),
            buttons=tuple(each["title"] for each in data.get("actions", ())),
        )
        self.told.append(told)
        self._say(f"   {told.line}")
        async with self._taken:
            self._taken.notify_all()
        return web.json_response({}, status=201)


@asynccontextmanager
async def receiving(say: Say) -> AsyncGenerator[Receiver]:
    """Yield a receiver that listens."""
    receiver = Receiver(say)
    await receiver.start()
    try:
        yield receiver
    finally:
        await receiver.stop()


def _silent(system: str, data: Json) -> bool:
    """Return whether a phone makes no sound, in the words of its maker."""
    if system == ANDROID:
        return bool(data.get("alert_once"))
    level: Any = data.get("push", {}).get("interruption-level")
    return bool(level == "passive")


async def _picture(phone: Phone, data: Json) -> bool:
    """Return whether there is a picture: fetched as the phone fetches it, without being logged in."""
    path = data.get("image")
    if path is None:
        return False
    picture = await phone.client.download(path)
    return picture is not None and picture.startswith(JPEG)
