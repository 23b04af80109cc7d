"""What the owner says of a visit: the work of the action `correct_visit`."""

import logging

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType

from ..const import DOMAIN
from ..engine.protocol import Faces
from ..enrolment.reference_photos import async_take_photo
from ..host.engine_errors import EngineIncompatible
from ..household.household import Household
from ..household.signals import SIGNAL_CORRECTED
from ..people.person import Person
from ..vault.errors import ConsentMissing, UnknownVisit, VaultError
from ..vault.records import VisitRecord
from ..visits.visit import Decision
from ..wording.words import async_say
from .identify import async_faces

_LOGGER = logging.getLogger(__name__)


async def async_correct(
    household: Household, visit_id: str, *, correct: bool, really: Person | None, learn: bool
) -> JsonObjectType:
    """Take the owner's word for whether a visit was whose it was said to be, and return what has changed.

    `really`: who it was, when it was somebody else. `learn`: add the visit's face to the reference photos of
    whom it was. All that can be refused is refused before anything is changed.
    """
    person = really
    try:
        visit, said = await _async_visit(household, visit_id)
        if really is not None and (correct or really.person_id == said.person_id):
            raise ServiceValidationError(translation_domain=DOMAIN, translation_key="correction_contradicts")
        if correct:
            person = said
        taught = await _async_see(household, visit, person) if learn else None
        answer = await (
            _async_confirm(household, visit) if correct else _async_take_away(household, visit, really)
        )
        answer["person_id"] = None if person is None else person.person_id
        answer["name"] = None if person is None else person.name
        answer["learned"] = False
        if taught is not None and person is not None:
            answer |= await _async_learn(household, person, *taught, camera_id=visit.camera_id)
    except UnknownVisit as err:
        raise _unknown(household, visit_id) from err
    except ConsentMissing as err:
        # It ended in this very moment.
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_consent",
            translation_placeholders={"name": "" if person is None else person.name},
        ) from err
    except VaultError as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="correction_failed",
            translation_placeholders={"reason": str(err)},
        ) from err
    return answer


async def _async_visit(household: Household, visit_id: str) -> tuple[VisitRecord, Person]:
    """Return a kept visit and whose it is said to be; raise UnknownVisit also while they are being forgotten."""
    visit = await household.hass.async_add_executor_job(household.vault.visit, visit_id)
    if (person := household.people.get(visit.person_id)) is None:
        raise UnknownVisit
    return visit, person


def _unknown(household: Household, visit_id: str) -> ServiceValidationError:
    """Return what is said of a visit that is not kept."""
    if any(
        each.visit_id == visit_id and each.decision is not Decision.FAMILIAR
        for each in household.open_visits.visits
    ):
        return ServiceValidationError(translation_domain=DOMAIN, translation_key="visit_of_nobody")
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="unknown_visit",
        translation_placeholders={"visit_id": visit_id},
    )


async def _async_confirm(household: Household, visit: VisitRecord) -> JsonObjectType:
    """Note that it was this person."""
    await household.hass.async_add_executor_job(
        household.vault.confirm_visit, visit.visit_id, dt_util.utcnow()
    )
    return {"confirmed": True, "template_id": None, "set_aside": False, "guarded": False}


async def _async_take_away(household: Household, visit: VisitRecord, really: Person | None) -> JsonObjectType:
    """Take the visit from the person it was not of, everywhere."""
    corrected = await household.hass.async_add_executor_job(
        household.vault.correct_visit,
        visit.visit_id,
        dt_util.utcnow(),
        None if really is None else really.person_id,
    )
    # What this camera does to their faces was learned from somebody else's, perhaps.
    household.roster.middles.forget(visit.person_id, visit.camera_id)
    try:
        # First, so that a look that is being taken does not name them again.
        await household.async_refresh_people()
    except VaultError as err:
        _LOGGER.error(
            "A visit was corrected, and is compared with the old photos until they are read: %s", err
        )
    finally:
        household.open_visits.drop(visit.visit_id)
        household.async_send(SIGNAL_CORRECTED, corrected)
    return {
        "confirmed": corrected.moved is not None,
        "template_id": corrected.template_id,
        "set_aside": corrected.set_aside,
        # Whether, and not how alike: that would tell faces apart by itself.
        "guarded": corrected.guard is not None,
    }


async def _async_see(household: Household, visit: VisitRecord, person: Person | None) -> tuple[bytes, Faces]:
    """Return a visit's picture, and its faces as they are seen to enrol with.

    Raise ConsentMissing when the person did not agree to that camera, or to pictures that it takes.
    """
    if person is None:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="learn_needs_person")
    if not person.may_be_recognised(dt_util.utcnow(), visit.camera_id):
        raise ConsentMissing
    picture = await household.hass.async_add_executor_job(household.vault.visit_picture, visit.visit_id)
    if picture is None:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_picture")
    if not person.choices.keeps_pictures:
        raise ConsentMissing
    return picture, await async_faces(household, picture, portraits=True, mirrored=True)


async def _async_learn(
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
