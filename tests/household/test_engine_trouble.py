"""What is said of an engine that does not work, in a sentence of each language."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations
import pytest

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.host.engine_errors import (
    AnotherAnswer,
    AnotherModel,
    EngineError,
    EngineForged,
    EngineIncompatible,
    EngineMoved,
    EngineRefused,
    EngineTooNew,
    EngineTooOld,
    EngineUntrusted,
    TokenMissing,
)
from custom_components.familiar_faces.household.engine_trouble import async_trouble


@pytest.mark.parametrize("language", ["en", "nl", "de"])
@pytest.mark.parametrize(
    ("problem", "key"),
    [
        (EngineUntrusted("x"), "certificate"),
        (EngineMoved("x"), "redirects"),
        (AnotherAnswer("x"), "another_answer"),
        (EngineIncompatible("x"), "not_an_engine"),
        (EngineRefused("x"), "refused"),
        (EngineTooOld("x"), "too_old"),
        (EngineTooNew("x"), "too_new"),
        (EngineForged("x"), "forged"),
        (AnotherModel("x"), "another_model"),
        (TokenMissing("x"), "token_missing"),
    ],
)
async def test_what_is_wrong_elsewhere_is_said_in_this_language(
    hass: HomeAssistant, enable_custom_integrations: None, language: str, problem: EngineError, key: str
) -> None:
    hass.config.language = language
    words = await async_get_translations(hass, language, "selector", [DOMAIN])
    said = async_trouble(hass, problem)
    assert said == words[f"component.{DOMAIN}.selector.engine_elsewhere.options.{key}"]
    assert said != key
