"""Announces who came: to listeners first, then to all of Home Assistant, and to the vault as far as it may be kept."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
import logging

from homeassistant.core import CALLBACK_TYPE, HassJob, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from ..household.household import Household
from ..household.keeping import keeps_pictures, keeps_visits, may_be_told
from ..household.signals import SIGNAL_SEEN_AGAIN, SIGNAL_VISIT, Of
from ..vault.errors import ConsentMissing, UnknownPerson, VaultError
from ..vault.records import VisitRecord
from ..visits.open_visits import GAP, Change, Outcome
from ..visits.visit import Timing, Visit

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settled:
    """What a look made of an individual, and what of it may be shown."""

    outcome: Outcome
    """The visit; with a picture only where that may be kept."""
    announced: bool
    """Whether anything may be said of it."""
    portrait: bytes | None = field(default=None, repr=False)
    """The individual's picture (JPEG): of a familiar person only where that may be kept."""
    resembled: frozenset[str] = frozenset()
    """The ids of the people that a visitor without a name may be."""


class Announcer:
    """Announces visits. Lives on the event loop."""

    def __init__(self, household: Household) -> None:
        """Have nobody listen."""
        self.on_settled: list[Callable[[Settled], None]] = []
        """Called before a visit is announced, also with visits that may not be announced."""
        self.on_ended: list[Callable[[tuple[Visit, ...]], None]] = []
        """Called with the visits that are over."""
        self._household = household
        self._expiry: CALLBACK_TYPE | None = None
        self._stopped = False

    @callback
    def async_stop(self) -> None:
        """Stop waiting for the end of visits."""
        self._stopped = True
        if self._expiry is not None:
            self._expiry()
            self._expiry = None

    async def async_settle(
        self,
        outcome: Outcome,
        timing: Timing,
        portrait: bytes | None,
        resembled: frozenset[str] = frozenset(),
    ) -> None:
        """Announce a visit, and keep it when it is a familiar person's; `portrait` is a JPEG.

        `resembled`: the ids of the people that a visitor without a name may be.
        """
        visit, household = outcome.visit, self._household
        announced = True
        if visit.person_id is not None:
            # The consent may have ended, or the person been forgotten, while the look was taken.
            announced = may_be_told(household, visit.person_id, visit.camera_id)
            if not (announced and keeps_pictures(household, visit.person_id)):
                visit, portrait = replace(visit, portrait=None), None
        settled = Settled(replace(outcome, visit=visit), announced, portrait, resembled)
        for listener in self.on_settled:
            listener(settled)
        if not announced:
            return
        if outcome.change is Change.CONTINUED:
            household.async_send(SIGNAL_SEEN_AGAIN, visit)
            if keeps_visits(household, visit.person_id):
                await self._async_go_on(visit)
            return
        if outcome.change is Change.OPENED:
            household.visits_today += 1
        household.tally.note(visit)
        household.async_send(SIGNAL_VISIT, visit, timing)
        if keeps_visits(household, visit.person_id):
            await self._async_keep(visit, portrait, timing)
        whose = () if visit.person_id is None else (visit.person_id,)
        household.async_changed(Of.LOOKS, Of.VISITS, Of.STORED, visit.camera_id, *whose)

    async def _async_go_on(self, visit: Visit) -> None:
        assert visit.person_id is not None
        try:
            await self._household.hass.async_add_executor_job(
                self._household.vault.continue_visit,
                visit.visit_id,
                visit.person_id,
                visit.last_seen_at,
                visit.similarity,
                visit.template_id,
            )
        except VaultError as err:
            _LOGGER.debug("That somebody is still there could not be written: %s", err)

    async def _async_keep(self, visit: Visit, portrait: bytes | None, timing: Timing) -> None:
        assert visit.person_id is not None
        assert visit.confidence is not None
        record = VisitRecord(
            visit_id=visit.visit_id,
            person_id=visit.person_id,
            camera_id=visit.camera_id,
            started_at=visit.started_at,
            last_seen_at=visit.last_seen_at,
            confidence=visit.confidence,
            frames=visit.frames,
            template_id=visit.template_id,
            similarity=visit.similarity,
        )
        try:
            await self._household.hass.async_add_executor_job(
                partial(
                    self._household.vault.add_visit, record, portrait, dt_util.utcnow(), took_ms=timing.ms
                )
            )
            await self._household.async_count()
        except ConsentMissing, UnknownPerson:
            # They were forgotten, or their consent ended, in this very moment.
            _LOGGER.debug("A visit is not kept: its consent has ended")
        except VaultError as err:
            _LOGGER.error("A visit was announced but could not be kept: %s", err)

    @callback
    def async_expire(self, _now: datetime | None = None) -> None:
        """Drop what is in memory of visits that are over, now and once those that go on are."""
        if self._expiry is not None:
            self._expiry()
            self._expiry = None
        open_visits = self._household.open_visits
        ended = open_visits.expire(dt_util.utcnow())
        for listener in self.on_ended:
            listener(ended)
        if open_visits.visits and not self._stopped:
            self._expiry = async_call_later(
                self._household.hass,
                GAP + timedelta(seconds=1),
                HassJob(self.async_expire, cancel_on_shutdown=True),
            )
