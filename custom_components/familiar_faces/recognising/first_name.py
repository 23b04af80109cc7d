"""Whether a name was ever said here: until then the panel shows what is still to be set up."""

from homeassistant.core import callback

from ..const import CONF_NAMED
from ..household.household import Household
from ..visits.visit import Decision
from .announcing import Settled

_SOMEBODY = "somebody"
"""All that is noted: neither who nor when."""


class FirstName:
    """Notes that a name was said, once and for all."""

    def __init__(self, household: Household) -> None:
        """Read it from the books."""
        self._household = household

    @property
    def said(self) -> bool:
        """Return whether a name was said, or visits with one are kept from before it was noted."""
        stored = self._household.stored
        return bool(self._household.books.read(CONF_NAMED)) or (stored is not None and stored.visits > 0)

    @callback
    def async_settle(self, settled: Settled) -> None:
        """Note the first visit with a name."""
        if settled.outcome.visit.decision is Decision.FAMILIAR and not self._household.books.read(CONF_NAMED):
            self._household.books.async_write(CONF_NAMED, {_SOMEBODY})
