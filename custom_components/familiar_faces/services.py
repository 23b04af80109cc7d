"""The actions."""

from typing import TYPE_CHECKING

from homeassistant.components.camera.const import DOMAIN as CAMERA_DOMAIN
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.selector import MediaSelector
from homeassistant.helpers.service import async_register_admin_service
from homeassistant.util import dt as dt_util
import voluptuous as vol

from .const import DOMAIN
from .correct import async_correct
from .identify import async_identify
from .people.person import Person

if TYPE_CHECKING:
    from .hub import FamiliarFacesConfigEntry, Hub

SERVICE_CORRECT_VISIT = "correct_visit"
SERVICE_IDENTIFY = "identify"
ATTR_CAMERA = "camera"
ATTR_CORRECT = "correct"
ATTR_IMAGE = "image"
ATTR_LEARN = "learn"
ATTR_PERSON = "person"
ATTR_VISIT_ID = "visit_id"

_TEXT = vol.All(cv.string, str.strip, vol.Length(min=1))

IDENTIFY_SCHEMA = vol.All(
    vol.Schema(
        {
            vol.Exclusive(ATTR_CAMERA, "source"): cv.entity_domain(CAMERA_DOMAIN),
            vol.Exclusive(ATTR_IMAGE, "source"): MediaSelector({"accept": ["image/*"], "image_upload": True}),
            vol.Optional(ATTR_PERSON): _TEXT,
        }
    ),
    cv.has_at_least_one_key(ATTR_CAMERA, ATTR_IMAGE),
)
CORRECT_VISIT_SCHEMA = vol.Schema(
    {
        vol.Required(ATTR_VISIT_ID): _TEXT,
        vol.Required(ATTR_CORRECT): cv.boolean,
        vol.Optional(ATTR_PERSON): _TEXT,
        vol.Optional(ATTR_LEARN, default=False): cv.boolean,
    }
)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    hass.services.async_register(
        DOMAIN,
        SERVICE_IDENTIFY,
        _async_identify,
        schema=IDENTIFY_SCHEMA,
        supports_response=SupportsResponse.ONLY,
    )
    # It changes whom the cameras recognise, as the dialogs do, which are the administrators' too.
    async_register_admin_service(
        hass,
        DOMAIN,
        SERVICE_CORRECT_VISIT,
        _async_correct_visit,
        schema=CORRECT_VISIT_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )


async def _async_identify(call: ServiceCall) -> ServiceResponse:
    """Say who is in a picture. No event is fired."""
    hub = _hub(call.hass)
    return await async_identify(
        hub, call.data.get(ATTR_CAMERA), call.data.get(ATTR_IMAGE), _consenting(hub, call)
    )


async def _async_correct_visit(call: ServiceCall) -> ServiceResponse:
    """Take the owner's word for who it was."""
    hub = _hub(call.hass)
    return await async_correct(
        hub,
        call.data[ATTR_VISIT_ID],
        correct=call.data[ATTR_CORRECT],
        really=_consenting(hub, call),
        learn=call.data[ATTR_LEARN],
    )


def _hub(hass: HomeAssistant) -> Hub:
    entries: list[FamiliarFacesConfigEntry] = hass.config_entries.async_entries(DOMAIN)
    for entry in entries:
        if entry.state is ConfigEntryState.LOADED:
            return entry.runtime_data
    raise ServiceValidationError(translation_domain=DOMAIN, translation_key="not_loaded")


def _consenting(hub: Hub, call: ServiceCall) -> Person | None:
    """Return the person who was named, by an id, a device or a name, and may be recognised now; None without one."""
    if ATTR_PERSON not in call.data:
        return None
    person = _person(hub, call.data[ATTR_PERSON])
    if not person.may_be_recognised(dt_util.utcnow()):
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_consent",
            translation_placeholders={"name": person.name},
        )
    return person


def _person(hub: Hub, said: str) -> Person:
    device = dr.async_get(hub.hass).async_get(said)
    ids = {said} if device is None else {value for domain, value in device.identifiers if domain == DOMAIN}
    for person_id in ids:
        if (person := hub.people.get(person_id)) is not None:
            return person
    named = [each for each in hub.people.values() if each.name.casefold() == said.casefold()]
    if not named:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="unknown_person",
            translation_placeholders={"person": said},
        )
    if len(named) > 1:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="ambiguous_person",
            translation_placeholders={"person": said},
        )
    return named[0]
