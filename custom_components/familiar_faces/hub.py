"""What a config entry is while it runs: the vault, the engine, the gallery and a watcher a camera."""

import asyncio
from dataclasses import replace
from datetime import datetime
import logging
from pathlib import Path
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_track_time_change, async_track_time_interval
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.storage import STORAGE_DIR
from homeassistant.util import dt as dt_util

from .const import (
    BOOKKEEPING,
    CONF_FORGETTING,
    CONF_PEOPLE,
    CONF_PERSON_ID,
    DOMAIN,
    PURGE_INTERVAL,
    SUBENTRY_CAMERA,
    SUBENTRY_PERSON,
    signal_changed,
    signal_forgotten,
    signal_subentry,
    signal_visit,
)
from .engine_choice import async_create_engine
from .host.client import EngineClient
from .host.engine import Engine, EngineStatus
from .host.errors import EngineError, EngineRefused, EngineUnavailable
from .issues import async_check_camera, async_check_engine, async_check_people, async_clear_subentry
from .people.gallery import Gallery
from .people.person import Person
from .subentries import async_follow_renames, person_subentry
from .vault.errors import ConsentMissing, UnknownPerson, VaultError
from .vault.records import Receipt, StoredItems, VisitRecord
from .vault.retention import Retention
from .vault.store import Vault
from .visits.open_visits import Change, OpenVisits, Outcome
from .visits.visit import Decision, Visit
from .visits.watcher import Timing, Watcher

_LOGGER = logging.getLogger(__name__)

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
        self.people: dict[str, Person] = {}
        self.gallery: Gallery | None = None
        """None until the engine has said which embedding space it speaks."""
        self.retention = Retention()
        self.stored: StoredItems | None = None
        self.next_purge: datetime | None = None
        self.visits_today = 0
        self.open_visits = OpenVisits()
        self.watchers: dict[str, Watcher] = {}
        self._recognition = False
        self._subentries: dict[str, ConfigSubentry] = {}
        self._unsubscribe: list[CALLBACK_TYPE] = []
        self._where = _chosen(entry)
        self._model: str | None = None
        self._lock = asyncio.Lock()

    @property
    def client(self) -> EngineClient:
        """Return how to ask the engine; raises EngineUnavailable while it is not ready."""
        if self.engine.status is not EngineStatus.READY:
            raise EngineUnavailable(self.engine.last_error or "The engine is not ready")
        return self.engine.client

    @property
    def recognition(self) -> bool:
        """Return whether the owner has recognition switched on, at all cameras together."""
        return self._recognition

    @callback
    def async_set_recognition(self, on: bool) -> None:
        """Switch recognition on or off, at all cameras together."""
        self._recognition = on
        self.async_changed()

    def can_recognise(self) -> bool:
        """Return whether there is anybody to recognise, somebody to recognise them, and leave to do so."""
        now = dt_util.utcnow()
        return (
            self._recognition
            and self.gallery is not None
            and self.engine.status is EngineStatus.READY
            and any(person.templates and person.may_be_recognised(now) for person in self.people.values())
        )

    async def async_start(self) -> None:
        """Bring the vault and the subentries together, and start the engine and the watchers."""
        await self._async_recover()
        await self.async_refresh_people()
        self.visits_today = await self.hass.async_add_executor_job(
            self.vault.count_visits, dt_util.start_of_local_day()
        )
        self._async_note_people()
        self._subentries = _snapshot(self.entry)
        for subentry in self._subentries.values():
            self._async_add_watcher(subentry)
        self._unsubscribe += [
            self.engine.add_listener(self._async_engine_changed),
            async_track_time_interval(
                self.hass, self._async_purge_on_time, PURGE_INTERVAL, name=f"{DOMAIN} purge"
            ),
            async_track_time_change(self.hass, self._async_new_day, hour=0, minute=0, second=0),
        ]
        self._unsubscribe.append(async_follow_renames(self.hass, self.entry))
        self._unsubscribe.append(async_at_started(self.hass, self.async_check_cameras))
        await self.engine.start()
        self.entry.async_create_background_task(self.hass, self.async_purge(), f"{DOMAIN} first purge")

    async def async_stop(self) -> None:
        """Stop everything and leave nothing behind."""
        while self._unsubscribe:
            self._unsubscribe.pop()()
        for watcher in self.watchers.values():
            await watcher.async_stop()
        self.watchers.clear()
        await self.engine.stop()
        await self.hass.async_add_executor_job(self.vault.close)

    @callback
    def async_changed(self) -> None:
        """Have every entity look again."""
        async_dispatcher_send(self.hass, signal_changed(self.entry.entry_id))

    # People

    async def async_refresh_people(self) -> None:
        """Read the people from the vault again, and build the gallery of them."""
        async with self._lock:
            forgetting = self.entry.data.get(CONF_FORGETTING, ())
            people = [
                person
                for person in await self.hass.async_add_executor_job(self.vault.people)
                # Their owner is done with them, also when the disk is not.
                if person.person_id not in forgetting
            ]
            self.people = {person.person_id: person for person in people}
            async_check_people(
                self.hass, list(self.entry.subentries.values()), self.people, self.vault.damaged
            )
            if self._model is not None:
                self.gallery = await self.hass.async_add_executor_job(Gallery, people, self._model)
            await self._async_count()
        self.async_changed()

    async def async_forget(self, person_id: str) -> Receipt:
        """Erase a person from everywhere and return the receipt; raise VaultError when that failed."""
        self.people.pop(person_id, None)
        self.open_visits.forget(person_id)
        receipt = await self.hass.async_add_executor_job(self.vault.forget, person_id, dt_util.utcnow())
        await self.async_refresh_people()
        async_dispatcher_send(self.hass, signal_forgotten(self.entry.entry_id), person_id)
        for subentry in self._person_subentries():
            if subentry.data[CONF_PERSON_ID] == person_id:
                self.hass.config_entries.async_remove_subentry(self.entry, subentry.subentry_id)
        return receipt

    async def async_abandon(self, person_id: str) -> None:
        """Erase somebody whose enrolment was given up."""
        try:
            await self.hass.async_add_executor_job(self.vault.forget, person_id, dt_util.utcnow())
        except VaultError as err:
            _LOGGER.error("A given up enrolment could not be erased yet, the next start does: %s", err)

    async def async_gallery(self, model: str) -> Gallery:
        """Return the gallery of an embedding space."""
        if self.gallery is not None and self.gallery.model == model:
            return self.gallery
        return await self.hass.async_add_executor_job(Gallery, self.people.values(), model)

    def _person_subentries(self) -> list[ConfigSubentry]:
        return [each for each in self.entry.subentries.values() if each.subentry_type == SUBENTRY_PERSON]

    async def _async_recover(self) -> None:
        """Finish what a crash or a full disk left half done, in favour of what was promised."""
        for person_id in self.entry.data.get(CONF_FORGETTING, ()):
            await self.hass.async_add_executor_job(self.vault.forget, person_id, dt_util.utcnow())
        self._async_set_forgetting(set())
        await self.hass.async_add_executor_job(self.vault.abandon_enrolments)
        shown = {each.data[CONF_PERSON_ID]: each for each in self._person_subentries()}
        for person_id, subentry in shown.items():
            if await self.hass.async_add_executor_job(self.vault.was_forgotten, person_id):
                self.hass.config_entries.async_remove_subentry(self.entry, subentry.subentry_id)
        for person in await self.hass.async_add_executor_job(self.vault.people):
            if person.person_id in shown:
                continue
            if person.person_id in self.entry.data.get(CONF_PEOPLE, ()):
                # Removed while this did not run.
                await self.hass.async_add_executor_job(self.vault.forget, person.person_id, dt_util.utcnow())
            else:
                # Home Assistant writes its own files a second later than the vault.
                _LOGGER.warning("A person was enrolled just before a crash and is shown again")
                self.hass.config_entries.async_add_subentry(self.entry, person_subentry(person))

    @callback
    def _async_set_forgetting(self, person_ids: set[str]) -> None:
        self._async_keep_books(CONF_FORGETTING, person_ids)

    @callback
    def _async_note_people(self) -> None:
        self._async_keep_books(
            CONF_PEOPLE, {subentry.data[CONF_PERSON_ID] for subentry in self._person_subentries()}
        )

    @callback
    def _async_keep_books(self, key: str, person_ids: set[str]) -> None:
        data = {**self.entry.data, key: sorted(person_ids)}
        if not person_ids:
            del data[key]
        if data != self.entry.data:
            self.hass.config_entries.async_update_entry(self.entry, data=data)

    # Subentries

    async def async_entry_updated(self) -> None:
        """Follow the subentries: watch what was added, forget who was removed."""
        if self._where != _chosen(self.entry):
            self.hass.config_entries.async_schedule_reload(self.entry.entry_id)
            return
        before, self._subentries = self._subentries, _snapshot(self.entry)
        for subentry_id, subentry in before.items():
            if self._subentries.get(subentry_id) != subentry:
                await self._async_remove_watcher(subentry_id)
                async_clear_subentry(self.hass, subentry)
            if subentry_id in self._subentries or subentry.subentry_type != SUBENTRY_PERSON:
                continue
            person_id = subentry.data[CONF_PERSON_ID]
            if person_id not in self.people:
                continue
            try:
                await self.async_forget(person_id)
            except VaultError as err:
                _LOGGER.error(
                    "%s could not be erased yet, it is tried again at every start: %s", person_id, err
                )
                self._async_set_forgetting({*self.entry.data.get(CONF_FORGETTING, ()), person_id})
        self._async_note_people()
        added = False
        for subentry_id, subentry in self._subentries.items():
            if before.get(subentry_id) == subentry:
                continue
            self._async_add_watcher(subentry)
            if subentry_id not in before:
                added = True
                async_dispatcher_send(self.hass, signal_subentry(self.entry.entry_id), subentry)
        if added or before.keys() != self._subentries.keys():
            await self.async_refresh_people()
        else:
            self.async_changed()

    @callback
    def _async_add_watcher(self, subentry: ConfigSubentry) -> None:
        if subentry.subentry_type != SUBENTRY_CAMERA:
            return
        watcher = self.watchers[subentry.subentry_id] = Watcher(self, subentry)
        watcher.async_start()
        if self.hass.is_running:
            async_check_camera(self.hass, subentry)

    @callback
    def async_check_cameras(self, _hass: HomeAssistant | None = None) -> None:
        """Say which cameras and triggers are gone, once Home Assistant has started."""
        if not self.hass.is_running:
            return
        for subentry in self.entry.subentries.values():
            if subentry.subentry_type == SUBENTRY_CAMERA:
                async_check_camera(self.hass, subentry)

    async def _async_remove_watcher(self, subentry_id: str) -> None:
        if (watcher := self.watchers.pop(subentry_id, None)) is not None:
            await watcher.async_stop()

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
        try:
            health = await self.client.health()
        except EngineError as err:
            _LOGGER.warning("The engine does not say what it is: %s", err)
            return
        if (model := str(health.model["name"])) != self._model:
            self._model = model
            await self.async_refresh_people()

    # Visits

    async def async_settle(self, outcome: Outcome, timing: Timing, portrait: bytes | None) -> None:
        """Announce a visit, and keep it when it is a familiar person's; `portrait` is a JPEG."""
        visit = outcome.visit
        if visit.person_id is not None:
            # The consent may have ended, or the person been forgotten, while the look was taken.
            person = self.people.get(visit.person_id)
            if person is None or not person.may_be_recognised(dt_util.utcnow()):
                return
        if outcome.change is Change.CONTINUED:
            return
        if outcome.change is Change.OPENED:
            self.visits_today += 1
        async_dispatcher_send(self.hass, signal_visit(self.entry.entry_id), visit, timing)
        if visit.decision is Decision.FAMILIAR:
            await self._async_keep(visit, portrait)
        self.async_changed()

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
        )
        try:
            await self.hass.async_add_executor_job(self.vault.add_visit, record, portrait, dt_util.utcnow())
            await self._async_count()
        except ConsentMissing, UnknownPerson:
            # They were forgotten, or their consent ended, in this very moment.
            _LOGGER.debug("A visit is not kept: there is no consent for it any more")
        except VaultError as err:
            _LOGGER.error("A visit was announced but could not be kept: %s", err)

    # Retention

    async def async_purge(self) -> None:
        """Erase whatever is past its time."""
        try:
            purged = await self.hass.async_add_executor_job(
                self.vault.purge, dt_util.utcnow(), self.retention
            )
        except VaultError as err:
            _LOGGER.error("What is past its time could not be erased, it is tried again in an hour: %s", err)
            return
        for receipt in purged.people:
            async_dispatcher_send(self.hass, signal_forgotten(self.entry.entry_id), receipt.person_id)
            for subentry in self._person_subentries():
                if subentry.data[CONF_PERSON_ID] == receipt.person_id:
                    self.hass.config_entries.async_remove_subentry(self.entry, subentry.subentry_id)
        await self.async_refresh_people()

    async def _async_purge_on_time(self, _now: datetime) -> None:
        await self.async_purge()

    @callback
    def _async_new_day(self, _now: datetime) -> None:
        self.visits_today = 0
        self.async_changed()

    async def _async_count(self) -> None:
        self.stored = await self.hass.async_add_executor_job(self.vault.stored)
        self.next_purge = await self.hass.async_add_executor_job(
            self.vault.next_purge, dt_util.utcnow(), self.retention
        )


def _snapshot(entry: ConfigEntry) -> dict[str, ConfigSubentry]:
    """Return the subentries as they are now; Home Assistant changes them in place."""
    return {subentry_id: replace(subentry) for subentry_id, subentry in entry.subentries.items()}


def _chosen(entry: ConfigEntry) -> dict[str, Any]:
    """Return what the owner chose for an entry."""
    return {key: value for key, value in entry.data.items() if key not in BOOKKEEPING}
