"""The flow of a person: the name, the consent, and only then the photos."""

from typing import Any

from homeassistant.components.person.const import DOMAIN as PERSON_DOMAIN
from homeassistant.config_entries import ConfigEntryState, SubentryFlowResult
from homeassistant.const import CONF_NAME
from homeassistant.helpers.selector import BooleanSelector, EntitySelector, EntitySelectorConfig, TextSelector
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..const import CONF_CHILD, CONF_LINKED_ENTITY, CONF_PERSON_ID
from ..people.names import cleaned
from ..people.templates import compared
from ..recognising.renaming import name_refused
from ..vault.errors import UnknownPerson, VaultError
from .consent_step import ConsentStep
from .forget_step import ForgetStep
from .invite_steps import InviteSteps
from .person_steps import log_failure
from .phone_offer import PhoneOffer
from .walk_up import WalkUpSteps

LINK = EntitySelector(EntitySelectorConfig(domain=PERSON_DOMAIN))
NEW_SCHEMA = vol.Schema(
    {
        # Somebody who is in Home Assistant has a name there.
        vol.Optional(CONF_NAME): TextSelector(),
        vol.Required(CONF_CHILD, default=False): BooleanSelector(),
        vol.Optional(CONF_LINKED_ENTITY): LINK,
    }
)
DETAILS_SCHEMA = vol.Schema({vol.Required(CONF_NAME): TextSelector(), vol.Optional(CONF_LINKED_ENTITY): LINK})


class PersonFlow(ConsentStep, WalkUpSteps, InviteSteps, PhoneOffer, ForgetStep):
    """The steps of adding or changing a person: who it is; the others are inherited."""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask where they say yes: here and now, or on their own phone."""
        if self._get_entry().state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        return self.async_show_menu(step_id="user", menu_options=["here", "invite"])

    async def async_step_here(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask who it is."""
        if (errors := self._take_person(user_input)) is None:
            return await self.async_step_consent()
        return self.async_show_form(
            step_id="here",
            data_schema=self.add_suggested_values_to_schema(NEW_SCHEMA, user_input),
            errors=errors,
        )

    def _take_person(self, user_input: dict[str, Any] | None) -> dict[str, str] | None:
        """Take what was said of a person; return None when it is fine, else the errors."""
        if user_input is None:
            return {}
        linked = user_input.get(CONF_LINKED_ENTITY)
        name = cleaned(user_input.get(CONF_NAME, ""))
        if not name and linked is not None and (state := self.hass.states.get(linked)) is not None:
            name = cleaned(state.name)
        if problem := name_refused(name, self._person_id, self._hub.people):
            return {CONF_NAME: problem}
        self._name = name
        self._child = user_input.get(CONF_CHILD, self._child)
        self._linked_entity = linked
        return None

    # Changing a person

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask what to change."""
        if self._get_entry().state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        self._person_id = self._get_reconfigure_subentry().data[CONF_PERSON_ID]
        if (person := self._hub.people.get(self._person_id)) is None:
            return self.async_abort(reason="nothing_stored")
        self._name = person.name
        self._linked_entity = person.linked_entity
        self._child = person.consent is not None and person.consent.on_behalf_of_child
        options = ["details", "consent", "renew", "own_link", "photo", "walk_up", "remove_photos"]
        if not all(each.usable for each in person.templates):
            options.append("use_photos")
        if not person.may_be_recognised(dt_util.utcnow()):
            # More to recognise them by needs their consent.
            options = [each for each in options if each not in ("photo", "use_photos")]
        if not self._cameras(person):
            options.remove("walk_up")
        options.append("forget")
        return self.async_show_menu(
            step_id="reconfigure",
            menu_options=options,
            description_placeholders={
                "name": self._name,
                "in_use": str(len(compared(person.templates))),
                "photos": str(len(person.templates)),
            },
        )

    async def _async_rename(self) -> None:
        """Write the name and the link, and have them shown; raises VaultError."""
        await self.hass.async_add_executor_job(
            self._hub.vault.update_person, self._person_id, self._name, self._linked_entity
        )
        await self._hub.async_refresh_people()

    async def async_step_details(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Change the name and the link."""
        if (errors := self._take_person(user_input)) is None:
            try:
                await self._hub.async_whole(self._async_rename())
                return await self._async_changed()
            except UnknownPerson:
                return self.async_abort(reason="nothing_stored")
            except VaultError as err:
                log_failure(err)
                errors = {"base": "vault_failed"}
        suggested = {CONF_NAME: self._name}
        if self._linked_entity is not None:
            suggested[CONF_LINKED_ENTITY] = self._linked_entity
        return self.async_show_form(
            step_id="details",
            data_schema=self.add_suggested_values_to_schema(DETAILS_SCHEMA, user_input or suggested),
            errors=errors,
        )
