"""The links of people to entities `person.*`: they follow a new name of the entity, and end with it."""

import asyncio
import logging

from homeassistant.core import CALLBACK_TYPE, Event, callback
from homeassistant.helpers import entity_registry as er

from ..const import CONF_LINKED_ENTITY, DOMAIN
from ..vault.errors import UnknownPerson, VaultError
from .household import Household
from .subentries import person_subentry

_LOGGER = logging.getLogger(__name__)
_PERSON = "person"


@callback
def async_follow_linked(household: Household) -> CALLBACK_TYPE:
    """Follow what becomes of linked entities while the hub runs; return how to end that."""
    one_by_one = asyncio.Lock()

    @callback
    def is_about_a_person(data: er.EventEntityRegistryUpdatedData) -> bool:
        renamed = data["action"] == "update" and "entity_id" in data["changes"]
        return data["entity_id"].startswith(f"{_PERSON}.") and (renamed or data["action"] == "remove")

    @callback
    def changed(event: Event[er.EventEntityRegistryUpdatedData]) -> None:
        new: str | None = None
        old = event.data["entity_id"]
        if event.data["action"] == "update":
            new, old = old, str(event.data["changes"]["entity_id"])
        household.hass.async_create_task(relink(old, new), f"{DOMAIN} link to {_PERSON}")

    async def relink(old: str, new: str | None) -> None:
        async with one_by_one:
            await _async_relink(household, old, new)

    return household.hass.bus.async_listen(
        er.EVENT_ENTITY_REGISTRY_UPDATED, changed, event_filter=is_about_a_person
    )


async def _async_relink(household: Household, old: str, new: str | None) -> None:
    """Link the people of an entity to its new id, or to none."""
    for person_id, subentry in household.roster.subentries().items():
        if subentry.data.get(CONF_LINKED_ENTITY) != old:
            continue
        try:
            await household.hass.async_add_executor_job(household.vault.link_person, person_id, old, new)
            await household.async_refresh_people()
        except UnknownPerson:
            # They are being forgotten.
            continue
        except VaultError as err:
            _LOGGER.error("The link of a person to %s could not be changed: %s", old, err)
    async_show_links(household)


@callback
def async_show_links(household: Household) -> None:
    """Have the subentries say the links that the vault holds: a crash may have come between the two."""
    for person_id, subentry in household.roster.subentries().items():
        if (person := household.people.get(person_id)) is None:
            continue
        if subentry.data.get(CONF_LINKED_ENTITY) != person.linked_entity:
            household.hass.config_entries.async_update_subentry(
                household.entry, subentry, title=person.name, data={**person_subentry(person).data}
            )
