"""The running config entry: builds the services of the household, starts and stops them."""

import asyncio
import logging

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_change
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util

from .alerts.alerts import Alerts
from .capture.cameras import Cameras
from .consent.invitations import Invitations
from .const import DOMAIN
from .enrolment.remaking import Remaking
from .erasing.clock_watch import ClockWatch
from .erasing.forgetting import Forgetting
from .erasing.purge_clock import PurgeClock
from .erasing.purging import Purging
from .erasing.restored import Restored
from .host.engine import EngineStatus
from .host.engine_errors import EngineError, EngineRefused
from .household.household import Household
from .household.issues import async_check_engine, async_check_internals, async_check_vault
from .household.options import chosen_workers
from .openness.audit_trail import AuditTrail
from .openness.export import Exports
from .openness.review import ReviewInbox
from .openness.settings import Settings
from .openness.viewing import ViewingLog
from .recognising.announcing import Announcer
from .recognising.counting import Counting
from .recognising.first_name import FirstName
from .recognising.following import Following
from .recognising.identify import Identifying
from .recognising.late_answers import LateAnswers
from .recognising.look_now import LookNow
from .recognising.missed import HoldsMissed
from .seen.board import Board
from .seen.visit_log import VisitLog
from .vault.errors import VaultError, VaultReplaced, VaultTampered
from .vault.store import Vault

_LOGGER = logging.getLogger(__name__)

AGAIN = 5.0
"""Seconds until an engine that did not say what it is is asked again."""

type FamiliarFacesConfigEntry = ConfigEntry[Hub]


class Hub(Household):
    """A household, and what works for it: each is handed the household and what it needs of the others."""

    def __init__(self, hass: HomeAssistant, entry: FamiliarFacesConfigEntry, vault: Vault) -> None:
        """Build everything, running nothing yet."""
        super().__init__(hass, entry, vault)
        self.cameras = Cameras(hass)
        self.forgetting = Forgetting(self)
        self.restored = Restored(self, self.forgetting)
        self.alerts = Alerts(self)
        self.purging = Purging(self, self.forgetting, lambda: bool(self.alerts.all_rules))
        self.clock_watch = ClockWatch(self)
        self.clock = PurgeClock(self, self.purging.async_purge, self.clock_watch)
        self.settings = Settings(self, self.clock.async_purge_soon)
        self.review = ReviewInbox(self)
        self.announcer = Announcer(self)
        self.holds_missed = HoldsMissed(self)
        self.first_name = FirstName(self)
        self.announcer.on_settled += [
            self.review.async_settle,
            self.holds_missed.async_settle,
            self.first_name.async_settle,
            self.alerts.async_settle,
        ]
        self.counting = Counting(self)
        self.announcer.on_ended += [self.review.async_ended, self.counting.async_ended]
        self.identifying = Identifying(self, self.cameras)
        self.look_now = LookNow(self, self.cameras)
        self.late_answers = LateAnswers(self)
        self.remaking = Remaking(self)
        self.invitations = Invitations(self)
        self.exports = Exports(self)
        self.viewings = ViewingLog(self)
        self.audit_trail = AuditTrail(self)
        self.board = Board(self)
        self.visit_log = VisitLog(self, self.board)
        self._following = Following(
            self,
            self.announcer,
            self.cameras,
            self.forgetting.async_forget_removed,
            self.alerts.async_follow,
        )
        self.watchers = self._following.watchers
        self._chosen = self._read_chosen()
        self._unsubscribe: list[CALLBACK_TYPE] = []
        self._stopped = False
        self._changing = asyncio.Lock()
        """Held while the subentries are followed: one change is carried out after the other."""

    async def async_start(self) -> None:
        """Bring the vault and the subentries together, and start the engine and the watchers."""
        self._unsubscribe += [
            self.async_on_people(self.restored.async_note),
            self.async_on_people(self.clock.async_people_changed),
            self.invitations.async_start(),
        ]
        self.vault.on_trouble(
            lambda trouble: self.hass.loop.call_soon_threadsafe(self._async_vault_trouble, trouble)
        )
        await self.clock_watch.async_start()
        await self.restored.async_check()
        await self.roster.async_recover(clock_believed=self.wall_clock.believed())
        await self.async_refresh_people()
        await self.forgetting.async_carry_on()
        self.visits_today = await self.hass.async_add_executor_job(
            self.vault.count_visits, dt_util.start_of_local_day()
        )
        # Before its readers are told of something.
        self._unsubscribe += await self.board.async_start()
        self._unsubscribe.append(await self.counting.async_start())
        self.alerts.async_start()
        self._following.async_start()
        self._unsubscribe += [
            self.engine.add_listener(self._async_engine_changed),
            async_track_time_change(self.hass, self._async_new_day, hour=0, minute=0, second=0),
            # Before the entities, so that in the logbook the sentence comes first.
            self.visit_log.async_start(),
        ]
        async_check_internals(self.hass)
        # Once more when all is there: the recorder and automations may be set up later, and phones as well.
        self._unsubscribe.append(async_at_started(self.hass, async_check_internals))
        await self.engine.start()
        self.clock.async_start()

    async def async_stop(self) -> None:
        """Stop everything and leave nothing behind. May be called again."""
        async with self._changing:
            if self._stopped:
                return
            self._stopped = True
            self.vault.on_trouble(None)
            # As long as the board hears of it.
            await self.late_answers.async_stop()
            while self._unsubscribe:
                self._unsubscribe.pop()()
            self.clock.async_stop()
            await self.remaking.async_stop()
            await self._following.async_stop()
            await self.alerts.async_stop()
            self.announcer.async_stop()
            self.holds_missed.async_stop()
            await self.cameras.async_stop()
            await self.engine.stop()
            await self.forgetting.async_stop()
            await self.review.async_stop()
            await self.counting.async_stop()
            await self.restored.async_note()
            await self.clock_watch.async_stop()
            try:
                # Home Assistant writes at its stop what automations remember.
                await self.purging.async_purge_told()
            finally:
                await self.hass.async_add_executor_job(self.vault.close)

    async def async_entry_updated(self) -> None:
        """Follow the subentries, or start again when the owner chose otherwise."""
        async with self._changing:
            if self._stopped:
                return
            if self._chosen != self._read_chosen():
                self.hass.config_entries.async_schedule_reload(self.entry.entry_id)
                return
            await self.settings.async_follow()
            await self._following.async_follow()
            await self.counting.async_follow()
            self.holds_missed.async_follow()

    def _read_chosen(self) -> tuple[object, ...]:
        """Return what the owner chose that needs a new start."""
        return self.books.chosen, chosen_workers(self.entry)

    @callback
    def _async_vault_trouble(self, trouble: VaultError | None) -> None:
        """Tell the owner at once that the vault cannot be written, or start again when it is another one."""
        if self._stopped:
            return
        async_check_vault(self.hass, trouble)
        if isinstance(trouble, (VaultReplaced, VaultTampered)):
            # What lies there now is compared with the mark, before anybody is read from it.
            self.hass.config_entries.async_schedule_reload(self.entry.entry_id)

    @callback
    def _async_new_day(self, _now: object) -> None:
        self.async_new_day()

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
                self.turns.allow(health.at_once)
                await self.roster.async_set_model(str(health.model["name"]))
            except (EngineError, VaultError, KeyError) as err:
                _LOGGER.warning("The engine does not say what it is, it is asked again: %s", err)
                await asyncio.sleep(AGAIN)
            else:
                self.async_changed()
                return
