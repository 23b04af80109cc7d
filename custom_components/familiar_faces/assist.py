"""The sentences that Assist understands, registered by the integration: nobody has to copy a file.

They are sentence triggers, as automations have them. Home Assistant asks these first, whatever agent a voice assistant
uses, and in every language.
"""

import asyncio
from collections.abc import Iterator, Mapping
import json
import logging
from pathlib import Path
import re
from typing import Any

from homeassistant.components.homeassistant.exposed_entities import async_listen_entity_updates
from homeassistant.const import CONF_COMMAND, CONF_ID, CONF_PLATFORM
from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv, entity_registry as er, intent
from homeassistant.helpers.script import ScriptRunResult
from homeassistant.helpers.trigger import async_initialize_triggers, async_validate_trigger_config
from homeassistant.setup import async_when_setup

from .const import DOMAIN, MANUFACTURER
from .hub import FamiliarFacesConfigEntry, Hub
from .intent import SLOT_CAMERA, SLOT_PERSON
from .seen.lookup import ASSISTANT, Asker, Lookup
from .wording.words import LANGUAGES

_LOGGER = logging.getLogger(__name__)

SENTENCES = Path(__file__).parent / "wording" / "sentences"
CONVERSATION = "conversation"
"""Home Assistant's integration for Assist. It is not imported: homes without it lack its packages."""
AT_CAMERA = "at_camera"
"""What follows the intent in the id of a trigger whose sentences name a camera."""
_NAMES = frozenset({"aliases", "entity_id", "name", "original_name"})
"""Which changes of an entity change what it is called, and whether it is exposed under that name."""
_CAMERA = f"{{{SLOT_CAMERA}}}"


async def async_offer_sentences(hass: HomeAssistant, entry: FamiliarFacesConfigEntry) -> CALLBACK_TYPE:
    """Have Assist understand questions about visits while there is something that it may mention; return how to end that."""
    sentences = Sentences(entry.runtime_data, await hass.async_add_executor_job(read_sentences))

    async def begin(_hass: HomeAssistant, _domain: str) -> None:
        await sentences.async_start()

    async_when_setup(hass, CONVERSATION, begin)
    return sentences.async_stop


def read_sentences() -> dict[str, list[str]]:
    """Return the sentences of all languages, by their intents."""
    found: dict[str, list[str]] = {}
    for language in LANGUAGES:
        said = json.loads((SENTENCES / f"{language}.json").read_text(encoding="utf-8"))
        for intent_type, sentences in said.items():
            found.setdefault(intent_type, []).extend(sentences)
    return found


class Sentences:
    """Registers the sentences, with the names of the cameras that Assist may mention."""

    def __init__(self, hub: Hub, sentences: Mapping[str, list[str]]) -> None:
        """Register nothing yet."""
        self._hub = hub
        self._hass = hub.hass
        self._sentences = sentences
        self._names: dict[str, str] | None = None
        """What cameras are called, as it is spoken and as it is; None while nothing is registered."""
        self._end: CALLBACK_TYPE | None = None
        self._unsubscribe: list[CALLBACK_TYPE] = []
        self._stopped = False
        self._pending = False
        self._following = asyncio.Lock()

    async def async_start(self) -> None:
        """Register what may be asked now, and follow what is exposed and what it is called."""
        if self._stopped:
            return
        self._unsubscribe += [
            async_listen_entity_updates(self._hass, ASSISTANT, self._async_soon),
            self._hass.bus.async_listen(
                er.EVENT_ENTITY_REGISTRY_UPDATED, self._async_soon, event_filter=self._async_concerns
            ),
            self._hub.entry.add_update_listener(self._async_entry_updated),
        ]
        await self._async_follow()

    @callback
    def async_stop(self) -> None:
        """Register nothing any longer."""
        self._stopped = True
        while self._unsubscribe:
            self._unsubscribe.pop()()
        self._async_end()

    @callback
    def _async_concerns(self, event: Mapping[str, Any]) -> bool:
        """Return whether a camera may be called otherwise, or something of ours has come or gone."""
        if event["action"] == "update":
            return not _NAMES.isdisjoint(event["changes"])
        entry = er.async_get(self._hass).async_get(event["entity_id"])
        return entry is None or entry.platform == DOMAIN

    @callback
    def _async_soon(self, _event: object = None) -> None:
        """Follow once all that is changed together is changed."""
        if not self._pending and not self._stopped:
            self._pending = True
            self._hass.async_create_task(self._async_follow(), "familiar_faces sentences", eager_start=False)

    async def _async_entry_updated(self, _hass: HomeAssistant, _entry: FamiliarFacesConfigEntry) -> None:
        self._async_soon()

    @callback
    def _is_stopped(self) -> bool:
        """Return whether it was stopped, perhaps while something was waited for."""
        return self._stopped

    @callback
    def _async_end(self) -> None:
        self._names = None
        if self._end is not None:
            self._end()
            self._end = None

    async def _async_follow(self) -> None:
        """Register the sentences again where they have changed."""
        async with self._following:
            self._pending = False
            await self._async_register()

    async def _async_register(self) -> None:
        lookup = Lookup(self._hub, self._hub.board, Asker(self._hass, assistant=ASSISTANT))
        names: dict[str, str] | None = None
        if (places := lookup.places()) or lookup.known():
            called = sorted(name for place in places.values() for name in place.called)
            names = {plain: name for name in called if (plain := spoken(name))}
        if self._stopped or names == self._names:
            return
        self._async_end()
        if names is None:
            return
        triggers = await async_validate_trigger_config(
            self._hass, cv.TRIGGER_SCHEMA(list(_triggers(self._sentences, names)))
        )
        end = await async_initialize_triggers(
            self._hass, triggers, self._async_answer, DOMAIN, MANUFACTURER, _LOGGER.log
        )
        self._names, self._end = names, end
        if self._is_stopped():
            self._async_end()

    async def _async_answer(
        self, variables: dict[str, Any], _context: Context | None = None
    ) -> ScriptRunResult:
        """Answer a question, in its language and as far as the user who asks may know."""
        trigger = variables["trigger"]
        asked = trigger["user_input"]
        intent_type, _, where = trigger["id"].partition("/")
        slots: dict[str, Any] = {
            key: {"value": value} for key, value in trigger["slots"].items() if key == SLOT_PERSON
        }
        if where and (camera := self._camera(asked["text"])) is not None:
            slots[SLOT_CAMERA] = {"value": camera}
        answer = await intent.async_handle(
            self._hass,
            CONVERSATION,
            intent_type,
            slots,
            asked["text"],
            Context(user_id=asked["context"]["user_id"], parent_id=asked["context"]["id"]),
            asked["language"],
            ASSISTANT,
            asked["device_id"],
            satellite_id=asked["satellite_id"],
        )
        return ScriptRunResult(answer.speech["plain"]["speech"], None, {})

    @callback
    def _camera(self, text: str) -> str | None:
        """Return the camera that is named in a question, by the longest name that fits."""
        said = f" {spoken(text)} "
        found = (plain for plain in self._names or () if f" {plain} " in said)
        longest = max(found, key=len, default=None)
        return None if longest is None or self._names is None else self._names[longest]


def spoken(text: str) -> str:
    """Return a text as it is heard: in small letters, and without anything that sentences give a meaning to."""
    return " ".join(re.sub(r"[^\w'’-]", " ", text).casefold().split())


def _triggers(sentences: Mapping[str, list[str]], names: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the triggers: for each intent one without a camera, and one with."""
    cameras = f"({'|'.join(names)})"
    for intent_type, said in sentences.items():
        anywhere = [each for each in said if _CAMERA not in each]
        somewhere = [each.replace(_CAMERA, cameras) for each in said if _CAMERA in each] if names else []
        for trigger_id, commands in ((intent_type, anywhere), (f"{intent_type}/{AT_CAMERA}", somewhere)):
            if commands:
                yield {CONF_PLATFORM: CONVERSATION, CONF_ID: trigger_id, CONF_COMMAND: commands}
