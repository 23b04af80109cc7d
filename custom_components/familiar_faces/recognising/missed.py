"""Holds visits without a name for some minutes, so that somebody can say who it was."""

from datetime import datetime

from homeassistant.core import CALLBACK_TYPE, HassJob, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from ..household.household import Household
from ..household.keeping import keeps_pictures
from ..household.options import strangers_held
from ..visits.missed_visits import HELD_FOR
from ..visits.visit import Decision
from .announcing import Settled


class HoldsMissed:
    """Fills and empties `household.missed`. Lives on the event loop."""

    def __init__(self, household: Household) -> None:
        """Hold nothing yet."""
        self._household = household
        self._expiry: CALLBACK_TYPE | None = None

    @callback
    def async_settle(self, settled: Settled) -> None:
        """Hold a visit without a name, or drop it once there is one.

        A stranger's is held only where the owner chose that. There is no picture of somebody who may be one of the
        people who have nothing kept, nor while a restored backup is asked about: those who are held then are
        taken for strangers, and may have wished for none.
        """
        household, visit = self._household, settled.outcome.visit
        if visit.decision is Decision.FAMILIAR or not self._may_hold(visit.decision):
            household.missed.drop(visit.visit_id)
            return
        pictured = not household.roster.held and all(
            keeps_pictures(household, each) for each in settled.resembled
        )
        if not pictured:
            household.missed.drop(visit.visit_id)
        household.missed.hold(
            visit, settled.portrait if pictured else None, dt_util.utcnow(), settled.resembled
        )
        self._async_expire_later()

    def _may_hold(self, decision: Decision) -> bool:
        return decision is Decision.UNCLEAR or strangers_held(self._household.entry)

    @callback
    def async_follow(self) -> None:
        """Follow the options and the cameras that there are."""
        if not strangers_held(self._household.entry):
            self._household.missed.drop_strangers()
        for each in self._household.missed.all(dt_util.utcnow()):
            if each.visit.camera_id not in self._household.entry.subentries:
                self._household.missed.leave(each.visit.camera_id)

    @callback
    def async_stop(self) -> None:
        """Drop everything."""
        self._household.missed.clear()
        if self._expiry is not None:
            self._expiry()
            self._expiry = None

    @callback
    def _async_expire_later(self) -> None:
        """Drop what is past its time then, whatever happens meanwhile."""
        if self._expiry is not None:
            return

        @callback
        def expire(_now: datetime) -> None:
            self._expiry = None
            self._household.missed.expire(dt_util.utcnow())
            if self._household.missed:
                self._async_expire_later()

        self._expiry = async_call_later(
            self._household.hass,
            HELD_FOR.total_seconds() / 10,
            HassJob(expire, cancel_on_shutdown=True),
        )
