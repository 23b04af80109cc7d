"""What a config entry is while it runs: the vault, the engine, the people and a watcher a camera."""

import asyncio
from datetime import datetime, timedelta
import logging
from pathlib import Path

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_call_later, async_track_time_change, async_track_time_interval
from homeassistant.helpers.restore_state import async_get as async_get_restored
from homeassistant.helpers.storage import STORAGE_DIR
from homeassistant.util import dt as dt_util

from .const import (
    CONF_SWITCHED_OFF,
    DOMAIN,
    PURGE_INTERVAL,
    signal_changed,
    signal_forgotten,
    signal_seen_again,
    signal_visit,
)
from .engine_choice import async_create_engine
from .following import Following
from .host.client import EngineClient
from .host.engine import Engine, EngineStatus
from .host.errors import EngineError, EngineRefused, EngineUnavailable
from .issues import async_check_engine
from .options import chosen_retention, chosen_strictness
from .people.calibration import Strictness
from .people.choices import ANYWHERE
from .people.gallery import Gallery
from .people.person import Person
from .roster import Books, Roster
from .vault.errors import ConsentMissing, UnknownPerson, VaultError
from .vault.records import Receipt, StoredItems, VisitRecord
from .vault.retention import Retention
from .vault.store import Vault
from .visits.open_visits import GAP, Change, OpenVisits, Outcome
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
        self.stored: StoredItems | None = None
        self.next_purge: datetime | None = None
        self.visits_today = 0
        self.open_visits = OpenVisits()
        self.turns = Turns()
        self._chosen = self.books.chosen
        self._unsubscribe: list[CALLBACK_TYPE] = []
        self._expiry: CALLBACK_TYPE | None = None
        self._stopped = False
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
        return chosen_retention(self.entry)

    @callback
    def recognition(self, camera_id: str | None = None) -> bool:
        """Return whether recognition is switched on, at a camera or, without one, at all together."""
        off = self.books.read(CONF_SWITCHED_OFF)
        return HUB not in off and camera_id not in off

    @callback
    def async_switch_recognition(self, on: bool, key: str) -> None:
        """Switch recognition on or off, at a camera or (`HUB`) everywhere. It outlives a power cut."""
        off = self.books.read(CONF_SWITCHED_OFF)
        self.books.async_write(CONF_SWITCHED_OFF, off - {key} if on else off | {key})
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
        await self.roster.async_recover()
        await self.async_refresh_people()
        self.visits_today = await self.hass.async_add_executor_job(
            self.vault.count_visits, dt_util.start_of_local_day()
        )
        self._following.async_start()
        self._unsubscribe += [
            self.engine.add_listener(self._async_engine_changed),
            async_track_time_interval(
                self.hass, self._async_purge_on_time, PURGE_INTERVAL, name=f"{DOMAIN} purge"
            ),
            async_track_time_change(self.hass, self._async_new_day, hour=0, minute=0, second=0),
        ]
        await self.engine.start()
        self.entry.async_create_background_task(
            self.hass, self._async_purge_on_time(dt_util.utcnow()), f"{DOMAIN} first purge"
        )

    async def async_stop(self) -> None:
        """Stop everything and leave nothing behind. May be called again."""
        async with self._changing:
            if self._stopped:
                return
            self._stopped = True
            while self._unsubscribe:
                self._unsubscribe.pop()()
            await self._following.async_stop()
            if self._expiry is not None:
                self._expiry()
            await self.engine.stop()
            await self.hass.async_add_executor_job(self.vault.close)

    @callback
    def async_changed(self) -> None:
        """Have every entity look again."""
        async_dispatcher_send(self.hass, signal_changed(self.entry.entry_id))

    # People

    async def async_refresh_people(self) -> None:
        """Read the people from the vault again."""
        await self.roster.async_refresh()
        await self._async_count()
        self.async_changed()

    async def async_forget(self, person_id: str) -> Receipt | None:
        """Erase a person from everywhere and return the receipt; raise VaultError when it has to be done later."""
        self.open_visits.forget(person_id)
        try:
            receipt = await self.roster.async_forget(person_id)
        finally:
            # Recognised no more, and named nowhere, whatever the disk says.
            await self._async_forgotten(person_id)
        if receipt is not None and not receipt.verified:
            _LOGGER.warning("What was kept of %s was erased, but could not be looked for again", person_id)
        return receipt

    async def _async_forgotten(self, person_id: str) -> None:
        async_dispatcher_send(self.hass, signal_forgotten(self.entry.entry_id), person_id)
        if (subentry := self.roster.subentries().get(person_id)) is not None:
            self.hass.config_entries.async_remove_subentry(self.entry, subentry.subentry_id)
        await self._async_count()
        self.async_changed()

        async def write(_now: datetime) -> None:
            # What Home Assistant stored to restore the entities holds the name until it is written anew.
            await async_get_restored(self.hass).async_dump_states()

        async_call_later(self.hass, 1.0, HassJob(write, cancel_on_shutdown=True))

    # Subentries

    async def async_entry_updated(self) -> None:
        """Follow the subentries, or start anew when the owner chose otherwise."""
        async with self._changing:
            if self._stopped:
                return
            if self._chosen != self.books.chosen:
                self.hass.config_entries.async_schedule_reload(self.entry.entry_id)
                return
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

    async def async_settle(self, outcome: Outcome, timing: Timing, portrait: bytes | None) -> None:
        """Announce a visit, and keep it when it is a familiar person's; `portrait` is a JPEG."""
        visit = outcome.visit
        person: Person | None = None
        if visit.person_id is not None:
            # The consent may have ended, or the person been forgotten, while the look was taken.
            person = self.people.get(visit.person_id)
            if person is None or not person.may_be_recognised(dt_util.utcnow(), visit.camera_id):
                return
            if not person.choices.announced:
                return
        if outcome.change is Change.CONTINUED:
            async_dispatcher_send(self.hass, signal_seen_again(self.entry.entry_id), visit)
            if person is not None and person.choices.keeps_visits:
                await self._async_go_on(visit)
            return
        if outcome.change is Change.OPENED:
            self.visits_today += 1
        async_dispatcher_send(self.hass, signal_visit(self.entry.entry_id), visit, timing)
        if person is not None and person.choices.keeps_visits:
            await self._async_keep(visit, portrait if person.choices.pictures else None)
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
            confidence=visit.confidence,
            frames=visit.frames,
            template_id=visit.template_id,
            similarity=visit.similarity,
        )
        try:
            await self.hass.async_add_executor_job(self.vault.add_visit, record, portrait, dt_util.utcnow())
            await self._async_count()
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
        self.open_visits.expire(dt_util.utcnow())
        if self.open_visits.visits and not self._stopped:
            self._expiry = async_call_later(
                self.hass,
                GAP + timedelta(seconds=1),
                HassJob(self.async_expire_visits, cancel_on_shutdown=True),
            )

    # Retention

    async def async_purge(self) -> None:
        """Erase whatever is past its time; raise VaultError when that failed."""
        await self.roster.async_forget_noted()
        purged = await self.hass.async_add_executor_job(self.vault.purge, dt_util.utcnow(), self.retention)
        for receipt in purged.people:
            await self._async_forgotten(receipt.person_id)
        await self.async_refresh_people()

    async def _async_purge_on_time(self, _now: datetime) -> None:
        try:
            await self.async_purge()
        except VaultError as err:
            if not self._stopped:
                _LOGGER.error(
                    "What is past its time is not erased yet, it is tried again in an hour: %s", err
                )

    @callback
    def _async_new_day(self, _now: datetime) -> None:
        self.visits_today = 0
        self.async_changed()

    async def _async_count(self) -> None:
        try:
            self.stored = await self.hass.async_add_executor_job(self.vault.stored)
            self.next_purge = await self.hass.async_add_executor_job(
                self.vault.next_purge, dt_util.utcnow(), self.retention
            )
        except VaultError as err:
            _LOGGER.debug("What is stored could not be counted: %s", err)
