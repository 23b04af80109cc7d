"""The sentences that Assist understands: registered while something may be mentioned, and taken from nobody else."""

import json
from typing import Any

from homeassistant.components import conversation
from homeassistant.components.conversation.agent_manager import async_get_agent
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import entity_registry as er, intent
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces import assist as assist_sentences
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.wording.words import LANGUAGES

from ..common.exposing import SEEN, VISITOR, expose

THERE, LAST, STRANGER = "FamiliarFacesWhoIsThere", "FamiliarFacesLastSeen", "FamiliarFacesDidAStrangerCome"
AT = f"/{assist_sentences.AT_CAMERA}"
QUESTIONS = {
    "en": {
        "Who is at the door?": THERE,
        "who's outside right now": THERE,
        "Is somebody at the Front Door?": THERE + AT,
        "when did you last see Anna Maria": LAST,
        "has a stranger been here today": STRANGER,
        "did a stranger come to the front door today": STRANGER + AT,
        "who is home": None,
        "who is at home": None,
        "is anyone at home": None,
        "who is at the shed": None,
    },
    "nl": {
        "Wie staat er voor de deur?": THERE,
        "wie heeft er net aangebeld": THERE,
        "is er iemand bij de front door": THERE + AT,
        "wanneer was Anna Maria voor het laatst hier": LAST,
        "zijn er vandaag onbekenden geweest": STRANGER,
        "wie is er thuis": None,
        "is er iemand thuis": None,
    },
    "de": {
        "Wer steht vor der Tür?": THERE,
        "wer hat gerade geklingelt": THERE,
        "ist jemand an der front door": THERE + AT,
        "wann war Anna Maria das letzte Mal hier": LAST,
        "ist heute jemand Fremdes gekommen": STRANGER,
        "wer ist zuhause": None,
        "ist jemand zu Hause": None,
    },
}


@pytest.fixture
async def assist(hass: HomeAssistant) -> None:
    """Set up the assistant."""
    for domain in ("homeassistant", "intent", "conversation"):
        assert await async_setup_component(hass, domain, {})


async def say(hass: HomeAssistant, text: str, language: str = "en") -> conversation.ConversationResult:
    """Say something to Home Assistant's own assistant."""
    await hass.async_block_till_done()
    return await conversation.async_converse(
        hass, text, None, Context(), language=language, agent_id=conversation.HOME_ASSISTANT_AGENT
    )


async def understood(hass: HomeAssistant, text: str) -> bool:
    """Return whether a sentence is one of those that are registered."""
    await hass.async_block_till_done()
    asked = conversation.ConversationInput(
        text=text,
        context=Context(),
        conversation_id=None,
        device_id=None,
        satellite_id=None,
        language="en",
        agent_id=conversation.HOME_ASSISTANT_AGENT,
    )
    return await async_get_agent(hass).async_recognize_sentence_trigger(asked) is not None


@pytest.mark.parametrize("language", sorted(QUESTIONS))
async def test_sentences(
    hass: HomeAssistant, assist: None, hub: Hub, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    """The sentences are understood, and take none away from Home Assistant's own."""
    expose(hass, VISITOR)
    handled: list[str] = []
    handle = intent.async_handle

    async def note(*asked: Any, **more: Any) -> intent.IntentResponse:
        slots = asked[3]
        assert isinstance(slots, dict)
        at = slots.pop("camera", None)
        if at is not None:
            assert at == {"value": "front door"}
        if asked[2] == LAST:
            assert slots == {"person": {"value": "Anna Maria"}}
        handled.append(f"{asked[2]}{AT if at is not None else ''}")
        return await handle(*asked, **more)

    monkeypatch.setattr(intent, "async_handle", note)
    for text, expected in QUESTIONS[language].items():
        if expected is None:
            assert not await understood(hass, text), text
        else:
            await say(hass, text, language)
            assert handled.pop() == expected, text
    assert handled == []


def test_sentences_in_every_language() -> None:
    """Each language has sentences for each intent, and each intent has some that name what it can be asked about."""
    assert {path.stem for path in assist_sentences.SENTENCES.iterdir()} == set(LANGUAGES) == set(QUESTIONS)
    for language in LANGUAGES:
        said = json.loads((assist_sentences.SENTENCES / f"{language}.json").read_text(encoding="utf-8"))
        assert said.keys() == {THERE, LAST, STRANGER}
        assert all("{person}" in each for each in said[LAST])
        assert all(any("{camera}" in each for each in said[kind]) for kind in (THERE, STRANGER))


async def test_only_while_something_is_exposed(
    hass: HomeAssistant, assist: None, hub: Hub, eileen: str, entry: MockConfigEntry
) -> None:
    """Where nothing may be mentioned, nothing is understood, and nothing is left behind."""
    question = "who is at the door"
    assert not await understood(hass, question)
    expose(hass, SEEN)
    assert await understood(hass, question)
    assert not await understood(hass, "who is at the front door")
    expose(hass, VISITOR)
    assert await understood(hass, "who is at the front door")
    expose(hass, SEEN, VISITOR, exposed=False)
    assert not await understood(hass, question)
    expose(hass, SEEN, VISITOR)
    assert await understood(hass, question)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert not await understood(hass, question)


async def test_what_cameras_are_called(
    hass: HomeAssistant, assist: None, hub: Hub, entry: MockConfigEntry
) -> None:
    """A camera is asked about by each of its names, also by those that are no sentence for Assist."""
    expose(hass, VISITOR)
    registry = er.async_get(hass)
    registry.async_update_entity(VISITOR, aliases=["The shed (old), left|right!", "...", "Shed"])
    said = (await say(hass, "who is at the the shed old left right")).response.speech["plain"]["speech"]
    # As the camera's own name is answered, and not as the name of a camera that is not there.
    assert said == (await say(hass, "who is at the front door")).response.speech["plain"]["speech"]
    assert "camera" not in said
    assert await understood(hass, "who is at the shed")
    (subentry,) = entry.get_subentries_of_type("camera")
    hass.config_entries.async_update_subentry(entry, subentry, title="Garden gate")
    assert await understood(hass, "who is at the garden gate")
    assert not await understood(hass, "who is at the front garden")
