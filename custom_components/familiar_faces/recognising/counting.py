"""Counts the visits without a name for each camera and week, with nothing of anybody: how well it works here.

Named visits and the answers to them are counted by the vault as they are written. Those without a name are counted in
memory and written once an hour, so that no change of a file shows when somebody came.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
import logging

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.helpers.event import async_track_time_change
from homeassistant.util import dt as dt_util

from ..const import DOMAIN, SUBENTRY_CAMERA
from ..household.household import Household
from ..vault.errors import VaultError
from ..vault.records import Counted
from ..vault.times import week_of
from ..visits.fitness import Fitness
from ..visits.visit import Decision, Visit

_LOGGER = logging.getLogger(__name__)

_QUALITIES = frozenset(str(each) for each in Fitness)

type Weeks = dict[datetime, dict[str, int]]
"""What is counted, by the beginning of each week."""


def kind_of(visit: Visit) -> str:
    """Return what a visit without a name counts as: for an unclear one why, as far as the reason is a known one."""
    if visit.decision is Decision.STRANGER:
        return str(Counted.STRANGER)
    parts = [str(Counted.UNCLEAR)] + ([] if visit.reason is None else [str(visit.reason)])
    if visit.quality in _QUALITIES:
        parts.append(str(visit.quality))
    return ":".join(parts)


class Counting:
    """Counts visits. Lives on the event loop."""

    def __init__(self, household: Household) -> None:
        """Have counted nothing yet."""
        self._household = household
        self._waiting: dict[tuple[str, datetime], Counter[str]] = {}
        """What is to be written, by camera and week."""
        self._writing = asyncio.Lock()

    async def async_start(self) -> CALLBACK_TYPE:
        """Write every hour; return how to end that. Of cameras that went while this did not run nothing stays."""
        await self.async_follow()
        return async_track_time_change(self._household.hass, self._async_hour, minute=0, second=0)

    async def async_stop(self) -> None:
        """Write what waits."""
        await self.async_write()

    @callback
    def async_ended(self, visits: tuple[Visit, ...]) -> None:
        """Count visits that are over."""
        for visit in visits:
            if visit.decision is not Decision.FAMILIAR:
                key = visit.camera_id, week_of(visit.started_at)
                self._waiting.setdefault(key, Counter())[kind_of(visit)] += 1

    async def async_follow(self) -> None:
        """Erase what was counted at cameras that are no longer there."""
        household = self._household
        async with self._writing:
            cameras = self._cameras()
            self._waiting = {key: each for key, each in self._waiting.items() if key[0] in cameras}
            try:
                await household.hass.async_add_executor_job(household.vault.counts.keep_only, cameras)
            except VaultError as err:
                _LOGGER.error("The counts of a removed camera are not erased yet, it is tried again: %s", err)

    async def async_write(self) -> None:
        """Write what waits; what cannot be written now waits on."""
        async with self._writing:
            self._drop_old()
            waiting, self._waiting = self._waiting, {}
            if not waiting:
                return
            try:
                await self._household.hass.async_add_executor_job(self._household.vault.counts.add, waiting)
            except VaultError as err:
                _LOGGER.debug("What was counted could not be written, it is tried again: %s", err)
                for key, counts in waiting.items():
                    self._waiting.setdefault(key, Counter()).update(counts)

    async def async_read(self) -> Mapping[str, Weeks]:
        """Return what is counted, by the ids of the cameras; raise VaultError."""
        household = self._household
        async with self._writing:
            cameras = self._cameras()
            found = await household.hass.async_add_executor_job(household.vault.counts.read, cameras)
            self._drop_old()
            waiting = {key: Counter(counts) for key, counts in self._waiting.items()}
        oldest = dt_util.utcnow() - household.retention.counts
        weeks = {
            camera_id: {week: counts for week, counts in of.items() if week > oldest}
            for camera_id, of in found.items()
        }
        for (camera_id, week), counts in waiting.items():
            if camera_id in weeks:
                weeks[camera_id][week] = dict(Counter(weeks[camera_id].get(week, {})) + counts)
        return weeks

    def _cameras(self) -> set[str]:
        return {each.subentry_id for each in self._household.entry.get_subentries_of_type(SUBENTRY_CAMERA)}

    def _drop_old(self) -> None:
        """Drop what must not be written any longer: where nobody is on record, nothing is counted."""
        if not self._household.people:
            self._waiting.clear()
        oldest = dt_util.utcnow() - self._household.retention.counts
        self._waiting = {key: each for key, each in self._waiting.items() if key[1] > oldest}

    @callback
    def _async_hour(self, _now: datetime) -> None:
        self._household.entry.async_create_background_task(
            self._household.hass, self.async_write(), f"{DOMAIN} counts"
        )
