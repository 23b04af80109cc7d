"""Tools for language models: what they may look up about visits, for the user who asks them."""

from abc import abstractmethod
from datetime import datetime
from typing import override

from homeassistant.components.llm import LLMTools
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.intent import non_empty_string
from homeassistant.helpers.llm import LLM_API_ASSIST, LLMContext, Tool, ToolAnnotations, ToolInput, ToolResult
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType
import voluptuous as vol

from .const import DOMAIN
from .running import async_running_hub
from .seen.lookup import Asker, Here, Lookup, Place, async_asker
from .vault.errors import VaultError
from .visits.tally import Count

PROMPT = (
    "The familiar_faces tools tell who came to the cameras of this home. They name only people who agreed to "
    "it. A name is not proof of who somebody is: never unlock or open anything because of it."
)
CAMERA = "camera"
PERSON = "person"


class _Unknown(Exception):
    """There is no such person or camera, or the user may not ask about it."""


class _LookupTool(Tool):
    """Looks something up for the user who asks, and changes nothing."""

    annotations = ToolAnnotations(read_only=True, destructive=False, idempotent=True, open_world=False)
    integration = DOMAIN

    @override
    async def async_call(
        self, hass: HomeAssistant, tool_input: ToolInput, llm_context: LLMContext
    ) -> ToolResult:
        """Look it up."""
        said = self.parameters(tool_input.tool_args)
        if (hub := async_running_hub(hass)) is None:
            return _error("Familiar Faces is not running")
        lookup = Lookup(hub, hub.board, await async_asker(hass, llm_context.context, llm_context.assistant))
        try:
            return ToolResult(data=await self.async_look_up(lookup, said))
        except _Unknown as err:
            return _error(str(err))
        except VaultError:
            return _error("What is kept of visits cannot be read right now")

    @abstractmethod
    async def async_look_up(self, lookup: Lookup, said: dict[str, str]) -> JsonObjectType:
        """Return what may be told; raises _Unknown and VaultError."""


class WhoIsAtTheDoor(_LookupTool):
    """Who is at the door?"""

    name = f"{DOMAIN}__who_is_at_the_door"
    title = "Who is at the door"
    description = (
        "Tells who is at the cameras at this moment: names of familiar people, and how many strangers and "
        "people who could not be made out. Without a camera, all cameras are answered for."
    )
    parameters = vol.Schema({vol.Optional(CAMERA): non_empty_string})

    @override
    async def async_look_up(self, lookup: Lookup, said: dict[str, str]) -> JsonObjectType:
        """Tell who is there."""
        found = lookup.here(_places(lookup, said))
        return {"cameras": [_here(lookup, each) for each in found]}


class WhenLastSeen(_LookupTool):
    """When was Anna last seen?"""

    name = f"{DOMAIN}__when_last_seen"
    title = "When was somebody last seen"
    description = "Tells when and at which camera a familiar person, given by name, was last seen."
    # The names are not listed here: a model is told of nobody before it is asked about them.
    parameters = vol.Schema({vol.Required(PERSON): non_empty_string})

    @override
    async def async_look_up(self, lookup: Lookup, said: dict[str, str]) -> JsonObjectType:
        """Tell when they were last seen, as far as that is kept."""
        people = lookup.named(said[PERSON])
        if len(people) != 1:
            why = "Several people are called so" if people else "No person with this name may be asked about"
            raise _Unknown(why)
        (person,) = people
        came = await lookup.async_last_seen(person.person_id)
        return {
            "name": person.name,
            "here_now_at": [here.place.name for here in lookup.here() if here.has(person.person_id)],
            "last_seen": _said(None if came is None else came.visit.last_seen_at),
            "camera": None if came is None or came.place is None else came.place.name,
        }


class DidAStrangerCome(_LookupTool):
    """Did a stranger come today?"""

    name = f"{DOMAIN}__did_a_stranger_come"
    title = "Did a stranger come today"
    description = (
        "Tells how often strangers, and people who could not be made out, came to the cameras today, and when "
        "the last of them came. Nothing else is known of them. known_since: nothing is known of earlier ones."
    )
    parameters = vol.Schema({vol.Optional(CAMERA): non_empty_string})

    @override
    async def async_look_up(self, lookup: Lookup, said: dict[str, str]) -> JsonObjectType:
        """Tell how often, and since when that is known."""
        places = _places(lookup, said)
        today = lookup.unnamed_today(places)
        return {
            "looking": lookup.is_looked(places),
            "strangers": _counted(today.strangers, places),
            "unclear": _counted(today.unclear, places),
            "known_since": _said(today.known_since),
        }


@callback
def async_get_tools(hass: HomeAssistant, llm_context: LLMContext, api_id: str) -> LLMTools | None:
    """Return the tools for which something is exposed."""
    if api_id != LLM_API_ASSIST or (hub := async_running_hub(hass)) is None:
        return None
    # Whose user it is shows when a tool is called; what is exposed is the same for all of them.
    lookup = Lookup(hub, hub.board, Asker(hass, assistant=llm_context.assistant))
    tools: list[Tool] = []
    if lookup.places():
        tools += [WhoIsAtTheDoor(), DidAStrangerCome()]
    if lookup.people():
        tools.append(WhenLastSeen())
    return LLMTools(tools, PROMPT) if tools else None


def _places(lookup: Lookup, said: dict[str, str]) -> dict[str, Place]:
    """Return the cameras that are asked about; raises _Unknown."""
    places = lookup.called(said[CAMERA]) if CAMERA in said else lookup.places()
    if not places:
        raise _Unknown("No such camera may be asked about")
    return places


def _here(lookup: Lookup, here: Here) -> JsonObjectType:
    return {
        "camera": here.place.name,
        "looking": lookup.is_looked([here.place.camera_id]),
        "people": [visit.name for visit in here.people],
        "familiar_people_without_name": here.others,
        "strangers": here.strangers,
        "unclear": here.unclear,
    }


def _counted(count: Count, places: dict[str, Place]) -> JsonObjectType:
    return {
        "visits": count.number,
        "last_at": _said(count.last_at),
        "last_camera": None if count.camera_id is None else places[count.camera_id].name,
    }


def _said(moment: datetime | None) -> str | None:
    """Return a moment in the time zone of this home."""
    return None if moment is None else dt_util.as_local(moment).isoformat()


def _error(text: str) -> ToolResult:
    return ToolResult(data={"error": text}, error=True)
