"""The options of the entry: what the owner may change at any time, and what counts without a restart."""

from dataclasses import replace
from datetime import timedelta
import logging

from homeassistant.config_entries import ConfigEntry

from ..const import (
    CONF_AUDIT_DAYS,
    CONF_CHILD_CONSENT_DAYS,
    CONF_CONSENT_DAYS,
    CONF_HOLD_STRANGERS,
    CONF_INVITATION_HOURS,
    CONF_NOTICE,
    CONF_PICTURE_DAYS,
    CONF_REVIEW_HOURS,
    CONF_STRICTNESS,
    CONF_UNSEEN_DAYS,
    CONF_VISIT_DAYS,
    CONF_WORKERS,
)
from ..people.calibration import Strictness
from ..vault.retention import Retention

_LOGGER = logging.getLogger(__name__)

DEFAULT_STRICTNESS = Strictness.BALANCED
MOST_WORKERS = 16

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
PERIODS: dict[str, tuple[str, timedelta]] = {
    CONF_CONSENT_DAYS: ("consent", _DAY),
    CONF_CHILD_CONSENT_DAYS: ("child_consent", _DAY),
    CONF_VISIT_DAYS: ("visits", _DAY),
    CONF_PICTURE_DAYS: ("pictures", _DAY),
    CONF_REVIEW_HOURS: ("review", _HOUR),
    CONF_UNSEEN_DAYS: ("unseen", _DAY),
    CONF_AUDIT_DAYS: ("audit", _DAY),
    CONF_INVITATION_HOURS: ("invitation", _HOUR),
}
"""Every option of retention: the period of `Retention` that it sets, and the unit it is counted in."""
_WITHDRAWN_AT_ONCE = Retention(after_withdrawal=timedelta(0))


def chosen_strictness(entry: ConfigEntry) -> Strictness:
    """Return how sure the owner wants to be before a name is said."""
    chosen = entry.options.get(CONF_STRICTNESS, DEFAULT_STRICTNESS)
    try:
        return Strictness(chosen)
    except ValueError:
        # Written by another version, or by hand.
        _LOGGER.debug("There is no strictness %s: %s counts", chosen, DEFAULT_STRICTNESS)
        return DEFAULT_STRICTNESS


def chosen_retention(entry: ConfigEntry) -> Retention:
    """Return how long the owner has things kept. Anyone who withdrew is erased at the next purge."""
    retention = _WITHDRAWN_AT_ONCE
    for option, (period, unit) in PERIODS.items():
        if (chosen := entry.options.get(option)) is None:
            continue
        try:
            retention = replace(retention, **{period: chosen * unit})
        except TypeError, ValueError, OverflowError:
            # Written by another version, or by hand.
            _LOGGER.warning("%s cannot be %s: the default counts", option, chosen)
    return retention


def strangers_held(entry: ConfigEntry) -> bool:
    """Return whether strangers' visits, too, can be given a name for some minutes."""
    return entry.options.get(CONF_HOLD_STRANGERS) is True


def chosen_workers(entry: ConfigEntry) -> int:
    """Return how many pictures the engine on this machine looks at together; 0 where it chooses by itself."""
    chosen = entry.options.get(CONF_WORKERS, 0)
    # Written by another version, or by hand.
    return chosen if isinstance(chosen, int) and 0 <= chosen <= MOST_WORKERS else 0


def papers_shown(entry: ConfigEntry) -> bool:
    """Return whether the public papers can be seen."""
    return entry.options.get(CONF_NOTICE) is True
