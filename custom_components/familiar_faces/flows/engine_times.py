"""The comparison of the places where an engine is there already: how long each takes for a picture, measured now."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import CONF_URL
from homeassistant.core import HomeAssistant

from ..const import CONF_WHERE, Where
from ..host.asking import Asking
from ..host.engine_errors import EngineError
from ..host.measuring import measure, sample
from ..host.process import EngineProcess
from ..household.engine_choice import addresses_of, async_client_for, async_get_environment
from ..household.places import engine_runtime
from ..wording.words import async_say

SECONDS = 15.0
"""How long all of it may take: the owner waits for it with the dialog open."""
START_SECONDS = 10.0


async def async_compare(
    hass: HomeAssistant,
    entry: ConfigEntry | None,
    apps: Collection[Mapping[str, Any]],
    typed: Mapping[str, Any] | None = None,
) -> str:
    """Return a line of Markdown for each engine that is used or could be used at once, with its time for a picture.

    `apps` are the data of an entry for each app that announced itself, `typed` those of one that the owner has entered:
    its engines come first. Where there is nothing to choose from the answer is empty.
    """
    if entry is None and typed is None and not apps:
        return ""
    picture = await hass.async_add_executor_job(sample)
    lines: list[str] = []
    in_app = await async_say(hass, "engine_time", "app")
    names = {data[CONF_URL].rstrip("/"): in_app for data in apps}
    asked: set[str] = set()

    async def ask(data: Mapping[str, Any]) -> None:
        for url in addresses_of(data):
            if (plain := url.rstrip("/")) not in asked:
                asked.add(plain)
                client = async_client_for(hass, data, url)
                lines.append(await _async_line(hass, client, picture, names.get(plain, url)))

    try:
        async with asyncio.timeout(SECONDS):
            if typed is not None:
                await ask(typed)
            lines.append(await _async_this_machine(hass, entry, picture))
            if entry is not None and entry.data[CONF_WHERE] == Where.ANOTHER_MACHINE:
                await ask(entry.data)
            for data in apps:
                await ask(data)
    except TimeoutError:
        # What was measured until then is of use as well.
        pass
    return "\n".join(f"- {line}" for line in lines)


async def async_time(hass: HomeAssistant, data: Mapping[str, Any], place: str) -> str:
    """Return how long the engine at the address of an entry's data takes for a picture, in words."""
    picture = await hass.async_add_executor_job(sample)
    try:
        async with asyncio.timeout(SECONDS):
            return await _async_line(hass, async_client_for(hass, data, data[CONF_URL]), picture, place)
    except TimeoutError:
        return await async_say(hass, "engine_time", "away", place=place)


async def _async_this_machine(hass: HomeAssistant, entry: ConfigEntry | None, picture: bytes) -> str:
    here = await async_say(hass, "engine_time", "this_machine")
    if entry is not None and entry.data[CONF_WHERE] == Where.THIS_MACHINE:
        if entry.state is not ConfigEntryState.LOADED:
            return await async_say(hass, "engine_time", "away", place=here)
        try:
            return await _async_line(hass, entry.runtime_data.client, picture, here)
        except EngineError:
            return await async_say(hass, "engine_time", "away", place=here)
    environment = async_get_environment(hass)
    if not await hass.async_add_executor_job(environment.ready):
        # Nothing that Home Assistant has computes as the engine does, so nothing can be said before it is there.
        survey = await hass.async_add_executor_job(environment.survey)
        known = "not_installed" if survey.failed is None else "cannot_run"
        return await async_say(hass, "engine_time", known, place=here)
    # It was used before: it is started for this, and ended.
    engine = EngineProcess(environment, engine_runtime(hass))
    await engine.start()
    try:
        if not await engine.wait_ready(START_SECONDS):
            return await async_say(hass, "engine_time", "away", place=here)
        return await _async_line(hass, engine.client, picture, here)
    finally:
        await engine.stop()


async def _async_line(hass: HomeAssistant, client: Asking, picture: bytes, place: str) -> str:
    try:
        took = await measure(client, picture)
    except EngineError:
        return await async_say(hass, "engine_time", "away", place=place)
    return await async_say(hass, "engine_time", "takes", place=place, ms=round(took))
