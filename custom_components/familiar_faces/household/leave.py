"""How often somebody may do something: many times at once, and then one more every so many seconds."""

from collections import OrderedDict
from math import ceil

MOST_KNOWN = 1000
"""How many askers are remembered at most; the one who was away longest is forgotten first."""


class Leave:
    """Counts what each asker does. In memory only; lives on the event loop."""

    def __init__(self, at_once: int, every: float) -> None:
        """Give leave for `at_once`, and for one more each `every` seconds."""
        self._at_once = at_once
        self._every = every
        self._until: OrderedDict[str | None, float] = OrderedDict()
        """When all that an asker did will be forgiven."""

    def wait(self, asker: str | None, now: float) -> int:
        """Take one leave and return 0, or take none and return in how many seconds there is one.

        `now`: seconds of a clock that is never set, such as that of the event loop.
        """
        until = max(now, self._until.get(asker, now)) + self._every
        if (over := until - now - self._at_once * self._every) > 0:
            return ceil(over)
        self._until[asker] = until
        self._until.move_to_end(asker)
        if len(self._until) > MOST_KNOWN:
            self._until.popitem(last=False)
        return 0
