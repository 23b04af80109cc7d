"""The signals of an entry. Each takes the entry's id, as in `SIGNAL_VISIT.format(entry_id)`, and names what it carries.

Those of what is shown take besides what it is shown of: the id of a camera, a person or an alert, or one of `Of`. The
dispatcher finds by that who is told, so that of a visit nobody hears but the entities that show something of it.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util.signal_type import SignalTypeFormat

from ..vault.records import Corrected
from ..visits.news import LookNews
from ..visits.visit import Timing, Visit


class Of(StrEnum):
    """What something is shown of besides cameras, people and alerts."""

    WHOLE = "whole"
    """Everything: it is sent before all others are."""
    PEOPLE = "people"
    """Who is known at all."""
    ENGINE = "engine"
    """What the engine is doing."""
    LOOKS = "looks"
    """How quick the engine is."""
    VISITS = "visits"
    """How many visits there were."""
    GOING_ON = "going_on"
    """Which visits go on."""
    STORED = "stored"
    """How much is kept, and until when."""
    MUTES = "mutes"
    """Of what nobody is told for a while."""
    SETTINGS = "settings"
    """What the owner chose for the whole house."""


SIGNAL_CHANGED: SignalTypeFormat[()] = SignalTypeFormat("familiar_faces_{}_changed_{}")
"""Something that is shown of this has changed."""
SIGNAL_LOOK: SignalTypeFormat[LookNews] = SignalTypeFormat("familiar_faces_{}_look")
"""A look goes on."""
SIGNAL_VISIT: SignalTypeFormat[Visit, Timing] = SignalTypeFormat("familiar_faces_{}_visit")
"""A visit was decided."""
SIGNAL_SEEN_AGAIN: SignalTypeFormat[Visit] = SignalTypeFormat("familiar_faces_{}_seen_again")
"""A visit goes on."""
SIGNAL_FORGOTTEN: SignalTypeFormat[str] = SignalTypeFormat("familiar_faces_{}_forgotten")
"""Somebody was forgotten, or agrees to less than before; it carries their id."""
SIGNAL_CORRECTED: SignalTypeFormat[Corrected] = SignalTypeFormat("familiar_faces_{}_corrected")
"""A visit was not whose it was said to be."""
SIGNAL_CONFIRMED: SignalTypeFormat[str] = SignalTypeFormat("familiar_faces_{}_confirmed")
"""The owner said that a visit, whose id it carries, was whose it was said to be."""
SIGNAL_SHOWN: SignalTypeFormat[()] = SignalTypeFormat("familiar_faces_{}_shown_{}")
"""Something else may be shown of the visits to this camera, or of this person."""
SIGNAL_SUBENTRY: SignalTypeFormat[ConfigSubentry] = SignalTypeFormat("familiar_faces_{}_subentry")
"""A subentry was added."""
SIGNAL_TOLD: SignalTypeFormat[()] = SignalTypeFormat("familiar_faces_{}_told")
"""An alert notified somebody about a visit, or that is no longer shown."""

type Listener = Callable[[HomeAssistant, str], CALLBACK_TYPE]
"""Connects something to a signal of the entry with an id; returns how to end that."""


def listener[*Ts](signal: SignalTypeFormat[*Ts], target: Callable[[*Ts], Any]) -> Listener:
    """Return what connects `target` to a signal of an entry that is not known yet."""

    @callback
    def connect(hass: HomeAssistant, entry_id: str) -> CALLBACK_TYPE:
        return async_dispatcher_connect(hass, signal.format(entry_id), target)

    return connect
