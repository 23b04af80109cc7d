"""What may be kept and shown of somebody's visits: by what they agreed to, and by what is set."""

from datetime import datetime, timedelta

from homeassistant.util import dt as dt_util

from ..people.person import Consent
from .household import Household


def visits_kept_for(household: Household, consent: Consent | None) -> timedelta:
    """Return how long visits are kept: as long as is set, and never longer than was agreed to."""
    return _shorter(household.retention.visits, timedelta(0) if consent is None else consent.keeps_visits_for)


def pictures_kept_for(household: Household, consent: Consent | None) -> timedelta:
    """Return how long pictures of visits are kept; never longer than their visits."""
    agreed = timedelta(0) if consent is None else consent.keeps_pictures_for
    return min(_shorter(household.retention.pictures, agreed), visits_kept_for(household, consent))


def _shorter(chosen: timedelta, agreed: timedelta | None) -> timedelta:
    return chosen if agreed is None else min(chosen, agreed)


def keeps_visits(household: Household, person_id: str | None) -> bool:
    """Return whether visits of somebody are kept: they agreed to it, and it is not switched off."""
    return bool(visits_kept_for(household, _consent(household, person_id)))


def keeps_pictures(household: Household, person_id: str | None) -> bool:
    """Return whether pictures of somebody's visits are kept."""
    return bool(pictures_kept_for(household, _consent(household, person_id)))


def may_be_told(household: Household, person_id: str, camera_id: str) -> bool:
    """Return whether it may be said now that somebody is at a camera: they agreed to both, and still do."""
    person = household.people.get(person_id)
    return (
        person is not None
        and person.choices.announced
        and household.wall_clock.believed()
        and person.may_be_recognised(dt_util.utcnow(), camera_id)
    )


def may_show(household: Household, person_id: str | None, at: datetime | None) -> bool:
    """Return whether it may still be shown that somebody came at a moment: as long as the visit is kept."""
    return at is not None and dt_util.utcnow() - at < visits_kept_for(
        household, _consent(household, person_id)
    )


def shortest_kept(household: Household) -> timedelta | None:
    """Return the shortest time for which a person's visits are kept; None when there is nobody.

    For data that names nobody: it may be about them.
    """
    return min((each for each in kept_of_each(household).values() if each), default=None)


def kept_of_each(household: Household) -> dict[str, timedelta]:
    """Return how long visits are kept of each of the people, by their ids."""
    return {
        person_id: visits_kept_for(household, person.consent)
        for person_id, person in household.people.items()
    }


def _consent(household: Household, person_id: str | None) -> Consent | None:
    person = household.people.get(person_id or "")
    return None if person is None else person.consent
