"""The alerts as the subentries hold them; one that is damaged stands in the way of no other."""

import logging

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..const import CONF_UNANNOUNCED, SUBENTRY_ALERT
from ..household.books import Books
from .mutes import Mutes
from .rule import Rule, without_the_gone

_LOGGER = logging.getLogger(__name__)


class Rules:
    """The alerts of an entry."""

    def __init__(self, entry: ConfigEntry, books: Books) -> None:
        """Read them from an entry."""
        self.unreadable: dict[str, str] = {}
        """The titles of those that could not be read, by their ids."""
        self._entry = entry
        self._books = books

    def read(self) -> list[Rule]:
        """Return all that can be read."""
        rules, before = [], self.unreadable
        self.unreadable = {}
        for each in self._entry.get_subentries_of_type(SUBENTRY_ALERT):
            try:
                rules.append(Rule.from_data(each.subentry_id, each.title, each.data))
            except (ArithmeticError, TypeError, ValueError) as err:
                if each.subentry_id not in before:
                    _LOGGER.error("The alert %s cannot be read, so it notifies nobody: %s", each.title, err)
                self.unreadable[each.subentry_id] = each.title
        return rules

    def switched_on(self) -> list[Rule]:
        """Return those that are switched on."""
        off = self._books.read(CONF_UNANNOUNCED)
        return [each for each in self.read() if each.alert_id not in off]


@callback
def async_prune_entry(hass: HomeAssistant, entry: ConfigEntry, books: Books, people: set[str]) -> None:
    """Remove notes in an entry about people outside these ids, and about what has no subentry."""
    known = people | set(entry.subentries)
    Mutes(books).async_prune(known, dt_util.utcnow())
    for each in entry.get_subentries_of_type(SUBENTRY_ALERT):
        hass.config_entries.async_update_subentry(entry, each, data=without_the_gone(each.data, known))
