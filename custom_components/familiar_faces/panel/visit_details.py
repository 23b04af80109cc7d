"""What a visit rests on, and until when it is kept: read when somebody opens it, and not before."""

from datetime import datetime, timedelta

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..household.keeping import pictures_kept_for, visits_kept_for
from ..seen.shown import Picture
from ..vault.errors import UnknownVisit
from .permitted import Asked
from .rows import Said


async def async_details(hass: HomeAssistant, asked: Asked, visit_id: str) -> Said | None:
    """Return the details of a kept visit that the user may be told of; None for any other. Raise VaultError."""
    hub = asked.hub
    listed = await asked.listing.async_find(visit_id)
    if listed is None or listed.person_id is None:
        return None
    try:
        record = await hass.async_add_executor_job(hub.vault.visit, visit_id)
    except UnknownVisit:
        return None
    person = asked.lookup.people().get(record.person_id)
    if person is None or record.person_id != listed.person_id:
        return None
    # Reference photos are for administrators, and for who is in them.
    may_see = asked.administrator or asked.lookup.own() is person
    known = may_see and any(each.template_id == record.template_id for each in person.templates)
    now = dt_util.utcnow()
    return {
        "frames": record.frames,
        "matched": record.template_id if known and person.choices.keeps_pictures else None,
        "visit_until": _until(record.started_at, visits_kept_for(hub, person.consent), now),
        "picture_until": _until(record.started_at, pictures_kept_for(hub, person.consent), now)
        if listed.picture is Picture.SHOWN
        else None,
    }


def _until(began: datetime, kept_for: timedelta, now: datetime) -> str:
    return max(began + kept_for, now).isoformat()
