"""The consent step of a person's flow."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

from homeassistant.config_entries import SOURCE_RECONFIGURE, SubentryFlowResult
from homeassistant.helpers.selector import (
    BooleanSelector,
    DateSelector,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..const import CONSENT_TEXT_VERSION
from ..people.person import Consent, ConsentMethod
from ..vault.errors import UnknownPerson, VaultError
from .person_steps import log_failure
from .photo_steps import PhotoSteps
from .words import async_say, shown_language

CONF_AGREED = "agreed"
CONF_GIVEN_BY = "given_by"
CONF_GIVEN_ON = "given_on"
CONF_METHOD = "method"
CONF_VALID_UNTIL = "valid_until"

DEFAULT_DAYS = 365
DEFAULT_DAYS_CHILD = 183
MAX_DAYS = 3 * 365 + 1
"""Three years, of which one is a leap year."""

CONSENT_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_GIVEN_BY): TextSelector(),
        vol.Required(CONF_METHOD, default=ConsentMethod.IN_PERSON): SelectSelector(
            SelectSelectorConfig(
                options=list(ConsentMethod), translation_key="method", mode=SelectSelectorMode.LIST
            )
        ),
        vol.Required(CONF_GIVEN_ON): DateSelector(),
        vol.Required(CONF_VALID_UNTIL): DateSelector(),
        vol.Required(CONF_AGREED, default=False): BooleanSelector(),
    }
)


class ConsentStep(PhotoSteps):
    """Asks for the consent; the photos come behind it."""

    async def async_step_consent(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the consent, and put it on record before any photo."""
        today = dt_util.now().date()
        errors: dict[str, str] = {}
        if user_input is not None and not (errors := self._consent_errors(user_input, today)):
            consent = self._consent(user_input)
            try:
                if self._enrolling or self.source == SOURCE_RECONFIGURE:
                    await self.hass.async_add_executor_job(
                        self._hub.vault.record_consent, self._person_id, consent
                    )
                else:
                    await self.hass.async_add_executor_job(
                        self._hub.vault.begin_enrolment,
                        self._person_id,
                        self._name,
                        self._linked_entity,
                        consent,
                    )
                    self._enrolling = True
                if self.source == SOURCE_RECONFIGURE:
                    return await self._async_changed()
            except UnknownPerson:
                return self.async_abort(reason="nothing_stored")
            except VaultError as err:
                log_failure(err)
                errors["base"] = "vault_failed"
            else:
                return await self.async_step_photo()
        lasts = DEFAULT_DAYS_CHILD if self._child else DEFAULT_DAYS
        suggested = {
            CONF_GIVEN_BY: "" if self._child else self._name,
            CONF_GIVEN_ON: today.isoformat(),
            CONF_VALID_UNTIL: (today + timedelta(days=lasts)).isoformat(),
        } | (user_input or {})
        return self.async_show_form(
            step_id="consent",
            data_schema=self.add_suggested_values_to_schema(CONSENT_SCHEMA, suggested),
            errors=errors,
            description_placeholders={
                "name": self._name,
                "text": await async_say(
                    self.hass, "consent_text", "child" if self._child else "adult", name=self._name
                ),
            },
        )

    def _consent_errors(self, user_input: dict[str, Any], today: date) -> dict[str, str]:
        given_on = date.fromisoformat(user_input[CONF_GIVEN_ON])
        valid_until = date.fromisoformat(user_input[CONF_VALID_UNTIL])
        given_by = user_input[CONF_GIVEN_BY].strip()
        if not given_by:
            return {CONF_GIVEN_BY: "giver_needed"}
        if self._child and given_by.casefold() == self._name.casefold():
            return {CONF_GIVEN_BY: "child_needs_guardian"}
        if given_on > today:
            return {CONF_GIVEN_ON: "given_in_future"}
        if valid_until <= today:
            return {CONF_VALID_UNTIL: "already_over"}
        if (valid_until - given_on).days > MAX_DAYS:
            return {CONF_VALID_UNTIL: "too_long"}
        if not user_input[CONF_AGREED]:
            return {CONF_AGREED: "not_agreed"}
        return {}

    def _consent(self, user_input: dict[str, Any]) -> Consent:
        now = dt_util.utcnow()
        midnight = {
            key: datetime.combine(
                date.fromisoformat(user_input[key]), time.min, tzinfo=dt_util.get_default_time_zone()
            )
            for key in (CONF_GIVEN_ON, CONF_VALID_UNTIL)
        }
        return Consent(
            consent_id=uuid4().hex,
            given_by=user_input[CONF_GIVEN_BY].strip(),
            on_behalf_of_child=self._child,
            method=ConsentMethod(user_input[CONF_METHOD]),
            given_at=dt_util.as_utc(midnight[CONF_GIVEN_ON]),
            # The last day counts whole.
            valid_until=dt_util.as_utc(midnight[CONF_VALID_UNTIL] + timedelta(days=1)),
            text_version=f"{shown_language(self.hass)}/{CONSENT_TEXT_VERSION}",
            recorded_at=now,
        )
