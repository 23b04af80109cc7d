"""What a config entry is while it runs: the vault, the engine, the people and a watcher a camera."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
import logging
from pathlib import Path
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_call_later, async_track_time_change
from homeassistant.helpers.storage import STORAGE_DIR
from homeassistant.util import dt as dt_util

from .alerts.alerts import Alerts
from .consent.invitations import Invited
from .consent.keeping import async_purge_recorded, async_purge_told, keeps_pictures, keeps_visits
from .const import (
    CONF_SWITCHED_OFF,
    DOMAIN,
    signal_changed,
    signal_forgotten,
    signal_seen_again,
    signal_visit,
)
from .engine_choice import async_create_engine
from .erasing.forgetting import Forgetting
from .erasing.purge_clock import PurgeClock
from .erasing.restored import Restored
from .following import Following
from .host.client import EngineClient
from .host.engine import Engine, EngineStatus
from .host.errors import EngineError, EngineRefused, EngineUnavailable
from .issues import async_check_engine
from .openness.review import ReviewInbox
from .openness.settings import Settings
from .openness.tickets import Tickets
from .openness.viewing import Viewings
from .options import chosen_retention, chosen_strictness
from .people.calibration import Strictness
from .people.choices import ANYWHERE
from .people.gallery import Gallery
from .people.person import Person
from .roster import Books, Roster
from .vault.errors import ConsentMissing, UnknownPerson, VaultError
from .vault.records import Purged, Receipt, StoredItems, VisitRecord
from .vault.retention import Retention
from .vault.store import Vault
from .visits.open_visits import GAP, Change, OpenVisits, Outcome
from .visits.tally import Tally
from .visits.turns import Turns
from .visits.visit import Visit
from .visits.watcher import Timing

_LOGGER = logging.getLogger(__name__)

HUB = "hub"
"""Stands for all cameras together among what is switched off."""
AGAIN = 5.0
"""Seconds until an engine that did not say what it is is asked again."""

type FamiliarFacesConfigEntry = ConfigEntry[Hub]


def vault_folder(hass: HomeAssistant) -> Path:
    """Return the folder of the vault."""
    return Path(hass.config.path(STORAGE_DIR, DOMAIN))


class Hub:
    """The running whole of a config entry. Lives on the event loop; the vault's work is done in threads."""

    def __init__(self, hass: HomeAssistant, entry: FamiliarFacesConfigEntry, vault: Vault) -> None:
        """Hold everything together, running nothing yet."""
        self.hass = hass
        self.entry = entry
        self.vault = vault
        self.engine: Engine = async_create_engine(hass, entry)
        self.books = Books(hass, entry)
        self.roster = Roster(hass, entry, vault, self.books)
        self.roster.on_narrowed = self._async_narrowed
        self.stored: StoredItems | None = None
        self.next_purge: datetime | None = None
        self.visits_today = 0
        self.open_visits = OpenVisits()
        self.tally = Tally(dt_util.utcnow())
        self.turns = Turns()
        self.invited: dict[str, Invited] = {}
        """The invitations that can be shown, by whom they are for. In memory only: they hold what opens them."""
        self.tickets = Tickets()
        self.viewings = Viewings()
        self._chosen = self.books.chosen
        self._retention: tuple[Mapping[str, object], Retention] | None = None
        """What the options that are named first say."""
        self._unsubscribe: list[CALLBACK_TYPE] = []
        self._expiry: CALLBACK_TYPE | None = None
        self._stopped = False
        self.forgetting = Forgetting(self)
        self.restored = Restored(self)
        self.clock = PurgeClock(self)
        self.settings = Settings(self)
        self.review = ReviewInbox(self)
        self.alerts = Alerts(self)
        self._following = Following(self)
        self.watchers = self._following.watchers
        self._changing = asyncio.Lock()
        """Held while the subentries are followed: one change is carried out after the other."""

    @property
    def client(self) -> EngineClient:
        """Return how to ask the engine; raises EngineUnavailable while it is not ready."""
        if self.engine.status is not EngineStatus.READY:
            raise EngineUnavailable(self.engine.last_error or "The engine is not ready")
        return self.engine.client

    @property
    def people(self) -> dict[str, Person]:
        """Return the people by their ids."""
        return self.roster.people

    @property
    def gallery(self) -> Gallery | None:
        """Return what faces are compared with; None until the engine has said what it is."""
        return self.roster.gallery

    @property
    def strictness(self) -> Strictness:
        """Return how sure the owner wants to be before a name is said."""
        return chosen_strictness(self.entry)

    @property
    def retention(self) -> Retention:
        """Return how long the owner has things kept."""
        if self._retention is None or self._retention[0] is not self.entry.options:
            self._retention = (self.entry.options, chosen_retention(self.entry))
        return self._retention[1]

    @callback
    def recognition(self, camera_id: str | None = None) -> bool:
        """Return whether recognition is switched on, at a camera or, without one, at all together."""
        off = self.books.read(CONF_SWITCHED_OFF)
        return HUB not in off and camera_id not in off

    @callback
    def async_switch_recognition(self, on: bool, key: str) -> None:
        """Switch recognition on or off, at a camera or (`HUB`) everywhere. It is noted in the books."""
        off = self.books.read(CONF_SWITCHED_OFF)
        self.books.async_write(CONF_SWITCHED_OFF, off - {key} if on else off | {key})
        if on is (key in off):
            self.entry.async_create_task(
                self.hass,
                self.settings.async_note({"key": "recognition", "of": key, "old": not on, "new": on}),
                f"{DOMAIN} note of a switch",
            )
        self.async_changed()

    def can_recognise(self, camera_id: str | None = None) -> bool:
        """Return whether there is anybody to recognise, and leave to do so, at a camera or at all.

        An engine that is away is not asked about: who comes while it restarts is there all the same.
        """
        return self.recognition(camera_id) and self.roster.anybody(
            ANYWHERE if camera_id is None else camera_id
        )

    async def async_start(self) -> None:
        """Bring the vault and the subentries together, and start the engine and the watchers."""
        await self.restored.async_check()
        await self.roster.async_recover()
        await self.async_refresh_people()
        await self.forgetting.async_carry_on()
        self.visits_today = await self.hass.async_add_executor_job(
            self.vault.count_visits, dt_util.start_of_local_day()
        )
        self.alerts.async_start()
        self._following.async_start()
        self._unsubscribe += [
            self.engine.add_listener(self._async_engine_changed),
            async_track_time_change(self.hass, self._async_new_day, hour=0, minute=0, second=0),
        ]
        await self.engine.start()
        self.clock.async_start()

    async def async_stop(self) -> None:
        """Stop everything and leave nothing behind. May be called again."""
        async with self._changing:
            if self._stopped:
                return
            self._stopped = True
            while self._unsubscribe:
                self._unsubscribe.pop()()
            self.clock.async_stop()
            await self._following.async_stop()
            await self.alerts.async_stop()
            if self._expiry is not None:
                self._expiry()
            await self.engine.stop()
            await self.forgetting.async_stop()
            await self.review.async_stop()
            await self.restored.async_note()
            try:
                # Home Assistant writes at its stop what automations remember.
                await async_purge_told(self)
            finally:
                await self.hass.async_add_executor_job(self.vault.close)

    @callback
    def async_changed(self) -> None:
        """Have every entity look again."""
        async_dispatcher_send(self.hass, signal_changed(self.entry.entry_id))

    async def async_whole[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Do all of something: Home Assistant stops what answers a browser that has hung up.

        What was written to the vault has to count, also when nobody waits for the answer.
        """
        return await asyncio.shield(self.hass.async_create_task(work, f"{DOMAIN} change"))

    # People

    async def async_refresh_people(self) -> None:
        """Read the people from the vault again."""
        await self.roster.async_refresh()
        await self.restored.async_note()
        await self.async_count()
        self.clock.async_people_changed()
        self.async_changed()

    @callback
    def _async_narrowed(self, person_id: str) -> None:
        """Show nothing more of what was agreed to before, and is not any more."""
        self.open_visits.forget(person_id)
        async_dispatcher_send(self.hass, signal_forgotten(self.entry.entry_id), person_id)

    async def async_forget(self, person_id: str, reason: str = "asked") -> Receipt | None:
        """Erase a person from everywhere and return the receipt; raise VaultError when it has to be done later."""
        try:
            return await self.async_whole(self.forgetting.async_forget(person_id, reason))
        finally:
            await self.restored.async_note()
            await self.async_count()
            self.async_changed()

    # Subentries

    async def async_entry_updated(self) -> None:
        """Follow the subentries, or start anew when the owner chose otherwise."""
        async with self._changing:
            if self._stopped:
                return
            if self._chosen != self.books.chosen:
                self.hass.config_entries.async_schedule_reload(self.entry.entry_id)
                return
            await self.settings.async_follow()
            await self._following.async_follow()

    @callback
    def async_check_cameras(self) -> None:
        """Say which cameras and triggers are gone."""
        self._following.async_check_cameras()

    # The engine

    @callback
    def _async_engine_changed(self, status: EngineStatus) -> None:
        async_check_engine(self.hass, self.engine)
        if isinstance(self.engine.problem, EngineRefused):
            self.entry.async_start_reauth(self.hass)
        if status is EngineStatus.READY:
            self.entry.async_create_background_task(
                self.hass, self._async_learn_model(), f"{DOMAIN} model of the engine"
            )
        self.async_changed()

    async def _async_learn_model(self) -> None:
        while self.engine.status is EngineStatus.READY:
            try:
                health = await self.client.health()
                await self.roster.async_set_model(str(health.model["name"]))
            except (EngineError, VaultError, KeyError) as err:
                _LOGGER.warning("The engine does not say what it is, it is asked again: %s", err)
                await asyncio.sleep(AGAIN)
            else:
                self.async_changed()
                return

    # Visits

    async def async_settle(
        self,
        outcome: Outcome,
        timing: Timing,
        portrait: bytes | None,
        resembled: frozenset[str] = frozenset(),
    ) -> None:
        """Announce a visit, and keep it when it is a familiar person's; `portrait` is a JPEG.

        `resembled`: the ids of people whom somebody without a name may be.
        """
        visit = outcome.visit
        self.review.async_settle(visit, portrait, resembled)
        person: Person | None = None
        if visit.person_id is not None:
            # The consent may have ended, or the person been forgotten, while the look was taken.
            person = self.people.get(visit.person_id)
            if person is None or not person.may_be_recognised(dt_util.utcnow(), visit.camera_id):
                return
            if not person.choices.announced:
                return
            if not keeps_pictures(self, person.person_id):
                visit, portrait = replace(visit, portrait=None), None
        self.alerts.async_settle(replace(outcome, visit=visit), portrait, resembled)
        if outcome.change is Change.CONTINUED:
            async_dispatcher_send(self.hass, signal_seen_again(self.entry.entry_id), visit)
            if keeps_visits(self, visit.person_id):
                await self._async_go_on(visit)
            return
        if outcome.change is Change.OPENED:
            self.visits_today += 1
        self.tally.note(visit)
        async_dispatcher_send(self.hass, signal_visit(self.entry.entry_id), visit, timing)
        if keeps_visits(self, visit.person_id):
            await self._async_keep(visit, portrait)
        self.async_changed()

    async def _async_go_on(self, visit: Visit) -> None:
        assert visit.person_id is not None
        try:
            await self.hass.async_add_executor_job(
                self.vault.continue_visit,
                visit.visit_id,
                visit.person_id,
                visit.last_seen_at,
                visit.similarity,
                visit.template_id,
            )
        except VaultError as err:
            _LOGGER.debug("That somebody is still there could not be written: %s", err)

    async def _async_keep(self, visit: Visit, portrait: bytes | None) -> None:
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
            await self.hass.async_add_executor_job(self.vault.add_visit, record, portrait, dt_util.utcnow())
            await self.async_count()
        except ConsentMissing, UnknownPerson:
            # They were forgotten, or their consent ended, in this very moment.
            _LOGGER.debug("A visit is not kept: there is no consent for it any more")
        except VaultError as err:
            _LOGGER.error("A visit was announced but could not be kept: %s", err)

    @callback
    def async_expire_visits(self, _now: datetime | None = None) -> None:
        """Drop what is in memory of visits that are over, now and once those that go on are."""
        if self._expiry is not None:
            self._expiry()
            self._expiry = None
        self.review.async_ended(self.open_visits.expire(dt_util.utcnow()))
        if self.open_visits.visits and not self._stopped:
            self._expiry = async_call_later(
                self.hass,
                GAP + timedelta(seconds=1),
                HassJob(self.async_expire_visits, cancel_on_shutdown=True),
            )

    # Retention

    async def async_purge(self) -> Purged:
        """Erase whatever is past its time and say how much it was; raise VaultError when that failed."""
        await self.roster.async_forget_noted()
        try:
            purged = await self.hass.async_add_executor_job(
                self.vault.purge, dt_util.utcnow(), self.retention
            )
            if gone := {receipt.person_id for receipt in purged.people}:
                self.roster.leaving |= gone
                await self.roster.async_let_go(gone)
        finally:
            # Also after one that failed half-way: whom it has erased is known no more.
            await self.async_refresh_people()
            await self.forgetting.async_carry_on()
        await async_purge_told(self)
        await async_purge_recorded(self)
        return purged

    @callback
    def _async_new_day(self, _now: datetime) -> None:
        self.visits_today = 0
        self.tally.drop(dt_util.as_utc(dt_util.start_of_local_day()))
        self.async_changed()

    async def async_count(self) -> None:
        """Count again what is stored."""
        try:
            self.stored = await self.hass.async_add_executor_job(self.vault.stored)
            self.next_purge = await self.hass.async_add_executor_job(
                self.vault.next_purge, dt_util.utcnow(), self.retention
            )
        except VaultError as err:
            _LOGGER.debug("What is stored could not be counted: %s", err)
