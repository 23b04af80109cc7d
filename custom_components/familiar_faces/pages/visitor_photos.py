"""What becomes of a visitor's photos: each judged at once, and the enrolment ended when there are enough."""

from dataclasses import dataclass
from functools import partial
import logging

from homeassistant.util import dt as dt_util

from ..consent.guests import async_notify_done
from ..enrolment.reference_photos import async_see_photo, async_take_photo
from ..host.engine_errors import EngineError, EngineIncompatible, ImageRejected
from ..household.subentries import person_subentry
from ..hub import Hub
from ..people.person import RESERVED_NAMES
from ..people.photos import PhotoReason
from ..people.templates import compared
from ..vault.errors import ConsentMissing
from ..vault.records import EnrolmentState

_LOGGER = logging.getLogger(__name__)

MAX_PHOTOS = 20
"""How many reference photos somebody may have from the pages; more make nobody better known."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of a photo: keys of the texts."""

    reason: str
    taken: bool = False
    warnings: tuple[str, ...] = ()


async def async_judge(hub: Hub, person_id: str, photo: bytes) -> Verdict:
    """Judge a photo and when it will do keep it as a reference photo; raises VaultError.

    Nobody insists here, and the page never says who a photo resembles: that would reveal who else is known.
    """
    stored = await hub.hass.async_add_executor_job(hub.vault.person, person_id)
    if not stored.may_be_recognised(dt_util.utcnow()):
        return Verdict("consent_missing")
    if len(stored.templates) >= MAX_PHOTOS:
        return Verdict("enough")
    try:
        seen = await async_see_photo(hub, photo)
        judged = await async_take_photo(hub, person_id, photo, seen)
    except ImageRejected as err:
        return Verdict(err.reason if err.reason in ("too_large", "cut_off") else "not_an_image")
    except EngineIncompatible as err:
        _LOGGER.error("A visitor's photo could not be judged: %s", err)
        return Verdict("engine_unavailable")
    except EngineError as err:
        _LOGGER.debug("A visitor's photo could not be judged yet: %s", err)
        return Verdict("engine_unavailable")
    except ConsentMissing:
        return Verdict("consent_missing")
    warnings = tuple(str(each) for each in judged.verdict.warnings if each is PhotoReason.NEARLY_SAME_PHOTO)
    return Verdict(str(judged.verdict.reason), judged.template_id is not None, warnings)


async def async_finish(hub: Hub, person_id: str) -> bool:
    """Make somebody who has a good photo a person like the others; return whether they are one now.

    A name that is taken gets a number. Called under `Guard.enrolling`; raises VaultError.
    """
    vault, run = hub.vault, hub.hass.async_add_executor_job
    person = await run(vault.person, person_id)
    if not compared(person.templates):
        return False
    new = await run(vault.state, person_id) is not EnrolmentState.ENROLLED
    if new:
        name = free_name(person.name, taken_names(hub, person_id))
        if name != person.name:
            await run(partial(vault.update_person, person_id, name, person.linked_entity, called=person.name))
        await run(vault.finish_enrolment, person_id)
        person = await run(vault.person, person_id)
    if person_id not in hub.roster.subentries():
        hub.hass.config_entries.async_add_subentry(hub.entry, person_subentry(person))
    await hub.async_refresh_people()
    if new:
        await async_notify_done(hub, person)
    return True


def taken_names(hub: Hub, person_id: str) -> set[str]:
    """Return the names that others go by, or that stand for nobody's."""
    others = {person.name for person in hub.people.values() if person.person_id != person_id}
    others |= {each.title for each in hub.roster.subentries().values() if each.data["person_id"] != person_id}
    return {name.casefold() for name in others} | RESERVED_NAMES


def free_name(name: str, taken: set[str]) -> str:
    """Return a name, with a number behind it when it is taken: "Anna 2"."""
    found, number = name, 1
    while found.casefold() in taken:
        number += 1
        found = f"{name} {number}"
    return found
