"""A whole Home Assistant on real files, that can be stopped, killed and started again from what lies there."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
import shutil
from types import MappingProxyType
from typing import Any

from homeassistant import bootstrap, loader
from homeassistant.components.recorder.core import Recorder
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    category_registry as cr,
    device_registry as dr,
    entity_registry as er,
    floor_registry as fr,
    frame,
    issue_registry as ir,
    label_registry as lr,
    restore_state as rs,
    translation,
)
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_test_home_assistant

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.erasing.stored import async_write_files
from custom_components.familiar_faces.hub import Hub

from ..conftest import FrontDoor, put_up

type MakeRecorder = Callable[..., AbstractAsyncContextManager[Recorder]]

DATABASE = "home-assistant_v2.db"
AUTOMATION: dict[str, Any] = {
    "id": "visitors",
    "alias": "Visitors",
    "triggers": {"trigger": "state", "entity_id": "event.front_door_visitor"},
    "actions": {
        "action": "persistent_notification.create",
        "data": {"message": "{{ trigger.to_state.attributes.person_name }} is at the door"},
    },
}
"""What owners do: it leaves the name in traces, in events and in a notification."""


@dataclass
class Home:
    """A running Home Assistant with a camera, a doorbell, an automation, and this integration."""

    hass: HomeAssistant
    folder: Path
    front_door: FrontDoor
    entry: ConfigEntry
    recorder: Recorder | None

    @property
    def hub(self) -> Hub:
        """Return the running hub."""
        hub: Hub = self.entry.runtime_data
        return hub

    async def settle(self) -> None:
        """Wait until nothing is being done, and everything that is to be recorded is."""
        await self.hass.async_block_till_done(wait_background_tasks=True)
        if self.recorder is not None and self.recorder.is_alive():
            await self.recorder.async_block_till_done()

    async def write(self) -> None:
        """Have everything written that would be after some minutes."""
        await self.settle()
        await async_write_files(self.hass)


@asynccontextmanager
async def home(
    folder: Path,
    make_recorder: MakeRecorder | None,
    new_entry: MockConfigEntry | None = None,
    more: Mapping[str, Any] = MappingProxyType({}),
    *,
    state: ConfigEntryState | None = None,
) -> AsyncGenerator[Home]:
    """Start Home Assistant from a folder, and stop it at the end.

    `more`: what is set up besides, by its domain; `state`: what the entry is to be in instead of loaded.
    """
    (folder / ".storage").mkdir(parents=True, exist_ok=True)
    async with async_test_home_assistant(load_registries=False, config_dir=str(folder)) as hass:
        hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
        try:
            frame.async_setup(hass)
            await hass.config_entries.async_initialize()
            dr.async_setup(hass)
            for load in (*(each.async_load for each in (ar, cr, dr, er, fr, ir, lr, rs)),):
                await load(hass)
            hass.data[bootstrap.DATA_REGISTRIES_LOADED] = None
            await translation.async_load_integrations(hass, {"homeassistant"})
            if make_recorder is None:
                yield await _furnish(hass, folder, new_entry, None, more, state)
                return
            config = {"db_url": f"sqlite:///{folder / DATABASE}", "commit_interval": 1}
            async with make_recorder(hass, config) as recorder:
                yield await _furnish(hass, folder, new_entry, recorder, more, state)
                await hass.async_stop(force=True)
        finally:
            await hass.async_stop(force=True)


async def _furnish(
    hass: HomeAssistant,
    folder: Path,
    new_entry: MockConfigEntry | None,
    recorder: Recorder | None,
    more: Mapping[str, Any],
    state: ConfigEntryState | None,
) -> Home:
    front_door = FrontDoor()
    await put_up(hass, [front_door])
    assert await async_setup_component(hass, "persistent_notification", {})
    for domain, config in more.items():
        if domain != "automation":
            assert await async_setup_component(hass, domain, {domain: config})
    automations = [AUTOMATION, *more.get("automation", ())]
    assert await async_setup_component(hass, "automation", {"automation": automations})
    if new_entry is not None:
        # Home Assistant adds entries that are set up; this one is as the flow would have made it.
        new_entry.add_to_hass(hass)
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    if entry.state is ConfigEntryState.NOT_LOADED:
        await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is (state or ConfigEntryState.LOADED)
    if state is None:
        assert await entry.runtime_data.engine.wait_ready(30)
    running = Home(hass, folder, front_door, entry, recorder)
    await running.settle()
    return running


def snapshot(source: Path, target: Path) -> None:
    """Copy a folder as a kill would leave it at this moment."""

    def sockets(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if Path(folder, name).is_socket()]

    shutil.copytree(source, target, ignore=sockets)
