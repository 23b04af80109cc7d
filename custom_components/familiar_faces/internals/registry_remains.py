"""What the registries of entities and devices keep of those that were removed, to bring them back as they were."""

from collections.abc import Callable

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from .unreachable import reach


def check(hass: HomeAssistant) -> bool:
    """Return whether this Home Assistant still keeps them as is expected here."""
    entities, devices = er.async_get(hass), dr.async_get(hass)
    return hasattr(getattr(entities, "deleted_entities", None), "values") and hasattr(
        getattr(devices, "_deleted_devices", None), "values"
    )


@callback
def async_deleted_entities(hass: HomeAssistant) -> list[er.DeletedRegistryEntry]:
    """Return the entities that were removed not long ago, none where they cannot be reached."""
    if not check(hass):
        return []
    return list(er.async_get(hass).deleted_entities.values())


@callback
def async_drop_entities(hass: HomeAssistant, is_gone: Callable[[str, str], bool]) -> int:
    """Keep nothing of removed entities, by their platform and unique id; return how many it was. Raises Unreachable."""
    reach(hass, __name__, check)
    registry = er.async_get(hass)
    gone = [key for key in registry.deleted_entities if is_gone(key[1], key[2])]
    for key in gone:
        del registry.deleted_entities[key]
    registry.async_schedule_save()
    return len(gone)


@callback
def async_drop_devices(hass: HomeAssistant, identifiers: set[tuple[str, str]]) -> int:
    """Keep nothing of removed devices that have one of these identifiers; return how many it was. Raises Unreachable."""
    reach(hass, __name__, check)
    registry = dr.async_get(hass)
    # The public name of it is deprecated and has no successor.
    deleted = registry._deleted_devices
    gone = [each.id for each in deleted.values() if each.identifiers & identifiers]
    for device_id in gone:
        del deleted[device_id]
    registry.async_schedule_save()
    return len(gone)
