"""The last step of the first person's flow: one tick, and a phone is notified of everybody who comes."""

from types import MappingProxyType
from typing import Any, override

from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigSubentry, SubentryFlowResult
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import voluptuous as vol

from ..alerts.recipients import Way, async_recipients
from ..alerts.rule import (
    CONF_AFTER,
    CONF_ANSWERS,
    CONF_BEFORE,
    CONF_CAMERAS,
    CONF_CRITICAL,
    CONF_EARLY,
    CONF_EVERY,
    CONF_HOME,
    CONF_PEOPLE,
    CONF_PICTURE,
    CONF_RECIPIENTS,
    CONF_WEEKDAYS,
    CONF_WHO,
    WEEKDAYS,
    Home,
    Pictures,
    Who,
)
from ..alerts.trial import async_title
from ..const import SUBENTRY_ALERT
from ..people.person import Person
from ..vault.errors import UnknownPerson, VaultError
from ..wording.words import async_say
from .alert_choices import name_problem, people_of
from .finish_steps import FinishSteps
from .person_steps import log_failure

CONF_PHONES = "phones"


class PhoneOffer(FinishSteps):
    """Offers an alert where there is none yet: without one nobody hears of a visit."""

    @override
    async def _async_done(self, person: Person) -> SubentryFlowResult:
        if (
            self.source != SOURCE_RECONFIGURE
            and await self._async_phones()
            and await self._async_alert_name()
        ):
            return await self.async_step_phones()
        return await super()._async_done(person)

    async def async_step_phones(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask which phones are notified of everybody who comes."""
        errors: dict[str, str] = {}
        phones = await self._async_phones()
        if user_input is not None:
            try:
                person = await self._async_stored()
            except UnknownPerson:
                return self.async_abort(reason="nothing_stored")
            except VaultError as err:
                log_failure(err)
                errors["base"] = "vault_failed"
            else:
                chosen = [each for each in user_input.get(CONF_PHONES, []) if each in phones]
                if chosen and (name := await self._async_alert_name()):
                    self.hass.config_entries.async_add_subentry(self._get_entry(), everybody(name, chosen))
                return await super()._async_done(person)
        options = [SelectOptionDict(value=key, label=title) for key, title in phones.items()]
        selector = SelectSelector(
            SelectSelectorConfig(options=options, multiple=True, mode=SelectSelectorMode.LIST)
        )
        return self.async_show_form(
            step_id="phones",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema({vol.Optional(CONF_PHONES): selector}), user_input
            ),
            errors=errors,
            description_placeholders={"name": self._name},
            last_step=True,
        )

    async def _async_phones(self) -> dict[str, str]:
        """Return the titles of the phones by their keys, none when there is an alert already."""
        if self._get_entry().get_subentries_of_type(SUBENTRY_ALERT):
            return {}
        return {
            each.key: await async_title(self.hass, each.key)
            for each in async_recipients(self.hass)
            if each.way is Way.PHONE
        }

    async def _async_alert_name(self) -> str:
        """Return what the alert is called, "" when somebody has that name."""
        name = await async_say(self.hass, "alert_offer", "title")
        people = [self._name, *people_of(self._hub).values()]
        return "" if name_problem(name, (), people) else name


def everybody(name: str, phones: list[str]) -> ConfigSubentry:
    """Return an alert that notifies phones of everybody, at all cameras and times."""
    data = {
        CONF_WHO: list(Who),
        CONF_PEOPLE: [],
        CONF_CAMERAS: None,
        CONF_AFTER: None,
        CONF_BEFORE: None,
        CONF_WEEKDAYS: list(WEEKDAYS),
        CONF_HOME: Home.ANY,
        CONF_RECIPIENTS: phones,
        CONF_PICTURE: Pictures.FAMILIAR,
        CONF_EARLY: True,
        CONF_EVERY: 0,
        CONF_CRITICAL: False,
        CONF_ANSWERS: True,
    }
    return ConfigSubentry(
        data=MappingProxyType(data), subentry_type=SUBENTRY_ALERT, title=name, unique_id=None
    )
