"""The subentries: how a person of the vault is shown, and what follows when an entity is renamed."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import CONF_NAME
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

from ..const import (
    CONF_CAMERA,
    CONF_EVENT_PICTURE,
    CONF_EVENT_TYPES,
    CONF_LINKED_ENTITY,
    CONF_PERSON_ID,
    CONF_ROLES,
    CONF_TRIGGERS,
    SUBENTRY_CAMERA,
    SUBENTRY_PERSON,
)
from ..people.names import cleaned
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
    """Return the names of the cameras by the ids of their subentries, as they can be shown anywhere."""
    return {
        each.subentry_id: cleaned(each.title) or each.data[CONF_CAMERA]
        for each in entry.get_subentries_of_type(SUBENTRY_CAMERA)
    }


@callback
def async_follow_renames(hass: HomeAssistant, entry: ConfigEntry) -> CALLBACK_TYPE:
    """Write the new id of a camera's or trigger's entity into the subentries; return how to end that."""

    @callback
    def renamed(event: Event[er.EventEntityRegistryUpdatedData]) -> None:
        if event.data["action"] != "update" or "entity_id" not in event.data["changes"]:
            return
        old, new = str(event.data["changes"]["entity_id"]), event.data["entity_id"]
        for subentry in entry.get_subentries_of_type(SUBENTRY_CAMERA):
            hass.config_entries.async_update_subentry(entry, subentry, data=_renamed(subentry.data, old, new))

    return hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, renamed)


def _renamed(data: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    """Return a camera's data with the new id of an entity."""

    def name(entity_id: str) -> str:
        return new if entity_id == old else entity_id

    renamed = {**data, CONF_TRIGGERS: [name(each) for each in data.get(CONF_TRIGGERS, ())]}
    for key in (CONF_CAMERA, CONF_EVENT_PICTURE):
        if key in data:
            renamed[key] = name(data[key])
    for key in (CONF_ROLES, CONF_EVENT_TYPES):
        if key in data:
            renamed[key] = {name(each): value for each, value in data[key].items()}
    return renamed


def entities_of(camera: ConfigSubentry) -> list[str]:
    """Return the ids of the entities that a camera needs: its own, its triggers, and of its event pictures."""
    image = camera.data.get(CONF_EVENT_PICTURE)
    return [
        camera.data[CONF_CAMERA],
        *camera.data.get(CONF_TRIGGERS, ()),
        *([] if image is None else [image]),
    ]
