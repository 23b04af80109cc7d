"""Which engine an entry uses: a child on this machine, or one reached over the network."""

from pathlib import Path
import sys

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_TOKEN, CONF_URL, CONF_VERIFY_SSL
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from ..const import CONF_WHERE, Where
from ..host.engine import Engine
from ..host.environment import Environment
from ..host.process import EngineProcess
from ..host.remote import RemoteEngine
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
        return EngineProcess(async_get_environment(hass), engine_runtime(hass))
    session = async_get_clientsession(hass, entry.data[CONF_VERIFY_SSL])
    return RemoteEngine(session, entry.data[CONF_URL], entry.data.get(CONF_TOKEN))
