"""Which entities belong with a camera: its doorbells, what detects motion there, and its event pictures."""

import re

from homeassistant.components.event import EventDeviceClass
from homeassistant.components.image.const import DOMAIN as IMAGE_DOMAIN
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from ..const import DOMAIN
from .triggers import BELL_SENSORS, MOTION, PRESSES, async_device_class, async_event_types

_BELL = re.compile(
    r"(door|video)?_?bell|klingel|sonnette|deurbel|visitor|\bring(s|ing)?\b|ring_button|button_press"
)
"""What the key or name of a bell has in it, in the integrations that give their bells no class of their own."""
_NO_BELL = re.compile(r"backup|battery|update|volume|chime_?type|voicemail|firmware|restart|reboot")


@callback
def async_suggest_triggers(hass: HomeAssistant, camera: str) -> tuple[list[str], list[str]]:
    """Return the doorbells and the motion entities that belong with a camera, by its entity id.

    Those of the camera's own device come first; those of its area only where the device has none.
    """
    same_device, same_area = _near(hass, camera)

    def pick(candidates: list[er.RegistryEntry], *, ring: bool) -> list[str]:
        found = [each.entity_id for each in candidates if _is_trigger(hass, each, ring=ring)]
        return list(dict.fromkeys(found))

    return (
        pick(same_device, ring=True) or pick(same_area, ring=True),
        pick(same_device, ring=False) or pick(same_area, ring=False),
    )


@callback
def async_suggest_event_pictures(hass: HomeAssistant, camera: str) -> list[str]:
    """Return the image entities of the camera's own device, those that show a person or a face first."""
    same_device, _ = _near(hass, camera)
    found = [
        each
        for each in same_device
        if each.domain == IMAGE_DOMAIN and each.platform != DOMAIN and each.disabled_by is None
    ]
    words = ("face", "person", "visitor", "doorbell", "event", "snapshot")

    def rank(entry: er.RegistryEntry) -> int:
        text = _text(entry)
        return next((at for at, word in enumerate(words) if word in text), len(words))

    return [each.entity_id for each in sorted(found, key=rank)]


@callback
def async_other_cameras(hass: HomeAssistant, camera: str) -> list[str]:
    """Return the other camera entities of a camera's own device: its main and its sub stream are two of them."""
    entities = er.async_get(hass)
    if (entry := entities.async_get(camera)) is None or entry.device_id is None:
        return []
    return [
        each.entity_id
        for each in er.async_entries_for_device(entities, entry.device_id)
        if each.domain == Platform.CAMERA and each.entity_id != camera
    ]


def _near(hass: HomeAssistant, camera: str) -> tuple[list[er.RegistryEntry], list[er.RegistryEntry]]:
    """Return the other entities of a camera's device, with the devices that belong to it, and those of its area."""
    entities, devices = er.async_get(hass), dr.async_get(hass)
    if (entry := entities.async_get(camera)) is None:
        return [], []
    device = devices.async_get(entry.device_id) if entry.device_id else None
    area = entry.area_id or (device.area_id if device else None)
    same_device: list[er.RegistryEntry] = []
    if device is not None:
        # The devices behind it, and its own in other integrations.
        others = [each for each in devices.devices if isinstance(each, dr.DeviceEntry)]
        family = {each.id for each in others if each.via_device_id == device.id}
        if isinstance(device, dr.DeviceEntry):
            family |= {each.id for each in others if each.connections & device.connections}
        for device_id in (device.id, *sorted(family - {device.id})):
            same_device += er.async_entries_for_device(entities, device_id)
    same_area: list[er.RegistryEntry] = []
    if area is not None:
        same_area = list(er.async_entries_for_area(entities, area))
        for other in dr.async_entries_for_area(devices, area):
            same_area += er.async_entries_for_device(entities, other.id)
    return same_device, same_area


def _text(entry: er.RegistryEntry) -> str:
    parts = (entry.entity_id, entry.translation_key, entry.original_name, entry.unique_id)
    return " ".join(part for part in parts if part).lower()


def _is_trigger(hass: HomeAssistant, entry: er.RegistryEntry, *, ring: bool) -> bool:
    if entry.disabled_by is not None or entry.platform == DOMAIN or entry.entity_category is not None:
        return False
    device_class = async_device_class(hass, entry.entity_id)
    if not ring:
        if device_class in MOTION and _BELL.search(_text(entry)):
            return False
        return entry.domain in (Platform.BINARY_SENSOR, Platform.EVENT) and device_class in MOTION
    if entry.domain == Platform.EVENT:
        if device_class == EventDeviceClass.DOORBELL:
            types = async_event_types(hass, entry.entity_id)
            return not types or any(each in PRESSES for each in types)
        return device_class is None and _is_bell(entry) and bool(async_event_types(hass, entry.entity_id))
    if entry.domain == "input_button":
        # A helper of the owner's, such as one that an automation presses.
        return _is_bell(entry)
    return entry.domain == Platform.BINARY_SENSOR and device_class in BELL_SENSORS and _is_bell(entry)


def _is_bell(entry: er.RegistryEntry) -> bool:
    text = _text(entry)
    return _BELL.search(text) is not None and _NO_BELL.search(text) is None
