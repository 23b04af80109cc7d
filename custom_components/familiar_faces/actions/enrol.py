"""The action `enrol`: another reference photo of somebody who agreed to be recognised."""

from typing import TYPE_CHECKING

from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.selector import MediaSelector
import voluptuous as vol

from ..const import DOMAIN
from ..engine.protocol import Faces
from ..enrolment.reference_photos import Judged, async_take_photo
from ..host.engine_errors import EngineError
from ..people.photos import PhotoVerdict
from ..recognising.identify import async_faces, engine_failed
from ..vault.errors import ConsentMissing, UnknownPerson, VaultError
from ..wording.vault_errors import Failed, vault_failed
from ..wording.words import async_say
from .common import ATTR_PERSON, TEXT, Action, find_consenting, hub_of
from .given_picture import async_picture

if TYPE_CHECKING:
    from ..hub import Hub
    from ..people.person import Person

ATTR_IMAGE = "image"
ATTR_INSIST = "insist"

ENROL_SCHEMA = vol.Schema(
    {
        vol.Required(ATTR_PERSON): TEXT,
        vol.Required(ATTR_IMAGE): MediaSelector({"accept": ["image/*"], "image_upload": True}),
        vol.Optional(ATTR_INSIST, default=False): cv.boolean,
    }
)


async def _async_enrol(call: ServiceCall) -> ServiceResponse:
    """Take a picture as a reference photo of a person, if it will do."""
    hub = hub_of(call.hass)
    person = find_consenting(hub, call)
    assert person is not None, "the schema asks for somebody"
    photo = await async_picture(hub, call.data[ATTR_IMAGE])
    seen = await async_faces(hub, photo, portraits=True, mirrored=True, search_turned=True)
    try:
        judged = await hub.async_whole(_async_take(hub, person, photo, seen, insist=call.data[ATTR_INSIST]))
    except (ConsentMissing, UnknownPerson) as err:
        # It ended, or they were forgotten, while the engine looked.
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_consent",
            translation_placeholders={"name": person.name},
        ) from err
    except VaultError as err:
        raise vault_failed(err, Failed.PHOTO) from err
    except EngineError as err:
        raise engine_failed(err) from err
    if judged.template_id is None:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="photo_refused",
            translation_placeholders={"reason": await _async_reason(hub, person, judged.verdict)},
        )
    return {
        "person_id": person.person_id,
        "template_id": judged.template_id,
        "verdict": str(judged.verdict.reason),
        "warnings": [str(warning) for warning in judged.verdict.warnings],
    }


async def _async_take(hub: Hub, person: Person, photo: bytes, seen: Faces, *, insist: bool) -> Judged:
    """Judge the photo, and have it count at once; raises VaultError and EngineError."""
    judged = await async_take_photo(hub, person.person_id, photo, seen, insist=insist)
    await hub.async_refresh_people()
    return judged


async def _async_reason(hub: Hub, person: Person, verdict: PhotoVerdict) -> str:
    """Return why a photo will not do, as the dialog says it."""
    return await async_say(
        hub.hass, "photo_verdict", str(verdict.reason), name=person.name, other=verdict.other_name or ""
    )


ACTIONS = (
    # It changes who is recognised, as the dialog does, which is the administrators' too.
    Action("enrol", _async_enrol, ENROL_SCHEMA),
)
