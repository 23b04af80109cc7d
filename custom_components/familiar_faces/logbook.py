"""Lines of the logbook about visits. Names are looked up when they are read, and stand in nothing that is stored."""

from collections.abc import Callable

from homeassistant.components.logbook.const import (
    LOGBOOK_ENTRY_ICON,
    LOGBOOK_ENTRY_MESSAGE,
    LOGBOOK_ENTRY_NAME,
)
from homeassistant.components.logbook.models import LazyEventPartialState
from homeassistant.core import HomeAssistant, callback

from .const import ATTR_DECISION, DOMAIN, EVENT_VISIT, MANUFACTURER
from .seen.visit_log import VISIT_LOG, camera_of, visit_id_of
from .visits.visit import Decision
from .wording.words import say_at_once

_ICONS = {
    Decision.FAMILIAR: "mdi:account-check",
    Decision.STRANGER: "mdi:account-question",
    Decision.UNCLEAR: "mdi:account-off-outline",
}


@callback
def async_describe_events(
    hass: HomeAssistant,
    async_describe_event: Callable[[str, str, Callable[[LazyEventPartialState], dict[str, str]]], None],
) -> None:
    """Describe visits."""

    def describe(event: LazyEventPartialState) -> dict[str, str]:
        """Describe a visit. What was recorded is described in a thread, what happens now on the event loop."""
        return _describe(hass, event)

    async_describe_event(DOMAIN, EVENT_VISIT, describe)


def _describe(hass: HomeAssistant, event: LazyEventPartialState) -> dict[str, str]:
    log = hass.data.get(VISIT_LOG)
    camera = camera_of(hass, event.data)
    visit = None if log is None else log.find(visit_id_of(event.data))
    name = None if visit is None else visit.name
    decision = str(event.data.get(ATTR_DECISION))
    if decision == Decision.FAMILIAR and name is not None:
        who, what = name, "seen"
    elif visit is None and decision in (Decision.STRANGER, Decision.UNCLEAR):
        who = say_at_once(hass, "logbook", f"who_{decision}")
        what = "came" if decision == Decision.STRANGER else "came_unclear"
    else:
        # Familiar but no longer to be named, or taken for a stranger and recognised a moment later.
        who, what = say_at_once(hass, "logbook", "who_unclear"), "came"
    # Where a line stands under its entity, the frontend shows the message alone: it is the message that says who.
    line = {
        LOGBOOK_ENTRY_NAME: camera or MANUFACTURER,
        LOGBOOK_ENTRY_MESSAGE: say_at_once(hass, "logbook", what, who=who),
    }
    if decision in _ICONS:
        line[LOGBOOK_ENTRY_ICON] = _ICONS[Decision(decision)]
    # Without an entity: the logbook would show its name, "Visitor", in the place of this one.
    return line
