"""What the owner does in the frontend, through Home Assistant's own HTTP and websocket API."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from aiohttp.test_utils import TestClient
from homeassistant.auth.const import GROUP_ID_ADMIN, GROUP_ID_USER
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.household.issues import NO_PEOPLE

type MakeClient = Callable[..., Awaitable[TestClient[Any, Any]]]
type Result = dict[str, Any]


class Owner:
    """A user with a session."""

    def __init__(self, client: TestClient[Any, Any], token: str) -> None:
        """Use an open session."""
        self.client = client
        self._token = token

    @classmethod
    async def log_in(cls, hass: HomeAssistant, make_client: MakeClient, *, admin: bool = True) -> Owner:
        """Return a new user, an administrator or not."""
        for component in ("repairs", "media_source", "websocket_api"):
            assert await async_setup_component(hass, component, {})
        if all(user.system_generated for user in await hass.auth.async_get_users()):
            # The first user may do everything, whatever their groups.
            await hass.auth.async_create_user("The very first")
        user = await hass.auth.async_create_user(
            "Somebody", group_ids=[GROUP_ID_ADMIN if admin else GROUP_ID_USER]
        )
        refresh_token = await hass.auth.async_create_refresh_token(user, "https://example.com/app")
        token = hass.auth.async_create_access_token(refresh_token)
        return cls(await make_client(hass.http.app, headers={"Authorization": f"Bearer {token}"}), token)

    async def ask(self, kind: str, **values: Any) -> Result:
        """Ask over the websocket, and return the whole answer."""
        async with self.client.ws_connect("/api/websocket") as socket:
            await socket.receive_json()
            await socket.send_json({"type": "auth", "access_token": self._token})
            assert (await socket.receive_json())["type"] == "auth_ok"
            await socket.send_json({"id": 1, "type": kind, **values})
            answer: Result = await socket.receive_json()
            return answer

    async def issues(self) -> dict[str, Result]:
        """Return the repair issues of this integration that are shown, by their ids, but that there are no people."""
        answer = await self.ask("repairs/list_issues")
        found: list[Result] = answer["result"]["issues"]
        return {
            each["issue_id"]: each
            for each in found
            if each["domain"] == DOMAIN and each["issue_id"] != NO_PEOPLE
        }

    async def repair(self, issue_id: str) -> Result:
        """Open the dialog of an issue."""
        return await self._post("/api/repairs/issues/fix", {"handler": DOMAIN, "issue_id": issue_id})

    async def answer(self, shown: Result, user_input: dict[str, Any]) -> Result:
        """Answer a step of a dialog."""
        return await self._post(f"/api/repairs/issues/fix/{shown['flow_id']}", user_input)

    async def choose(self, shown: Result, option: str) -> Result:
        """Choose from the menu of a dialog."""
        return await self.answer(shown, {"next_step_id": option})

    async def _post(self, path: str, data: dict[str, Any]) -> Result:
        response = await self.client.post(path, json=data)
        assert response.status == HTTPStatus.OK, await response.text()
        result: Result = await response.json()
        return result
