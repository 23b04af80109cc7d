"""Where administrators fetch the audit log."""

from http import HTTPStatus
import logging

from aiohttp import hdrs, web
from homeassistant.components.http.const import KEY_HASS_USER
from homeassistant.helpers.http import KEY_HASS, HomeAssistantView
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..openness.audit_trail import AUDIT_PATH
from ..openness.export import async_send
from ..running import async_running_hub
from ..vault.errors import VaultError
from .strict_answers import HEADERS, nothing

_LOGGER = logging.getLogger(__name__)


class AuditLogView(HomeAssistantView):
    """The audit log as a file, for administrators: by their login, or by a path that they had signed."""

    url = AUDIT_PATH
    name = f"api:{DOMAIN}:audit"

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Answer with all entries, the newest first. They name nobody."""
        user = request[KEY_HASS_USER]
        if not user.is_admin:
            # Not 401, which is counted as a failed login.
            return nothing(HTTPStatus.FORBIDDEN)
        hass = request.app[KEY_HASS]
        if (hub := async_running_hub(hass)) is None:
            return nothing(HTTPStatus.SERVICE_UNAVAILABLE)
        if not hub.audit_trail.may_fetch(user.id):
            return nothing(HTTPStatus.TOO_MANY_REQUESTS)
        try:
            pieces = await hub.audit_trail.async_file(user.id)
        except VaultError as err:
            _LOGGER.error("The audit log could not be read: %s", err)
            return nothing(HTTPStatus.INTERNAL_SERVER_ERROR)
        filename = f"familiar-faces-audit-{dt_util.now():%Y-%m-%d}.json"
        headers = {
            **HEADERS,
            hdrs.CONTENT_TYPE: "application/json",
            hdrs.CONTENT_DISPOSITION: f'attachment; filename="{filename}"',
        }
        return await async_send(hass, request, pieces, headers)
