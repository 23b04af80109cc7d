"""Whether a name was ever said here: until then the panel shows what is still to be set up."""

from homeassistant.core import callback

from ..const import CONF_NAMED
from ..household.household import Household
from ..visits.visit import Decision
from .announcing import Settled

_SOMEBODY = "somebody"
"""All that is noted: neither who nor when."""


class FirstName:
    """Notes that a name was said, once and for all. Lives on the event loop."""

    def __init__(self, household: Household) -> None:
        """Have heard of none yet."""
        self._household = household
        self._heard = False

    @property
    def said(self) -> bool:
        """Return whether a name was said, or visits with one are kept from before it was noted."""
        household = self._household
        kept = household.stored is not None and household.stored.visits > 0
        return self._heard or kept or bool(household.books.read(CONF_NAMED))

    @callback
    def async_settle(self, settled: Settled) -> None:
        """Take note of visits with a name."""
        self._heard |= settled.outcome.visit.decision is Decision.FAMILIAR

    @callback
    def async_stop(self) -> None:
        """Note it in the books: not at once, because all that the entry shows is looked at again then."""
        if self.said:
            self._household.books.async_write(CONF_NAMED, {_SOMEBODY})
