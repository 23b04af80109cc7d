"""The step that forgets a person: it names them, says what goes, asks, and shows the receipt."""

from typing import Any

from homeassistant.config_entries import SubentryFlowResult
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import voluptuous as vol

from ..erasing.mentions import Place
from ..vault.errors import UnknownPerson, VaultError
from ..vault.records import SoughtVisits
from ..wording.words import async_say
from .person_steps import PersonSteps, log_failure
from .receipt_words import choosable, mention_words, receipt_words

CONF_ALSO = "also"
CONF_FORGET = "forget"
_COUNTED = 999
"""Visits that are counted at most."""


class ForgetStep(PersonSteps):
    """Forgets somebody, after asking."""

    _mentions: list[Place] | None = None

    async def async_step_forget(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Say what goes, and do it once that is confirmed."""
        errors: dict[str, str] = {}
        if self._mentions is None:
            self._mentions = await self._hub.forgetting.async_mentions(self._person_id)
        if user_input is not None:
            if user_input[CONF_FORGET]:
                return await self._async_forget({*user_input.get(CONF_ALSO, ())})
            errors = {CONF_FORGET: "forget_needed"}
        try:
            photos = len((await self._async_stored()).templates)
            visits = await self.hass.async_add_executor_job(self._count_visits)
        except UnknownPerson:
            return self.async_abort(reason="nothing_stored")
        except VaultError as err:
            # Unreadable data can still be forgotten.
            log_failure(err)
            photos = visits = 0
        return self.async_show_form(
            step_id="forget",
            data_schema=self.add_suggested_values_to_schema(self._schema(self._mentions), user_input),
            errors=errors,
            description_placeholders={
                "name": self._name,
                "photos": str(photos),
                "visits": str(visits),
                "mentioned": await self._async_say_mentions(self._mentions),
            },
        )

    async def _async_say_mentions(self, mentions: list[Place]) -> str:
        """Return where else the name stands, as Markdown."""
        if not mentions:
            return await async_say(self.hass, "forget_mentions", "nowhere")
        places = "\n".join(f"- {mention_words(self.hass, each)}" for each in mentions)
        return await async_say(self.hass, "forget_mentions", "elsewhere", places=places)

    def _count_visits(self) -> int:
        sought = SoughtVisits(person_ids=frozenset({self._person_id}))
        return len(self._hub.vault.visit_page(sought, limit=_COUNTED).visits)

    def _schema(self, mentions: list[Place]) -> vol.Schema:
        fields: dict[vol.Marker, Any] = {}
        if places := choosable(mentions):
            options = [
                SelectOptionDict(value=each.key, label=mention_words(self.hass, each)) for each in places
            ]
            config = SelectSelectorConfig(options=options, multiple=True, mode=SelectSelectorMode.LIST)
            # Nothing is chosen beforehand: a name may mean something else.
            fields[vol.Optional(CONF_ALSO, default=list)] = SelectSelector(config)
        fields[vol.Required(CONF_FORGET, default=False)] = BooleanSelector()
        return vol.Schema(fields)

    async def _async_forget(self, keys: set[str]) -> SubentryFlowResult:
        also = [each for each in choosable(self._mentions or []) if each.key in keys]
        try:
            receipt = await self._hub.forgetting.async_forget(self._person_id, also=also)
        except VaultError as err:
            log_failure(err)
            return self.async_abort(reason="forget_later", description_placeholders={"name": self._name})
        if receipt is None:
            return self.async_abort(reason="nothing_stored")
        return self.async_abort(
            reason="forgotten",
            description_placeholders={"name": self._name, "receipt": receipt_words(self.hass, receipt)},
        )
