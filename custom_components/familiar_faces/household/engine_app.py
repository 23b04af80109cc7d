"""What the engine's app (add-on) says of itself when it announces itself."""

from collections.abc import Mapping
from typing import Any

from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN, CONF_URL, CONF_VERIFY_SSL
import voluptuous as vol
from yarl import URL

from ..const import CONF_APP, CONF_WHERE, Where

_ANNOUNCEMENT = vol.Schema(
    {
        vol.Required(CONF_HOST): vol.All(str, vol.Match(r"[A-Za-z0-9.-]+\Z")),
        vol.Required(CONF_PORT): vol.All(int, vol.Range(1, 65535)),
        vol.Required(CONF_TOKEN): vol.All(str, vol.Length(16, 1000)),
    },
    extra=vol.REMOVE_EXTRA,
)
"""See `deploy/app/start.py`, which sends it."""


def read_announcement(config: Mapping[str, Any], slug: str) -> dict[str, Any] | None:
    """Return the data of an entry that uses the app's engine; None for what no app of this version says."""
    try:
        said = _ANNOUNCEMENT(dict(config))
    except vol.Invalid:
        return None
    return {
        CONF_WHERE: Where.ANOTHER_MACHINE,
        CONF_URL: str(URL.build(scheme="http", host=said[CONF_HOST], port=said[CONF_PORT])),
        CONF_TOKEN: said[CONF_TOKEN],
        CONF_VERIFY_SSL: True,
        CONF_APP: slug,
    }


def same_app(data: Mapping[str, Any], announced: Mapping[str, Any]) -> bool:
    """Return whether an entry uses the app that announced itself, found by itself or entered by hand."""
    return data[CONF_WHERE] == Where.ANOTHER_MACHINE and (
        data.get(CONF_APP) == announced[CONF_APP] or URL(data[CONF_URL]) == URL(announced[CONF_URL])
    )
