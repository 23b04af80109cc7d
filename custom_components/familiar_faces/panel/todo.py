"""What waits for the owner: Home Assistant's repairs of this integration, and what nobody is recognised without."""

from collections.abc import Iterator
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..const import DOMAIN, SUBENTRY_CAMERA
from ..household.issues import NO_PEOPLE
from .permitted import Asked


@callback
def async_todo(hass: HomeAssistant, asked: Asked) -> list[dict[str, Any]]:
    """Return what is to be done, the most urgent first; nothing for users, who could do none of it."""
    if not asked.administrator:
        return []
    return [*_issues(hass), *_steps(asked)]


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
        }


def _steps(asked: Asked) -> Iterator[dict[str, Any]]:
    """Yield the steps without which nobody is recognised, and that no repair mentions."""
    subentries = asked.hub.entry.subentries.values()
    if not any(each.subentry_type == SUBENTRY_CAMERA for each in subentries):
        yield {"id": "no_camera", "kind": "step", "key": "no_camera", "values": {}}
    if not asked.hub.roster.subentries():
        yield {"id": "no_person", "kind": "step", "key": "no_person", "values": {}}
