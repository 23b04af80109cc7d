"""The options of the papers: whether visitors can see them, who is named in them, and where they are."""

from datetime import timedelta
from html import escape
from typing import Any

from homeassistant.components.http.auth import async_sign_path
from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.helpers.selector import (
    BooleanSelector,
    LanguageSelector,
    LanguageSelectorConfig,
    TextSelector,
    TextSelectorConfig,
)
import voluptuous as vol

from ..const import CONF_CONTACT, CONF_LANGUAGE, CONF_NOTICE, CONF_RESPONSIBLE, PAPERS, RECORD
from ..household.options import papers_shown
from ..wording.language import default_language
from ..wording.renderer import LANGUAGE_NAMES
from ..wording.words import LANGUAGES, async_say

MAX_LENGTH = 200
"""The longest name or contact, in characters."""
SIGNED_FOR = timedelta(hours=1)
"""How long a link to the record works."""

SCHEMA = vol.Schema(
    {
        vol.Required(CONF_NOTICE): BooleanSelector(),
        vol.Optional(CONF_RESPONSIBLE): TextSelector(TextSelectorConfig(autocomplete="name")),
        vol.Optional(CONF_CONTACT): TextSelector(TextSelectorConfig(autocomplete="email")),
        vol.Required(CONF_LANGUAGE): LanguageSelector(
            LanguageSelectorConfig(languages=list(LANGUAGES), native_name=True)
        ),
    }
)


class NoticeStep(OptionsFlow):
    """Asks what the papers need to know, and shows where they are."""

    async def async_step_notice(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask whether the papers are public, and who is responsible."""
        entry = self.config_entry
        errors: dict[str, str] = {}
        if user_input is not None:
            # A field that was emptied is not sent.
            given = {
                key: " ".join(user_input.get(key, "").split()) for key in (CONF_RESPONSIBLE, CONF_CONTACT)
            }
            if any(len(text) > MAX_LENGTH for text in given.values()):
                errors["base"] = "too_long"
            elif user_input[CONF_NOTICE]:
                if not given[CONF_RESPONSIBLE]:
                    errors[CONF_RESPONSIBLE] = "responsible_needed"
                if not given[CONF_CONTACT]:
                    errors[CONF_CONTACT] = "contact_needed"
            if not errors:
                return self.async_create_entry(data={**entry.options, **user_input, **given})
        suggested = {
            CONF_NOTICE: False,
            **entry.options,
            CONF_LANGUAGE: default_language(self.hass, entry),
            **(user_input or {}),
        }
        return self.async_show_form(
            step_id="notice",
            data_schema=self.add_suggested_values_to_schema(SCHEMA, suggested),
            errors=errors,
        )

    async def async_step_papers(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show the ways to the papers; that to the record works for the one who asked, and not for long."""
        entry = self.config_entry
        if user_input is not None:
            return self.async_create_entry(data=dict(entry.options))
        public = [
            link(PAPERS["notice"], await async_say(self.hass, "paper", "notice")),
            link(PAPERS["sign"], await async_say(self.hass, "paper", "sign")),
            link(PAPERS["policy"], await async_say(self.hass, "paper", "policy")),
            link(PAPERS["model"], await async_say(self.hass, "paper", "model")),
        ]
        records = [
            link(async_sign_path(self.hass, RECORD.format(language=language), SIGNED_FOR), name)
            for language, name in LANGUAGE_NAMES.items()
        ]
        return self.async_show_form(
            step_id="papers",
            data_schema=vol.Schema({}),
            description_placeholders={
                "public": " · ".join(public),
                "state": await async_say(self.hass, "paper", "shown" if papers_shown(entry) else "hidden"),
                "records": " · ".join(records),
            },
        )


def link(path: str, text: str) -> str:
    """Return a link that opens beside the dialog: without a target, the frontend looks for a page of its own."""
    return f'<a href="{escape(path)}" target="_blank">{escape(text)}</a>'
