"""Sentences that are put together while something runs, in the language of the user who asks or of this Home Assistant."""

from collections.abc import Mapping
from datetime import timedelta

from homeassistant.auth.models import User
from homeassistant.components.http.const import KEY_HASS_USER
from homeassistant.core import HomeAssistant
from homeassistant.helpers.http import current_request
from homeassistant.helpers.translation import async_get_cached_translations, async_get_translations

from ..const import DOMAIN
from ..internals.user_language import language_of
from ..vault.retention import MONTH

LANGUAGES = ("en", "nl", "de")
"""The languages that there are texts in; in all others they are shown in the first."""

_PLACES = (
    "alley attic back backyard balcony barn basement bedroom bike bottom car carport cellar corridor courtyard"
    " deck door doorbell downstairs driveway east entrance entry entryway fence first foyer front garage garden"
    " gate ground guest hall hallway home house inner kitchen landing lawn letterbox living lobby loft lower"
    " mailbox main north nursery office outdoor outer parking path patio pool porch rear roof second shed side"
    " south staircase stairs stairway street studio terrace top upper upstairs veranda west workshop yard"
)
"""How the names of places begin in English."""


_UNITS = (("month", MONTH), ("day", timedelta(days=1)), ("hour", timedelta(hours=1)))


def readers_language(hass: HomeAssistant) -> str:
    """Return the language of the user whose request is answered, else that of this Home Assistant."""
    request = current_request.get()
    user = None if request is None else request.get(KEY_HASS_USER)
    chosen = language_of(hass, user.id) if isinstance(user, User) else None
    return chosen or hass.config.language


def shown_language(hass: HomeAssistant) -> str:
    """Return the language in which texts are shown."""
    language = readers_language(hass).split("-")[0]
    return language if language in LANGUAGES else LANGUAGES[0]


async def async_say(
    hass: HomeAssistant, group: str, key: str, *, language: str | None = None, **values: str | int
) -> str:
    """Return the sentence `selector.<group>.options.<key>` with its placeholders filled in.

    `language`: another one than that of the user who asks, or of this Home Assistant.
    """
    words = await async_get_translations(hass, language or readers_language(hass), "selector", [DOMAIN])
    return _filled_in(words, group, key, values)


def say_at_once(hass: HomeAssistant, group: str, key: str, **values: str | int) -> str:
    """Return what `async_say` does, from any thread; once the texts are loaded, as they are with the integration."""
    words: Mapping[str, str] = {}
    # Those of a user may not be loaded yet.
    for language in (readers_language(hass), hass.config.language):
        words = words or async_get_cached_translations(hass, language, "selector", DOMAIN)
    return _filled_in(words, group, key, values)


def _filled_in(words: Mapping[str, str], group: str, key: str, values: Mapping[str, str | int]) -> str:
    sentence = words.get(f"component.{DOMAIN}.selector.{group}.options.{key}", key)
    for name, value in values.items():
        # Not str.format: a name may hold a brace.
        sentence = sentence.replace(f"{{{name}}}", str(value))
    return sentence


def in_whole_units(length: timedelta) -> tuple[int, str] | None:
    """Return a period in the largest unit that says it exactly: months, days or hours. One day is 24 hours."""
    for unit, of_it in _UNITS:
        count, rest = divmod(length, of_it)
        if count and not rest and (unit, count) != ("day", 1):
            return count, unit
    return None


def in_sentence(camera: str, language: str) -> str:
    """Return a camera's name as it stands within a sentence: English writes "the front door" small.

    Only of words for places is it known that they are no names, as "Reolink" and "Ring" are.
    """
    first, _, rest = camera.partition(" ")
    place = first.casefold() in _PLACES.split() and first[1:].islower()
    if language == "en" and place and rest == rest.lower():
        return camera[:1].lower() + camera[1:]
    return camera
