"""What waits for the owner: repairs of this integration, what is still to be set up, and what could be better."""

from collections.abc import Iterator
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..const import DOMAIN, SUBENTRY_CAMERA
from ..host.engine import EngineStatus
from ..household.issues import (
    CAMERA_NO_PICTURE,
    CAMERA_OLD_PICTURE,
    CAMERA_TURNED,
    CONSENT_EXPIRED,
    CONSENT_EXPIRING,
    NO_PEOPLE,
)
from ..visits.fitness import Fitness
from .permitted import Asked

_OF_PEOPLE: Final = (CONSENT_EXPIRED, CONSENT_EXPIRING)
_OF_CAMERAS: Final = (CAMERA_NO_PICTURE, CAMERA_OLD_PICTURE, CAMERA_TURNED)
_SHOWN_OTHERWISE: Final = (
    Fitness.GOOD,
    Fitness.TURNED,
    Fitness.NO_PICTURE,
    Fitness.OLD_PICTURE,
    Fitness.NOBODY_AGREED,
)
"""How a camera may do that needs nothing, or is a repair."""


@callback
def async_todo(hass: HomeAssistant, asked: Asked) -> list[dict[str, Any]]:
    """Return what is to be done, the most urgent first; nothing for users, who could do none of it."""
    if not asked.administrator:
        return []
    return [*_issues(hass), *_steps(asked), *_better(asked)]


@callback
def async_setup(asked: Asked) -> dict[str, bool] | None:
    """Return which steps of the set-up are done, in their order; None once a first name was said, and for users."""
    hub = asked.hub
    if not asked.administrator or hub.first_name.said:
        return None
    return {
        "engine": hub.engine.status is EngineStatus.READY,
        "camera": any(hub.entry.get_subentries_of_type(SUBENTRY_CAMERA)),
        "person": hub.roster.anybody(),
        "name": False,
    }


def _issues(hass: HomeAssistant) -> Iterator[dict[str, Any]]:
    """Yield the repairs that are shown: not those that were put off."""
    found = [
        each
        for (domain, issue_id), each in ir.async_get(hass).issues.items()
        # That there are no people is a step here.
        if domain == DOMAIN and each.active and each.dismissed_version is None and issue_id != NO_PEOPLE
    ]
    urgent = {ir.IssueSeverity.CRITICAL: 0, ir.IssueSeverity.ERROR: 1}
    found.sort(key=lambda each: (urgent.get(each.severity or ir.IssueSeverity.WARNING, 2), each.created))
    for each in found:
        yield {
            "id": each.issue_id,
            "kind": "issue",
            "key": each.translation_key,
            "values": each.translation_placeholders or {},
            **_about(each),
        }


def _about(issue: ir.IssueEntry) -> dict[str, str]:
    """Return the person or the camera whose page shows what a repair is about."""
    for kind, keys in (("person_id", _OF_PEOPLE), ("camera_id", _OF_CAMERAS)):
        if issue.translation_key in keys:
            return {kind: issue.issue_id.removeprefix(f"{issue.translation_key}_")}
    return {}


def _steps(asked: Asked) -> Iterator[dict[str, Any]]:
    """Yield the steps without which nobody is recognised, and that no repair mentions."""
    subentries = asked.hub.entry.subentries.values()
    if not any(each.subentry_type == SUBENTRY_CAMERA for each in subentries):
        yield {"id": "no_camera", "kind": "step", "key": "no_camera", "values": {}}
    if not asked.hub.roster.subentries():
        yield {"id": "no_person", "kind": "step", "key": "no_person", "values": {}}


def _better(asked: Asked) -> Iterator[dict[str, Any]]:
    """Yield the cameras that could see faces better; nothing of it is urgent."""
    for camera_id, place in asked.lookup.places().items():
        watcher = asked.hub.watchers.get(camera_id)
        if watcher is None or watcher.fitness_state in (None, *_SHOWN_OTHERWISE):
            continue
        yield {
            "id": f"fitness_{camera_id}",
            "kind": "better",
            "key": str(watcher.fitness_state),
            "values": {"camera": place.name, "width": str(watcher.fitness.face_width or "?")},
            "camera_id": camera_id,
        }
