"""Withdrawing: recognition ends at once, and what was kept is erased at once. Nobody can stop it."""

import logging

from homeassistant.util import dt as dt_util

from ..erasing.forgetting import Forgetting
from ..household.household import Household
from ..vault.errors import UnknownPerson, VaultError
from ..vault.records import Receipt

_LOGGER = logging.getLogger(__name__)


async def async_withdraw(household: Household, forgetting: Forgetting, person_id: str) -> Receipt | None:
    """Withdraw somebody's consents and erase them; return the receipt, None when nothing was kept of them.

    Raises VaultError when the erasing has to be done later; they are no longer recognised anyway.
    """
    try:
        await household.hass.async_add_executor_job(
            household.vault.withdraw_consent, person_id, dt_util.utcnow()
        )
    except UnknownPerson:
        _LOGGER.debug("Nothing is kept of %s", person_id)
    except VaultError as err:
        # A consent that cannot be read or written is no reason not to erase.
        _LOGGER.warning("That %s withdrew could not be written down: %s", person_id, err)
    return await forgetting.async_forget(person_id, "withdrawn")
