"""After a restored backup: people are held until the owner has chosen who stays.

The mark of how far the vault had come lies in the cache folder. Home Assistant and its Supervisor leave that
folder out of backups, and both empty the configuration folder before they restore one. What nothing here can
tell is a copy of the whole disk that is put back, cache folder and all.
"""

import asyncio
from collections.abc import Set as AbstractSet
import logging

from homeassistant.util import dt as dt_util

from ..household.household import Household
from ..household.places import witness_file
from ..vault.errors import ErasedLater, VaultError
from ..vault.witness import Mark, read_mark, write_mark
from .forgetting import Forgetting

_LOGGER = logging.getLogger(__name__)


class Restored:
    """Tells an older vault from the one that was here, and lets the owner decide. Lives on the event loop."""

    def __init__(self, household: Household, forgetting: Forgetting) -> None:
        """Watch over the vault of a household."""
        self._household = household
        self._forgetting = forgetting
        self._hass = household.hass
        self._path = witness_file(household.hass)
        self._checked = False
        self._written: Mark | None = None
        self._writing = asyncio.Lock()

    async def async_check(self) -> None:
        """Hold everybody when the vault is older than what was here. Called before anybody is read from it."""
        mark = await self._hass.async_add_executor_job(read_mark, self._path)
        witness = self._household.vault.witness
        if await self._hass.async_add_executor_job(witness.older_than, mark):
            held = await self._hass.async_add_executor_job(witness.hold_everybody, dt_util.utcnow())
            if held:
                _LOGGER.warning("A backup was restored: %d people are not recognised for now", len(held))
        self._checked = True
        await self.async_note()

    async def async_note(self) -> None:
        """Write down how far the vault has come. Nothing is lost when that fails: it is done again.

        Not before it was checked, also when a start fails: the mark of an older vault would make it the right one.
        """
        if not self._checked:
            return
        async with self._writing:
            try:
                await self._hass.async_add_executor_job(self._note)
            except VaultError as err:
                _LOGGER.debug("How far the vault has come could not be noted: %s", err)

    def _note(self) -> None:
        witness = self._household.vault.witness
        mark = witness.mark()
        if mark == self._written:
            return
        write_mark(self._path, mark)
        # Only now: a vault without it has never had a mark that could be missing.
        witness.watch()
        self._written = mark

    async def async_answer(self, keep: AbstractSet[str]) -> bool:
        """Forget those of the held who are not to be kept, and recognise the others again.

        Anyone who cannot be erased yet is erased later, and is not recognised meanwhile. Return whether the whole answer
        is on the disk; the others stay held.
        """
        vault, saved = self._household.vault, True
        for person_id in await self._hass.async_add_executor_job(vault.witness.held):
            try:
                if person_id in keep:
                    await self._hass.async_add_executor_job(
                        vault.witness.release, person_id, dt_util.utcnow()
                    )
                else:
                    await self._forgetting.async_forget(person_id, "restored")
            except ErasedLater:
                _LOGGER.warning("%s is erased as soon as the disk has room", person_id)
            except VaultError as err:
                saved = False
                _LOGGER.error("The answer about %s could not be carried out yet: %s", person_id, err)
        await self._household.async_refresh_people()
        return saved
