"""Why the engine does not work, in a sentence of this home's language."""

from enum import StrEnum

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


class Elsewhere(StrEnum):
    """How that which is wrong with an engine elsewhere is called in the words."""

    ANOTHER_ANSWER = "another_answer"
    ANOTHER_MODEL = "another_model"
    CERTIFICATE = "certificate"
    FORGED = "forged"
    NOT_AN_ENGINE = "not_an_engine"
    REDIRECTS = "redirects"
    REFUSED = "refused"
    TOKEN_MISSING = "token_missing"
    TOO_NEW = "too_new"
    TOO_OLD = "too_old"


_KINDS: tuple[tuple[type[EngineError], Elsewhere], ...] = (
    (EngineUntrusted, Elsewhere.CERTIFICATE),
    (EngineMoved, Elsewhere.REDIRECTS),
    (AnotherAnswer, Elsewhere.ANOTHER_ANSWER),
    (AnotherModel, Elsewhere.ANOTHER_MODEL),
    (EngineForged, Elsewhere.FORGED),
    (EngineTooOld, Elsewhere.TOO_OLD),
    (EngineTooNew, Elsewhere.TOO_NEW),
    (EngineIncompatible, Elsewhere.NOT_AN_ENGINE),
    (TokenMissing, Elsewhere.TOKEN_MISSING),
    (EngineRefused, Elsewhere.REFUSED),
)
"""What is special before what is general."""


def key_elsewhere(problem: Exception | None) -> Elsewhere | None:
    """Return what is wrong with an engine elsewhere; None for what has no name."""
    return next((key for kind, key in _KINDS if isinstance(problem, kind)), None)


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
