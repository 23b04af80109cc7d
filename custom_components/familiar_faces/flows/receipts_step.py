"""The receipts of those who were forgotten, for the owner."""

from typing import Any

from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult, OptionsFlow
import voluptuous as vol

from ..vault.errors import VaultError
from .receipt_words import receipt_words

MOST = 20


class ReceiptsStep(OptionsFlow):
    """Shows the last receipts. They hold no name."""

    async def async_step_receipts(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show them, newest first."""
        entry = self.config_entry
        if user_input is not None:
            return self.async_create_entry(data=dict(entry.options))
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        try:
            receipts = await self.hass.async_add_executor_job(entry.runtime_data.vault.receipts, MOST)
        except VaultError:
            return self.async_abort(reason="not_read")
        return self.async_show_form(
            step_id="receipts",
            data_schema=vol.Schema({}),
            description_placeholders={
                "count": str(len(receipts)),
                "receipts": "\n\n".join(receipt_words(self.hass, each) for each in receipts) or "–",
            },
        )
