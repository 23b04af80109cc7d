"""Which engine an entry uses: a child on this machine, or one reached over the network."""

from collections.abc import Mapping
from pathlib import Path
import re
import sys
from typing import Any

from aiohttp import Fingerprint
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_TOKEN, CONF_URL, CONF_VERIFY_SSL
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from ..const import CONF_FINGERPRINT, CONF_OTHER_URLS, CONF_WHERE, Where
from ..host.client import EngineClient
from ..host.engine import Engine
from ..host.environment import Environment
from ..host.process import EngineProcess
from ..host.remote import RemoteEngine
from .options import chosen_workers
from .places import engine_cache, engine_runtime


@callback
def async_get_environment(hass: HomeAssistant) -> Environment:
    """Return the engine's environment on this machine, prepared or not."""
    python = Path(sys.executable)
    return Environment(engine_cache(hass), python, (str(python), "-m", "uv"))


@callback
def async_create_engine(hass: HomeAssistant, entry: ConfigEntry) -> Engine:
    """Return the engine that an entry asks for, not started."""
    if entry.data[CONF_WHERE] == Where.THIS_MACHINE:
        return EngineProcess(async_get_environment(hass), engine_runtime(hass), workers=chosen_workers(entry))
    data = entry.data
    return RemoteEngine(
        async_get_clientsession(hass, data[CONF_VERIFY_SSL]),
        addresses_of(data),
        data.get(CONF_TOKEN),
        verified=data[CONF_VERIFY_SSL],
        fingerprint=fingerprint_of(data),
    )


@callback
def async_client_for(hass: HomeAssistant, data: Mapping[str, Any], url: str) -> EngineClient:
    """Return how to ask the engine at an address as an entry with this data would; raise ValueError."""
    return EngineClient(
        async_get_clientsession(hass, data[CONF_VERIFY_SSL]),
        url,
        data.get(CONF_TOKEN),
        wary=True,
        verified=data[CONF_VERIFY_SSL],
        fingerprint=fingerprint_of(data),
    )


def addresses_of(data: Mapping[str, Any]) -> list[str]:
    """Return the addresses of the engines elsewhere, each once, the first one first."""
    return list(dict.fromkeys((data[CONF_URL], *data.get(CONF_OTHER_URLS, ()))))


def fingerprint_of(data: Mapping[str, Any]) -> Fingerprint | None:
    """Return the certificate that alone is taken, None for any that is trusted; raise ValueError for no SHA-256."""
    text = re.sub(r"[:\s]", "", (data.get(CONF_FINGERPRINT) or "").rpartition("=")[2])
    if not text:
        return None
    if not re.fullmatch(r"[0-9A-Fa-f]{64}", text):
        raise ValueError("a fingerprint has 64 hexadecimal digits")
    return Fingerprint(bytes.fromhex(text))
