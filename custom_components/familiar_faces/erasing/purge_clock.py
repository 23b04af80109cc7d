"""What follows from the wall clock: the purge, at least hourly, and consents that come to their end.

Timers of the event loop stand still while the machine sleeps and know nothing of a clock that is set, so a
tick every minute looks at the wall clock and compares.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
import logging

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.event import async_track_point_in_utc_time, async_track_time_interval
from homeassistant.util import dt as dt_util

from ..const import DOMAIN, PURGE_INTERVAL
from ..household.household import Household
from ..household.issues import async_check_consents, async_check_vault
from ..household.signals import SIGNAL_CHANGED
from ..people.person import EXPIRING, Consent, ConsentState
from ..vault.errors import UnknownPerson, VaultError
from .clock_watch import ClockWatch

_LOGGER = logging.getLogger(__name__)

TICK = timedelta(minutes=1)
RETRY = timedelta(minutes=5)
"""After how long a purge that failed is tried again."""


class PurgeSchedule:
    """When the next purge is due, whatever the clock did meanwhile."""

    def __init__(self) -> None:
        """Have never purged."""
        self._tried_at: datetime | None = None
        self._failed = False

    def due(self, now: datetime, next_due: datetime | None) -> bool:
        """Return whether to purge now; `next_due`: when the next thing that is kept is past its time."""
        if self._tried_at is None or now < self._tried_at:
            # Never, or the clock was set back: nobody knows how long ago it really was.
            return True
        since = now - self._tried_at
        if self._failed:
            return since >= RETRY
        return since >= PURGE_INTERVAL or (next_due is not None and next_due <= now)

    def tried(self, now: datetime, *, failed: bool) -> None:
        """Note that it was tried."""
        self._tried_at = now
        self._failed = failed


class PurgeClock:
    """Purges in time, and says when consents end. Lives on the event loop."""

    def __init__(
        self, household: Household, purge: Callable[[], Awaitable[object]], watch: ClockWatch
    ) -> None:
        """Call `purge`, which raises VaultError when it failed; nothing of it while `watch` doubts the clock."""
        self._household = household
        self._watch = watch
        self._async_purge_now = purge
        self._schedule = PurgeSchedule()
        self._purging: asyncio.Task[None] | None = None
        self._consents: dict[str, ConsentState] = {}
        self._ending: asyncio.Task[None] | None = None
        self._moment: CALLBACK_TYPE | None = None
        self._tick: CALLBACK_TYPE | None = None
        self._failing = False
        self._believed = True

    @callback
    def async_start(self) -> None:
        """Look at the clock now, and every minute."""
        self._tick = async_track_time_interval(
            self._household.hass, self._async_look, TICK, name=f"{DOMAIN} clock"
        )
        self._async_look()

    @callback
    def async_stop(self) -> None:
        """Stop watching it."""
        for cancel in (self._tick, self._moment):
            if cancel is not None:
                cancel()
        self._tick = self._moment = None

    @callback
    def async_purge_soon(self) -> None:
        """Purge at once, because something else is past its time now."""
        self._schedule = PurgeSchedule()
        self._async_look()

    async def async_people_changed(self) -> None:
        """Follow the consents that there are now."""
        if self._tick is not None and self._household.wall_clock.believed():
            self._async_check_consents(dt_util.utcnow())

    @callback
    def _async_look(self, _now: datetime | None = None) -> None:
        now = dt_util.utcnow()
        believed, self._believed = self._believed, self._watch.async_look()
        if self._believed:
            self._async_check_consents(now)
            if not believed:
                # What waited for it is due now.
                self._schedule = PurgeSchedule()
        # Also while it is doubted: what is due waits, but not people whose forgetting was asked for.
        idle = self._purging is None or self._purging.done()
        if idle and self._schedule.due(now, self._household.next_purge):
            self._purging = self._household.entry.async_create_background_task(
                self._household.hass, self._async_purge(), f"{DOMAIN} purge"
            )

    async def _async_purge(self) -> None:
        """Purge, and once more when something else came to be past its time meanwhile."""
        schedule = None
        while self._tick is not None and schedule is not self._schedule:
            schedule = self._schedule
            # Noted before: what fails in an unforeseen way is not tried in every minute.
            schedule.tried(dt_util.utcnow(), failed=True)
            await self._async_purge_once(schedule)

    async def _async_purge_once(self, schedule: PurgeSchedule) -> None:
        now = dt_util.utcnow()
        try:
            await self._async_purge_now()
        except VaultError as err:
            if self._tick is None:
                return
            async_check_vault(self._household.hass, err)
            level = logging.DEBUG if self._failing else logging.ERROR
            _LOGGER.log(level, "What is past its time is not erased yet, it is tried again soon: %s", err)
            self._failing = True
        except ServiceValidationError:
            _LOGGER.debug("The clock is doubted: what is due by it is not erased")
        else:
            async_check_vault(self._household.hass, self._household.vault.trouble)
            schedule.tried(now, failed=False)
            self._failing = False

    async def _async_end_consents(self, person_ids: Iterable[str]) -> None:
        """Write that consents are over, so that they never count again, whatever the clock says later."""
        household = self._household
        for person_id in person_ids:
            try:
                await household.hass.async_add_executor_job(
                    household.vault.end_consents, person_id, dt_util.utcnow()
                )
            except UnknownPerson:
                _LOGGER.debug("A person was forgotten when their consent ended")
            except VaultError as err:
                _LOGGER.warning(
                    "That a consent has ended could not be written yet, it is tried again: %s", err
                )
                return
        await household.async_refresh_people()

    @callback
    def _async_check_consents(self, now: datetime) -> None:
        """Show the consents as they are now, and be back when the next one changes."""
        consents = {
            person_id: person.consent
            for person_id, person in self._household.people.items()
            if person.consent is not None
        }
        async_check_consents(
            self._household.hass, self._household.people.values(), now, self._household.retention
        )
        states = {person_id: consent.state(now) for person_id, consent in consents.items()}
        if states != self._consents:
            changed = {each for each, _ in self._consents.items() ^ states.items()}
            self._consents = states
            self._household.async_tell(SIGNAL_CHANGED, changed)
        over = [each for each, consent in consents.items() if consent.runs_out(now)]
        if over and (self._ending is None or self._ending.done()):
            self._ending = self._household.entry.async_create_background_task(
                self._household.hass, self._async_end_consents(over), f"{DOMAIN} consents that ended"
            )
        if self._moment is not None:
            self._moment()
            self._moment = None
        if moments := [at for consent in consents.values() for at in _turns(consent) if at > now]:
            self._moment = async_track_point_in_utc_time(self._household.hass, self._async_look, min(moments))


def _turns(consent: Consent) -> tuple[datetime, datetime]:
    """Return when a consent begins to end, and when it has ended."""
    return consent.valid_until - EXPIRING, consent.valid_until
