"""Makes the picture of a visit a reference photo of the person that the owner names."""

import logging

from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType

from ..const import DOMAIN
from ..engine.protocol import Faces
from ..enrolment.reference_photos import async_take_photo
from ..host.engine_errors import EngineIncompatible
from ..household.household import Household
from ..people.person import Person
from ..vault.errors import ConsentMissing, VaultError
from ..wording.words import async_say
from .identify import async_faces

_LOGGER = logging.getLogger(__name__)


async def async_see(household: Household, camera_id: str, picture: bytes | None, person: Person) -> Faces:
    """Return the faces in a visit's picture as they are seen to enrol with.

    Raise ConsentMissing when the person did not agree to that camera, or to pictures that it takes, and what a user
    of an action is to read when there is no picture.
    """
    if not person.may_be_recognised(dt_util.utcnow(), camera_id):
        raise ConsentMissing
    if picture is None:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_picture")
    if not person.choices.keeps_pictures:
        raise ConsentMissing
    return await async_faces(household, picture, portraits=True, mirrored=True)


async def async_learn(
    household: Household, person: Person, picture: bytes, seen: Faces, *, camera_id: str
) -> JsonObjectType:
    """Make a visit's picture a reference photo when it is good enough, and say what came of it."""
    reason, other, learned = "vault_failed", "", False
    try:
        judged = await async_take_photo(household, person.person_id, picture, seen, camera_id=camera_id)
        reason, other = str(judged.verdict.reason), judged.verdict.other_name or ""
        learned = judged.template_id is not None
        if learned:
            await household.async_refresh_people()
    except (VaultError, EngineIncompatible) as err:
        # What was said of the visit has been noted, so that is what is answered.
        _LOGGER.error("A visit's face could not be learned: %s", err)
    message = await async_say(household.hass, "photo_verdict", reason, name=person.name, other=other)
    return {"learned": learned, "reason": reason, "message": message}
