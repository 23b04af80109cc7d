"""The one path by which people are forgotten, whoever asked for it and however often it was interrupted.

First nobody recognises them any more, then the vault erases them in one transaction and notes under seal what
is left to do, then Home Assistant's own traces go. What is noted is done again until all of it is done: after
a crash at the next start, otherwise within the hour.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
import logging
from pathlib import Path

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_NAME
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util

from ..const import CONF_FORGETTING, CONF_PEOPLE, CONF_PERSON_ID, DOMAIN, SUBENTRY_PERSON
from ..household.books import Books
from ..household.household import Household
from ..internals.wanted import Wanted
from ..vault.errors import UnknownPerson, VaultError
from ..vault.records import Detail, Receipt, Unfinished
from ..vault.store import Vault
from .home_traces import async_entity_ids, async_erase, async_kept_visits, async_naming

_LOGGER = logging.getLogger(__name__)

PATIENCE = 30.0
"""Seconds that whoever asks waits for the whole receipt; a large recorder database takes longer."""
_LAST_PATIENCE = 10.0
"""Seconds that a stop waits for what is being done."""
_REMOVAL_PATIENCE = 600.0
NOT_REACHED: Mapping[str, Detail] = {
    "backups": "not_reached",
    "camera_recordings": "not_reached",
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

    async def async_forget(
        self, person_id: str, reason: str = "asked", *, patience: float = PATIENCE
    ) -> Receipt | None:
        """Forget somebody, all of it also when whoever asked hangs up, and return the receipt.

        `patience`: seconds to wait for all of the receipt. None when nothing was kept of them. A receipt without `finished_at` is not the last one: what is left is
        done in the background. Raises VaultError when the vault has to erase them later; they are recognised and
        named no more all the same.
        """
        try:
            return await self._household.async_whole(self._async_forget(person_id, reason, patience))
        finally:
            await self._household.async_people_changed()

    async def async_forget_removed(self, person_id: str) -> None:
        """Forget somebody whose subentry was removed, and wait for no receipt; raise VaultError as above."""
        await self._async_forget(person_id, "removed", 0)

    async def _async_forget(self, person_id: str, reason: str, patience: float) -> Receipt | None:
        self._household.open_visits.forget(person_id)
        names = self._shown_names(person_id)
        entity_ids = async_entity_ids(self._hass, [person_id])
        receipt: Receipt | None = None
        try:
            receipt = await self._household.roster.async_forget(person_id, reason)
            await self.async_carry_on()
        finally:
            if receipt is None:
                # The vault knows nothing of them, or could not write: what is shown of them goes all the same.
                self._async_start(person_id, names, entity_ids)
        if (task := self._tasks.get(person_id)) is not None and patience:
            await asyncio.wait({task}, timeout=patience)
        if receipt is None:
            return None
        receipt = await self._hass.async_add_executor_job(self._household.vault.receipt, person_id) or receipt
        if not receipt.verified:
            _LOGGER.warning("What was kept of %s was erased, but could not be looked for again", person_id)
        return receipt

    async def async_carry_on(self) -> None:
        """Do what is left to do of everybody whom the vault has erased."""
        for left in await self._hass.async_add_executor_job(self._household.vault.unfinished):
            found = async_entity_ids(self._hass, [left.person_id])
            if not found <= set(left.entity_ids):
                # Before they are removed: afterwards nothing else tells which they were.
                await self._hass.async_add_executor_job(
                    self._household.vault.note_entities, left.person_id, found
                )
            names = {left.name, *left.former_names} if left.name else self._shown_names(left.person_id)
            self._async_start(left.person_id, names, found | set(left.entity_ids))

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

    @callback
    def _async_start(self, person_id: str, names: set[str], entity_ids: frozenset[str]) -> None:
        if person_id in self._tasks:
            return
        self._async_hide(person_id)
        self._tasks[person_id] = task = self._household.entry.async_create_background_task(
            self._hass,
            self._async_finish(Wanted(frozenset({person_id}), frozenset(names - {""}), entity_ids)),
            f"forgetting {person_id}",
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
            wanted = Wanted(wanted.person_ids, wanted.names - set(others), wanted.entity_ids)
            traces = await async_erase(self._hass, wanted, naming)
            # Files are written at the very end of a stop, which nobody sees: the next start looks again.
            if self._hass.is_stopping or not traces.done:
                _LOGGER.info("Somebody is not forgotten everywhere yet, it is tried again")
                return
            (person_id,) = wanted.person_ids
            try:
                if not await self._hass.async_add_executor_job(self._receipt, person_id, traces.reached):
                    _LOGGER.info("That somebody is forgotten could not be verified yet, it is tried again")
            except UnknownPerson:
                _LOGGER.debug("Nothing was kept of %s, so there is no receipt", person_id)
            except VaultError as err:
                _LOGGER.error("A receipt could not be written yet, it is tried again in an hour: %s", err)

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


async def async_forget_everybody(hass: HomeAssistant, entry: ConfigEntry, folder: Path) -> None:
    """Destroy the closed vault of an entry that is removed, and erase everybody's traces in Home Assistant.

    Home Assistant writes without the entry only then, so whoever is killed before finds it again to remove.
    """
    left, stored = await hass.async_add_executor_job(_known, folder)
    # Also of those who were removed while it did not run.
    stored |= {each.person_id: (each.name, *each.former_names) for each in left}
    wanted = async_wanted(hass, entry, stored)
    wanted = replace(wanted, entity_ids=wanted.entity_ids.union(*(each.entity_ids for each in left)))
    naming = async_naming(hass, entry, ())
    try:
        await hass.async_add_executor_job(Vault.destroy, folder)
    finally:
        async with asyncio.timeout(_REMOVAL_PATIENCE):
            traces = await async_erase(hass, wanted, naming)
        if not traces.done:
            _LOGGER.error("Home Assistant's history could not be cleared of those who were recognised")


@callback
def async_wanted(
    hass: HomeAssistant, entry: ConfigEntry, names: Mapping[str, Iterable[str]] | None = None
) -> Wanted:
    """Return what tells of everybody of an entry; `names` of theirs by their ids, as far as the vault told them."""
    names = names or {}
    people = entry.get_subentries_of_type(SUBENTRY_PERSON)
    person_ids = {*names, *(str(each.data[CONF_PERSON_ID]) for each in people)}
    books = Books(hass, entry)
    person_ids |= books.read(CONF_FORGETTING) | books.read(CONF_PEOPLE)
    called = {str(each.data[CONF_NAME]) for each in people}.union(*names.values())
    return Wanted(frozenset(person_ids), frozenset(called - {""}), async_entity_ids(hass, person_ids))


def _known(folder: Path) -> tuple[list[Unfinished], dict[str, tuple[str, ...]]]:
    """Return who is being forgotten, and the names of all others by their ids, former ones too. Blocks.

    As far as a closed vault can tell, which may be damaged or lost.
    """
    try:
        vault = Vault.open(folder, expected=True)
    except VaultError:
        return [], {}
    try:
        stored = {each.person_id: (each.name, *each.former_names) for each in vault.people()}
        return vault.unfinished(), stored
    except VaultError:
        return [], {}
    finally:
        vault.close()


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
