"""Sentences that are put together while something runs: in the language of the user who asks."""

import re
from typing import Any

from homeassistant.components.config import config_entries
from homeassistant.components.frontend import storage
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.internals.missing import async_missing
from custom_components.familiar_faces.wording.words import async_say, readers_language

from ..common.owner import MakeClient, Owner

OPTIONS = "/api/config/config_entries/options/flow"


@pytest.fixture
async def owner(hass: HomeAssistant, hub: Hub, sockets: None, aiohttp_client: MakeClient) -> Owner:
    """Return an administrator, where the frontend keeps what users choose."""
    await hass.config.async_update(external_url="https://home.example.org")
    await hub.invitations.async_invite()
    assert await async_setup_component(hass, "websocket_api", {})
    assert await async_setup_component(hass, "http", {})
    await storage.async_setup_frontend_storage(hass)
    config_entries.async_setup(hass)
    return await Owner.log_in(hass, aiohttp_client)


async def invitations(owner: Owner, entry: MockConfigEntry) -> str:
    """Return what a dialog of the options says, in which sentences are put together."""
    shown = await (await owner.client.post(OPTIONS, json={"handler": entry.entry_id})).json()
    answer = await owner.client.post(f"{OPTIONS}/{shown['flow_id']}", json={"next_step_id": "invitations"})
    said: dict[str, Any] = (await answer.json())["description_placeholders"]
    return str(said["invitations"])


async def choose(owner: Owner, value: object) -> None:
    """Choose a language in the profile, as the frontend does."""
    assert (await owner.ask("frontend/set_user_data", key="language", value=value))["success"]


async def test_in_the_language_of_the_user(
    hass: HomeAssistant, hub: Hub, owner: Owner, entry: MockConfigEntry
) -> None:
    """A user reads their own language, dates too; what is for everybody is in the language of the home."""
    assert "Somebody new, until " in await invitations(owner, entry)
    await choose(owner, {"language": "de"})
    # Also the first time that anything is said in their language.
    said = await invitations(owner, entry)
    assert re.search(r"Jemand Neues, bis \d+\. \w+ \d{4}, \d\d:\d\d Uhr", said)
    assert readers_language(hass) == "en"
    assert await async_say(hass, "invitation", "mail") == "Send by e-mail"


@pytest.mark.parametrize("value", [None, "de", {}, {"language": None}, {"language": 7}, {"language": ""}])
async def test_no_language_of_their_own(
    hass: HomeAssistant, hub: Hub, owner: Owner, entry: MockConfigEntry, value: object
) -> None:
    """Whatever else is kept there, the language of the home is spoken."""
    await choose(owner, value)
    assert "Somebody new, until " in await invitations(owner, entry)


async def test_another_home_assistant(
    hass: HomeAssistant,
    hub: Hub,
    owner: Owner,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where users' languages are kept otherwise, that of the home is spoken, and nothing else is amiss."""
    await choose(owner, {"language": "de"})
    monkeypatch.delattr(storage, "UserStore")
    assert async_missing(hass) == ["user_language"]
    assert "Somebody new, until " in await invitations(owner, entry)
