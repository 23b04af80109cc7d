"""The options of invitations: those that are open, with their links where they are known, to close or to send again."""

from datetime import datetime
from typing import Any

from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult, OptionsFlow
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..hub import Hub
from ..vault.errors import VaultError
from ..vault.links import Invitation
from ..wording.words import async_say

CONF_CLOSE = "close"


class InvitationsStep(OptionsFlow):
    """Lists the invitations that are open."""

    async def async_step_invitations(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show them, and close those that are chosen."""
        entry = self.config_entry
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        hub, errors = entry.runtime_data, dict[str, str]()
        if user_input is not None:
            try:
                await hub.async_whole(hub.invitations.async_close(frozenset(user_input[CONF_CLOSE])))
            except HomeAssistantError:
                errors["base"] = "not_closed"
            else:
                return self.async_abort(reason="invitations_closed")
        try:
            found = await self.hass.async_add_executor_job(hub.vault.links.invitations, dt_util.utcnow())
        except VaultError:
            return self.async_abort(reason="not_loaded")
        if not found:
            return self.async_abort(reason="no_invitations")
        names = {each.invitation_id: await self._async_name(hub, each) for each in found}
        shown = {each.invitation_id: each.url for each in hub.invitations.shown.values()}
        lines = [
            f"- {name}" + (f"\n\n  `{shown[key]}`" if key in shown else "") for key, name in names.items()
        ]
        options = [SelectOptionDict(value=key, label=name) for key, name in names.items()]
        choice = SelectSelector(
            SelectSelectorConfig(options=options, multiple=True, mode=SelectSelectorMode.LIST)
        )
        return self.async_show_form(
            step_id="invitations",
            data_schema=vol.Schema({vol.Required(CONF_CLOSE, default=[]): choice}),
            errors=errors,
            description_placeholders={"invitations": "\n".join(lines)},
        )

    async def _async_name(self, hub: Hub, invitation: Invitation) -> str:
        """Return the person of an invitation, and its end."""
        person = hub.people.get(invitation.person_id or "")
        until = _at(invitation.expires_at)
        if person is None:
            return await async_say(self.hass, "invitation", "somebody_new", until=until)
        return await async_say(self.hass, "invitation", "renewal", name=person.name, until=until)


def _at(moment: datetime) -> str:
    """Return a moment as the three languages write it alike."""
    local = dt_util.as_local(moment)
    return f"{local.day}.{local.month}.{local.year}, {local:%H:%M}"
