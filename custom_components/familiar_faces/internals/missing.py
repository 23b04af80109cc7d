"""Whether this Home Assistant still has what is reached for in this room."""

from collections.abc import Callable, Mapping

from homeassistant.core import HomeAssistant, callback

from . import (
    automation_traces,
    companion_app,
    event_entities,
    go2rtc_server,
    image_answers,
    log_records,
    own_notifications,
    recorder_caused,
    recorder_file,
    recorder_mentions,
    recorder_rows,
    recorder_thread,
    registry_remains,
    restored_states,
    stored_files,
    uploads,
    user_language,
)

CHECKS: Mapping[str, Callable[[HomeAssistant], bool]] = {
    module.__name__.rpartition(".")[2]: module.check
    for module in (
        automation_traces,
        companion_app,
        event_entities,
        go2rtc_server,
        image_answers,
        log_records,
        own_notifications,
        recorder_caused,
        recorder_file,
        recorder_mentions,
        recorder_rows,
        recorder_thread,
        registry_remains,
        restored_states,
        stored_files,
        uploads,
        user_language,
    )
}
"""The checks, by the modules that they are of."""

TOLD_BY = frozenset({"companion_app"})
"""Modules by which somebody is told."""
SHOWN_BY = frozenset({"go2rtc_server", "user_language"})
"""Modules that only make something better: one more way to a camera's pictures, and a user's own language.

All others are needed to forget somebody.
"""


@callback
def async_missing(hass: HomeAssistant) -> list[str]:
    """Return the modules whose check fails."""
    return [name for name, check in CHECKS.items() if not check(hass)]


@callback
def async_not_forgettable(hass: HomeAssistant) -> list[str]:
    """Return the modules whose check fails and without which nobody can be forgotten everywhere.

    While there is any, that somebody was forgotten must not be called verified.
    """
    return [name for name in async_missing(hass) if name not in TOLD_BY | SHOWN_BY]
