"""Familiar Faces: shows which consenting people are at the cameras, locally."""

from functools import partial

from homeassistant.const import EVENT_HOMEASSISTANT_STOP, Platform
from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import ConfigEntryError, ConfigEntryNotReady, HomeAssistantError
from homeassistant.helpers import config_validation as cv, issue_registry as ir
from homeassistant.helpers.typing import ConfigType

from .assist import async_offer_sentences
from .const import DOMAIN
from .erasing.everybody import async_forget_everybody
from .erasing.surely import async_erase_unfinished
from .household.engine_choice import async_get_environment
from .household.issues import async_check_vault, async_key_was_exposed
from .household.places import async_vault_expected, clock_file, vault_folder, witness_file
from .hub import FamiliarFacesConfigEntry, Hub
from .pages import async_setup_pages
from .panel import async_setup_panel
from .panel.program import async_hide_panel, async_show_panel
from .services import async_setup_services
from .vault.errors import VaultError, VaultInUse, VaultUnwritable
from .vault.store import Vault
from .views import async_setup_views
from .wording.vault_errors import Failed, vault_failed

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)
PLATFORMS = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.CALENDAR,
    Platform.EVENT,
    Platform.IMAGE,
    Platform.SENSOR,
    Platform.SWITCH,
]


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set up the actions, the pages, the views and the panel's commands."""
    async_setup_services(hass)
    async_setup_views(hass)
    async_setup_panel(hass)
    await async_setup_pages(hass)
    async_erase_unfinished(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: FamiliarFacesConfigEntry) -> bool:
    """Set up from a config entry."""
    try:
        folder, expected = vault_folder(hass), async_vault_expected(hass, entry)
        vault = await hass.async_add_executor_job(lambda: Vault.open(folder, expected=expected()))
    except VaultError as err:
        raise _not_set_up(hass, err) from err
    hub = Hub(hass, entry, vault)
    try:
        await hub.async_start()
        entry.runtime_data = hub
        await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    except (VaultError, OSError) as err:
        await hub.async_stop()
        raise _not_set_up(hass, err) from err
    except BaseException:
        await hub.async_stop()
        raise
    async_check_vault(hass, vault.trouble)
    if vault.key_was_exposed:
        async_key_was_exposed(hass)
    entry.async_on_unload(entry.add_update_listener(_async_entry_updated))
    await async_show_panel(hass)
    entry.async_on_unload(lambda: async_hide_panel(hass, soon=entry.disabled_by is None))
    entry.async_on_unload(await async_offer_sentences(hass, entry))

    async def stop(_event: Event) -> None:
        # Home Assistant does not unload entries when it stops.
        await hub.async_stop()

    entry.async_on_unload(hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, stop))
    return True


def _not_set_up(hass: HomeAssistant, err: VaultError | OSError) -> HomeAssistantError:
    """Return what stops the set-up, and ask the owner what only they can decide."""
    async_check_vault(hass, err)
    # A full disk or a second process may pass, a lost key or a damaged file do not.
    passing = isinstance(err, (OSError, VaultInUse, VaultUnwritable))
    return vault_failed(err, Failed.OPENING, ConfigEntryNotReady if passing else ConfigEntryError)


async def _async_entry_updated(hass: HomeAssistant, entry: FamiliarFacesConfigEntry) -> None:
    """Follow changes of the entry and its subentries."""
    await entry.runtime_data.async_entry_updated()


async def async_unload_entry(hass: HomeAssistant, entry: FamiliarFacesConfigEntry) -> bool:
    """Unload a config entry."""
    if unloaded := await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        await entry.runtime_data.async_stop()
    return unloaded


async def async_remove_entry(hass: HomeAssistant, entry: FamiliarFacesConfigEntry) -> None:
    """Erase everything that was kept, and the engine's environment."""
    async_hide_panel(hass)
    for domain, issue_id in list(ir.async_get(hass).issues):
        if domain == DOMAIN:
            ir.async_delete_issue(hass, DOMAIN, issue_id)
    try:
        await async_forget_everybody(hass, entry, vault_folder(hass))
    finally:
        for path in (witness_file(hass), clock_file(hass)):
            await hass.async_add_executor_job(partial(path.unlink, missing_ok=True))
        await async_get_environment(hass).remove()
