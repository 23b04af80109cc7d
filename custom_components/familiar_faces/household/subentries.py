"""The subentries: how a person of the vault is shown, and what follows when an entity is renamed."""

from types import MappingProxyType

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import CONF_NAME
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

from ..const import (
    CONF_CAMERA,
    CONF_LINKED_ENTITY,
    CONF_PERSON_ID,
    CONF_TRIGGERS,
    SUBENTRY_CAMERA,
    SUBENTRY_PERSON,
)
from ..people.person import Person


def person_subentry(person: Person) -> ConfigSubentry:
    """Return the subentry of a person of the vault."""
    data = {CONF_PERSON_ID: person.person_id, CONF_NAME: person.name}
    if person.linked_entity is not None:
        data[CONF_LINKED_ENTITY] = person.linked_entity
    return ConfigSubentry(
        data=MappingProxyType(data),
        subentry_type=SUBENTRY_PERSON,
        title=person.name,
        unique_id=person.person_id,
    )


def camera_names(entry: ConfigEntry) -> dict[str, str]:
    """Return the names of the cameras by the ids of their subentries."""
    return {each.subentry_id: each.title for each in entry.get_subentries_of_type(SUBENTRY_CAMERA)}


@callback
def async_follow_renames(hass: HomeAssistant, entry: ConfigEntry) -> CALLBACK_TYPE:
    """Write the new id of a camera's or trigger's entity into the subentries; return how to end that."""

    @callback
    def renamed(event: Event[er.EventEntityRegistryUpdatedData]) -> None:
        if event.data["action"] != "update" or "entity_id" not in event.data["changes"]:
            return
        old, new = str(event.data["changes"]["entity_id"]), event.data["entity_id"]
        for subentry in entry.get_subentries_of_type(SUBENTRY_CAMERA):
            triggers = [new if each == old else each for each in subentry.data.get(CONF_TRIGGERS, ())]
            camera = new if subentry.data[CONF_CAMERA] == old else subentry.data[CONF_CAMERA]
            hass.config_entries.async_update_subentry(
                entry, subentry, data={**subentry.data, CONF_CAMERA: camera, CONF_TRIGGERS: triggers}
            )

    return hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, renamed)
