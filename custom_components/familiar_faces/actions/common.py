"""What the actions share: their description, and finding the person meant."""

from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from homeassistant.const import CONF_NAME, Platform
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.typing import VolSchemaType
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..const import CONF_CAMERA, DOMAIN, SUBENTRY_CAMERA
from ..people.person import Person
from ..running import async_running_hub
from ..seen.visit_filter import async_targeted

if TYPE_CHECKING:
    from ..hub import Hub

ATTR_PERSON = "person"

TEXT = vol.All(cv.string, str.strip, vol.Length(min=1))


@dataclass(frozen=True, slots=True)
class Action:
    """An action as it is registered."""

    name: str
    handler: Callable[[ServiceCall], Coroutine[Any, Any, ServiceResponse]]
    schema: VolSchemaType
    answers: SupportsResponse = SupportsResponse.OPTIONAL
    everybody: bool = False
    """Whether every user may call it, and not administrators alone."""


def hub_of(hass: HomeAssistant) -> Hub:
    """Return the running hub."""
    if (hub := async_running_hub(hass)) is None:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="not_loaded")
    return hub


@callback
def async_targets(call: ServiceCall, platform: Platform, known: Collection[str]) -> set[str] | None:
    """Return which known ids of people, cameras and alerts are targeted; None without a target.

    They are meant by their devices, and by their entities of a platform, also by way of an area or a label.
    """
    target = {key: call.data[key] for key in map(str, cv.TARGET_FIELDS) if key in call.data}
    targeted = async_targeted(call.hass, target, platform)
    if targeted is None:
        return None
    if not (found := {each for each in known if each in targeted}):
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="nothing_targeted")
    return found


def find_person(hub: Hub, said: str) -> Person:
    """Return who is meant by an id, a device or a name."""
    return hub.people[find_among(hub, said, {each.person_id: each.name for each in hub.people.values()})]


def find_id(hub: Hub, said: str) -> str:
    """Return the id of the person meant, even if their data is unreadable."""
    shown = {
        person_id: str(subentry.data[CONF_NAME]) for person_id, subentry in hub.roster.subentries().items()
    }
    return find_among(hub, said, shown | {each.person_id: each.name for each in hub.people.values()})


def find_consenting(hub: Hub, call: ServiceCall) -> Person | None:
    """Return the person who was named and may be recognised now; None when nobody was named."""
    if ATTR_PERSON not in call.data:
        return None
    person = find_person(hub, call.data[ATTR_PERSON])
    if not person.may_be_recognised(dt_util.utcnow()):
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_consent",
            translation_placeholders={"name": person.name},
        )
    return person


def find_among(hub: Hub, said: str, names: Mapping[str, str]) -> str:
    """Return the one of these ids, given with their names, that is meant by an id, a device or a name."""
    found = all_meant(hub, said, names)
    if not found:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="unknown_person",
            translation_placeholders={"person": said},
        )
    if len(found) > 1:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="ambiguous_person",
            translation_placeholders={"person": said},
        )
    return found[0]


def all_meant(hub: Hub, said: str, names: Mapping[str, str]) -> list[str]:
    """Return the one of these ids that an id or a device means, or else all of that name."""
    device = dr.async_get(hub.hass).async_get(said)
    ids = {said} if device is None else {value for domain, value in device.identifiers if domain == DOMAIN}
    if found := ids & names.keys():
        return [found.pop()]
    return [each for each, name in names.items() if name.casefold() == said.casefold()]


def cameras_of(hub: Hub) -> dict[str, str]:
    """Return the ids of the cameras by their camera entities."""
    return {
        each.data[CONF_CAMERA]: each.subentry_id for each in hub.entry.get_subentries_of_type(SUBENTRY_CAMERA)
    }


def find_cameras(said: Collection[str], known: Mapping[str, str]) -> set[str]:
    """Return the ids of the cameras that are meant by their camera entities; `known`: the ids by these."""
    for entity_id in said:
        if entity_id not in known:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="unknown_camera",
                translation_placeholders={"camera": entity_id},
            )
    return {known[entity_id] for entity_id in said}
