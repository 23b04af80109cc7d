"""Home Assistant's own files: written at once, and on the disk, where it would do so seconds or minutes later."""

import json
import logging
import os
from pathlib import Path
from typing import Any

from homeassistant.config_entries import ConfigEntries
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
from homeassistant.helpers.registry import BaseRegistry
from homeassistant.helpers.storage import Store

from .unreachable import reach

_LOGGER = logging.getLogger(__name__)


def check(hass: HomeAssistant) -> bool:
    """Return whether this Home Assistant still writes these files as is expected here."""
    return all(
        isinstance(getattr(each, "_store", None), Store) and callable(getattr(each, "_data_to_save", None))
        for each in (hass.config_entries, *_registries(hass))
    )


async def async_write_entries(hass: HomeAssistant) -> None:
    """Have the entries as they are now outlive a power cut. Raises Unreachable."""
    reach(hass, __name__, check)
    await _async_write(hass.config_entries)


async def async_write_registries(hass: HomeAssistant) -> None:
    """Have entities, devices and issues as they are now outlive a power cut. Raises Unreachable."""
    reach(hass, __name__, check)
    for registry in _registries(hass):
        await _async_write(registry)


def _registries(hass: HomeAssistant) -> tuple[BaseRegistry[Any], ...]:
    return er.async_get(hass), dr.async_get(hass), ir.async_get(hass)


async def _async_write(holder: BaseRegistry[Any] | ConfigEntries) -> None:
    # There is no public way to have it written at once.
    await holder._store.async_save(holder._data_to_save())
    await async_sync(holder._store)


async def async_stored_entry(hass: HomeAssistant, entry_id: str) -> dict[str, Any] | None:
    """Return the data of an entry as it lies on the disk, None when that cannot be told."""
    return await hass.async_add_executor_job(_stored_entry, Path(hass.config_entries._store.path), entry_id)


def _stored_entry(path: Path, entry_id: str) -> dict[str, Any] | None:
    try:
        _sync_one(path)
        _sync_one(path.parent)
        entries: list[dict[str, Any]] = json.loads(path.read_bytes())["data"]["entries"]
        return next((dict(each["data"]) for each in entries if each["entry_id"] == entry_id), None)
    except OSError, ValueError, KeyError, TypeError:
        return None


async def async_sync(store: Store[Any]) -> None:
    """Have a file that was written be on the disk: Home Assistant leaves to the operating system when it is."""
    await store.hass.async_add_executor_job(_sync, Path(store.path))


def _sync(path: Path) -> None:
    try:
        _sync_one(path)
        _sync_one(path.parent)
    except FileNotFoundError:
        # While it stops, Home Assistant writes at the very end.
        return
    except OSError as err:
        _LOGGER.warning("That %s is on the disk is not sure: %s", path.name, err)


def _sync_one(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
