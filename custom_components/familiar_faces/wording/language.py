"""The language in which a page is shown."""

from collections.abc import Iterator

from aiohttp import hdrs, web
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from ..const import CONF_LANGUAGE
from .words import LANGUAGES, shown_language

MAX_HEADER = 200
"""How many characters of a browser's list of languages are read."""


def choose_language(request: web.Request, default: str) -> str:
    """Return the language that the address asks for, else the browser, else the default."""
    if (asked := request.query.get("lang")) in LANGUAGES:
        return str(asked)
    for language in preferred(request.headers.get(hdrs.ACCEPT_LANGUAGE, "")[:MAX_HEADER]):
        if language in LANGUAGES:
            return language
    return default


def default_language(hass: HomeAssistant, entry: ConfigEntry | None) -> str:
    """Return the language that the owner chose for visitors, else that of this Home Assistant."""
    chosen = entry.options.get(CONF_LANGUAGE) if entry is not None else None
    return str(chosen) if chosen in LANGUAGES else shown_language(hass)


def preferred(header: str) -> Iterator[str]:
    """Yield the languages of an Accept-Language header without their regions, the most wanted first."""
    wanted = []
    for part in header.split(","):
        tag, _, weight = part.partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            continue
        if 0.0 < quality <= 1.0:
            wanted.append((quality, tag.strip().split("-")[0].lower()))
    # Sorting is stable: of what is wanted equally, the first named comes first.
    for _, language in sorted(wanted, key=lambda each: -each[0]):
        yield language
