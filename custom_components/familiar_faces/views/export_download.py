"""Where the owner fetches an export."""

from http import HTTPStatus
import logging

from aiohttp import hdrs, web
from homeassistant.components.http.const import KEY_HASS_USER
from homeassistant.core import HomeAssistant
from homeassistant.helpers.http import HomeAssistantView
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..hub import Hub
from ..openness.export import BY_OWNER, EXPORT_PATH, async_export, async_send
from ..openness.tickets import Ticket
from ..running import async_running_hub
from ..vault.errors import UnknownPerson, VaultError
from ..wording.words import shown_language
from .strict_answers import HEADERS, nothing

_LOGGER = logging.getLogger(__name__)

_HEADERS = {
    **HEADERS,
    hdrs.CONTENT_TYPE: "application/zip",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


class ExportView(HomeAssistantView):
    """Where the owner fetches an export: an administrator, or the holder of a signed link with its ticket."""

    url = EXPORT_PATH
    name = f"api:{DOMAIN}:export"

    def __init__(self, hass: HomeAssistant) -> None:
        """Look for the running entry when it is asked for."""
        self._hass = hass

    async def get(self, request: web.Request, person_id: str) -> web.StreamResponse:
        """Answer with the zip file."""
        hub, ticket = async_running_hub(self._hass), None
        if hub is not None:
            ticket = hub.exports.find(request.query.get("ticket", ""), person_id)
        if ticket is None and not request[KEY_HASS_USER].is_admin:
            # Not 401, which is counted as a failed login.
            return nothing(HTTPStatus.FORBIDDEN)
        if hub is None:
            return nothing(HTTPStatus.SERVICE_UNAVAILABLE)
        return await self._send(request, hub, person_id, ticket)

    async def _send(
        self, request: web.Request, hub: Hub, person_id: str, ticket: Ticket | None
    ) -> web.StreamResponse:
        now = dt_util.utcnow() if ticket is None else ticket.made_at
        language = shown_language(self._hass) if ticket is None else ticket.language
        try:
            pieces = await async_export(hub, person_id, language, BY_OWNER, now=now)
        except UnknownPerson:
            return nothing(HTTPStatus.NOT_FOUND)
        except VaultError as err:
            _LOGGER.error("An export could not be made: %s", err)
            return nothing(HTTPStatus.INTERNAL_SERVER_ERROR)
        filename = f"familiar-faces-{dt_util.as_local(now):%Y-%m-%d}.zip"
        disposition = f'attachment; filename="{filename}"'
        headers = {**_HEADERS, hdrs.CONTENT_DISPOSITION: disposition}
        return await async_send(self._hass, request, pieces, headers)
