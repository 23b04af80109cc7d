"""Intents: what people ask an assistant of who came, and what they are told."""

from abc import abstractmethod
from typing import Any, override

from homeassistant.core import HomeAssistant
from homeassistant.helpers import intent
import voluptuous as vol

from .running import async_running_hub
from .seen.lookup import ASSISTANT, Lookup, Place, async_asker
from .seen.spoken import Sentence, Spoken
from .vault.errors import VaultError

INTENT_WHO_IS_THERE = "FamiliarFacesWhoIsThere"
INTENT_LAST_SEEN = "FamiliarFacesLastSeen"
INTENT_DID_A_STRANGER_COME = "FamiliarFacesDidAStrangerCome"

SLOT_CAMERA = "camera"
SLOT_PERSON = "person"


async def async_setup_intents(hass: HomeAssistant) -> None:
    """Set up the intents."""
    intent.async_register(hass, WhoIsThereIntent())
    intent.async_register(hass, LastSeenIntent())
    intent.async_register(hass, DidAStrangerComeIntent())


class _LookupIntent(intent.IntentHandler):
    """Looks something up for the user who asks, and changes nothing."""

    @override
    async def async_handle(self, intent_obj: intent.Intent) -> intent.IntentResponse:
        """Answer in the language of the question."""
        slots = self.async_validate_slots(intent_obj.slots)
        spoken = Spoken(intent_obj.hass, intent_obj.language)
        response = intent_obj.create_response()
        response.response_type = intent.IntentResponseType.QUERY_ANSWER
        if (hub := async_running_hub(intent_obj.hass)) is None:
            response.async_set_speech(await spoken.async_say(Sentence.NOT_RUNNING))
            return response
        # Assistants that have no exposed entities of their own, such as Alexa's skills, hear no more than Assist.
        asker = await async_asker(intent_obj.hass, intent_obj.context, intent_obj.assistant or ASSISTANT)
        said = {key: str(slot["value"]).strip() for key, slot in slots.items()}
        try:
            speech = await self.async_answer(Lookup(hub, hub.board, asker), spoken, said)
        except VaultError:
            speech = await spoken.async_say(Sentence.FAILED)
        response.async_set_speech(speech)
        return response

    @abstractmethod
    async def async_answer(self, lookup: Lookup, spoken: Spoken, said: dict[str, str]) -> str:
        """Return the answer; `said` are the slots. Raises VaultError."""


class _AtCameraIntent(_LookupIntent):
    """Asks about one camera, or about all."""

    @property
    @override
    def slot_schema(self) -> dict[Any, Any]:
        """Return the slots."""
        return {vol.Optional(SLOT_CAMERA): intent.non_empty_string}

    @override
    async def async_answer(self, lookup: Lookup, spoken: Spoken, said: dict[str, str]) -> str:
        """Answer of the camera that was named."""
        camera = said.get(SLOT_CAMERA)
        places = lookup.places() if camera is None else lookup.called(camera)
        if camera is not None and not places:
            return await spoken.async_say(Sentence.UNKNOWN_CAMERA, camera=camera)
        return await self.async_answer_of(lookup, spoken, places)

    @abstractmethod
    async def async_answer_of(self, lookup: Lookup, spoken: Spoken, places: dict[str, Place]) -> str:
        """Return the answer. Raises VaultError."""


class WhoIsThereIntent(_AtCameraIntent):
    """Who is at the door?"""

    intent_type = INTENT_WHO_IS_THERE
    description = "Says who is at the cameras now, or at one of them"

    @override
    async def async_answer_of(self, lookup: Lookup, spoken: Spoken, places: dict[str, Place]) -> str:
        """Say who is there."""
        return await spoken.async_who_is_there(lookup, places)


class DidAStrangerComeIntent(_AtCameraIntent):
    """Did a stranger come today?"""

    intent_type = INTENT_DID_A_STRANGER_COME
    description = "Says whether a stranger came to the cameras today, or to one of them"

    @override
    async def async_answer_of(self, lookup: Lookup, spoken: Spoken, places: dict[str, Place]) -> str:
        """Say whether one came, and what is not known of that."""
        return await spoken.async_strangers(lookup, places)


class LastSeenIntent(_LookupIntent):
    """When was Anna last seen?"""

    intent_type = INTENT_LAST_SEEN
    description = "Says when and where a person was last seen by the cameras"

    @property
    @override
    def slot_schema(self) -> dict[Any, Any]:
        """Return the slots."""
        return {vol.Required(SLOT_PERSON): intent.non_empty_string}

    @override
    async def async_answer(self, lookup: Lookup, spoken: Spoken, said: dict[str, str]) -> str:
        """Say when they were last seen."""
        people = lookup.named(said[SLOT_PERSON])
        if not people:
            return await spoken.async_say(Sentence.UNKNOWN_PERSON, who=said[SLOT_PERSON])
        if len(people) > 1:
            return await spoken.async_say(Sentence.AMBIGUOUS, who=said[SLOT_PERSON])
        return await spoken.async_last_seen(lookup, people[0])
