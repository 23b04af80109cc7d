"""Which visits a trigger or a condition is about: whose, at which cameras, and of what kind."""

from collections.abc import Iterable
from dataclasses import dataclass
import re
from typing import Final

from homeassistant.const import CONF_OPTIONS, Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv, device_registry as dr, entity_registry as er
from homeassistant.helpers.target import TargetSelection, async_extract_referenced_entity_ids
from homeassistant.helpers.typing import ConfigType, VolDictType
import voluptuous as vol

from ..const import CONF_CAMERA, CONF_PERSON_ID, DOMAIN, SUBENTRY_CAMERA, SUBENTRY_PERSON
from ..visits.visit import Decision

CONF_PERSON: Final = "person"

_DEVICE_ID = re.compile(r"[0-9a-f]{32}")


def _device_id(value: object) -> str:
    """Return the id of a device; raise Invalid for what can be none, such as a name.

    A name would lie in a file where nobody finds it who is asked to forget the person.
    """
    if not isinstance(value, str) or not _DEVICE_ID.fullmatch(value):
        raise vol.Invalid("people and cameras are chosen by the ids of their devices")
    return value


_DEVICE_IDS = vol.All(cv.ensure_list, [_device_id])
PERSON_OPTION: Final[VolDictType] = {vol.Optional(CONF_PERSON): _DEVICE_IDS}
CAMERA_OPTION: Final[VolDictType] = {vol.Optional(CONF_CAMERA): _DEVICE_IDS}


@dataclass(frozen=True, slots=True)
class Sought:
    """The visits that are sought at a moment; None stands for any."""

    decisions: frozenset[Decision]
    targeted: frozenset[str] | None = None
    """Ids of cameras and of people: one of the two has to fit."""
    people: frozenset[str] | None = None
    cameras: frozenset[str] | None = None

    def fits(self, decision: Decision, camera_id: str, person_id: str | None) -> bool:
        """Return whether a visit is one of them."""
        return (
            decision in self.decisions
            and (self.targeted is None or not self.targeted.isdisjoint({camera_id, person_id}))
            and (self.people is None or person_id in self.people)
            and (self.cameras is None or camera_id in self.cameras)
        )


@callback
def async_sought(
    hass: HomeAssistant, decisions: Iterable[Decision], target: ConfigType | None, options: ConfigType
) -> Sought:
    """Return what is sought now by what was chosen; a person who is forgotten stands for nobody."""

    def chosen(key: str) -> frozenset[str] | None:
        return async_ids(hass, options[key]) if options.get(key) else None

    return Sought(
        frozenset(decisions),
        async_targeted(hass, target, Platform.EVENT),
        chosen(CONF_PERSON),
        chosen(CONF_CAMERA),
    )


@callback
def async_ids(hass: HomeAssistant, device_ids: Iterable[str]) -> frozenset[str]:
    """Return the ids of the people and cameras that devices stand for."""
    registry = dr.async_get(hass)
    devices = [device for each in device_ids if (device := registry.async_get(each)) is not None]
    return frozenset(value for device in devices for domain, value in device.identifiers if domain == DOMAIN)


@callback
def async_targeted(
    hass: HomeAssistant, target: ConfigType | None, platform: Platform
) -> frozenset[str] | None:
    """Return the ids of the people and cameras that a target means; None when it means all of them.

    They are meant by their devices, and by their entities of a platform, also by way of an area or a label.
    """
    selection = TargetSelection(target or {})
    if not selection.has_any_target:
        return None
    selected = async_extract_referenced_entity_ids(hass, selection, expand_group=False)
    registry = er.async_get(hass)
    devices = {*selection.device_ids, *selected.referenced_devices}
    for entity_id in selected.referenced | selected.indirectly_referenced:
        entry = registry.async_get(entity_id)
        if entry is None or entry.device_id is None:
            continue
        if entry.platform == DOMAIN and entry.domain == platform:
            devices.add(entry.device_id)
    return async_ids(hass, devices)


@callback
def async_kind(hass: HomeAssistant, device_id: str) -> str | None:
    """Return the type of the subentry that a device stands for; None for a device of something else."""
    ids = async_ids(hass, [device_id])
    for entry in hass.config_entries.async_entries(DOMAIN):
        for subentry in entry.subentries.values():
            if subentry.subentry_id in ids or subentry.data.get(CONF_PERSON_ID) in ids:
                return subentry.subentry_type
    return None


@callback
def async_check_devices(hass: HomeAssistant, config: ConfigType) -> None:
    """Raise Invalid when a device was chosen that is something else.

    One that there is not is left alone: a person may have been forgotten since, and an automation that waits
    for others too goes on.
    """
    registry = dr.async_get(hass)
    options = config.get(CONF_OPTIONS, {})
    for key, kind in ((CONF_PERSON, SUBENTRY_PERSON), (CONF_CAMERA, SUBENTRY_CAMERA)):
        for device_id in options.get(key, ()):
            if registry.async_get(device_id) is not None and async_kind(hass, device_id) != kind:
                raise vol.Invalid(f"device {device_id} is no {kind} of this integration", [CONF_OPTIONS, key])
