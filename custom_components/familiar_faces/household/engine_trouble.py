"""Why the engine does not work, in a sentence of this home's language."""

from homeassistant.core import HomeAssistant, callback

from ..host.engine_errors import (
    AnotherAnswer,
    EngineBroken,
    EngineError,
    EngineIncompatible,
    EngineMoved,
    EngineRefused,
    EngineUntrusted,
    EnvironmentFailed,
)
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
        case EngineUntrusted():
            return say_at_once(hass, "engine_elsewhere", "certificate")
        case EngineMoved():
            return say_at_once(hass, "engine_elsewhere", "redirects")
        case AnotherAnswer():
            return say_at_once(hass, "engine_elsewhere", "another_answer")
        case EngineIncompatible():
            return say_at_once(hass, "engine_elsewhere", "not_an_engine")
        case EngineRefused():
            return say_at_once(hass, "engine_elsewhere", "refused")
    return str(problem)
