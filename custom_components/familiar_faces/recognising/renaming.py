"""Follows that a person's entry was renamed in Home Assistant: the vault takes the name, or it is put back."""

import logging

from homeassistant.components.persistent_notification import async_create
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_NAME

from ..const import CONF_PERSON_ID, DOMAIN
from ..household.household import Household
from ..household.subentries import person_subentry
from ..people.names import MAX_NAME, cleaned
from ..people.person import RESERVED_NAMES, Person
from ..vault.errors import VaultError
from ..wording.words import async_say

_LOGGER = logging.getLogger(__name__)


def name_refused(name: str, person_id: str, people: dict[str, Person]) -> str | None:
    """Return why somebody cannot be called so, as the key of an error; None when they can."""
    if not name or len(name) > MAX_NAME:
        return "name_needed"
    if name.casefold() in RESERVED_NAMES:
        return "name_reserved"
    if any(
        each.person_id != person_id and each.name.casefold() == name.casefold() for each in people.values()
    ):
        return "name_taken"
    return None


async def async_follow_title(household: Household, subentry: ConfigSubentry) -> None:
    """Call a person as their entry is called now; where that cannot be, say so and call the entry as before."""
    person = household.people.get(subentry.data[CONF_PERSON_ID])
    current = household.entry.subentries.get(subentry.subentry_id)
    if person is None or current is None or current.title == current.data[CONF_NAME]:
        return
    hass, name = household.hass, cleaned(current.title)
    problem = name_refused(name, person.person_id, household.people)
    if problem is None:
        try:
            await hass.async_add_executor_job(
                household.vault.update_person, person.person_id, name, person.linked_entity
            )
            person = await hass.async_add_executor_job(household.vault.person, person.person_id)
        except VaultError as err:
            _LOGGER.error("A new name could not be written: %s", err)
            problem = "vault_failed"
    shown = person_subentry(person)
    hass.config_entries.async_update_subentry(
        household.entry, current, title=shown.title, data={**current.data, **shown.data}
    )
    if problem is not None:
        message = await async_say(hass, "rename", problem, name=person.name)
        async_create(hass, message, person.name, f"{DOMAIN}_rename_{person.person_id}")
