"""Withdrawing: recognition ends at once, and what was kept is erased at once. Nobody can stop it."""

import logging
from typing import TYPE_CHECKING

from homeassistant.util import dt as dt_util

from ..vault.errors import UnknownPerson, VaultError
from ..vault.records import Receipt

if TYPE_CHECKING:
    from ..hub import Hub

_LOGGER = logging.getLogger(__name__)


async def async_withdraw(hub: Hub, person_id: str) -> Receipt | None:
    """Withdraw somebody's consents and erase them; return the receipt, None when nothing was kept of them.

    Raises VaultError when the erasing has to be done later; they are recognised no more all the same.
    """
    try:
        await hub.hass.async_add_executor_job(hub.vault.withdraw_consent, person_id, dt_util.utcnow())
    except UnknownPerson:
        _LOGGER.debug("Nothing is kept of %s", person_id)
    except VaultError as err:
        # A consent that cannot be read or written is no reason not to erase.
        _LOGGER.warning("That %s withdrew could not be written down: %s", person_id, err)
    return await hub.async_forget(person_id, "withdrawn")
