"""The commands of the tab Visits and of the card: the list, live, and what the owner says of a visit."""

from datetime import datetime
from typing import Any, Final

from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import websocket_command
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.typing import VolDictType
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..const import DOMAIN
from ..recognising.late_answers import Answer
from ..seen.details import async_details
from ..seen.listing import ALL_KINDS, Wanted
from ..visits.visit import Decision
from .feed import Feed
from .permitted import ID, IDS, Asked, answering, asked_of
from .rows import Said, async_page, cursor_of

PAGE: Final = 50
MOST_VISITS: Final = 100


def _moment(value: object) -> datetime:
    """Return a moment in UTC; raise Invalid for what is none, or further away than a calendar goes."""
    try:
        return dt_util.as_utc(cv.datetime(value))
    except OverflowError:
        raise vol.Invalid("no moment that a calendar has") from None


_WANTED: Final[VolDictType] = {
    vol.Optional("people"): IDS,
    vol.Optional("cameras"): IDS,
    vol.Optional("kinds"): vol.All([vol.Coerce(Decision)], vol.Length(max=len(ALL_KINDS))),
    vol.Optional("since"): _moment,
    vol.Optional("before"): _moment,
}


def _wanted(message: dict[str, Any]) -> Wanted:
    def chosen(key: str) -> frozenset[str] | None:
        return frozenset(message[key]) if key in message else None

    return Wanted(
        person_ids=chosen("people"),
        camera_ids=chosen("cameras"),
        kinds=frozenset(message.get("kinds", ALL_KINDS)),
        since=message.get("since"),
        before=message.get("before"),
    )


@websocket_command(
    {
        vol.Required("type"): "familiar_faces/visits/list",
        **_WANTED,
        vol.Optional("limit", default=PAGE): vol.All(int, vol.Range(min=1, max=MOST_VISITS)),
        vol.Optional("after"): {vol.Required("at"): _moment, vol.Required("visit_id"): ID},
    }
)
@answering
async def _list(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> dict[str, Any]:
    """Return a page of visits, as far as the user may be told of them."""
    asked = asked_of(hass, connection)
    after = cursor_of(message["after"]) if "after" in message else None
    page = await asked.listing.async_page(_wanted(message), limit=message["limit"], after=after)
    return async_page(asked, page)


@websocket_command(
    {
        vol.Required("type"): "familiar_faces/visits/subscribe",
        **_WANTED,
        vol.Optional("limit", default=PAGE): vol.All(int, vol.Range(min=0, max=MOST_VISITS)),
    }
)
@answering
async def _subscribe(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> None:
    """Send the first page of visits and what happens now, and from then on what changes."""
    asked_of(hass, connection)
    Feed(hass, connection, message["id"], _wanted(message), message["limit"]).async_begin()


@websocket_command({vol.Required("type"): "familiar_faces/visits/details", vol.Required("visit_id"): ID})
@answering
async def _details(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> Said:
    """Return what a kept visit rests on, and until when it is kept."""
    visit_id = message["visit_id"]
    asked = asked_of(hass, connection)
    found = await async_details(
        asked.hub, asked.lookup, asked.listing, visit_id, administrator=asked.administrator
    )
    # Only now: it may have been erased, or the user may see less, while the vault was read.
    listed = await asked_of(hass, connection).listing.async_find(visit_id)
    if found is None or listed is None:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="unknown_visit",
            translation_placeholders={"visit_id": visit_id},
        )
    return found


@websocket_command(
    {
        vol.Required("type"): "familiar_faces/visits/answer",
        vol.Required("visit_id"): ID,
        vol.Required("correct"): bool,
        vol.Optional("person_id"): ID,
        vol.Optional("learn", default=False): bool,
    }
)
@answering
async def _answer(
    hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]
) -> dict[str, Any]:
    """Take somebody's word for who it was; it is carried out in a few seconds, also when nobody looks any longer.

    Of their own visits people may say that they came, or that it was not them.
    """
    asked, answer = (
        asked_of(hass, connection),
        Answer(message["correct"], message.get("person_id"), message["learn"]),
    )
    if not asked.administrator:
        if answer.really_id is not None or answer.learn:
            raise Unauthorized
        await _async_check_own(asked, message["visit_id"])
    due = await asked.hub.late_answers.async_say(message["visit_id"], answer)
    return {"due": due.isoformat()}


async def _async_check_own(asked: Asked, visit_id: str) -> None:
    """Raise Unauthorized unless a visit is the user's own, and they may do more than look."""
    visit = await asked.listing.async_find(visit_id)
    if visit is None or not asked.lookup.acts_as(visit.person_id):
        # A visit of somebody else and one that there never was look the same.
        raise Unauthorized


@websocket_command({vol.Required("type"): "familiar_faces/visits/undo", vol.Required("visit_id"): ID})
@answering
async def _undo(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> None:
    """Take an answer back that was not carried out yet."""
    asked = asked_of(hass, connection)
    if not asked.administrator:
        await _async_check_own(asked, message["visit_id"])
    if not asked.hub.late_answers.async_take_back(message["visit_id"]):
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="too_late_to_undo")


COMMANDS: Final = (_list, _subscribe, _details, _answer, _undo)
