"""What language models may look up, through Home Assistant's own API for them, with the real engine."""

from datetime import datetime
from typing import Any

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, UnknownUser
from homeassistant.helpers import llm
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import probatio
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.familiar_faces.const import EVERYWHERE
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.llm import async_get_tools
from custom_components.familiar_faces.people.choices import Keeping
from custom_components.familiar_faces.vault.errors import VaultDamaged

from ..common.exposing import SEEN, VISITOR, a_user, expose
from ..common.people_on_record import DAY, a_consent, change_choices, now, put_on_record
from ..common.steps import later, ring

WHO = "familiar_faces__who_is_at_the_door"
WHEN = "familiar_faces__when_last_seen"
STRANGER = "familiar_faces__did_a_stranger_come"


async def offered(hass: HomeAssistant, user: MockUser | None = None) -> llm.APIInstance:
    """Return what a language model is offered."""
    context = llm.LLMContext(
        platform="test",
        context=Context(user_id=None if user is None else user.id),
        language="en",
        assistant="conversation",
        device_id=None,
    )
    return await llm.async_get_api(hass, llm.LLM_API_ASSIST, context)


async def tools(hass: HomeAssistant) -> set[str]:
    """Return which of our tools are offered."""
    return {each.name for each in (await offered(hass)).tools if each.integration == "familiar_faces"}


async def call(hass: HomeAssistant, tool: str, user: MockUser | None = None, **args: str) -> dict[str, Any]:
    """Use a tool as a language model does, and return what it is told."""
    api = await offered(hass, user)
    result = await api.async_call_tool(llm.ToolInput(tool, args))
    assert result.error == ("error" in result.data)
    return dict(result.data)


@pytest.fixture
async def eileen(hass: HomeAssistant, eileen: str) -> str:
    """Expose Eileen and the front door to language models, and return her id."""
    for domain in ("homeassistant", "intent", "llm"):
        assert await async_setup_component(hass, domain, {})
    expose(hass, VISITOR, SEEN)
    return eileen


async def test_what_is_offered(hass: HomeAssistant, hub: Hub, eileen: str, entry: MockConfigEntry) -> None:
    """Tools are offered for what is exposed, and none while nothing runs."""
    assert await tools(hass) == {WHO, WHEN, STRANGER}
    expose(hass, SEEN, exposed=False)
    assert await tools(hass) == {WHO, STRANGER}
    expose(hass, VISITOR, exposed=False)
    assert await tools(hass) == set()
    expose(hass, SEEN)
    assert await tools(hass) == {WHEN}
    await hass.config_entries.async_unload(entry.entry_id)
    assert await tools(hass) == set()


async def test_how_they_are_described(hass: HomeAssistant, hub: Hub, visited_by_two: str) -> None:
    """They are said to change nothing, and nobody is named before a question is asked."""
    api = await offered(hass)
    ours = [each for each in api.tools if each.integration == "familiar_faces"]
    for tool in ours:
        assert tool.annotations == llm.ToolAnnotations(
            read_only=True, destructive=False, idempotent=True, open_world=False
        )
        assert tool.title
        described = probatio.to_openapi(tool.parameters, custom_serializer=api.custom_serializer)
        assert "Eileen" not in f"{tool.name} {tool.description} {described}"
    offers = async_get_tools(hass, api.llm_context, llm.LLM_API_ASSIST)
    assert offers is not None
    assert offers.prompt is not None
    assert offers.prompt in api.api_prompt
    assert "never unlock" in offers.prompt
    assert "Eileen" not in offers.prompt


async def test_only_the_owners_assistant(hass: HomeAssistant, hub: Hub, visited_by_two: str) -> None:
    """They are part of Home Assistant's own API and of no other integration's."""
    context = llm.LLMContext("test", None, "en", "conversation", None)
    assert async_get_tools(hass, context, "somebody_elses") is None
    assert async_get_tools(hass, context, llm.LLM_API_ASSIST) is not None


async def test_who_is_at_the_door(hass: HomeAssistant, hub: Hub, visited_by_two: str) -> None:
    """Who is there is told by name, strangers as a number."""
    front_door = {
        "camera": "Front door",
        "looking": True,
        "people": ["Eileen"],
        "familiar_people_without_name": 0,
        "strangers": 1,
        "unclear": 0,
    }
    assert await call(hass, WHO) == {"cameras": [front_door]}
    assert await call(hass, WHO, camera="front door") == {"cameras": [front_door]}
    assert "error" in await call(hass, WHO, camera="garage")
    await hub.settings.async_switch_recognition(False, EVERYWHERE)
    assert not (await call(hass, WHO))["cameras"][0]["looking"]


async def test_when_last_seen(hass: HomeAssistant, hub: Hub, visited_by_two: str) -> None:
    """It is told when and where somebody was last seen, and whether they are there."""
    answer = await call(hass, WHEN, person="eileen")
    (visit,) = await hass.async_add_executor_job(hub.vault.visits)
    assert datetime.fromisoformat(answer.pop("last_seen")) == visit.until
    assert answer == {"name": "Eileen", "here_now_at": ["Front door"], "camera": "Front door"}
    with later(minutes=1):
        assert (await call(hass, WHEN, person="Eileen"))["here_now_at"] == []
    with pytest.raises(probatio.Invalid):
        await call(hass, WHEN)


async def test_a_stranger_came(hass: HomeAssistant, hub: Hub, visited_by_two: str) -> None:
    """How often strangers came is told, and since when that is known."""
    answer = await call(hass, STRANGER)
    strangers = answer["strangers"]
    assert (strangers["visits"], strangers["last_camera"]) == (1, "Front door")
    assert dt_util.utcnow() - datetime.fromisoformat(strangers["last_at"]) < DAY
    assert answer["unclear"] == {"visits": 0, "last_at": None, "last_camera": None}
    assert answer["looking"]
    assert datetime.fromisoformat(answer["known_since"]) == hub.tally.since


async def test_who_asks(hass: HomeAssistant, hub: Hub, visited_by_two: str) -> None:
    """A user is not told by a language model what they may not read."""
    camera, person = a_user(hass, VISITOR), a_user(hass, SEEN)
    (here,) = (await call(hass, WHO, camera))["cameras"]
    assert (here["people"], here["familiar_people_without_name"], here["strangers"]) == ([], 1, 1)
    assert "error" in await call(hass, WHEN, camera, person="Eileen")
    for tool in (WHO, STRANGER):
        assert "error" in await call(hass, tool, person)
    answer = await call(hass, WHEN, person, person="Eileen")
    assert (answer["name"], answer["here_now_at"], answer["camera"]) == ("Eileen", [], None)
    with pytest.raises(UnknownUser):
        await call(hass, WHO, MockUser(id="gone"))


async def test_what_was_exposed(hass: HomeAssistant, hub: Hub, visited_by_two: str) -> None:
    """A model that still holds a tool is told nothing of what is no longer exposed."""
    api = await offered(hass)
    expose(hass, VISITOR, SEEN, exposed=False)
    for tool, args in ((WHO, {}), (STRANGER, {}), (WHEN, {"person": "Eileen"})):
        result = await api.async_call_tool(llm.ToolInput(tool, args))
        assert result.error
        assert "Eileen" not in str(result.data)


async def test_who_was_forgotten(hass: HomeAssistant, hub: Hub, visited_by_two: str) -> None:
    """Nothing is told of somebody who was forgotten."""
    api = await offered(hass)
    await hub.forgetting.async_forget(visited_by_two)
    (here,) = (await call(hass, WHO))["cameras"]
    assert (here["people"], here["familiar_people_without_name"]) == ([], 0)
    assert WHEN not in await tools(hass)
    assert (await api.async_call_tool(llm.ToolInput(WHEN, {"person": "Eileen"}))).error


@pytest.mark.parametrize("keeping", [Keeping.SILENT, Keeping.NOTHING])
async def test_who_agreed_to_less(
    hass: HomeAssistant, hub: Hub, visited_by_two: str, keeping: Keeping
) -> None:
    """Of somebody who stays silent nothing is told; who keeps nothing is there, and then was not."""
    await change_choices(hass, hub, visited_by_two, keeping=keeping)
    await ring(hass, hub)
    assert hub.open_visits.of_person(visited_by_two) is not None
    (here,) = (await call(hass, WHO))["cameras"]
    if keeping is Keeping.SILENT:
        assert (here["people"], here["familiar_people_without_name"]) == ([], 0)
        assert WHEN not in await tools(hass)
        return
    assert here["people"] == ["Eileen"]
    with later(minutes=1):
        answer = await call(hass, WHEN, person="Eileen")
    assert answer == {"name": "Eileen", "here_now_at": [], "last_seen": None, "camera": None}


async def test_what_cannot_be_told(
    hass: HomeAssistant,
    hub: Hub,
    visited_by_two: str,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two of a name, a vault that fails and nothing that runs are told as errors."""
    moment = now()
    await put_on_record(hass, hub, a_consent(moment - DAY, moment + 100 * DAY), "other", "eileen")
    expose(hass, "event.eileen_seen_2")
    assert "Several" in (await call(hass, WHEN, person="Eileen"))["error"]
    await hub.forgetting.async_forget("other")

    def fail(*_asked: object, **_more: object) -> None:
        raise VaultDamaged

    monkeypatch.setattr(hub.vault, "visits", fail)
    await hub.board.async_read()
    assert "cannot be read" in (await call(hass, WHEN, person="Eileen"))["error"]
    api = await offered(hass)
    await hass.config_entries.async_unload(entry.entry_id)
    result = await api.async_call_tool(llm.ToolInput(WHO, {}))
    assert result.error
    with pytest.raises(HomeAssistantError):
        await call(hass, WHO)
