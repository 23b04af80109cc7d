"""The text that is agreed to: made from the live settings, in every language, and told apart by them."""

import itertools
import json

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.consent.text import async_consent_text
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.wording.words import LANGUAGES

from ..common.source import FOLDER

PERIODS = {"visit_days": 9, "picture_days": 3, "review_hours": 36, "audit_days": 730, "unseen_days": 61}


async def text_of(hub: Hub, language: str = "en", *, child: bool = False, **options: object) -> str:
    """Return the text with these settings."""
    hub.hass.config_entries.async_update_entry(hub.entry, options=options)
    return await async_consent_text(hub, language, name="Ada {visits}", child=child)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_whole_in_every_language(hass: HomeAssistant, hub: Hub, language: str) -> None:
    """Every setting that matters is in it, in figures, and nothing is left unfilled."""
    texts = set()
    for child, visits, review in itertools.product((False, True), (0, 9), (0, 36)):
        options = PERIODS | {"visit_days": visits, "picture_days": min(3, visits), "review_hours": review}
        text = await text_of(hub, language, child=child, **options)
        assert "{" not in text.replace("Ada {visits}", "")
        assert ("Ada" in text) is child
        assert ("36" in text) is bool(review)
        assert "61" in text
        assert all(paragraph.endswith(".") for paragraph in text.split("\n\n"))
        texts.add(text)
    assert len(texts) == 8


async def test_follows_the_settings(hass: HomeAssistant, hub: Hub) -> None:
    """What is set is what is agreed to."""
    text = await text_of(hub, consent_days=365)
    assert "This consent lasts at most 12 months." in text
    assert "for at most 30 days" in text
    assert "for at most 7 days" in text
    assert "erased 14 days later" in text
    assert "keeps for 36 months" in text
    assert "without a name" not in text
    assert "sooner when no visit was kept for 12 months" in text
    assert "sooner" not in await text_of(hub, consent_days=340)
    text = await text_of(hub, child=True, child_consent_days=30, picture_days=0, review_hours=24)
    assert "This consent lasts at most 30 days." in text
    assert "Pictures of visits are not kept." in text
    assert "for at most 24 hours" in text
    text = await text_of(hub, visit_days=0, picture_days=7)
    assert "Visits are not kept. Pictures of visits are not kept." in text
    text = await text_of(hub, responsible="Mia", contact="mia@home.example", visit_days=1, picture_days=1)
    assert text.endswith("Responsible: Mia, mia@home.example.")
    assert "for at most 1 day," not in text  # a day is said in hours, which nobody takes for a calendar day
    assert "for at most 24 hours" in text


async def test_every_sentence_is_used(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """No sentence is kept that no setting brings up."""
    english = json.loads((FOLDER / "translations" / "en.json").read_text(encoding="utf-8"))
    sentences = english["selector"]["consent_text"]["options"]
    said = ""
    for child in (False, True):
        for options in (
            {},
            PERIODS | {"responsible": "Mia"},
            {"visit_days": 0, "review_hours": 1, "consent_days": 31, "child_consent_days": 31},
        ):
            said += await text_of(hub, child=child, **options)
    for key, sentence in sentences.items():
        if key.startswith("read_") or "{count}" in sentence or sentence.startswith("1 "):
            continue
        longest = max(sentence.replace("}", "{").split("{"), key=len)
        assert longest in said, key


@pytest.mark.parametrize("child", [False, True])
async def test_says_who_is_told(hass: HomeAssistant, hub: Hub, child: bool) -> None:
    """Anyone who agrees knows that phones are told their name, and over whose services."""
    text = await text_of(hub, child=child)
    assert "may see" in text
    assert "travel through the services that deliver them. Nothing else is passed on." in text
