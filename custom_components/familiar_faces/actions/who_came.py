"""The actions that only read: who came, and who is there."""

from datetime import datetime
from typing import TYPE_CHECKING

from homeassistant.components.camera.const import DOMAIN as CAMERA_DOMAIN
from homeassistant.const import Platform
from homeassistant.core import ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType
import voluptuous as vol

from ..const import DOMAIN
from ..household.period import period
from ..seen.lookup import Came, Here, Lookup, async_asker
from ..seen.shown import Shown
from ..vault.errors import VaultError
from ..wording.vault_errors import Failed, vault_failed
from .common import ATTR_PERSON, TEXT, Action, async_targets, find_among, find_cameras, hub_of

if TYPE_CHECKING:
    from ..hub import Hub

ATTR_CAMERA = "camera"
ATTR_LIMIT = "limit"
ATTR_SINCE = "since"
ATTR_UNTIL = "until"
ATTR_WITHIN = "within"
MAX_VISITS = 1000

CAMERAS = vol.All(cv.ensure_list, vol.Length(min=1), [cv.entity_id], [cv.entity_domain(CAMERA_DOMAIN)])
LAST_VISITS_SCHEMA = vol.Schema(
    {
        **cv.TARGET_FIELDS,
        vol.Optional(ATTR_PERSON): vol.All(cv.ensure_list, vol.Length(min=1), [TEXT]),
        vol.Optional(ATTR_CAMERA): CAMERAS,
        vol.Optional(ATTR_SINCE): cv.datetime,
        vol.Optional(ATTR_UNTIL): cv.datetime,
        vol.Optional(ATTR_WITHIN): period,
        vol.Optional(ATTR_LIMIT, default=10): vol.All(vol.Coerce(int), vol.Range(min=1, max=MAX_VISITS)),
    }
)
WHO_IS_HERE_SCHEMA = vol.Schema({**cv.TARGET_FIELDS, vol.Optional(ATTR_CAMERA): CAMERAS})


async def _async_last_visits(call: ServiceCall) -> ServiceResponse:
    """Return the newest visits that are kept."""
    hub = hub_of(call.hass)
    lookup = Lookup(hub, hub.board, await async_asker(call.hass, call.context))
    since, until = _period(call)
    people, cameras = _people(hub, lookup, call), _cameras(lookup, call)
    known, places = lookup.known().keys(), lookup.places().keys()
    targets = async_targets(call, Platform.EVENT, known | places) or set()
    try:
        visits = await lookup.async_visits(
            person_ids=_with(people, targets & known),
            camera_ids=_with(cameras, targets & places),
            since=since,
            before=until,
            limit=call.data[ATTR_LIMIT],
        )
    except VaultError as err:
        raise vault_failed(err, Failed.READING) from err
    return {"visits": [_came(each) for each in visits]}


async def _async_who_is_here(call: ServiceCall) -> ServiceResponse:
    """Return whose visits go on, and who was seen a moment ago."""
    hub = hub_of(call.hass)
    lookup = Lookup(hub, hub.board, await async_asker(call.hass, call.context))
    targets = async_targets(call, Platform.EVENT, lookup.places().keys()) or set()
    found = lookup.here(_with(_cameras(lookup, call), targets))
    return {
        "cameras": [_here(lookup, each) for each in found],
        "present": [{"person_id": each.person_id, "name": each.name} for each in lookup.present()],
        "others": sum(each.others for each in found),
        "strangers": sum(each.strangers for each in found),
        "unclear": sum(each.unclear for each in found),
    }


def _people(hub: Hub, lookup: Lookup, call: ServiceCall) -> set[str] | None:
    """Return the ids of the people who are asked about; None for everybody.

    For a person that the user may not read, the answer is the same as for one that does not exist.
    """
    if ATTR_PERSON not in call.data:
        return None
    names = {person_id: person.name for person_id, person in lookup.known().items()}
    return {find_among(hub, said, names) for said in call.data[ATTR_PERSON]}


def _cameras(lookup: Lookup, call: ServiceCall) -> set[str] | None:
    """Return the cameras that are asked about by the ids of their subentries; None for all of them."""
    if ATTR_CAMERA not in call.data:
        return None
    ours = {place.entity_id: place.camera_id for place in lookup.places().values()}
    return find_cameras(call.data[ATTR_CAMERA], ours)


def _with(chosen: set[str] | None, targets: set[str]) -> set[str] | None:
    """Return what was chosen in a field together with what was targeted; None for all."""
    return (chosen or set()) | targets if targets or chosen is not None else None


def _period(call: ServiceCall) -> tuple[datetime | None, datetime | None]:
    """Return since and until when visits are asked for; None where that is open."""
    since, until = call.data.get(ATTR_SINCE), call.data.get(ATTR_UNTIL)
    if since is not None and ATTR_WITHIN in call.data:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="two_periods")
    now = dt_util.utcnow()
    try:
        if ATTR_WITHIN in call.data:
            since = now - call.data[ATTR_WITHIN]
        # A time without a time zone is one of this home.
        since, until = (None if each is None else dt_util.as_utc(each) for each in (since, until))
    except OverflowError:
        # Further away than a calendar goes.
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="bad_period") from None
    if since is not None and since >= (until or now):
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="bad_period")
    return since, until


def _came(came: Came) -> JsonObjectType:
    place = came.place
    return {
        **_visit(came.visit),
        "camera_id": None if place is None else place.camera_id,
        "camera": None if place is None else place.entity_id,
        "camera_name": None if place is None else place.name,
        "picture": str(came.visit.picture),
    }


def _here(lookup: Lookup, here: Here) -> JsonObjectType:
    return {
        "camera_id": here.place.camera_id,
        "camera": here.place.entity_id,
        "camera_name": here.place.name,
        "looking": lookup.is_looked([here.place.camera_id]),
        "people": [_visit(each) for each in here.people],
        "others": here.others,
        "strangers": here.strangers,
        "unclear": here.unclear,
    }


def _visit(visit: Shown) -> JsonObjectType:
    return {
        "visit_id": visit.visit_id,
        "person_id": visit.person_id,
        "name": visit.name,
        "started_at": _said(visit.started_at),
        "last_seen_at": _said(visit.last_seen_at),
        "confidence": None if visit.confidence is None else round(visit.confidence, 3),
    }


def _said(moment: datetime) -> str:
    """Return a moment in the time zone of this home."""
    return dt_util.as_local(moment).isoformat()


ACTIONS = (
    # Each user is told what the states of the entities that they may read say anyway.
    Action("last_visits", _async_last_visits, LAST_VISITS_SCHEMA, SupportsResponse.ONLY, everybody=True),
    Action("who_is_here", _async_who_is_here, WHO_IS_HERE_SCHEMA, SupportsResponse.ONLY, everybody=True),
)
