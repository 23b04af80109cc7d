"""The consent step of a person's flow."""

from datetime import date
from typing import Any

from homeassistant.config_entries import SOURCE_RECONFIGURE, SubentryFlowResult
from homeassistant.helpers.selector import (
    BooleanSelector,
    DateSelector,
    LanguageSelector,
    LanguageSelectorConfig,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..consent.record import ConsentRefused, Refusal, async_put_on_record, build_consent, last_day
from ..consent.text import async_consent_text
from ..household.subentries import camera_names
from ..people.choices import Choices, Keeping
from ..people.person import Consent, ConsentMethod
from ..vault.errors import UnknownPerson, VaultError
from ..vault.retention import Retention
from ..wording.language import default_language
from ..wording.words import LANGUAGES, async_say
from .person_steps import log_failure
from .photo_steps import PhotoSteps

CONF_AGREED = "agreed"
CONF_CAMERAS = "cameras"
CONF_GIVEN_BY = "given_by"
CONF_GIVEN_ON = "given_on"
CONF_KEEPING = "keeping"
CONF_LANGUAGE = "language"
CONF_METHOD = "method"
CONF_PICTURES = "pictures"
CONF_UPLOADS = "uploads"
CONF_VALID_UNTIL = "valid_until"

LANGUAGE = LanguageSelector(LanguageSelectorConfig(languages=list(LANGUAGES), native_name=True))
EVERY_CAMERA = "every_camera"
"""Stands for every camera of this home, later ones too, among the cameras to choose from."""

FIELDS = {
    Refusal.GIVER_NEEDED: CONF_GIVEN_BY,
    Refusal.CHILD_NEEDS_GUARDIAN: CONF_GIVEN_BY,
    Refusal.GIVEN_IN_FUTURE: CONF_GIVEN_ON,
    Refusal.ALREADY_OVER: CONF_VALID_UNTIL,
    Refusal.TOO_LONG: CONF_VALID_UNTIL,
    Refusal.CAMERA_NEEDED: CONF_CAMERAS,
    Refusal.CLOCK_DOUBTED: CONF_VALID_UNTIL,
}
"""Where it is said why what was chosen makes no consent."""


def consent_schema(cameras: dict[str, str]) -> vol.Schema:
    """Return the form of a consent; `cameras` are what can be chosen, with their names."""
    options = [SelectOptionDict(value=value, label=label) for value, label in cameras.items()]
    return vol.Schema(
        {
            # What is filled in already comes first: what is left open is said where they are when they press the button.
            vol.Required(CONF_GIVEN_BY): TextSelector(),
            vol.Required(CONF_METHOD, default=ConsentMethod.IN_PERSON): SelectSelector(
                SelectSelectorConfig(
                    options=list(ConsentMethod), translation_key="method", mode=SelectSelectorMode.LIST
                )
            ),
            vol.Required(CONF_GIVEN_ON): DateSelector(),
            vol.Required(CONF_VALID_UNTIL): DateSelector(),
            # Of what is required, the frontend chooses the first by itself.
            vol.Optional(CONF_CAMERAS): SelectSelector(
                SelectSelectorConfig(options=options, multiple=True, mode=SelectSelectorMode.LIST)
            ),
            vol.Optional(CONF_KEEPING): SelectSelector(
                SelectSelectorConfig(
                    options=list(Keeping), translation_key="keeping", mode=SelectSelectorMode.LIST
                )
            ),
            vol.Required(CONF_PICTURES, default=False): BooleanSelector(),
            vol.Required(CONF_UPLOADS, default=False): BooleanSelector(),
            vol.Required(CONF_AGREED, default=False): BooleanSelector(),
        }
    )


def _left_open(user_input: dict[str, Any]) -> dict[str, str]:
    """Return what is said of the choices that were not made, by their fields: all of them at once."""
    errors = {}
    if not user_input.get(CONF_CAMERAS):
        errors[CONF_CAMERAS] = str(Refusal.CAMERA_NEEDED)
    if CONF_KEEPING not in user_input:
        errors[CONF_KEEPING] = "keeping_needed"
    if not user_input[CONF_AGREED]:
        errors[CONF_AGREED] = "not_agreed"
    return errors


class ConsentStep(PhotoSteps):
    """Asks for the consent; the photos come behind it."""

    _text = ""
    """The text that is shown, and is agreed to."""
    _language = ""
    _shown: Retention | None = None
    """The periods that the text names."""

    async def async_step_consent(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Show the text that is agreed to, in the language that they choose. The choices are on the next page."""
        before, self._language = self._language, self._language or self._first_language()
        if user_input is not None:
            self._language = user_input[CONF_LANGUAGE]
            if self._language == before:
                return await self.async_step_agree()
        self._shown = self._hub.retention
        self._text = await async_consent_text(self._hub, self._language, name=self._name, child=self._child)
        intro = await async_say(
            self.hass,
            "consent_text",
            "read_child" if self._child else "read_adult",
            language=self._language,
            name=self._name,
        )
        return self.async_show_form(
            step_id="consent",
            data_schema=vol.Schema({vol.Required(CONF_LANGUAGE, default=self._language): LANGUAGE}),
            description_placeholders={
                "name": self._name,
                "text": f"{intro}\n\n> {self._text.replace('\n\n', '\n>\n> ')}",
            },
            last_step=False,
        )

    def _first_language(self) -> str:
        """Return the language that they read before, else that for visitors."""
        person = self._hub.people.get(self._person_id)
        before = "" if person is None or person.consent is None else person.consent.text_version.split("/")[0]
        return before if before in LANGUAGES else default_language(self.hass, self._get_entry())

    async def async_step_agree(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask what they agreed to, and put it on record before any photo."""
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                errors = _left_open(user_input)
                if CONF_KEEPING in user_input:
                    consent = self._consent(user_input)
                    if not errors:
                        return await self._async_record(consent)
            except ConsentRefused as err:
                errors[FIELDS[err.refusal]] = str(err.refusal)
            except UnknownPerson:
                return self.async_abort(reason="nothing_stored")
            except VaultError as err:
                log_failure(err)
                errors["base"] = "vault_failed"
        if errors and self._shown != self._hub.retention:
            # They read of other periods than those of now: they read the text again.
            return await self.async_step_consent()
        if errors.keys() - {CONF_AGREED, "base"}:
            # Above the button, where they look: the form may be longer than their screen.
            errors[CONF_AGREED] = "see_above"
        every = await async_say(self.hass, "consent_camera", "every_camera")
        cameras = camera_names(self._get_entry())
        return self.async_show_form(
            step_id="agree",
            data_schema=self.add_suggested_values_to_schema(
                consent_schema({**cameras, EVERY_CAMERA: every}), user_input or self._suggested(list(cameras))
            ),
            errors=errors,
            description_placeholders={"name": self._name},
            last_step=self.source == SOURCE_RECONFIGURE,
        )

    async def _async_record(self, consent: Consent) -> SubentryFlowResult:
        """Put the consent on record; raises VaultError."""
        vault = self._hub.vault
        if self.source == SOURCE_RECONFIGURE:
            await self._hub.async_whole(async_put_on_record(self._hub, self._person_id, consent))
            return await self._async_changed()
        if self._enrolling:
            await self.hass.async_add_executor_job(vault.record_consent, self._person_id, consent)
        else:
            # Before it is done: closing the dialog in this moment leaves nobody half enrolled.
            self._enrolling = True
            try:
                await self.hass.async_add_executor_job(
                    vault.begin_enrolment, self._person_id, self._name, self._linked_entity, consent
                )
            except VaultError:
                self._enrolling = False
                raise
        return await self._async_first_photo()

    def _suggested(self, cameras: list[str]) -> dict[str, Any]:
        """Return what is filled in beforehand: what was agreed to before. Nothing is chosen for somebody new."""
        today = dt_util.now().date()
        suggested: dict[str, Any] = {
            CONF_GIVEN_BY: "" if self._child else self._name,
            CONF_METHOD: str(ConsentMethod.IN_PERSON),
            CONF_GIVEN_ON: today.isoformat(),
            CONF_VALID_UNTIL: last_day(self._hub.retention, today, child=self._child).isoformat(),
        }
        person = self._hub.people.get(self._person_id)
        if person is not None and person.consent is not None:
            choices = person.choices
            agreed = [EVERY_CAMERA] if choices.cameras is None else sorted(choices.cameras & set(cameras))
            suggested |= {
                CONF_CAMERAS: agreed,
                CONF_KEEPING: str(choices.keeping),
                CONF_PICTURES: choices.pictures,
                CONF_UPLOADS: choices.uploads,
                CONF_GIVEN_BY: person.consent.given_by,
                CONF_METHOD: str(person.consent.method),
            }
        return suggested

    def _consent(self, user_input: dict[str, Any]) -> Consent:
        """Return the consent that was given; raises ConsentRefused."""
        cameras = user_input.get(CONF_CAMERAS, ())
        return build_consent(
            self._hub,
            name=self._name,
            child=self._child,
            given_by=user_input[CONF_GIVEN_BY],
            method=ConsentMethod(user_input[CONF_METHOD]),
            choices=Choices(
                None if EVERY_CAMERA in cameras else frozenset(cameras),
                Keeping(user_input[CONF_KEEPING]),
                user_input[CONF_PICTURES],
                user_input[CONF_UPLOADS],
            ),
            text=self._text,
            language=self._language,
            given_on=date.fromisoformat(user_input[CONF_GIVEN_ON]),
            valid_until=date.fromisoformat(user_input[CONF_VALID_UNTIL]),
            shown=self._shown,
        )
