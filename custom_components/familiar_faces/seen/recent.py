"""Who was seen lately, in memory: a condition is checked at once and cannot wait for the vault.

Of every person and of every kind of visitor the last two visits to each camera are known, so that one of them
can be left out. What was kept before a start is read from the vault. Of strangers nothing is kept; of those
from before a start, the cameras' event entities say when the last one came.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from weakref import ref

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..const import ATTR_VISIT_ID, DOMAIN, KEY_VISITOR, PRESENT_FOR, SUBENTRY_CAMERA
from ..household.household import Household
from ..household.keeping import may_show
from ..household.signals import SIGNAL_CORRECTED, SIGNAL_FORGOTTEN, SIGNAL_SEEN_AGAIN, SIGNAL_VISIT, listener
from ..running import async_running_hub
from ..vault.errors import VaultError
from ..vault.records import Corrected, VisitRecord
from ..visits.visit import Decision, Timing, Visit
from .visit_filter import Sought
from .visit_signals import async_follow_visits

_DATA: HassKey[RecentVisits] = HassKey(f"{DOMAIN}_recent_visits")
_MOST = 2
"""The last one, and the one before it for when the last is left out."""


@dataclass(frozen=True, slots=True)
class _Recent:
    """When somebody was at a camera. It names nobody."""

    visit_id: str
    camera_id: str
    decision: Decision
    person_id: str | None
    started_at: datetime
    last_seen_at: datetime


class Cause(NamedTuple):
    """The visit that set an automation off."""

    visit_id: str
    seen_at: datetime | None
    """When its visitor had been seen last by then."""

    def explains(self, recent: _Recent) -> bool:
        """Return whether it is this visit, and the visitor was not seen since."""
        return recent.visit_id == self.visit_id and (
            self.seen_at is None or recent.last_seen_at <= self.seen_at
        )


@callback
def async_recent_visits(hass: HomeAssistant) -> RecentVisits:
    """Return who was seen lately. From the first time this is asked it follows the visits."""
    if (recent := hass.data.get(_DATA)) is None:
        recent = hass.data[_DATA] = RecentVisits(hass)
        recent.async_start()
    return recent


class RecentVisits:
    """Who was seen lately. Lives on the event loop."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Know of no visit."""
        self._hass = hass
        self._visits: list[_Recent] = []
        """Latest first."""
        self._reading: asyncio.Task[None] | None = None
        self._read_of: ref[Household] | None = None
        """Whose vault was read. Not held: a hub that was stopped goes, with the templates that it knew."""

    @callback
    def async_start(self) -> None:
        """Follow the visits."""
        async_follow_visits(
            self._hass,
            (
                listener(SIGNAL_VISIT, self._async_visit),
                listener(SIGNAL_SEEN_AGAIN, self._async_note),
                listener(SIGNAL_FORGOTTEN, self._async_forgotten),
                listener(SIGNAL_CORRECTED, self._async_corrected),
            ),
            self._async_read_soon,
        )
        self._async_read_soon()

    async def async_ready(self) -> None:
        """Wait until what the vault holds was read, if there is a vault."""
        if self._reading is not None:
            await asyncio.wait((self._reading,))

    @callback
    def async_seen(self, sought: Sought, within: timedelta, cause: Cause | None = None) -> bool:
        """Return whether one of the visits sought was that little ago; `cause` does not count.

        Nothing is said of a person whose visits are not kept, or not any longer, but for as long as the person
        counts as present anyway.
        """
        if (household := async_running_hub(self._hass)) is None:
            return False
        now = dt_util.utcnow()
        self._async_prune(household)
        known = {each.visit_id for each in self._visits} | ({cause.visit_id} if cause is not None else set())
        # An event says when somebody was decided to be a stranger, which is later than they were seen.
        nameless = [each for each in self._nameless(household) if each.visit_id not in known]
        return any(
            now - each.last_seen_at <= within
            and sought.fits(each.decision, each.camera_id, each.person_id)
            and (cause is None or not cause.explains(each))
            for each in (*self._visits, *nameless)
        )

    @callback
    def _nameless(self, household: Household) -> list[_Recent]:
        """Return the visits of somebody without a name that the cameras' event entities tell of."""
        registry, found = er.async_get(self._hass), []
        for camera_id, subentry in household.entry.subentries.items():
            if subentry.subentry_type != SUBENTRY_CAMERA:
                continue
            unique_id = f"{camera_id}_{KEY_VISITOR}"
            entity_id = registry.async_get_entity_id(Platform.EVENT, DOMAIN, unique_id)
            state = None if entity_id is None else self._hass.states.get(entity_id)
            at = None if state is None else dt_util.parse_datetime(state.state)
            if state is None or at is None:
                continue
            decision = state.attributes.get("event_type")
            if decision in (Decision.STRANGER, Decision.UNCLEAR):
                visit_id = str(state.attributes.get(ATTR_VISIT_ID))
                found.append(_Recent(visit_id, camera_id, Decision(decision), None, at, at))
        return found

    @callback
    def _async_visit(self, visit: Visit, _timing: Timing) -> None:
        if (household := async_running_hub(self._hass)) is not None:
            self._async_prune(household)
        self._async_note(visit)

    @callback
    def _async_prune(self, household: Household) -> None:
        self._visits = [each for each in self._visits if _may_be_said(household, each)]

    @callback
    def _async_note(self, visit: Visit) -> None:
        self._async_add(
            _Recent(
                visit.visit_id,
                visit.camera_id,
                visit.decision,
                visit.person_id,
                visit.started_at,
                visit.last_seen_at,
            )
        )

    @callback
    def _async_add(self, recent: _Recent) -> None:
        """Take note of a visit, or of how it went on, and drop those that are one too many."""
        others = [each for each in self._visits if each.visit_id != recent.visit_id]
        self._visits = sorted([recent, *others], key=lambda each: each.last_seen_at, reverse=True)
        alike = [
            each
            for each in self._visits
            if (each.decision, each.camera_id, each.person_id)
            == (recent.decision, recent.camera_id, recent.person_id)
        ]
        for each in alike[_MOST:]:
            self._visits.remove(each)

    @callback
    def _async_forgotten(self, person_id: str) -> None:
        """Know nothing more of somebody who is forgotten, or agrees to less."""
        self._visits = [each for each in self._visits if each.person_id != person_id]

    @callback
    def _async_corrected(self, corrected: Corrected) -> None:
        """Know a visit under whose it really was."""
        self._visits = [each for each in self._visits if each.visit_id != corrected.visit.visit_id]
        if corrected.moved is not None:
            self._async_add(_of_record(corrected.moved))

    @callback
    def _async_read_soon(self) -> None:
        household = async_running_hub(self._hass)
        if household is None or (self._read_of is not None and self._read_of() is household):
            return
        self._read_of = ref(household)
        self._reading = household.entry.async_create_background_task(
            self._hass, self._async_read(household), f"{DOMAIN} recent visits"
        )

    async def _async_read(self, household: Household) -> None:
        """Read what the vault holds."""
        places = [
            (person_id, subentry.subentry_id)
            for person_id in household.people
            for subentry in household.entry.subentries.values()
            if subentry.subentry_type == SUBENTRY_CAMERA
        ]

        def read() -> list[VisitRecord]:
            return [
                record
                for person_id, camera_id in places
                for record in household.vault.visits(person_id=person_id, camera_id=camera_id, limit=_MOST)
            ]

        try:
            records = await self._hass.async_add_executor_job(read)
        except VaultError:
            # The vault has said so itself; conditions go by what happens from now on.
            return
        known = {each.visit_id for each in self._visits}
        for record in records:
            # Whoever was seen, or forgotten, while this was read is known better already.
            if record.visit_id not in known and record.person_id in household.people:
                self._async_add(_of_record(record))


def _of_record(record: VisitRecord) -> _Recent:
    return _Recent(
        record.visit_id,
        record.camera_id,
        Decision.FAMILIAR,
        record.person_id,
        record.started_at,
        record.until,
    )


@callback
def _may_be_said(household: Household, recent: _Recent) -> bool:
    """Return whether it may still be said that somebody was there."""
    if recent.person_id is None:
        return True
    person = household.people.get(recent.person_id)
    if person is None or not person.choices.announced:
        return False
    here_now = dt_util.utcnow() - recent.last_seen_at < PRESENT_FOR
    return here_now or may_show(household, recent.person_id, recent.started_at)
