"""Why the engine does not work, in a sentence of this home's language."""

from homeassistant.core import HomeAssistant, callback

from ..host.engine_errors import (
    AnotherAnswer,
    AnotherModel,
    EngineBroken,
    EngineError,
    EngineForged,
    EngineIncompatible,
    EngineMoved,
    EngineRefused,
    EngineTooNew,
    EngineTooOld,
    EngineUntrusted,
    EnvironmentFailed,
    TokenMissing,
)
from ..wording.words import say_at_once

_ELSEWHERE: tuple[tuple[type[EngineError], str], ...] = (
    (EngineUntrusted, "certificate"),
    (EngineMoved, "redirects"),
    (AnotherAnswer, "another_answer"),
    (AnotherModel, "another_model"),
    (EngineForged, "forged"),
    (EngineTooOld, "too_old"),
    (EngineTooNew, "too_new"),
    (EngineIncompatible, "not_an_engine"),
    (TokenMissing, "token_missing"),
    (EngineRefused, "refused"),
)
"""What is wrong with an engine elsewhere, what is special before what is general, and how that is called in the words."""


def key_elsewhere(problem: Exception | None) -> str | None:
    """Return how that which is wrong with an engine elsewhere is called in the words; None for what has no name."""
    return next((key for kind, key in _ELSEWHERE if isinstance(problem, kind)), None)


@callback
def async_trouble(hass: HomeAssistant, problem: EngineError | EnvironmentFailed | None) -> str:
    """Return what is wrong and what to do; empty for nothing."""
    if (key := key_elsewhere(problem)) is not None:
        return say_at_once(hass, "engine_elsewhere", key)
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
