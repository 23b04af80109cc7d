"""Why the engine does not work, in a sentence of this home's language."""

from homeassistant.core import HomeAssistant, callback

from ..host.engine_errors import EngineBroken, EngineError, EnvironmentFailed
from ..wording.words import say_at_once


@callback
def async_trouble(hass: HomeAssistant, problem: EngineError | EnvironmentFailed | None) -> str:
    """Return what is wrong and what to do; empty for nothing."""
    match problem:
        case None:
            return ""
        case EnvironmentFailed(reason_key=reason_key, what=what):
            return say_at_once(hass, "cannot_prepare", reason_key, what=what)
        case EngineBroken(failed="weights"):
            return say_at_once(hass, "cannot_prepare", "weights_failed")
        case EngineBroken(what=what) if what:
            return say_at_once(hass, "cannot_prepare", "import_failed", what=what)
        case EngineBroken():
            return say_at_once(hass, "cannot_prepare", "self_check_failed")
    return str(problem)
