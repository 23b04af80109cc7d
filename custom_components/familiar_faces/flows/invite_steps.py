"""The steps that hand out a link: an invitation for somebody new or to renew, and a new personal link."""

from typing import Any

from homeassistant.config_entries import SubentryFlowResult
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.selector import TextSelector
import voluptuous as vol

from ..consent.invitations import Invited, mail, qr_markdown
from ..wording.dates import async_say_moment
from .person_steps import PersonSteps

CONF_LINK = "link"


class InviteSteps(PersonSteps):
    """Hands out links; what follows happens on the pages behind them."""

    _invited: Invited | None = None
    _own_link = ""

    async def async_step_invite(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Invite somebody new; the page behind the link adds them, and this dialog does not."""
        return await self._async_invitation("invite", None, user_input)

    async def async_step_renew(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Invite somebody who is here to give a new consent."""
        return await self._async_invitation("renew", self._person_id, user_input)

    async def _async_invitation(
        self, step_id: str, person_id: str | None, user_input: dict[str, Any] | None
    ) -> SubentryFlowResult:
        if user_input is not None:
            return self.async_abort(reason="invited")
        if self._invited is None:
            try:
                self._invited = await self._hub.invitations.async_invite(person_id)
            except HomeAssistantError as err:
                return self._cannot(err)
        return self.async_show_form(
            step_id=step_id,
            data_schema=vol.Schema({vol.Optional(CONF_LINK, default=self._invited.url): TextSelector()}),
            description_placeholders={
                "name": self._name,
                "url": self._invited.url,
                "qr": qr_markdown(self._invited.url),
                "mail": mail(self._invited.url),
                "until": await async_say_moment(self.hass, self._invited.expires_at),
            },
        )

    async def async_step_own_link(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask first: the link that they have stops working."""
        return self.async_show_menu(
            step_id="own_link",
            menu_options=["new_own_link", "reconfigure"],
            description_placeholders={"name": self._name},
        )

    async def async_step_new_own_link(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Show somebody's new personal link, once."""
        if user_input is not None:
            return self.async_abort(reason="link_made")
        if not self._own_link:
            try:
                self._own_link = await self._hub.invitations.async_own_link(self._person_id)
            except HomeAssistantError as err:
                return self._cannot(err)
        return self.async_show_form(
            step_id="new_own_link",
            data_schema=vol.Schema({vol.Optional(CONF_LINK, default=self._own_link): TextSelector()}),
            description_placeholders={
                "name": self._name,
                "url": self._own_link,
                "qr": qr_markdown(self._own_link),
                "mail": mail(self._own_link),
            },
        )

    def _cannot(self, err: HomeAssistantError) -> SubentryFlowResult:
        """Say why there is no link."""
        if err.translation_key == "no_url":
            return self.async_abort(reason="no_url")
        if err.translation_key == "person_gone":
            return self.async_abort(reason="nothing_stored")
        return self.async_abort(reason="no_link")
