"""What the engine's app (add-on) says of itself when it announces itself."""

from collections.abc import Mapping
import logging
from typing import Any

from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN, CONF_URL, CONF_VERIFY_SSL
from homeassistant.core import HomeAssistant
from homeassistant.helpers.hassio import is_hassio
import voluptuous as vol
from yarl import URL

from ..const import CONF_APP, CONF_WHERE, DOMAIN, Where

_LOGGER = logging.getLogger(__name__)

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


def app_of(data: Mapping[str, Any]) -> str | None:
    """Return the slug of the app that an entry uses; None when its engine is no app, as far as the address shows.

    The Supervisor names an app's machine after its slug, so an address that was entered by hand tells it as well.
    """
    if data[CONF_WHERE] != Where.ANOTHER_MACHINE:
        return None
    return data.get(CONF_APP) or (URL(data[CONF_URL]).host or "").replace("-", "_") or None


async def async_announcements(hass: HomeAssistant) -> dict[str, dict[str, Any]]:
    """Return the data of an entry for each app that told the Supervisor of an engine, by slug; none without one."""
    if not is_hassio(hass):
        return {}
    # They are there only where the Supervisor is.
    from aiohasupervisor import SupervisorError
    from homeassistant.components.hassio import get_supervisor_client

    try:
        said = await get_supervisor_client(hass).discovery.list()
    except SupervisorError as err:
        _LOGGER.debug("The Supervisor does not say which apps there are: %s", err)
        return {}
    ours = {each.addon: read_announcement(each.config, each.addon) for each in said if each.service == DOMAIN}
    return {slug: data for slug, data in ours.items() if data is not None}


async def async_announced(hass: HomeAssistant, slug: str | None) -> dict[str, Any] | None:
    """Return the data of an entry that uses an app's engine, as the app last told the Supervisor; None without."""
    return None if slug is None else (await async_announcements(hass)).get(slug)
