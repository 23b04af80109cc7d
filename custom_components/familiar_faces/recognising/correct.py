"""Corrections of a visit's name: the work of the action `correct_visit`."""

import logging

from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType

from ..const import DOMAIN
from ..household.household import Household
from ..household.signals import SIGNAL_CONFIRMED, SIGNAL_CORRECTED
from ..people.person import Person
from ..vault.errors import ConsentMissing, UnknownVisit, VaultError
from ..vault.records import VisitRecord
from ..wording.vault_errors import Failed, vault_failed
from .learning import async_learn, async_see
from .naming import async_name, async_nameless

_LOGGER = logging.getLogger(__name__)


async def async_correct(
    household: Household, visit_id: str, *, correct: bool, really: Person | None, learn: bool
) -> JsonObjectType:
    """Take the owner's word for whose a visit was, and return what has changed.

    Also of a visit that had no name, while its picture is held: see `naming`.

    `really`: who it was, when it was somebody else. `learn`: add the visit's face to the reference photos of
    who it was. All that can be refused is refused before anything is changed.
    """
    person = really
    try:
        if (nameless := await async_nameless(household, visit_id)) is not None:
            return await async_name(household, nameless, correct=correct, really=really, learn=learn)
        visit, said = await _async_visit(household, visit_id)
        if really is not None and (correct or really.person_id == said.person_id):
            raise ServiceValidationError(translation_domain=DOMAIN, translation_key="correction_contradicts")
        if correct:
            person = said
        taught = None
        if learn:
            if person is None:
                raise ServiceValidationError(translation_domain=DOMAIN, translation_key="learn_needs_person")
            picture = await household.hass.async_add_executor_job(household.vault.visit_picture, visit_id)
            taught = picture, await async_see(household, visit.camera_id, picture, person)
        answer = await (
            _async_confirm(household, visit) if correct else _async_take_away(household, visit, really)
        )
        answer["person_id"] = None if person is None else person.person_id
        answer["name"] = None if person is None else person.name
        answer["learned"] = False
        if person is not None and taught is not None and taught[0] is not None:
            answer |= await async_learn(household, person, taught[0], taught[1], camera_id=visit.camera_id)
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
        raise vault_failed(err, Failed.CORRECTING) from err
    return answer


async def _async_visit(household: Household, visit_id: str) -> tuple[VisitRecord, Person]:
    """Return a kept visit and whose it is said to be; raise UnknownVisit also while they are being forgotten."""
    visit = await household.hass.async_add_executor_job(household.vault.visit, visit_id)
    if (person := household.people.get(visit.person_id)) is None:
        raise UnknownVisit
    return visit, person


def _unknown(household: Household, visit_id: str) -> ServiceValidationError:
    """Return what is said of a visit that is not kept."""
    if household.tally.get(visit_id) is not None:
        return ServiceValidationError(translation_domain=DOMAIN, translation_key="visit_not_held")
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
    household.async_send(SIGNAL_CONFIRMED, visit.visit_id)
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
