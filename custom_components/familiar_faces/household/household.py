"""What all rooms share of an entry. It knows no service: those are handed it, and what they need of each other."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from datetime import datetime
import logging
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect, async_dispatcher_send
from homeassistant.util import dt as dt_util
from homeassistant.util.signal_type import SignalTypeFormat
from homeassistant.util.ulid import bytes_to_ulid

from ..const import CONF_PERSON_ID, CONF_SWITCHED_OFF, DOMAIN, EVERYWHERE
from ..host.asking import Asking
from ..host.engine import Engine, EngineStatus
from ..host.engine_errors import EngineUnavailable
from ..people.calibration import Strictness
from ..people.choices import ANYWHERE
from ..people.gallery import Gallery
from ..people.person import Person
from ..vault.errors import VaultError
from ..vault.records import StoredItems
from ..vault.retention import Retention
from ..vault.store import Vault
from ..visits.missed_visits import MissedVisits
from ..visits.open_visits import OpenVisits
from ..visits.tally import Tally
from ..visits.turns import Turns
from .books import Books
from .breath import Breath
from .engine_choice import async_create_engine
from .options import chosen_retention, chosen_strictness
from .roster import Roster
from .signals import SIGNAL_CHANGED, SIGNAL_FORGOTTEN, Of
from .wall_clock import WallClock

_LOGGER = logging.getLogger(__name__)

type PeopleListener = Callable[[], Awaitable[None]]


class Household:
    """The people, the vault, the engine, and the visits that go on. Lives on the event loop."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any], vault: Vault) -> None:
        """Hold everything together, running nothing."""
        self.hass = hass
        self.entry = entry
        self.vault = vault
        """Its work is done in threads."""
        self.engine: Engine = async_create_engine(hass, entry)
        self.books = Books(hass, entry)
        self.roster = Roster(hass, entry, vault, self.books)
        self.roster.on_narrowed = self.async_forget_in_memory
        self.stored: StoredItems | None = None
        """How much is kept; None before it was counted."""
        self.next_purge: datetime | None = None
        self.visits_today = 0
        self.open_visits = OpenVisits()
        self.missed = MissedVisits()
        """The visits without a name that can still be given one."""
        self.tally = Tally(dt_util.utcnow())
        self.turns = Turns()
        self.wall_clock = WallClock()
        """Whether the time can be believed by which is erased and recognised."""
        self._retention: tuple[Mapping[str, object], Retention] | None = None
        """What the options that are named first say."""
        self._on_people: list[PeopleListener] = []
        self._to_tell: dict[tuple[SignalTypeFormat[()], str], None] = {}
        """Which signals are still to be sent of what, in this order."""
        self._telling: asyncio.Task[None] | None = None

    @property
    def client(self) -> Asking:
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
    def async_context(self, person_id: str | None) -> Context:
        """Return a context for what is told of somebody's visit; without a person one that tells nothing.

        What automations make of it is found by that when the person is forgotten. It is another one each time, and
        says nothing without the vault's key.
        """
        return Context() if person_id is None else Context(id=bytes_to_ulid(self.vault.marks.new(person_id)))

    @callback
    def recognition(self, camera_id: str | None = None) -> bool:
        """Return whether recognition is switched on, at a camera or, without one, at all together."""
        off = self.books.read(CONF_SWITCHED_OFF)
        return EVERYWHERE not in off and camera_id not in off

    def can_recognise(self, camera_id: str | None = None) -> bool:
        """Return whether there is anybody to recognise, and leave to do so, at a camera or at all.

        Not while the clock is doubted: nobody knows then whose consent counts.

        An engine that is away is not asked about: a visitor who comes while it restarts is still there.
        """
        return (
            self.recognition(camera_id)
            and self.wall_clock.believed()
            and self.roster.anybody(ANYWHERE if camera_id is None else camera_id)
        )

    @callback
    def async_send[*Ts](self, signal: SignalTypeFormat[*Ts], *args: *Ts, of: str = "") -> None:
        """Send one of the signals of this entry; `of` what something is shown, where it is such a one."""
        async_dispatcher_send(self.hass, signal.format(self.entry.entry_id, of), *args)

    @callback
    def async_connect[*Ts](
        self, signal: SignalTypeFormat[*Ts], target: Callable[[*Ts], Any], *, of: str = ""
    ) -> CALLBACK_TYPE:
        """Have one of the signals of this entry call `target`; return how to end that."""
        return async_dispatcher_connect(self.hass, signal.format(self.entry.entry_id, of), target)

    @callback
    def async_changed(self, *concerned: str) -> None:
        """Have the entities look again that show something of these cameras, people, alerts or `Of`.

        Without any of them all entities do, a part after the other, so that nothing else waits for long.
        """
        if concerned:
            for each in set(concerned):
                self.async_send(SIGNAL_CHANGED, of=each)
            return
        subentries = self.entry.subentries.values()
        shown = (each.data.get(CONF_PERSON_ID, each.subentry_id) for each in subentries)
        self.async_tell(SIGNAL_CHANGED, [*Of, *shown, *self.people])

    @callback
    def async_tell(self, signal: SignalTypeFormat[()], concerned: Iterable[str]) -> None:
        """Send a signal of what is shown for each of many, a part after the other: the first one at once."""
        for each in concerned:
            # Anyone who was told and has to look once more does so after the others.
            self._to_tell.pop((signal, each), None)
            self._to_tell[signal, each] = None
        if self._to_tell and (self._telling is None or self._telling.done()):
            self._telling = self.entry.async_create_task(
                self.hass, self._async_tell(), f"{DOMAIN} what is shown"
            )

    async def _async_tell(self) -> None:
        breath = Breath()
        while self._to_tell:
            signal, of = next(iter(self._to_tell))
            del self._to_tell[signal, of]
            self.async_send(signal, of=of)
            await breath.async_take()

    async def async_whole[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Do all of something: Home Assistant stops what answers a browser that has hung up.

        What was written to the vault has to count, also when nobody waits for the answer.
        """
        return await asyncio.shield(self.hass.async_create_task(work, f"{DOMAIN} change"))

    @callback
    def async_on_people(self, listener: PeopleListener) -> CALLBACK_TYPE:
        """Call `listener` whenever what is kept of people has changed; return how to end that."""
        self._on_people.append(listener)
        return lambda: self._on_people.remove(listener)

    async def async_refresh_people(self) -> None:
        """Read the people from the vault again; raise VaultError."""
        await self.roster.async_refresh()
        await self.async_people_changed()

    async def async_people_changed(self) -> None:
        """Have everything follow that what is kept of people has changed."""
        for listener in list(self._on_people):
            await listener()
        await self.async_count()
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

    @callback
    def async_forget_in_memory(self, person_id: str) -> None:
        """Show nothing more of somebody: they are forgotten, or agree to less than before."""
        self.open_visits.forget(person_id)
        self.missed.forget(person_id)
        self.async_send(SIGNAL_FORGOTTEN, person_id)

    @callback
    def async_go_on_counting(self, visits: int) -> None:
        """Count from as many visits of today as were counted before a restart."""
        self.visits_today = max(self.visits_today, visits)

    @callback
    def async_new_day(self) -> None:
        """Count the visits of another day."""
        self.visits_today = 0
        self.tally.drop(dt_util.as_utc(dt_util.start_of_local_day()))
        self.async_changed()
