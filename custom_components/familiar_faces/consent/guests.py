"""Tells the owner what a guest has done on their own phone: nobody waits beside it."""

from homeassistant.components.persistent_notification import async_create

from ..const import DOMAIN
from ..household.household import Household
from ..people.person import Person
from ..wording.words import async_say


async def async_notify_done(household: Household, person: Person, *, renewed: bool = False) -> None:
    """Notify the owner that somebody has added themselves, or renewed their consent.

    The notification goes when they are forgotten, as each that names them does.
    """
    message = await async_say(household.hass, "guest", "renewed" if renewed else "added", name=person.name)
    async_create(household.hass, message, person.name, f"{DOMAIN}_guest_{person.person_id}")
