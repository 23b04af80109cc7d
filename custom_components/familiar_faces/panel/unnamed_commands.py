"""The commands of the tab Unnamed: the review inbox, for administrators, and only while it is switched on."""

from typing import Any, Final

from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import require_admin, websocket_command
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import Unauthorized
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..household.signals import Of
from .permitted import ID, Asked, answering, asked_of
from .rows import Said, async_people, async_waiting
from .topic import async_subscribe


async def _async_unnamed(asked: Asked) -> Said:
    """Return the pictures by time, newest first. They are not compared: these people agreed to nothing."""
    if not asked.administrator:
        raise Unauthorized
    hub, kept = asked.hub, asked.hub.retention.review
    items = await hub.review.async_items() if hub.review.on else []
    places = asked.lookup.places()
    return {
        "on": hub.review.on,
        "hours": int(kept.total_seconds() // 3600),
        "people": async_people(asked),
        "visits": [
            {
                "visit_id": each.visit_id,
                "kind": each.decision,
                "at": each.at.isoformat(),
                "until": (each.at + kept).isoformat(),
                "camera_id": each.camera_id,
                "camera": None if (place := places.get(each.camera_id)) is None else place.name,
                "answer": async_waiting(asked, each.visit_id),
            }
            for each in items
        ],
        "now": dt_util.utcnow().isoformat(),
    }


@websocket_command({vol.Required("type"): "familiar_faces/unnamed/subscribe"})
@require_admin
@answering
async def _subscribe(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> None:
    """Send what is in the review inbox, and from then on what changes. It has no picture in it."""
    async_subscribe(hass, connection, message["id"], _async_unnamed, (Of.PEOPLE, Of.STORED, Of.SETTINGS))


@websocket_command(
    {
        vol.Required("type"): "familiar_faces/unnamed/erase",
        vol.Exclusive("visit_id", "which"): ID,
        vol.Exclusive("all", "which"): vol.All(cv.boolean, vol.IsTrue()),
    }
)
@require_admin
@answering
async def _erase(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> Said:
    """Erase a picture of the review inbox now, or all of them."""
    if "visit_id" not in message and "all" not in message:
        raise vol.Invalid("which of them is not said")
    hub = asked_of(hass, connection).hub
    return {"erased": await hub.review.async_discard(message.get("visit_id"))}


COMMANDS: Final = (_subscribe, _erase)
