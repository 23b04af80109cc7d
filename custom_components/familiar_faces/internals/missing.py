"""Whether this Home Assistant still has what is reached for in this room."""

from collections.abc import Callable, Mapping

from homeassistant.core import HomeAssistant, callback

from . import (
    automation_traces,
    companion_app,
    event_entities,
    image_answers,
    log_records,
    own_notifications,
    recorder_caused,
    recorder_file,
    recorder_mentions,
    recorder_rows,
    registry_remains,
    restored_states,
    stored_files,
)

CHECKS: Mapping[str, Callable[[HomeAssistant], bool]] = {
    module.__name__.rpartition(".")[2]: module.check
    for module in (
        automation_traces,
        companion_app,
        event_entities,
        image_answers,
        log_records,
        own_notifications,
        recorder_caused,
        recorder_file,
        recorder_mentions,
        recorder_rows,
        registry_remains,
        restored_states,
        stored_files,
    )
}
"""The checks, by the modules that they are of."""


@callback
def async_missing(hass: HomeAssistant) -> list[str]:
    """Return the modules whose check fails."""
    return [name for name, check in CHECKS.items() if not check(hass)]
