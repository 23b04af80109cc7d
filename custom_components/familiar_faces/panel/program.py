"""The program of the panel and the card: one JavaScript module, the same in every home, and where it is shown."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
import gzip
from hashlib import sha256
from http import HTTPStatus
import logging
from pathlib import Path

from aiohttp import hdrs, web
from homeassistant.components import frontend
from homeassistant.components.panel_custom import async_register_panel
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.http import KEY_HASS, HomeAssistantView
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN

_LOGGER = logging.getLogger(__name__)

PANEL_PATH = "familiar-faces"
ELEMENT = "familiar-faces-panel"
TITLE = "Familiar Faces"
ICON = "mdi:face-recognition"
PROGRAM = Path(__file__).parent / "dist" / "familiar-faces.js"
PROGRAM_PATH = f"/api/{DOMAIN}/panel/familiar-faces.js"
LINGERS = 30.0
"""Seconds for which the panel is shown while the entry is not loaded."""
_HEADERS = {
    # Its address names what is in it, so it never changes.
    hdrs.CACHE_CONTROL: "public, max-age=31536000, immutable",
    hdrs.VARY: hdrs.ACCEPT_ENCODING,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Program:
    """The module as it is sent."""

    code: bytes
    compressed: bytes
    digest: str

    @property
    def url(self) -> str:
        """Return its address, another one for each version of it."""
        return f"{PROGRAM_PATH}?v={self.digest}"


@cache
def read_program() -> Program | None:
    """Return the module; None where it was not built. Blocks, the first time."""
    try:
        code = PROGRAM.read_bytes()
    except OSError:
        return None
    return Program(code, gzip.compress(code, mtime=0), sha256(code).hexdigest()[:16])


class ProgramView(HomeAssistantView):
    """Where browsers fetch the module. It holds nothing of this home."""

    url = PROGRAM_PATH
    name = f"api:{DOMAIN}:panel"
    requires_auth = False

    async def get(self, request: web.Request) -> web.Response:
        """Answer with the module."""
        program = await request.app[KEY_HASS].async_add_executor_job(read_program)
        if program is None:
            return web.Response(status=HTTPStatus.NOT_FOUND, headers={hdrs.CACHE_CONTROL: "no-store"})
        body, headers = program.code, dict(_HEADERS)
        if "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
            body = program.compressed
            headers[hdrs.CONTENT_ENCODING] = "gzip"
        return web.Response(body=body, content_type="text/javascript", charset="utf-8", headers=headers)


async def async_show_panel(hass: HomeAssistant) -> None:
    """Show the panel in the sidebar, and have dashboards know the card.

    Without Home Assistant's frontend there is nothing to show it in.
    """
    if hass.data.get(_SHOWN) is not None:
        # It was to go, and the entry is here again.
        hass.data[_SHOWN].stay()
        return
    if frontend.DOMAIN not in hass.config.components:
        return
    program = await hass.async_add_executor_job(read_program)
    if program is None:
        _LOGGER.warning(
            "The panel and the card are not built, so they are not shown: install Familiar Faces from a release, "
            "or run script/setup frontend in its sources. Everything else works"
        )
        return
    await async_register_panel(
        hass,
        PANEL_PATH,
        ELEMENT,
        sidebar_title=TITLE,
        sidebar_icon=ICON,
        module_url=program.url,
        embed_iframe=False,
        require_admin=False,
    )
    frontend.add_extra_js_url(hass, program.url)
    hass.data[_SHOWN] = _Shown(hass, program.url)


@callback
def async_hide_panel(hass: HomeAssistant, *, soon: bool = False) -> None:
    """Show the panel and the card no longer; `soon`: unless the entry is loaded again within half a minute.

    Home Assistant leads users who look at a panel that goes to their dashboard, and an entry that is only loaded
    again is no reason for that.
    """
    if (shown := hass.data.get(_SHOWN)) is not None:
        shown.go(LINGERS if soon else 0)


class _Shown:
    """The panel in the sidebar, and the card on dashboards."""

    def __init__(self, hass: HomeAssistant, url: str) -> None:
        self._hass = hass
        self._url = url
        self._timer: CALLBACK_TYPE | None = None

    @callback
    def stay(self) -> None:
        """Be shown from now on."""
        if self._timer is not None:
            self._timer()
            self._timer = None

    @callback
    def go(self, after: float) -> None:
        """Be gone after so many seconds."""
        self.stay()
        if after:
            job = HassJob(self._async_gone, cancel_on_shutdown=True)
            self._timer = async_call_later(self._hass, after, job)
        else:
            self._async_gone()

    @callback
    def _async_gone(self, _now: datetime | None = None) -> None:
        self._timer = None
        self._hass.data.pop(_SHOWN, None)
        frontend.async_remove_panel(self._hass, PANEL_PATH, warn_if_unknown=False)
        frontend.remove_extra_js_url(self._hass, self._url)


_SHOWN: HassKey[_Shown] = HassKey(f"{DOMAIN}_panel")
