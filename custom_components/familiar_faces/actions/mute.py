"""The action that mutes notifications for a while: about a person, about a camera, or of an alert."""

from datetime import timedelta
from typing import TYPE_CHECKING

from homeassistant.const import Platform
from homeassistant.core import ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..alerts.mutes import EVERYBODY, LONGEST
from ..const import CONF_CAMERA, DOMAIN, SUBENTRY_ALERT, SUBENTRY_CAMERA
from ..household.period import period
from ..household.signals import Of
from .common import ATTR_PERSON, TEXT, Action, all_meant, async_targets, find_person, hub_of

if TYPE_CHECKING:
    from ..hub import Hub

ATTR_ALERT = "alert"
ATTR_CAMERA = "camera"
ATTR_DURATION = "duration"
AN_HOUR = timedelta(hours=1)

MUTE_SCHEMA = vol.Schema(
    {
        **cv.TARGET_FIELDS,
        vol.Optional(ATTR_PERSON): TEXT,
        vol.Optional(ATTR_CAMERA): TEXT,
        vol.Optional(ATTR_ALERT): TEXT,
        vol.Optional(ATTR_DURATION, default=AN_HOUR): period,
    }
)


async def _async_mute(call: ServiceCall) -> ServiceResponse:
    """Have nobody told for a while; what is named is muted each by itself."""
    hub = hub_of(call.hass)
    others = [
        each.subentry_id
        for each in hub.entry.subentries.values()
        if each.subentry_type in (SUBENTRY_CAMERA, SUBENTRY_ALERT)
    ]
    what = async_targets(call, Platform.SWITCH, {*hub.people, *others}) or set()
    if ATTR_PERSON in call.data:
        what.add(find_person(hub, call.data[ATTR_PERSON]).person_id)
    if ATTR_CAMERA in call.data:
        what.add(_find_camera(hub, call.data[ATTR_CAMERA]))
    if ATTR_ALERT in call.data:
        what.add(_find_alert(hub, call.data[ATTR_ALERT]))
    if not what:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="nothing_to_mute")
    if (duration := call.data[ATTR_DURATION]) > LONGEST:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="muted_too_long",
            translation_placeholders={"days": str(LONGEST.days)},
        )
    now = dt_util.utcnow()
    until = now + duration
    for each in what:
        hub.alerts.mutes.async_mute(each, EVERYBODY, until, now)
    # The switches say until when, and so does the panel.
    hub.async_changed(*what, Of.MUTES)
    await hub.books.async_save()
    return {"until": dt_util.as_local(until).isoformat() if duration else None}


def _find_camera(hub: Hub, said: str) -> str:
    """Return the id of the camera that is meant by its device, its camera entity, its id or its name."""
    cameras = [each for each in hub.entry.subentries.values() if each.subentry_type == SUBENTRY_CAMERA]
    looked_at = {each.data[CONF_CAMERA]: each.subentry_id for each in cameras}
    found = all_meant(hub, looked_at.get(said, said), {each.subentry_id: each.title for each in cameras})
    if len(found) != 1:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="unknown_camera",
            translation_placeholders={"camera": said},
        )
    return found[0]


def _find_alert(hub: Hub, said: str) -> str:
    """Return the id of the alert that is meant by its device, its id or its name."""
    alerts = [each for each in hub.entry.subentries.values() if each.subentry_type == SUBENTRY_ALERT]
    found = all_meant(hub, said, {each.subentry_id: each.title for each in alerts})
    if len(found) != 1:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="unknown_alert",
            translation_placeholders={"alert": said},
        )
    return found[0]


ACTIONS = (Action("mute", _async_mute, MUTE_SCHEMA, SupportsResponse.OPTIONAL),)
