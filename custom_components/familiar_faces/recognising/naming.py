"""Names a visit that had no name: held in memory for some minutes, or longer in the review inbox."""

from dataclasses import dataclass, field
from datetime import datetime

from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType

from ..const import DOMAIN
from ..household.household import Household
from ..household.keeping import keeps_visits
from ..household.signals import SIGNAL_CORRECTED
from ..people.person import Person
from ..vault.errors import ConsentMissing, UnknownVisit
from ..vault.records import Corrected, VisitRecord
from .learning import async_learn, async_see


@dataclass(frozen=True, slots=True)
class Nameless:
    """A visit without a name that can be given one."""

    visit_id: str
    camera_id: str
    started_at: datetime
    last_seen_at: datetime
    frames: int
    picture: bytes | None = field(repr=False)
    in_inbox: bool


async def async_nameless(household: Household, visit_id: str) -> Nameless | None:
    """Return a visit without a name that is still held; None without one. Raise VaultError."""
    vault, now = household.vault, dt_util.utcnow()
    item = None
    if kept := household.retention.review:
        try:
            item, picture = await household.hass.async_add_executor_job(vault.review.read, visit_id)
        except UnknownVisit:
            pass
        else:
            item = item if now - item.at < kept else None
    if (missed := household.missed.get(visit_id, now)) is not None:
        visit = missed.visit
        return Nameless(
            visit_id,
            visit.camera_id,
            visit.started_at,
            visit.last_seen_at,
            visit.frames,
            missed.picture,
            in_inbox=item is not None,
        )
    if item is None:
        return None
    return Nameless(visit_id, item.camera_id, item.at, item.at, 1, picture, in_inbox=True)


async def async_name(
    household: Household, visit: Nameless, *, correct: bool, really: Person | None, learn: bool
) -> JsonObjectType:
    """Take the owner's word for who a visitor without a name was, and return what has changed.

    Without `really` it was nobody who is known, and nothing of the visitor is held any longer. All that can be
    refused is refused before anything is changed; raise VaultError besides what a user of an action is to read.
    """
    if correct:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="visit_of_nobody")
    if really is None and learn:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="learn_needs_person")
    answer: JsonObjectType = {
        "confirmed": False,
        "template_id": None,
        "set_aside": False,
        "guarded": False,
        "person_id": None,
        "name": None,
        "learned": False,
    }
    if really is not None:
        now = dt_util.utcnow()
        if not really.may_be_recognised(now, visit.camera_id):
            raise ConsentMissing
        seen = await async_see(household, visit.camera_id, visit.picture, really) if learn else None
        kept = keeps_visits(household, really.person_id)
        record = VisitRecord(
            visit_id=visit.visit_id,
            person_id=really.person_id,
            camera_id=visit.camera_id,
            started_at=visit.started_at,
            last_seen_at=visit.last_seen_at,
            # The owner says so: no machine's doubt is left.
            confidence=1.0,
            frames=visit.frames,
            confirmed=True,
        )
        if kept:
            await household.hass.async_add_executor_job(
                household.vault.name_visit, record, visit.picture, now
            )
        corrected = Corrected(visit.visit_id, visit.camera_id, None, record if kept else None)
        household.open_visits.drop(visit.visit_id)
        household.tally.forget(visit.visit_id)
        household.async_send(SIGNAL_CORRECTED, corrected)
        answer |= {"confirmed": kept, "person_id": really.person_id, "name": really.name}
        if seen is not None and visit.picture is not None:
            answer |= await async_learn(household, really, visit.picture, seen, camera_id=visit.camera_id)
    household.missed.drop(visit.visit_id)
    if visit.in_inbox:
        await household.hass.async_add_executor_job(
            household.vault.review.discard, visit.visit_id, dt_util.utcnow()
        )
    await household.async_count()
    household.async_changed()
    return answer
