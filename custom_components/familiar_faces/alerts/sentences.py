"""The sentences of a notification, in the language of this Home Assistant."""

from collections.abc import Mapping, Sequence

from homeassistant.core import HomeAssistant

from ..wording.words import async_say, in_sentence, shown_language
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
    # Those without a name stand together: "2 strangers", where the first of them is.
    alike: dict[str, list[Part]] = {}
    for part in parts:
        key = part.individual if part.kind is Kind.FAMILIAR else str(part.kind)
        alike.setdefault(key, []).append(part)
    said = list(alike.values())[:MOST_NAMED]
    words = [await _async_who(hass, each) for each in said]
    if (more := len(parts) - sum(map(len, said))) > 0:
        words.append(await async_say(hass, "alert_who", "more", count=more))
    if parts[0].kind is not Kind.FAMILIAR:
        words[0] = words[0][:1].upper() + words[0][1:]
    if len(words) == 1:
        return words[0]
    last = words.pop()
    return await async_say(hass, "alert_message", "list", first=", ".join(words), last=last)


async def _async_who(hass: HomeAssistant, alike: Sequence[Part]) -> str:
    """Return one individual, or several of a kind, as they are called in a sentence."""
    part = alike[0]
    if part.kind is Kind.FAMILIAR:
        return part.name or ""
    if len(alike) == 1:
        return await async_say(hass, "alert_who", str(part.kind))
    return await async_say(hass, "alert_who", f"{part.kind}_several", count=len(alike))
