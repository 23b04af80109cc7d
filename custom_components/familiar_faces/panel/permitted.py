"""What the panel's commands share: who asks, the running hub, and how a failure is said."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.const import ERR_HOME_ASSISTANT_ERROR
from homeassistant.components.websocket_api.decorators import async_response
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, Unauthorized
import voluptuous as vol

from ..const import DOMAIN
from ..running import async_running_hub
from ..seen.listing import Listing
from ..seen.lookup import Asker, Lookup
from ..vault.errors import VaultError
from ..wording.vault_errors import Failed, vault_failed

if TYPE_CHECKING:
    from ..hub import Hub

ID = vol.All(str, vol.Length(min=1, max=64))
"""The id of a visit, a person or a camera."""
IDS = vol.All([ID], vol.Length(max=500))

type Handler = Callable[[HomeAssistant, ActiveConnection, dict[str, Any]], Coroutine[Any, Any, Any]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A running home as somebody may see it."""

    hub: Hub
    lookup: Lookup
    listing: Listing
    administrator: bool
    user_id: str


@callback
def async_asked(hass: HomeAssistant, connection: ActiveConnection) -> Asked | None:
    """Return the home as the user of a connection may see it now; None while the integration does not run."""
    if (hub := async_running_hub(hass)) is None:
        return None
    lookup = Lookup(hub, hub.board, Asker(hass, connection.user))
    return Asked(hub, lookup, Listing(hub, hub.board, lookup), connection.user.is_admin, connection.user.id)


def asked_of(hass: HomeAssistant, connection: ActiveConnection) -> Asked:
    """Return the home as the user of a connection may see it now; raise HomeAssistantError while it does not run."""
    if (asked := async_asked(hass, connection)) is None:
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key="not_loaded")
    return asked


def answering(handler: Handler) -> Any:
    """Have a command answer with what a handler returns, or with what failed in the user's words."""

    @wraps(handler)
    async def answer(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> None:
        try:
            connection.send_result(message["id"], await handler(hass, connection, message))
        except VaultError as err:
            _refuse(connection, message["id"], vault_failed(err, Failed.READING))
        except Unauthorized:
            # Answered by Home Assistant itself, as for commands that are for administrators alone.
            raise
        except HomeAssistantError as err:
            _refuse(connection, message["id"], err)

    return async_response(answer)


@callback
def _refuse(connection: ActiveConnection, message_id: int, err: HomeAssistantError) -> None:
    """Say what failed, with what it takes to say it in the user's language."""
    key = err.translation_key, err.translation_domain, err.translation_placeholders
    connection.send_error(message_id, ERR_HOME_ASSISTANT_ERROR, str(err), *key)
