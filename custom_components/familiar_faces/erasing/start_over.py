"""Starting over when the vault can no longer be opened: all stored data is erased.

Nothing else ever erases a vault that cannot be opened, and no key is ever made for one.
"""

from collections.abc import Callable
from pathlib import Path

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from ..alerts.rules import async_prune_entry
from ..const import CONF_FORGETTING, CONF_PEOPLE, SUBENTRY_PERSON
from ..household.books import Books
from ..household.places import async_vault_expected, vault_folder, witness_file
from ..vault.errors import VaultError
from ..vault.store import Vault
from .everybody import async_wanted
from .home_traces import async_naming
from .surely import async_drop_note, async_erase_surely, async_note


async def async_vault_problem(hass: HomeAssistant, entry: ConfigEntry) -> VaultError | None:
    """Return what keeps the closed vault from being opened, None when nothing does."""
    return await hass.async_add_executor_job(_problem, vault_folder(hass), async_vault_expected(hass, entry))


def _problem(folder: Path, expected: Callable[[], bool]) -> VaultError | None:
    try:
        Vault.open(folder, expected=expected()).close()
    except VaultError as err:
        return err
    return None


async def async_start_over(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Erase the closed vault and all traces of the people; cameras and settings stay. Raises VaultError.

    Killed half-way, the rest is erased at the next start.
    """
    wanted = async_wanted(hass, entry)
    # The key of the marks is lost with the vault's: what followed is found as far as their own entities tell.
    noted = await async_note(hass, wanted, async_naming(hass, entry, ()), marks=None)
    try:
        await hass.async_add_executor_job(Vault.destroy, vault_folder(hass))
    except OSError, VaultError:
        await async_drop_note(hass, noted)
        raise
    await hass.async_add_executor_job(_remove_witness, hass)
    for subentry in entry.get_subentries_of_type(SUBENTRY_PERSON):
        hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
    data = {key: value for key, value in entry.data.items() if key not in (CONF_FORGETTING, CONF_PEOPLE)}
    hass.config_entries.async_update_entry(entry, data=data)
    # Alerts, switches and mutes know people by their ids.
    async_prune_entry(hass, entry, Books(hass, entry), set())
    await async_erase_surely(hass, noted)


def _remove_witness(hass: HomeAssistant) -> None:
    witness_file(hass).unlink(missing_ok=True)
