"""A person's reference photos as they are kept: what each is worth, and which are compared with."""

from enum import StrEnum

from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..household.household import Household
from ..people.likeness import look_alikes
from ..people.person import Person
from ..people.photo_worth import Worth, worths
from ..people.templates import compared, leaves_one
from ..vault.errors import ConsentMissing, UnknownPerson, UnknownTemplate, UnknownVisit, VaultError
from ..wording.vault_errors import Failed, vault_failed


class Change(StrEnum):
    """What can be done with a reference photo."""

    ASIDE = "aside"
    USE = "use"
    REMOVE = "remove"


async def async_worths(household: Household, person: Person) -> dict[str, Worth]:
    """Return what each reference photo of somebody is worth, by the ids of the templates."""
    return await household.hass.async_add_executor_job(worths, person.templates)


async def async_alike(household: Household, person: Person) -> list[Person]:
    """Return the people that the cameras may not tell from this one, and who may be named, the likest first."""
    gallery, templates = household.gallery, compared(person.templates) if person.templates else []
    if gallery is None or not templates or templates[0].model != gallery.model:
        return []
    embeddings, now = [each.embedding for each in templates], dt_util.utcnow()
    found = await household.hass.async_add_executor_job(
        lambda: look_alikes(embeddings, gallery, now, person_id=person.person_id)
    )
    alike = [household.people.get(each.person_id) for each in found]
    return [each for each in alike if each is not None and each.choices.announced]


async def async_matched(household: Household, visit_id: str) -> str | None:
    """Return the template that the face of a kept visit resembled most; None where that is not known."""
    try:
        visit = await household.hass.async_add_executor_job(household.vault.visit, visit_id)
    except UnknownVisit, VaultError:
        return None
    return visit.template_id


async def async_change_photo(household: Household, person_id: str, template_id: str, change: Change) -> None:
    """Set a reference photo aside, use it again, or erase it, and have that count at once.

    One photo is always left to compare with. Raise what the user is to read.
    """
    try:
        await household.async_whole(_async_change(household, person_id, template_id, change))
    except (UnknownPerson, UnknownTemplate) as err:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="photo_gone") from err
    except ConsentMissing as err:
        name = person.name if (person := household.people.get(person_id)) is not None else ""
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_consent",
            translation_placeholders={"name": name},
        ) from err
    except VaultError as err:
        raise vault_failed(err, Failed.PHOTO) from err


async def _async_change(household: Household, person_id: str, template_id: str, change: Change) -> None:
    vault, now = household.vault, dt_util.utcnow()

    def write() -> None:
        templates = vault.person(person_id).templates
        if template_id not in {each.template_id for each in templates}:
            # Also of somebody else, whose id is not told by the answer.
            raise UnknownTemplate
        if change is Change.USE:
            vault.use_reference(person_id, template_id, usable=True, now=now)
            return
        if not leaves_one(templates, [template_id]):
            raise ServiceValidationError(translation_domain=DOMAIN, translation_key="keep_one_photo")
        if change is Change.ASIDE:
            vault.use_reference(person_id, template_id, usable=False, now=now)
        else:
            vault.remove_reference(person_id, template_id, now)

    await household.hass.async_add_executor_job(write)
    await household.async_refresh_people()
