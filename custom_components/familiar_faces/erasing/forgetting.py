"""The one path by which people are forgotten, no matter who asked and how often it was interrupted.

First they are no longer recognised, then the vault erases them in one transaction and notes under seal what
is left to do, then Home Assistant's own traces go. What is noted is done again until all of it is done: after
a crash at the next start, otherwise within the hour.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
import logging

from homeassistant.const import CONF_NAME
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..household.household import Household
from ..household.issues import async_check_erasing
from ..internals.wanted import Wanted
from ..vault.errors import UnknownPerson, VaultError
from ..vault.records import Detail, Receipt
from .home_traces import async_entity_ids, async_kept_visits, async_naming
from .mentions import Kind, Place, async_find_mentions, place_of
from .stores import Store, async_erase

_LOGGER = logging.getLogger(__name__)

PATIENCE = 30.0
"""Seconds that the caller waits for the whole receipt; a large recorder database takes longer."""
_LAST_PATIENCE = 10.0
"""Seconds that a stop waits for what is being done."""
NOT_REACHED: Mapping[str, Detail] = {
    "backups": "not_reached",
    "browsers": "not_reached",
    "camera_recordings": "not_reached",
    "logs": "not_reached",
    "sent_notifications": "not_reached",
}
"""What nobody can reach from here, said on every receipt."""


class Forgetting:
    """Forgets people, together with the household. Lives on the event loop."""

    def __init__(self, household: Household) -> None:
        """Have nobody to forget yet."""
        self._household = household
        self._hass = household.hass
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._one_by_one = asyncio.Lock()
        self._loose: dict[str, Wanted] = {}
        """People with no note in the vault, but with something left to do in Home Assistant."""
        self._left: dict[str, frozenset[Store]] = {}
        """What is not erased yet, by whose it is."""

    async def async_mentions(self, person_id: str) -> list[Place]:
        """Return where else somebody's names are mentioned: it is erased only if the owner says so."""
        wanted = self._wanted(person_id, self._shown_names(person_id))
        found, _failed = await async_find_mentions(self._hass, wanted)
        return found

    async def async_forget(
        self,
        person_id: str,
        reason: str = "asked",
        *,
        patience: float = PATIENCE,
        also: Collection[Place] = (),
    ) -> Receipt | None:
        """Forget somebody, all of it even when the caller hangs up, and return the receipt.

        `patience`: seconds to wait for all of the receipt. `also`: places of others to clear of the names, which the
        owner chose. None when nothing was kept of them. A receipt without `finished_at` is not the last one: what
        is left is done in the background. Raises VaultError when the vault has to erase them later; they are recognised and
        no longer named anyway.
        """
        try:
            return await self._household.async_whole(self._async_forget(person_id, reason, patience, also))
        finally:
            await self._household.async_people_changed()

    async def async_forget_removed(self, person_id: str) -> None:
        """Forget somebody whose subentry was removed, and wait for no receipt; raise VaultError as above."""
        await self._async_forget(person_id, "removed", 0)

    async def _async_forget(
        self, person_id: str, reason: str, patience: float, also: Collection[Place] = ()
    ) -> Receipt | None:
        self._household.open_visits.forget(person_id)
        names = self._shown_names(person_id)
        entity_ids = async_entity_ids(self._hass, [person_id])
        receipt: Receipt | None = None
        try:
            keys = [place.key for place in also]
            receipt = await self._household.roster.async_forget(person_id, reason, keys)
            await self.async_carry_on()
        finally:
            if receipt is None:
                # The vault knows nothing of them, or could not write: what is shown of them goes anyway.
                self._async_start(self._wanted(person_id, names, entity_ids, also))
        if (task := self._tasks.get(person_id)) is not None and patience:
            await asyncio.wait({task}, timeout=patience)
        if receipt is None:
            return None
        receipt = await self._hass.async_add_executor_job(self._household.vault.receipt, person_id) or receipt
        if not receipt.verified:
            _LOGGER.warning("What was kept of %s was erased, but could not be looked for again", person_id)
        return receipt

    async def async_carry_on(self) -> None:
        """Finish what is left to do for everybody that the vault has erased."""
        for left in await self._hass.async_add_executor_job(self._household.vault.unfinished):
            found = async_entity_ids(self._hass, [left.person_id])
            if not found <= set(left.entity_ids):
                # Before they are removed: afterwards nothing else tells which they were.
                await self._hass.async_add_executor_job(
                    self._household.vault.note_entities, left.person_id, found
                )
            names = {left.name, *left.former_names} if left.name else self._shown_names(left.person_id)
            also = [place_of(key) for key in left.also]
            self._async_start(self._wanted(left.person_id, names, found | set(left.entity_ids), also))
        for wanted in list(self._loose.values()):
            self._async_start(wanted)

    async def async_stop(self) -> None:
        """Let what is being done come to its end, if that is soon; the next start does the rest."""
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=_LAST_PATIENCE)
        for task in self._tasks.values():
            task.cancel()

    def _shown_names(self, person_id: str) -> set[str]:
        if (person := self._household.people.get(person_id)) is not None:
            return {person.name, *person.former_names}
        subentry = self._household.roster.subentries().get(person_id)
        return set() if subentry is None else {str(subentry.data[CONF_NAME])}

    def _wanted(
        self,
        person_id: str,
        names: Iterable[str],
        entity_ids: frozenset[str] = frozenset(),
        also: Collection[Place] = (),
    ) -> Wanted:
        def chosen(kind: Kind) -> frozenset[str]:
            return frozenset(place.where for place in also if place.kind is kind)

        return Wanted(
            frozenset({person_id}),
            frozenset(names) - {""},
            entity_ids,
            self._household.vault.marks.finder({person_id}),
            also_entities=chosen(Kind.ENTITY),
            also_events=chosen(Kind.EVENT),
            also_notifications=chosen(Kind.NOTIFICATION),
            also_traces=chosen(Kind.TRACE),
        )

    @callback
    def _async_start(self, wanted: Wanted) -> None:
        (person_id,) = wanted.person_ids
        if person_id in self._tasks:
            return
        self._async_hide(person_id)
        self._tasks[person_id] = task = self._household.entry.async_create_background_task(
            self._hass, self._async_finish(wanted), f"forgetting {person_id}"
        )
        task.add_done_callback(lambda _task: self._tasks.pop(person_id, None))

    @callback
    def _async_hide(self, person_id: str) -> None:
        """Take somebody out of every entity, and remove their own."""
        self._household.async_forget_in_memory(person_id)
        if (subentry := self._household.roster.subentries().get(person_id)) is not None:
            self._hass.config_entries.async_remove_subentry(self._household.entry, subentry.subentry_id)
        # Now, and not when the change is followed: what becomes of an issue is recorded with its id.
        for domain, issue_id in list(ir.async_get(self._hass).issues):
            if domain == DOMAIN and person_id in issue_id:
                ir.async_delete_issue(self._hass, DOMAIN, issue_id)
        self._household.roster.async_note_people()
        self._household.async_changed()

    async def _async_finish(self, wanted: Wanted) -> None:
        """Erase what Home Assistant keeps, look again, and write the receipt."""
        # The recorder does nothing before, and a start does not wait for it.
        await _async_started(self._hass)
        async with self._one_by_one:
            names = {person.person_id: person.name for person in self._household.people.values()}
            names |= self._household.roster.held
            others = [name for person_id, name in names.items() if person_id not in wanted.person_ids]
            kept = await async_kept_visits(self._household)
            naming = async_naming(self._hass, self._household.entry, others, kept)
            # A name that they had before may be somebody else's by now.
            wanted = replace(wanted, names=wanted.names - set(others))
            traces = await async_erase(self._hass, wanted, naming)
            (person_id,) = wanted.person_ids
            self._async_note_left(person_id, traces.left)
            # Files are written at the very end of a stop, which nobody sees: the next start looks again.
            if self._hass.is_stopping or not traces.done:
                _LOGGER.info("Somebody is not forgotten everywhere yet, it is tried again")
                await self._async_note_reached(wanted, {**traces.reached, **NOT_REACHED})
                return
            try:
                if not await self._hass.async_add_executor_job(self._receipt, person_id, traces.reached):
                    _LOGGER.info("That somebody is forgotten could not be verified yet, it is tried again")
            except UnknownPerson:
                _LOGGER.debug("Nothing was kept of %s, so there is no receipt", person_id)
            except VaultError as err:
                _LOGGER.error("A receipt could not be written yet, it is tried again in an hour: %s", err)

    @callback
    def _async_note_left(self, person_id: str, stores: Collection[Store]) -> None:
        """Say which stores are left of anybody, as long as there are any."""
        self._left.pop(person_id, None)
        if stores:
            self._left[person_id] = frozenset(stores)
        else:
            self._loose.pop(person_id, None)
        async_check_erasing(self._hass, frozenset[str]().union(*self._left.values()))

    async def _async_note_reached(self, wanted: Wanted, reached: Mapping[str, Detail]) -> None:
        """Say on the receipt what is not erased yet."""
        (person_id,) = wanted.person_ids
        try:
            await self._hass.async_add_executor_job(self._household.vault.note_reached, person_id, reached)
        except UnknownPerson:
            self._loose[person_id] = wanted
        except VaultError as err:
            _LOGGER.debug("A receipt could not be brought up to date: %s", err)

    def _receipt(self, person_id: str, reached: Mapping[str, Detail]) -> bool:
        """Search the vault again, and write the receipt when nothing is found. Blocks.

        While a backup copies the vault its file cannot be emptied of what was erased: no receipt is the last
        one before it was.
        """
        vault, now = self._household.vault, dt_util.utcnow()
        if not vault.forget(person_id, now).verified:
            return False
        vault.finish_forgetting(person_id, {**reached, **NOT_REACHED}, now)
        return True


async def _async_started(hass: HomeAssistant) -> None:
    started = asyncio.Event()

    @callback
    def now(_hass: HomeAssistant) -> None:
        started.set()

    unsubscribe: CALLBACK_TYPE = async_at_started(hass, now)
    try:
        await started.wait()
    finally:
        unsubscribe()
