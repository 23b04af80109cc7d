"""Phones with the companion app, as far as Home Assistant sees them: the real mobile_app, and a push server."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from homeassistant.components.mobile_app.const import DOMAIN as MOBILE_APP
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

CLEAR = "clear_notification"

type NewPhone = Callable[..., Awaitable[Phone]]


class PushServer:
    """What stands where Apple's and Google's push servers stand: it keeps what each phone was sent, in order."""

    def __init__(self) -> None:
        """Have been sent nothing."""
        self.pushed: dict[str, list[dict[str, Any]]] = {}
        self.refused: set[str] = set()
        """The phones whose notifications it does not take."""
        self.slow: dict[str, float] = {}
        """The seconds after which it answers about phones."""
        self.url = ""
        self._server: TestServer | None = None

    async def start(self) -> str:
        """Begin to listen on this machine, and return the address."""
        app = web.Application()
        app.router.add_post("/push", self._async_take)
        self._server = TestServer(app, host="127.0.0.1")
        await self._server.start_server()
        self.url = str(self._server.make_url("/push"))
        return self.url

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            await self._server.close()

    async def _async_take(self, request: web.Request) -> web.Response:
        sent = await request.json()
        await asyncio.sleep(self.slow.get(sent["push_token"], 0))
        if sent["push_token"] in self.refused:
            return web.json_response({"message": "The app was uninstalled"}, status=404)
        self.pushed.setdefault(sent["push_token"], []).append(sent)
        return web.json_response({}, status=201)


@dataclass
class Phone:
    """A registered phone."""

    name: str
    webhook_id: str
    user_id: str
    key: str
    """The key as a recipient of alerts."""
    server: PushServer = field(repr=False)
    client: TestClient[Any, Any] = field(repr=False)

    @property
    def pushed(self) -> list[dict[str, Any]]:
        """Return everything that was sent to it, oldest first."""
        return self.server.pushed.setdefault(self.name, [])

    @property
    def messages(self) -> list[str]:
        """Return what was said to it, oldest first."""
        return [each["message"] for each in self.pushed]

    def shown(self) -> dict[str, dict[str, Any]]:
        """Return the notifications that it shows, by their tags: each takes the place of the one before."""
        shown: dict[str, dict[str, Any]] = {}
        for each in self.pushed:
            tag = each["data"]["tag"]
            shown.pop(tag, None)
            if each["message"] != CLEAR:
                shown[tag] = each
        return shown

    def action(self, title: str) -> str:
        """Return what a button of the newest notification fires."""
        actions = {each["title"]: each["action"] for each in self.pushed[-1]["data"].get("actions", ())}
        return str(actions[title])

    async def press(self, action: str, **data: object) -> int:
        """Have the app say that a button was pressed, and return the HTTP status."""
        return await self.fire("mobile_app_notification_action", {"action": action, **data})

    async def fire(self, event_type: str, data: Mapping[str, object]) -> int:
        """Have the app fire an event, as any app of a registered phone can."""
        body = {"type": "fire_event", "data": {"event_type": event_type, "event_data": dict(data)}}
        response = await self.client.post(f"/api/webhook/{self.webhook_id}", json=body)
        return response.status


async def register(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    server: PushServer,
    url: str,
    name: str,
    user: MockUser,
    **app: object,
) -> Phone:
    """Register a phone of a user, as the app does after logging in; `app`: what it says otherwise of itself."""
    # Before the first client: no views can be added once there is one.
    for component in ("notify", MOBILE_APP):
        assert await async_setup_component(hass, component, {})
    refresh = await hass.auth.async_create_refresh_token(user, f"https://{name.casefold()}.example")
    client = await hass_client(hass.auth.async_create_access_token(refresh))
    response = await client.post(
        "/api/mobile_app/registrations",
        json={
            "app_id": "io.home.test",
            "app_name": "Test",
            "app_version": "1.0",
            "device_id": name.casefold(),
            "device_name": name,
            "manufacturer": "Maker",
            "model": "Model",
            "os_name": "Android",
            "os_version": "16",
            "supports_encryption": False,
            "app_data": {"push_token": name, "push_url": url},
        }
        | app,
    )
    assert response.status == 201, await response.text()
    webhook_id = (await response.json())["webhook_id"]
    await hass.async_block_till_done()
    (entry,) = [
        each
        for each in hass.config_entries.async_entries(MOBILE_APP)
        if each.data["webhook_id"] == webhook_id
    ]
    return Phone(name, webhook_id, user.id, f"phone:{entry.entry_id}", server, client)


@asynccontextmanager
async def phones(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> AsyncGenerator[NewPhone]:
    """Yield how to register a phone, of a user of its own where none is given."""
    server = PushServer()
    url = await server.start()

    async def new(name: str, user: MockUser | None = None, **app: object) -> Phone:
        user = user or MockUser(name=name).add_to_hass(hass)
        return await register(hass, hass_client, server, url, name, user, **app)

    yield new
    await server.stop()
