"""The options of the hub: how sure to be before a name is said, how long things are kept, the papers, the engine."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.helpers.selector import SelectSelector, SelectSelectorConfig, SelectSelectorMode
import voluptuous as vol

from ..const import CONF_STRICTNESS, CONF_WHERE, Where
from ..household.options import chosen_strictness
from ..people.calibration import Strictness
from ..people.measured import MEASURED
from ..people.promise import promises
from .engine_step import EngineStep
from .invitations_step import InvitationsStep
from .notice_step import NoticeStep
from .receipts_step import ReceiptsStep
from .retention_step import RetentionStep
from .visits_step import VisitsStep

STRICTNESS = SelectSelector(
    SelectSelectorConfig(options=list(Strictness), translation_key="strictness", mode=SelectSelectorMode.LIST)
)


class HubOptions(EngineStep, VisitsStep, NoticeStep, InvitationsStep, ReceiptsStep, RetentionStep):
    """Asks for the options. The running entry hears of a change and goes on: nothing has to start again."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which options."""
        options = ["visits", "strictness", "retention", "notice", "papers", "invitations", "receipts"]
        if self.config_entry.data[CONF_WHERE] == Where.THIS_MACHINE:
            # Elsewhere it is chosen where the engine is.
            options.append("engine")
        return self.async_show_menu(step_id="init", menu_options=options)

    async def async_step_strictness(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask how sure to be before a name is said, and show what each answer costs and how sure that is."""
        entry = self.config_entry
        if user_input is not None:
            return self.async_create_entry(data={**entry.options, **user_input})
        relaxed, balanced, strict = promises(MEASURED)
        return self.async_show_form(
            step_id="strictness",
            data_schema=vol.Schema(
                {vol.Required(CONF_STRICTNESS, default=str(chosen_strictness(entry))): STRICTNESS}
            ),
            description_placeholders={
                "strangers": str(MEASURED.strangers),
                "own": str(MEASURED.own),
                "relaxed_named": str(relaxed.named),
                "relaxed_missed": str(relaxed.own_missed),
                "balanced_named": str(balanced.named),
                "balanced_limit": str(balanced.limit_one_in),
                "balanced_missed": str(balanced.own_missed),
                "strict_named": str(strict.named),
                "strict_missed": str(strict.own_missed),
            },
        )
