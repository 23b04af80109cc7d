"""The export of what is kept of one person: a zip file, and the view from which the owner fetches it.

It is made while it is fetched. Until then there is a ticket in memory and nothing else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from http import HTTPStatus
import logging
from typing import TYPE_CHECKING, Any

from aiohttp import hdrs, web
from homeassistant.components.http.auth import async_sign_path
from homeassistant.components.http.const import KEY_HASS_USER
from homeassistant.core import HomeAssistant
from homeassistant.helpers.http import HomeAssistantView
from homeassistant.util import dt as dt_util
from markupsafe import Markup

from ..consent.record import camera_names
from ..const import DOMAIN
from ..flows.words import shown_language
from ..pages.renderer import Renderer, async_get_renderer
from ..running import async_running_hub
from ..vault import export as contents
from ..vault.errors import UnknownPerson, VaultError
from ..vault.export import Kept
from .tickets import VALID_FOR, Ticket

if TYPE_CHECKING:
    from ..hub import Hub

_LOGGER = logging.getLogger(__name__)

EXPORT_PATH = f"/api/{DOMAIN}/export/{{person_id}}"
BY_OWNER = "owner"
BY_PERSON = "person"
_HEADERS = {
    hdrs.CACHE_CONTROL: "no-store",
    hdrs.CONTENT_TYPE: "application/zip",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Offered:
    """An export that can be fetched."""

    url: str
    size: int
    """Bytes, of what is kept now."""
    expires_at: datetime


async def async_export(
    hub: Hub, person_id: str, language: str, by: str = BY_PERSON, *, now: datetime | None = None
) -> Iterator[bytes]:
    """Return the zip file of what is kept of somebody, in pieces, and note that it was given; raise VaultError.

    `language`: of the readable page in it, one of `flows.words.LANGUAGES`. `by`: BY_OWNER or BY_PERSON. `now`:
    the time that stands in it. To go on with the pieces blocks.
    """
    pieces = await _async_pieces(hub, person_id, language, now or dt_util.utcnow())
    await _async_note(hub, person_id, by)
    return pieces


async def async_send(
    hass: HomeAssistant, request: web.Request, pieces: Iterator[bytes], headers: Mapping[str, str]
) -> web.StreamResponse:
    """Answer with an export, of which one piece at a time is in memory however large it is."""
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    try:
        while (piece := await hass.async_add_executor_job(next, pieces, None)) is not None:
            await response.write(piece)
    except VaultError as err:
        # They may have been forgotten this moment. A connection that is cut shows that the file is not whole.
        _LOGGER.warning("An export was cut off: %s", err)
        if request.transport is not None:
            request.transport.abort()
        return response
    await response.write_eof()
    return response


async def async_offer(hub: Hub, person_id: str, language: str) -> Offered:
    """Return where an export can be fetched for some minutes, also by somebody not logged in; raise VaultError."""
    now = dt_util.utcnow()
    pieces = await _async_pieces(hub, person_id, language, now)
    size = await hub.hass.async_add_executor_job(lambda: sum(map(len, pieces)))
    ticket = hub.tickets.issue(person_id, language, now)
    path = f"{EXPORT_PATH.format(person_id=person_id)}?ticket={ticket.secret}"
    return Offered(async_sign_path(hub.hass, path, VALID_FOR), size, ticket.expires_at)


async def _async_pieces(hub: Hub, person_id: str, language: str, now: datetime) -> Iterator[bytes]:
    """Read what is kept, and return how the zip file goes on; every step of it blocks."""
    kept: Kept = await hub.hass.async_add_executor_job(contents.read, hub.vault, person_id, now)
    page = partial(_page, await async_get_renderer(hub.hass), language)
    return contents.zipped(contents.parts(hub.vault, kept, camera_names(hub.entry), page))


def _page(renderer: Renderer, language: str, data: dict[str, Any]) -> str:
    texts = renderer.texts[language]
    return renderer.render(
        "export.html",
        language,
        data=data,
        css=Markup(renderer.assets["pages.css"].decode()),
        when=datetime.fromisoformat,
        said=lambda key, fallback: texts.get(f"export.{key}", fallback),
    )


async def _async_note(hub: Hub, person_id: str, by: str) -> None:
    await hub.hass.async_add_executor_job(
        hub.vault.audit, "exported", person_id, {"by": by}, dt_util.utcnow()
    )


class ExportView(HomeAssistantView):
    """Where the owner fetches an export: an administrator, or whoever holds a signed link with its ticket."""

    url = EXPORT_PATH
    name = f"api:{DOMAIN}:export"

    def __init__(self, hass: HomeAssistant) -> None:
        """Look for the running entry when it is asked for."""
        self._hass = hass

    async def get(self, request: web.Request, person_id: str) -> web.StreamResponse:
        """Answer with the zip file."""
        hub, ticket = async_running_hub(self._hass), None
        if hub is not None:
            ticket = hub.tickets.find(request.query.get("ticket", ""), person_id, dt_util.utcnow())
        if ticket is None and not request[KEY_HASS_USER].is_admin:
            # Not 401, which is counted as a failed login.
            return self._refuse(HTTPStatus.FORBIDDEN)
        if hub is None:
            return self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
        return await self._send(request, hub, person_id, ticket)

    async def _send(
        self, request: web.Request, hub: Hub, person_id: str, ticket: Ticket | None
    ) -> web.StreamResponse:
        now = dt_util.utcnow() if ticket is None else ticket.made_at
        language = shown_language(self._hass) if ticket is None else ticket.language
        try:
            pieces = await async_export(hub, person_id, language, BY_OWNER, now=now)
        except UnknownPerson:
            return self._refuse(HTTPStatus.NOT_FOUND)
        except VaultError as err:
            _LOGGER.error("An export could not be made: %s", err)
            return self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR)
        filename = f"familiar-faces-{dt_util.as_local(now):%Y-%m-%d}.zip"
        disposition = f'attachment; filename="{filename}"'
        headers = {**_HEADERS, hdrs.CONTENT_DISPOSITION: disposition}
        return await async_send(self._hass, request, pieces, headers)

    @staticmethod
    def _refuse(status: HTTPStatus) -> web.Response:
        return web.Response(status=status, headers={hdrs.CACHE_CONTROL: "no-store"})
