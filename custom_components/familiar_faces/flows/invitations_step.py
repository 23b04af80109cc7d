"""The options of invitations: those that are open, with their links where they are known, to close or to send again."""

from collections.abc import Collection
from typing import Any

from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult, OptionsFlow
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import voluptuous as vol

from ..consent.invitations import Invited, mail
from ..hub import Hub
from ..vault.errors import VaultError
from ..vault.links import Invitation
from ..wording.dates import async_say_moment
from ..wording.words import async_say

CONF_CLOSE = "close"
CONF_REMIND = "remind"


class InvitationsStep(OptionsFlow):
    """Lists the invitations that are open."""

    _reminders: str = ""

    async def async_step_invitations(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show them, and close those that are chosen."""
        entry = self.config_entry
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        hub, errors = entry.runtime_data, dict[str, str]()
        if user_input is not None:
            closed = frozenset(user_input[CONF_CLOSE])
            remind = frozenset(user_input[CONF_REMIND]) - closed
            try:
                await hub.async_whole(hub.invitations.async_close(closed))
                reminders = await hub.async_whole(self._async_remind(hub, remind))
            except HomeAssistantError as err:
                errors["base"] = "no_url" if err.translation_key == "no_url" else "not_closed"
            else:
                if not reminders:
                    return self.async_abort(reason="invitations_closed")
                self._reminders = reminders
                return await self.async_step_reminders()
        try:
            found = await hub.invitations.async_open()
        except VaultError:
            return self.async_abort(reason="not_read")
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
            data_schema=vol.Schema(
                {vol.Required(CONF_REMIND, default=[]): choice, vol.Required(CONF_CLOSE, default=[]): choice}
            ),
            errors=errors,
            description_placeholders={"invitations": "\n".join(lines)},
        )

    async def async_step_reminders(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show the new links."""
        if user_input is not None:
            return self.async_abort(reason="reminded")
        return self.async_show_form(
            step_id="reminders",
            data_schema=vol.Schema({}),
            description_placeholders={"links": self._reminders},
        )

    async def _async_remind(self, hub: Hub, invitation_ids: Collection[str]) -> str:
        """Make new invitations in the place of these, and return their links; raises what the owner is to read."""
        lines = []
        for invited in await hub.invitations.async_remind(invitation_ids):
            name = await self._async_name(hub, invited)
            by_mail = await async_say(self.hass, "invitation", "mail")
            lines.append(f"- {name}\n\n  `{invited.url}`\n\n  [{by_mail}]({mail(invited.url)})")
        return "\n".join(lines)

    async def _async_name(self, hub: Hub, invitation: Invitation | Invited) -> str:
        """Return the person of an invitation, and its end."""
        person = hub.people.get(invitation.person_id or "")
        until = await async_say_moment(self.hass, invitation.expires_at)
        if person is None:
            return await async_say(self.hass, "invitation", "somebody_new", until=until)
        return await async_say(self.hass, "invitation", "renewal", name=person.name, until=until)
