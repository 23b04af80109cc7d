"""The option of the engine on this machine: how many pictures it looks at together."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.helpers.selector import NumberSelector, NumberSelectorConfig, NumberSelectorMode
import voluptuous as vol

from ..const import CONF_WORKERS
from ..household.options import MOST_WORKERS, chosen_workers

WORKERS = NumberSelector(NumberSelectorConfig(min=0, max=MOST_WORKERS, step=1, mode=NumberSelectorMode.BOX))


class EngineStep(OptionsFlow):
    """Asks how much the engine does at a time. It starts again when that changes."""

    async def async_step_engine(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the number of workers."""
        entry = self.config_entry
        shown = {CONF_WORKERS: chosen_workers(entry)}
        errors: dict[str, str] = {}
        if user_input is not None:
            workers = int(user_input[CONF_WORKERS])
            if workers == user_input[CONF_WORKERS]:
                return self.async_create_entry(data={**entry.options, CONF_WORKERS: workers})
            errors[CONF_WORKERS] = "whole_numbers"
        return self.async_show_form(
            step_id="engine",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema({vol.Required(CONF_WORKERS): WORKERS}), user_input or shown
            ),
            errors=errors,
        )
