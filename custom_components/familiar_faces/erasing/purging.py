"""What is past its time: erased in the vault, and in what Home Assistant remembers of it."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import cache
import logging

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.recorder import DATA_INSTANCE
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..household.household import Household
from ..household.keeping import kept_of_each, shortest_kept
from ..internals.recorder_rows import async_erase_recorded
from ..internals.wanted import Wanted
from ..vault.records import Purged
from .forgetting import Forgetting
from .home_traces import async_entity_ids_of_each, async_kept_visits, async_naming, async_purge_traces

_LOGGER = logging.getLogger(__name__)

PATIENCE = 60.0
"""Seconds that a purge waits for the recorder, which does nothing before Home Assistant has started."""
_RECORDER = "recorder"
_PURGE_ENTITIES = "purge_entities"


class Purging:
    """Erases what is past its time. Lives on the event loop."""

    def __init__(self, household: Household, forgetting: Forgetting, any_alerts: Callable[[], bool]) -> None:
        """Purge for a household; `any_alerts` says whether somebody may have been notified."""
        self._household = household
        self._forgetting = forgetting
        self._any_alerts = any_alerts

    async def async_purge(self) -> Purged:
        """Erase whatever is past its time and say how much it was; raise VaultError when that failed.

        Raises what the owner is to read while the clock is doubted: nothing is erased by a wrong one.
        """
        household = self._household
        # Who is to be forgotten is so by what they said, and not by the time.
        await household.roster.async_forget_noted()
        try:
            if not household.wall_clock.believed():
                raise ServiceValidationError(translation_domain=DOMAIN, translation_key="clock_doubted")
            purged = await household.hass.async_add_executor_job(
                household.vault.purge, dt_util.utcnow(), household.retention
            )
            if gone := {receipt.person_id for receipt in purged.people}:
                household.roster.leaving |= gone
                await household.roster.async_let_go(gone)
        finally:
            # Also after one that failed half-way: the people it erased are no longer known.
            await household.async_refresh_people()
            await self._forgetting.async_carry_on()
        await self.async_purge_told()
        await self._async_purge_recorded()
        return purged

    async def async_purge_told(self) -> None:
        """Drop what automations remember of visits that are not kept: a trigger tells them who came."""
        household = self._household
        now, people = dt_util.utcnow(), dict(household.people)
        if not people or not household.wall_clock.believed():
            return
        kept = kept_of_each(household)
        entity_ids = async_entity_ids_of_each(household.hass, people)

        @cache
        def wanted(ids: frozenset[str]) -> Wanted:
            names = frozenset(
                name for each in ids for name in (people[each].name, *people[each].former_names)
            )
            theirs = frozenset().union(*(entity_ids[each] for each in ids))
            return Wanted(ids, names, theirs, household.vault.marks.finder(ids))

        def gone_at(at: datetime) -> Wanted | None:
            # Nothing is kept of people who chose that, also when the clock was set back meanwhile.
            gone = frozenset(each for each, length in kept.items() if not length or now - at >= length)
            return wanted(gone) if gone else None

        try:
            await async_purge_traces(
                household.hass, wanted(frozenset(people)), gone_at, await async_kept_visits(household)
            )
        except (HomeAssistantError, OSError) as err:
            _LOGGER.warning("What automations remember could not be purged yet, it is tried again: %s", err)

    async def _async_purge_recorded(self) -> None:
        """Have the recorder know no longer who came, and when, than visits are kept.

        It knows nothing of people who chose to have nothing kept, after every purge; it offers no way to know less. A
        recorder that is busy does it later, and the next purge of the vault does not wait for it.
        """
        household, hass = self._household, self._household.hass
        if DATA_INSTANCE not in hass.data or not hass.services.has_service(_RECORDER, _PURGE_ENTITIES):
            return
        kept = kept_of_each(household)
        days = {person_id: length.days for person_id, length in kept.items()}
        names = [household.people[person_id].name for person_id, length in kept.items() if length]
        naming = async_naming(hass, household.entry, names, await async_kept_visits(household))
        of_each = async_entity_ids_of_each(hass, days)
        try:
            for keep_days in sorted(set(days.values())):
                whose = (of_each[person_id] for person_id, agreed in days.items() if agreed == keep_days)
                await _async_purge_entities(hass, frozenset().union(*whose), keep_days=keep_days)
            # Who is named there cannot be told apart, so the shortest period that somebody agreed to counts for all.
            shortest = (shortest_kept(household) or household.retention.visits).days
            await _async_purge_entities(hass, naming.entity_ids | naming.told, keep_days=shortest)
            if household.people or self._any_alerts():
                async with asyncio.timeout(PATIENCE):
                    await async_erase_recorded(hass, Wanted(frozenset()), naming)
        except TimeoutError:
            _LOGGER.debug("Home Assistant's history is still being purged")
        except HomeAssistantError as err:
            _LOGGER.warning("Home Assistant's history could not be purged yet, it is tried again: %s", err)


async def _async_purge_entities(hass: HomeAssistant, entity_ids: frozenset[str], *, keep_days: int) -> None:
    if entity_ids:
        await hass.services.async_call(
            _RECORDER,
            _PURGE_ENTITIES,
            {"entity_id": sorted(entity_ids), "keep_days": keep_days},
            blocking=True,
        )
