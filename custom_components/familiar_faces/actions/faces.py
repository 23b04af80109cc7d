"""The actions about identity: identify people, and correct the name of a visit."""

from functools import partial
from typing import TYPE_CHECKING

from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.components.camera.const import DOMAIN as CAMERA_DOMAIN
from homeassistant.core import ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.selector import MediaSelector
import voluptuous as vol

from ..const import DOMAIN
from ..recognising.correct import async_correct
from ..seen.lookup import async_asker
from .common import ATTR_PERSON, TEXT, Action, cameras_of, find_cameras, find_consenting, hub_of
from .given_picture import ATTR_PICTURE, PICTURE, async_picture, visit_of

if TYPE_CHECKING:
    from ..hub import Hub

ATTR_CAMERA = "camera"
ATTR_CORRECT = "correct"
ATTR_IMAGE = "image"
ATTR_LEARN = "learn"
ATTR_VISIT_ID = "visit_id"

IDENTIFY_SCHEMA = vol.All(
    vol.Schema(
        {
            vol.Exclusive(ATTR_CAMERA, "source"): cv.entity_domain(CAMERA_DOMAIN),
            vol.Exclusive(ATTR_IMAGE, "source"): MediaSelector({"accept": ["image/*"], "image_upload": True}),
            vol.Optional(ATTR_PERSON): TEXT,
        }
    ),
    cv.has_at_least_one_key(ATTR_CAMERA, ATTR_IMAGE),
)
CORRECT_VISIT_SCHEMA = vol.All(
    vol.Schema(
        {
            vol.Exclusive(ATTR_PICTURE, "visit"): PICTURE,
            vol.Exclusive(ATTR_CAMERA, "visit"): cv.entity_domain(CAMERA_DOMAIN),
            vol.Exclusive(ATTR_VISIT_ID, "visit"): TEXT,
            vol.Required(ATTR_CORRECT): cv.boolean,
            vol.Optional(ATTR_PERSON): TEXT,
            vol.Optional(ATTR_LEARN, default=False): cv.boolean,
        }
    ),
    cv.has_at_least_one_key(ATTR_PICTURE, ATTR_CAMERA, ATTR_VISIT_ID),
)


async def _async_identify(call: ServiceCall) -> ServiceResponse:
    """Say who is in a picture. No event is fired."""
    hub = hub_of(call.hass)
    camera = call.data.get(ATTR_CAMERA)
    asker = await async_asker(call.hass, call.context)
    if camera is not None and not asker.may_read(camera):
        raise Unauthorized(context=call.context, entity_id=camera, permission=POLICY_READ)
    image = call.data.get(ATTR_IMAGE)
    read = None if image is None else partial(async_picture, hub, image)
    return await hub.identifying.async_identify(
        call.context.user_id, camera, read, find_consenting(hub, call)
    )


async def _async_correct_visit(call: ServiceCall) -> ServiceResponse:
    """Take the owner's word for who it was."""
    hub = hub_of(call.hass)
    if ATTR_CAMERA in call.data:
        visit_id = _last_at(hub, call.data[ATTR_CAMERA])
    else:
        visit_id = call.data.get(ATTR_VISIT_ID) or visit_of(call.data[ATTR_PICTURE])
    return await hub.async_whole(
        async_correct(
            hub,
            visit_id,
            correct=call.data[ATTR_CORRECT],
            really=find_consenting(hub, call),
            learn=call.data[ATTR_LEARN],
        )
    )


def _last_at(hub: Hub, camera: str) -> str:
    """Return the id of the last visit to a camera; raises what a user of an action is to read."""
    (camera_id,) = find_cameras([camera], cameras_of(hub))
    if (last := hub.board.last_at(camera_id)) is None:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_last_visit",
            translation_placeholders={"camera": camera},
        )
    return last.visit_id


ACTIONS = (
    # Names for faces: a user who may ask for these could go through any picture with them.
    Action("identify", _async_identify, IDENTIFY_SCHEMA, SupportsResponse.ONLY),
    # It changes who is recognised, as the dialogs do, which are the administrators' too.
    Action("correct_visit", _async_correct_visit, CORRECT_VISIT_SCHEMA),
)
