"""Browsers of users who may do different things, by the websocket alone."""

from collections.abc import Awaitable, Callable
from typing import Any

from homeassistant.auth.const import GROUP_ID_ADMIN, GROUP_ID_READ_ONLY, GROUP_ID_USER
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.typing import MockHAClientWebSocket, WebSocketGenerator

from custom_components.familiar_faces.hub import Hub

from ..common.exposing import a_user
from ..common.people_on_record import link_to_user

GROUPS = {"administrator": GROUP_ID_ADMIN, "user": GROUP_ID_USER, "read-only": GROUP_ID_READ_ONLY}

type Said = dict[str, Any]
type OpenBrowser = Callable[..., Awaitable["Browser"]]


class Browser:
    """A websocket of somebody."""

    def __init__(self, socket: MockHAClientWebSocket) -> None:
        """Use an open websocket."""
        self._socket = socket

    async def ask(self, kind: str, **values: Any) -> Said:
        """Ask something, and return the whole answer."""
        await self._socket.send_json_auto_id({"type": kind, **values})
        return await self.hear()

    async def said(self, kind: str, **values: Any) -> Any:
        """Ask something that is answered."""
        answer = await self.ask(kind, **values)
        assert answer["success"], answer
        return answer["result"]

    async def refused(self, kind: str, **values: Any) -> str:
        """Ask something that is refused, and return why."""
        answer = await self.ask(kind, **values)
        assert not answer["success"], answer
        return str(answer["error"].get("translation_key") or answer["error"]["code"])

    async def hear(self) -> Said:
        """Return the next message."""
        message: Said = await self._socket.receive_json()
        return message

    async def event(self) -> Said:
        """Return the next event of a subscription."""
        message = await self.hear()
        assert message["type"] == "event", message
        event: Said = message["event"]
        return event

    async def subscribe(self, kind: str = "familiar_faces/visits/subscribe", **values: Any) -> Said:
        """Subscribe, to visits by default, and return the first event."""
        await self.said(kind, **values)
        return await self.event()

    async def until(self, fits: Callable[[Said], object]) -> Said:
        """Return the first event that fits."""
        event: Said = {}
        for _ in range(15):
            event = await self.event()
            if fits(event):
                return event
        raise AssertionError(event)


@pytest.fixture
def browser(hass: HomeAssistant, hub: Hub, sockets: None, hass_ws_client: WebSocketGenerator) -> OpenBrowser:
    """Return how somebody opens the panel.

    `sees`: the entities that they may read, and no others. `own`: which of the people they are.
    """

    async def opened(
        who: str = "administrator", *, sees: tuple[str, ...] | None = None, own: str | None = None
    ) -> Browser:
        if all(user.system_generated for user in await hass.auth.async_get_users()):
            # The first user may do everything, whatever their groups.
            await hass.auth.async_create_user("The very first")
        if sees is None:
            user = await hass.auth.async_create_user("Somebody", group_ids=[GROUPS[who]])
        else:
            user = a_user(hass, *sees)
        if own is not None:
            await link_to_user(hass, hub, own, user.id)
        refresh = await hass.auth.async_create_refresh_token(user, "https://example.com/app")
        return Browser(await hass_ws_client(hass, hass.auth.async_create_access_token(refresh)))

    return opened
