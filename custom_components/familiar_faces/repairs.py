"""Repairs that ask the owner something: whom of a restored backup to keep, and what to do about a lost vault."""

import asyncio

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
from homeassistant.util import dt as dt_util
import voluptuous as vol

from .const import DOMAIN
from .erasing.start_over import async_start_over, async_vault_problem
from .household.issues import RESTORED
from .household.places import vault_folder
from .hub import FamiliarFacesConfigEntry, Hub
from .running import async_running_hub
from .vault.errors import VaultError
from .vault.files import KEY

KEEP = "keep"


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the flow of an issue."""
    return RestoredFlow() if issue_id == RESTORED else VaultFlow()


class RestoredFlow(RepairsFlow):
    """Asks whom of those who came back with a backup to keep."""

    _keep: frozenset[str] = frozenset()

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Ask."""
        return await self.async_step_people()

    async def async_step_people(self, user_input: dict[str, list[str]] | None = None) -> RepairsFlowResult:
        """Show everybody by name.

        Nobody is chosen beforehand. Chosen, a careless click would have people recognised again who withdrew;
        not chosen, it would erase everybody, were it not for the next step, which names who is to be erased.
        """
        if (hub := async_running_hub(self.hass)) is None:
            return self.async_abort(reason="not_loaded")
        if user_input is not None:
            self._keep = frozenset(user_input.get(KEEP, ()))
            return await self.async_step_forget() if self._lost(hub) else await self._async_answer(hub)
        if not hub.roster.held:
            return self.async_create_entry(data={})
        options = [SelectOptionDict(value=key, label=name) for key, name in hub.roster.held.items()]
        config = SelectSelectorConfig(options=options, multiple=True, mode=SelectSelectorMode.LIST)
        return self.async_show_form(
            step_id="people",
            data_schema=vol.Schema({vol.Optional(KEEP, default=list): SelectSelector(config)}),
        )

    async def async_step_forget(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Say who is erased for good, and do it."""
        if (hub := async_running_hub(self.hass)) is None:
            return self.async_abort(reason="not_loaded")
        if user_input is not None:
            return await self._async_answer(hub)
        return self.async_show_form(
            step_id="forget",
            data_schema=vol.Schema({}),
            description_placeholders={"people": ", ".join(self._lost(hub))},
        )

    def _lost(self, hub: Hub) -> list[str]:
        held = hub.roster.held
        return sorted(name for person_id, name in held.items() if person_id not in self._keep)

    async def _async_answer(self, hub: Hub) -> RepairsFlowResult:
        await hub.async_whole(hub.restored.async_answer(self._keep))
        return self.async_create_entry(data={})


class VaultFlow(RepairsFlow):
    """Offers to try again, or to erase what nobody can read any more."""

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Offer both."""
        return self.async_show_menu(
            step_id="init",
            menu_options=["try_again", "start_over"],
            description_placeholders={"file": str(vault_folder(self.hass) / KEY)},
        )

    async def async_step_try_again(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Set up again, with what was put back meanwhile."""
        entry = self._entry()
        if entry.state is not ConfigEntryState.LOADED:
            await self.hass.config_entries.async_reload(entry.entry_id)
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="still_failing")
        return self.async_create_entry(data={})

    async def async_step_start_over(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Say what is lost, and erase it."""
        entry = self._entry()
        if user_input is None:
            return self.async_show_form(step_id="start_over", data_schema=vol.Schema({}))
        if entry.state is not ConfigEntryState.SETUP_ERROR:
            return self.async_abort(reason="not_needed")
        if (problem := await async_vault_problem(self.hass)) is None:
            # It was put right meanwhile: what can be used is not erased.
            await self.hass.config_entries.async_reload(entry.entry_id)
            return self.async_abort(reason="not_needed")
        try:
            # Whoever hangs up now has said so.
            await asyncio.shield(self.hass.async_create_task(async_start_over(self.hass, entry)))
        except VaultError:
            return self.async_abort(reason="not_erased")
        await self.hass.config_entries.async_reload(entry.entry_id)
        if (hub := async_running_hub(self.hass)) is not None:
            details = {"problem": type(problem).__name__}
            await self.hass.async_add_executor_job(
                hub.vault.audit, "started_over", None, details, dt_util.utcnow()
            )
        return self.async_create_entry(data={})

    def _entry(self) -> FamiliarFacesConfigEntry:
        entry: FamiliarFacesConfigEntry = self.hass.config_entries.async_entries(DOMAIN)[0]
        return entry
