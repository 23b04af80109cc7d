"""The export of what is kept of one person: a zip file.

It is made while it is fetched. Until then there is a ticket in memory and nothing else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
import logging
from typing import Any

from aiohttp import web
from homeassistant.components.http.auth import async_sign_path
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from markupsafe import Markup

from ..const import DOMAIN
from ..household.household import Household
from ..household.subentries import camera_names
from ..vault import kept_data as contents
from ..vault.errors import VaultError
from ..vault.kept_data import Kept
from ..wording.renderer import Renderer, async_get_renderer
from .tickets import VALID_FOR, Ticket, Tickets

_LOGGER = logging.getLogger(__name__)

EXPORT_PATH = f"/api/{DOMAIN}/export/{{person_id}}"
BY_OWNER = "owner"
BY_PERSON = "person"


@dataclass(frozen=True, slots=True)
class Offered:
    """An export that can be fetched."""

    url: str
    size: int
    """Bytes, of what is kept now."""
    expires_at: datetime


async def async_export(
    household: Household, person_id: str, language: str, by: str = BY_PERSON, *, now: datetime | None = None
) -> Iterator[bytes]:
    """Return the zip file of what is kept of somebody, in pieces, and note that it was given; raise VaultError.

    `language`: of the readable page in it, one of `flows.words.LANGUAGES`. `by`: BY_OWNER or BY_PERSON. `now`:
    the time that stands in it. To go on with the pieces blocks.
    """
    pieces = await _async_pieces(household, person_id, language, now or dt_util.utcnow())
    await _async_note(household, person_id, by)
    return pieces


async def async_send(
    hass: HomeAssistant, request: web.Request, pieces: Iterator[bytes], headers: Mapping[str, str]
) -> web.StreamResponse:
    """Answer with a file, with only one piece at a time in memory, however large it is."""
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    try:
        while (piece := await hass.async_add_executor_job(next, pieces, None)) is not None:
            await response.write(piece)
    except VaultError as err:
        # They may have been forgotten this moment. A connection that is cut shows that the file is not whole.
        _LOGGER.warning("A download was cut off: %s", err)
        if request.transport is not None:
            request.transport.abort()
        return response
    await response.write_eof()
    return response


async def _async_pieces(
    household: Household, person_id: str, language: str, now: datetime
) -> Iterator[bytes]:
    """Read what is kept, and return how the zip file goes on; every step of it blocks."""
    kept: Kept = await household.hass.async_add_executor_job(contents.read, household.vault, person_id, now)
    page = partial(_page, await async_get_renderer(household.hass), language)
    return contents.zipped(contents.parts(household.vault, kept, camera_names(household.entry), page))


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


async def _async_note(household: Household, person_id: str, by: str) -> None:
    await household.hass.async_add_executor_job(
        household.vault.audit, "exported", person_id, {"by": by}, dt_util.utcnow()
    )


class Exports:
    """The exports that can be fetched, each with a ticket."""

    def __init__(self, household: Household) -> None:
        """Have offered none yet."""
        self._household = household
        self._tickets = Tickets()

    async def async_offer(self, person_id: str, language: str) -> Offered:
        """Return where an export can be fetched for some minutes, also by somebody not logged in; raise VaultError."""
        hass, now = self._household.hass, dt_util.utcnow()
        pieces = await _async_pieces(self._household, person_id, language, now)
        size = await hass.async_add_executor_job(lambda: sum(map(len, pieces)))
        ticket = self._tickets.issue(person_id, language, now)
        path = f"{EXPORT_PATH.format(person_id=person_id)}?ticket={ticket.secret}"
        return Offered(async_sign_path(hass, path, VALID_FOR), size, ticket.expires_at)

    def find(self, secret: str, person_id: str) -> Ticket | None:
        """Return the ticket with which somebody's export is fetched, None when there is none or it is over."""
        return self._tickets.find(secret, person_id, dt_util.utcnow())
