"""What is kept of one person, in numbers, and for how long: what they, and the owner, can see of it at any time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ..household.household import Household
from ..household.keeping import pictures_kept_for, visits_kept_for
from ..people.person import Person


@dataclass(frozen=True, slots=True)
class KeptOf:
    """What is kept of somebody."""

    photos: int
    visits: int
    pictures: int
    oldest: datetime | None
    """When the first of the visits began."""
    visits_for: timedelta
    """How long visits are kept; zero when they are not."""
    pictures_for: timedelta


async def async_kept_of(household: Household, person: Person) -> KeptOf:
    """Count what is kept of somebody; raise VaultError."""
    counted = await household.hass.async_add_executor_job(household.vault.count_of, person.person_id)
    return KeptOf(
        len(person.templates),
        counted.visits,
        counted.pictures,
        counted.oldest,
        visits_kept_for(household, person.consent),
        pictures_kept_for(household, person.consent),
    )
