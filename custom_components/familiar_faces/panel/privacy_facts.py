"""What is said of the engine, the connections, the periods and the papers to the owner."""

from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from homeassistant.core import callback
from yarl import URL

from ..alerts.recipients import Way
from ..const import CONF_APP, CONF_WHERE, Where
from ..host.engine import EngineStatus
from ..host.engine_errors import EngineError
from ..household.engine_choice import addresses_of
from ..household.options import PERIODS, papers_shown, strangers_held
from ..hub import Hub

RECORD_SIGNED_FOR: Final = timedelta(hours=1)
"""How long a link to the record works."""

ANSWERS_WITHIN: Final = 2.0
"""Seconds for which the engine is waited for: the page shows everything else without it."""

type Said = dict[str, Any]


@callback
def async_engine(hub: Hub) -> Said:
    """Return where the engine runs and how it does. An address is said without what may stand before it."""
    data = hub.entry.data
    elsewhere = data[CONF_WHERE] == Where.ANOTHER_MACHINE
    urls = [URL(each) for each in addresses_of(data)] if elsewhere else []
    return {
        "status": str(hub.engine.status),
        "ready": hub.engine.status is EngineStatus.READY,
        "error": hub.engine.last_error,
        "where": "app" if data.get(CONF_APP) else str(data[CONF_WHERE]),
        "addresses": [
            {
                "address": f"{url.host}:{url.port}",
                "encrypted": url.scheme == "https",
                "away": str(each) in hub.engine.parts_away,
            }
            for url, each in zip(urls, addresses_of(data) if elsewhere else [], strict=True)
        ],
        "latency_ms": None if hub.engine.latency_ms is None else round(hub.engine.latency_ms),
        "model": None if hub.gallery is None else hub.gallery.model,
    }


async def async_running(hub: Hub) -> Said:
    """Return how long the engine has been running and what memory it takes, where it says that."""
    health = None
    if hub.engine.status is EngineStatus.READY:
        with suppress(EngineError):
            health = await hub.engine.client.health(ANSWERS_WITHIN)
    return {
        "up_seconds": None if health is None else health.up_seconds,
        "memory": None if health is None else health.memory,
    }


@callback
def async_connections(hub: Hub) -> Said:
    """Return what this integration connects to besides the engine."""
    keys = {key for rule in hub.alerts.all_rules for key in rule.recipients}
    return {
        "cameras": len(hub.watchers),
        "phones": sum(key.startswith(f"{Way.PHONE}:") for key in keys),
        "others": sum(not key.startswith((f"{Way.PHONE}:", f"{Way.HERE}:")) for key in keys),
    }


@callback
def async_periods(hub: Hub) -> Said:
    """Return how long things are kept, in seconds; nothing stands for not at all."""
    retention = hub.retention
    periods = {name: getattr(retention, name).total_seconds() for name, _ in PERIODS.values()}
    return {
        **periods,
        "counts": retention.counts.total_seconds(),
        "strangers_held": strangers_held(hub.entry),
    }


@callback
def async_papers_shown(hub: Hub) -> bool:
    """Return whether visitors can see the papers."""
    return papers_shown(hub.entry)
