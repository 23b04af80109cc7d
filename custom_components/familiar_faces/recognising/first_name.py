"""Whether a name was ever said here: until then the panel shows what is still to be set up."""

import logging

from homeassistant.core import callback
from homeassistant.exceptions import HomeAssistantError

from ..const import CONF_NAMED, DOMAIN
from ..household.household import Household
from ..visits.visit import Decision
from .announcing import Settled

_LOGGER = logging.getLogger(__name__)
_SOMEBODY = "somebody"
"""All that is noted: neither who nor when."""


class FirstName:
    """Notes that a name was said, once and for all. Lives on the event loop."""

    def __init__(self, household: Household) -> None:
        """Use what the household has noted before."""
        self._household = household

    @property
    def said(self) -> bool:
        """Return whether a name was said, or visits with one are kept from before it was noted."""
        household = self._household
        kept = household.stored is not None and household.stored.visits > 0
        return kept or self._noted

    @property
    def _noted(self) -> bool:
        return bool(self._household.books.read(CONF_NAMED))

    @callback
    def async_settle(self, settled: Settled) -> None:
        """Note the first visit with a name, and have the note outlive a power cut."""
        familiar = settled.outcome.visit.decision is Decision.FAMILIAR
        if not (familiar and settled.announced) or self._noted:
            return
        household = self._household
        household.books.async_write(CONF_NAMED, {_SOMEBODY})
        # The visit is announced meanwhile: nobody waits for a disk to hear a name.
        household.entry.async_create_task(household.hass, self._async_save(), f"{DOMAIN} first name")

    async def _async_save(self) -> None:
        try:
            await self._household.books.async_save()
        except HomeAssistantError as err:
            # Home Assistant still has it in memory, and tries again when it next writes its entries.
            _LOGGER.debug("That a first name was said is not on the disk yet: %s", err)
