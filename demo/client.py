"""Home Assistant as its own frontend talks to it: over HTTP and its websocket."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from time import monotonic
from typing import Any, Self

import aiohttp

type Json = dict[str, Any]

FLOWS = "config/config_entries/flow"
OPTIONS_FLOWS = "config/config_entries/options/flow"
SUBENTRY_FLOWS = "config/config_entries/subentries/flow"
REPAIR_FLOWS = "repairs/issues/fix"


class DemoFailed(Exception):
    """The demo cannot go on; the message is one plain sentence."""


class Client:
    """A logged-in user."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        """Talk to the Home Assistant at `url`, before anybody is logged in."""
        self.url = url
        self._session = session
        self._token = self._refresh = ""
        self._good_until = 0.0

    async def onboard(self, user: str, password: str) -> None:
        """Make the owner, as a new Home Assistant asks for, and log in."""
        made = await self._post(
            "onboarding/users",
            {
                "name": user.capitalize(),
                "username": user,
                "password": password,
                "client_id": f"{self.url}/",
                "language": "en",
            },
        )
        await self._log_in(grant_type="authorization_code", code=made["auth_code"])

    async def log_in(self, user: str, password: str) -> None:
        """Log in as a user that there is."""
        asked = {
            "client_id": f"{self.url}/",
            "handler": ["homeassistant", None],
            "redirect_uri": f"{self.url}/",
        }
        async with self._session.post(f"{self.url}/auth/login_flow", json=asked) as response:
            response.raise_for_status()
            flow_id = (await response.json())["flow_id"]
        answer = {"client_id": f"{self.url}/", "username": user, "password": password}
        async with self._session.post(f"{self.url}/auth/login_flow/{flow_id}", json=answer) as response:
            response.raise_for_status()
            code = (await response.json()).get("result")
        if code is None:
            raise DemoFailed(f"{user} could not log in.")
        await self._log_in(grant_type="authorization_code", code=code)

    async def _log_in(self, **grant: str) -> None:
        """Get a token; it is good for half an hour."""
        data = {"client_id": f"{self.url}/", **grant}
        async with self._session.post(f"{self.url}/auth/token", data=data) as response:
            response.raise_for_status()
            tokens = await response.json()
        self._token = tokens["access_token"]
        self._refresh = tokens.get("refresh_token", self._refresh)
        self._good_until = monotonic() + tokens["expires_in"] / 2

    async def call(self, domain: str, service: str, data: Json, *, answer: bool = False) -> Json:
        """Perform an action; return its answer when there is to be one."""
        query = "?return_response" if answer else ""
        told = await self._post(f"services/{domain}/{service}{query}", data)
        response: Json = told["service_response"] if answer else {}
        return response

    async def upload(self, name: str, content: bytes) -> str:
        """Upload a file; return its id for a flow."""
        form = aiohttp.FormData()
        form.add_field("file", content, filename=name, content_type="image/jpeg")
        async with self._session.post(
            f"{self.url}/api/file_upload", data=form, headers=await self._headers()
        ) as response:
            response.raise_for_status()
            file_id: str = (await response.json())["file_id"]
            return file_id

    async def flow(self, handler: str) -> Flow:
        """Begin the set-up of an integration."""
        return Flow(self, FLOWS, await self._post(FLOWS, {"handler": handler}))

    async def offered(self, flow_id: str) -> Flow:
        """Take up a set-up that Home Assistant began by itself."""
        return Flow(self, FLOWS, await self.get(f"{FLOWS}/{flow_id}"))

    async def repair(self, issue_id: str, domain: str = "familiar_faces") -> Flow:
        """Begin to answer what the owner is asked to repair."""
        begun = await self._post(REPAIR_FLOWS, {"handler": domain, "issue_id": issue_id})
        return Flow(self, REPAIR_FLOWS, begun)

    async def options_flow(self, entry_id: str) -> Flow:
        """Begin to change the options of an entry."""
        return Flow(self, OPTIONS_FLOWS, await self._post(OPTIONS_FLOWS, {"handler": entry_id}))

    async def subentry_flow(self, entry_id: str, kind: str, subentry_id: str | None = None) -> Flow:
        """Begin to add something to an entry, or to change what was added to it."""
        known = {} if subentry_id is None else {"subentry_id": subentry_id}
        begun = await self._post(SUBENTRY_FLOWS, {"handler": [entry_id, kind], **known})
        return Flow(self, SUBENTRY_FLOWS, begun)

    async def websocket(self) -> Websocket:
        """Open a websocket."""
        socket = await self._session.ws_connect(f"{self.url}/api/websocket", max_msg_size=0)
        await socket.receive_json()
        await socket.send_json({"type": "auth", "access_token": self._token})
        if (await socket.receive_json())["type"] != "auth_ok":
            raise DemoFailed("Home Assistant did not accept its own token.")
        return Websocket(socket)

    async def register_phone(self, phone: Json) -> str:
        """Register a phone of this user as the companion app does; return the id of its webhook."""
        webhook_id: str = (await self._post("mobile_app/registrations", phone))["webhook_id"]
        return webhook_id

    async def webhook(self, webhook_id: str, data: Json) -> None:
        """Say something as an app does, which needs no more than the id."""
        async with self._session.post(f"{self.url}/api/webhook/{webhook_id}", json=data) as response:
            response.raise_for_status()

    async def download(self, path: str) -> bytes | None:
        """Return what is at a path for somebody who is not logged in; None when there is nothing."""
        async with self._session.get(f"{self.url}{path}") as response:
            return await response.read() if response.status == 200 else None

    async def get(self, path: str) -> Any:
        """Return what is at a path of the API."""
        async with self._session.get(f"{self.url}/api/{path}", headers=await self._headers()) as response:
            response.raise_for_status()
            return await response.json()

    async def _post(self, path: str, data: Json) -> Any:
        async with self._session.post(
            f"{self.url}/api/{path}", json=data, headers=await self._headers()
        ) as response:
            if response.status >= 400:
                raise DemoFailed(
                    f"Home Assistant refused {path} ({response.status}): {(await response.text())[:500]}"
                )
            return await response.json()

    async def token(self) -> str:
        """Return what shows who this is; empty before anybody logged in."""
        if self._token and monotonic() > self._good_until:
            await self._log_in(grant_type="refresh_token", refresh_token=self._refresh)
        return self._token

    async def _headers(self) -> dict[str, str]:
        token = await self.token()
        return {"Authorization": f"Bearer {token}"} if token else {}

    async def post_flow(self, path: str, flow_id: str, data: Json) -> Json:
        """Answer a step of a flow; return the next."""
        step: Json = await self._post(f"{path}/{flow_id}", data)
        return step


class Flow:
    """A flow, answered step by step; each answer says which step it is for."""

    def __init__(self, client: Client, path: str, step: Json) -> None:
        """Stand at the first step."""
        self.step = step
        self._client = client
        self._path = path

    async def answer(self, step_id: str, data: Json) -> None:
        """Fill in a form."""
        self._expect("form", step_id)
        await self.send(data)
        if self.step.get("errors"):
            raise DemoFailed(f"The step {step_id} was refused: {self.step['errors']}.")

    async def choose(self, step_id: str, option: str) -> None:
        """Choose from a menu."""
        self._expect("menu", step_id)
        await self.send({"next_step_id": option})

    async def wait(self, on_second: Callable[[int], None], timeout: float) -> None:
        """Wait until what the flow shows progress of is done."""
        for second in range(int(timeout)):
            if self.step["type"] not in ("progress", "progress_done"):
                return
            on_second(second)
            await asyncio.sleep(1 if second else 0.2)
            self.step = await self._client.get(f"{self._path}/{self.step['flow_id']}")
        raise DemoFailed(f"The step {self.step.get('step_id')} was not done after {timeout:.0f} seconds.")

    def finished(self) -> Json:
        """Return the last step, which created something."""
        self._expect("create_entry", None)
        return self.step

    @property
    def placeholders(self) -> dict[str, str]:
        """Return what the step's text has filled in."""
        return self.step.get("description_placeholders") or {}

    async def send(self, data: Json) -> None:
        """Answer whatever step it is at."""
        self.step = await self._client.post_flow(self._path, self.step["flow_id"], data)

    def _expect(self, kind: str, step_id: str | None) -> None:
        if self.step["type"] == kind and step_id in (None, self.step.get("step_id")):
            return
        said = self.step.get("reason") or self.placeholders.get("reason") or ""
        where = f"{self.step['type']} {self.step.get('step_id') or ''}".strip()
        raise DemoFailed(f"The flow came to {where} instead of {kind} {step_id or ''}. {said}".strip())


class Websocket:
    """The websocket API."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Use an open and authenticated websocket."""
        self._socket = socket
        self._number = 0
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._listeners: dict[int, Callable[[Json], None]] = {}
        self._reader = asyncio.create_task(self._read())

    async def __aenter__(self) -> Self:
        """Stay open for a while."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close."""
        self._reader.cancel()
        await asyncio.wait((self._reader,))
        await self._socket.close()

    async def command(self, kind: str, **data: Any) -> Any:
        """Send a command; return its result."""
        return await self._send(kind, data, None)

    async def subscribe(self, event_type: str, listener: Callable[[Json], None]) -> None:
        """Call the listener with each event of a type from now on."""
        await self._send("subscribe_events", {"event_type": event_type}, listener)

    async def _send(self, kind: str, data: Json, listener: Callable[[Json], None] | None) -> Any:
        self._number += 1
        number = self._number
        if listener is not None:
            self._listeners[number] = listener
        self._waiting[number] = future = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "type": kind, **data})
        try:
            async with asyncio.timeout(30):
                return await future
        finally:
            del self._waiting[number]

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            data = message.json()
            if data["type"] == "event" and (listener := self._listeners.get(data["id"])):
                listener(data["event"])
            elif data["type"] == "result" and (future := self._waiting.get(data["id"])) and not future.done():
                if data["success"]:
                    future.set_result(data["result"])
                else:
                    future.set_exception(DemoFailed(f"Home Assistant says: {data['error']['message']}."))


def fired_at(event: Json) -> datetime:
    """Return when Home Assistant fired an event."""
    return datetime.fromisoformat(event["time_fired"])


async def until[T](check: Callable[[], Awaitable[T | None]], timeout: float, otherwise: str) -> T:
    """Return the first thing that `check` finds; raise DemoFailed with `otherwise` when it never does."""
    end = asyncio.get_running_loop().time() + timeout
    while True:
        if (found := await check()) is not None:
            return found
        if asyncio.get_running_loop().time() > end:
            raise DemoFailed(otherwise)
        await asyncio.sleep(0.2)
