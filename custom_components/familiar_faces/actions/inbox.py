"""The action about the review inbox: erase what is in it."""

from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from .common import TEXT, Action, hub_of
from .given_picture import ATTR_PICTURE, PICTURE, visit_of

ATTR_ALL = "all"
ATTR_VISIT_ID = "visit_id"

DISCARD_SCHEMA = vol.All(
    vol.Schema(
        {
            vol.Exclusive(ATTR_PICTURE, "which"): PICTURE,
            vol.Exclusive(ATTR_VISIT_ID, "which"): TEXT,
            vol.Exclusive(ATTR_ALL, "which"): vol.All(cv.boolean, vol.IsTrue()),
        }
    ),
    cv.has_at_least_one_key(ATTR_PICTURE, ATTR_VISIT_ID, ATTR_ALL),
)


async def _async_discard(call: ServiceCall) -> ServiceResponse:
    """Erase a picture of the review inbox, or all of them."""
    hub, picture = hub_of(call.hass), call.data.get(ATTR_PICTURE)
    visit_id = call.data.get(ATTR_VISIT_ID) if picture is None else visit_of(picture)
    return {"pictures": await hub.review.async_discard(visit_id)}


ACTIONS = (Action("discard_review", _async_discard, DISCARD_SCHEMA),)
