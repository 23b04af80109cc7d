"""The sentences of a notification, in the language of this Home Assistant."""

from collections.abc import Mapping, Sequence

from homeassistant.core import HomeAssistant

from ..flows.words import async_say, shown_language
from .telling import Kind, Part

MOST_NAMED = 4
"""How many individuals a sentence names; those who came after are counted."""


async def async_message(hass: HomeAssistant, parts: Sequence[Part], cameras: Mapping[str, str]) -> str:
    """Return what is said of these individuals; `cameras`: the cameras' names by their ids."""
    sentences = []
    for camera_id in dict.fromkeys(part.camera_id for part in parts):
        here = [part for part in parts if part.camera_id == camera_id]
        camera = in_sentence(cameras.get(camera_id, ""), shown_language(hass))
        taken_back = [part for part in here if part.kind is Kind.CORRECTED]
        sentences += [
            await async_say(hass, "alert_message", "corrected", who=part.name or "", camera=camera)
            for part in taken_back
        ]
        told = [part for part in here if part.kind is not Kind.CORRECTED]
        if told:
            key = "one" if len(told) == 1 else "several"
            who = await _async_list(hass, told)
            sentences.append(await async_say(hass, "alert_message", key, who=who, camera=camera))
    return " ".join(sentences)


async def _async_list(hass: HomeAssistant, parts: Sequence[Part]) -> str:
    """Return the individuals as a list in a sentence."""
    words = [
        part.name or "" if part.kind is Kind.FAMILIAR else await async_say(hass, "alert_who", str(part.kind))
        for part in parts[:MOST_NAMED]
    ]
    if (more := len(parts) - MOST_NAMED) > 0:
        words.append(await async_say(hass, "alert_who", "more", count=more))
    if parts[0].kind is not Kind.FAMILIAR:
        words[0] = words[0][:1].upper() + words[0][1:]
    if len(words) == 1:
        return words[0]
    last = words.pop()
    return await async_say(hass, "alert_message", "list", first=", ".join(words), last=last)


def in_sentence(camera: str, language: str) -> str:
    """Return a camera's name as it stands within a sentence: English writes "the front door" small."""
    if language == "en" and camera[:1].isupper() and camera[1:] == camera[1:].lower():
        return camera[:1].lower() + camera[1:]
    return camera
