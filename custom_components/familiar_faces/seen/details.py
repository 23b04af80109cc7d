"""What a visit rests on, and until when it is kept: read when somebody opens it, and not before."""

from datetime import datetime, timedelta
from typing import Any

from homeassistant.util import dt as dt_util

from ..household.household import Household
from ..household.keeping import pictures_kept_for, visits_kept_for
from ..vault.errors import UnknownVisit
from .listing import Listing
from .lookup import Lookup
from .shown import Picture


async def async_details(
    household: Household, lookup: Lookup, listing: Listing, visit_id: str, *, administrator: bool
) -> dict[str, Any] | None:
    """Return the details of a kept visit that the user may be told of; None for any other. Raise VaultError."""
    listed = await listing.async_find(visit_id)
    if listed is None or listed.person_id is None:
        return None
    try:
        record = await household.hass.async_add_executor_job(household.vault.visit, visit_id)
    except UnknownVisit:
        return None
    person = lookup.people().get(record.person_id)
    if person is None or record.person_id != listed.person_id:
        return None
    # Reference photos are for administrators, and for who is in them.
    may_see = administrator or lookup.own() is person
    known = may_see and any(each.template_id == record.template_id for each in person.templates)
    now = dt_util.utcnow()
    return {
        "frames": record.frames,
        "matched": record.template_id if known and person.choices.keeps_pictures else None,
        "visit_until": _until(record.started_at, visits_kept_for(household, person.consent), now),
        "picture_until": _until(record.started_at, pictures_kept_for(household, person.consent), now)
        if listed.picture is Picture.SHOWN
        else None,
    }


def _until(began: datetime, kept_for: timedelta, now: datetime) -> str:
    return max(began + kept_for, now).isoformat()
