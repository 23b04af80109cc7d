"""The options of retention: how long each kind of thing is kept."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
)
import voluptuous as vol

from ..const import (
    CONF_AUDIT_DAYS,
    CONF_CHILD_CONSENT_DAYS,
    CONF_CONSENT_DAYS,
    CONF_HOLD_STRANGERS,
    CONF_INVITATION_HOURS,
    CONF_PICTURE_DAYS,
    CONF_REVIEW_HOURS,
    CONF_UNSEEN_DAYS,
    CONF_VISIT_DAYS,
)
from ..household.options import PERIODS, chosen_retention, strangers_held
from ..vault.retention import Retention


def _whole(least: int, most: int) -> NumberSelector:
    return NumberSelector(NumberSelectorConfig(min=least, max=most, step=1, mode=NumberSelectorMode.BOX))


RETENTION_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_CONSENT_DAYS): _whole(30, 1095),
        vol.Required(CONF_CHILD_CONSENT_DAYS): _whole(30, 1095),
        vol.Required(CONF_VISIT_DAYS): _whole(0, 365),
        vol.Required(CONF_PICTURE_DAYS): _whole(0, 90),
        vol.Required(CONF_REVIEW_HOURS): _whole(0, 720),
        vol.Required(CONF_HOLD_STRANGERS): BooleanSelector(),
        vol.Required(CONF_UNSEEN_DAYS): _whole(30, 1095),
        vol.Required(CONF_AUDIT_DAYS): _whole(365, 1825),
        vol.Required(CONF_INVITATION_HOURS): _whole(1, 168),
    }
)
"""In days, and in hours where the name says so; the limits are those of `vault.retention.Retention`."""


class RetentionStep(OptionsFlow):
    """Asks how long things are kept. What is past its time then is erased at once."""

    async def async_step_retention(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for every period, and say what follows from it."""
        entry = self.config_entry
        shown = {**periods(chosen_retention(entry)), CONF_HOLD_STRANGERS: strangers_held(entry)}
        errors: dict[str, str] = {}
        if user_input is not None:
            # A truth value stays one.
            chosen = {key: type(shown[key])(value) for key, value in user_input.items()}
            if any(chosen[key] != value for key, value in user_input.items()):
                errors["base"] = "whole_numbers"
            elif chosen[CONF_PICTURE_DAYS] > chosen[CONF_VISIT_DAYS]:
                errors[CONF_PICTURE_DAYS] = "longer_than_visits"
            else:
                changed = {
                    key: value for key, value in chosen.items() if key in entry.options or value != shown[key]
                }
                return self.async_create_entry(data={**entry.options, **changed})
        return self.async_show_form(
            step_id="retention",
            data_schema=self.add_suggested_values_to_schema(RETENTION_SCHEMA, user_input or shown),
            errors=errors,
        )


def periods(retention: Retention) -> Mapping[str, int]:
    """Return every period as it is asked for; a half day counts whole."""
    lengths: dict[str, tuple[timedelta, timedelta]] = {
        option: (getattr(retention, name), unit) for option, (name, unit) in PERIODS.items()
    }
    return {option: -(-length // unit) for option, (length, unit) in lengths.items()}
