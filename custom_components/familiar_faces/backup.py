"""Backups: nothing writes to the vault's file while Home Assistant copies it."""

from functools import partial
import logging

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant

from .const import DOMAIN
from .hub import FamiliarFacesConfigEntry
from .vault.errors import VaultClosed, VaultError
from .wording.vault_errors import Failed, vault_failed

_LOGGER = logging.getLogger(__name__)


async def async_pre_backup(hass: HomeAssistant) -> None:
    """Have writes go beside the file from now on."""
    await _async_hold(hass, held=True)


async def async_post_backup(hass: HomeAssistant) -> None:
    """Have them go into the file again, and finish what had to wait for that."""
    await _async_hold(hass, held=False)
    entries: list[FamiliarFacesConfigEntry] = hass.config_entries.async_entries(DOMAIN)
    for entry in entries:
        if entry.state is ConfigEntryState.LOADED:
            try:
                # Nobody who was forgotten meanwhile has a verified receipt yet.
                await entry.runtime_data.forgetting.async_carry_on()
            except VaultError as err:
                _LOGGER.warning("What is left of forgetting is done at the next purge: %s", err)


async def _async_hold(hass: HomeAssistant, *, held: bool) -> None:
    entries: list[FamiliarFacesConfigEntry] = hass.config_entries.async_entries(DOMAIN)
    for entry in entries:
        if entry.state is not ConfigEntryState.LOADED:
            # A vault that is not open stands still.
            continue
        try:
            await hass.async_add_executor_job(partial(entry.runtime_data.vault.hold_file, held=held))
        except VaultClosed:
            continue
        except VaultError as err:
            raise vault_failed(err, Failed.BACKUP) from err
