"""Watches whether the clock can be believed: says so to the owner when it cannot, and goes on when it can again."""

import asyncio
import logging

from homeassistant.core import callback

from ..const import DOMAIN
from ..household.household import Household
from ..household.issues import async_check_clock
from ..household.places import clock_file
from ..household.wall_clock import Anchor, read_anchor, read_boot, write_anchor
from ..vault.errors import VaultError

_LOGGER = logging.getLogger(__name__)

PATIENCE = 600.0
"""Seconds before the owner is asked: a machine without a battery starts in the past until it has reached a time server."""
WRITE_EVERY = 3600.0
"""Seconds after which the time is written down again."""


class ClockWatch:
    """Follows the clock of a household. Lives on the event loop."""

    def __init__(self, household: Household) -> None:
        """Have seen nothing yet."""
        self._household = household
        self._path = clock_file(household.hass)
        self._believed = True
        self._written_at = float("-inf")
        self._writing = asyncio.Lock()

    async def async_start(self) -> None:
        """Begin with what was written down; before anything is erased by the time. Raises VaultError."""
        hass, vault = self._household.hass, self._household.vault
        boot = await hass.async_add_executor_job(read_boot)
        anchor = await hass.async_add_executor_job(read_anchor, self._path)
        newest = await hass.async_add_executor_job(vault.newest)
        self._household.wall_clock.start(boot, anchor, newest)
        self._believed = self._household.wall_clock.believed()
        if not self._believed:
            _LOGGER.warning(
                "The clock does not fit: nobody is recognised and nothing erased by the time for now"
            )

    async def async_stop(self) -> None:
        """Write the time down for the next start."""
        if (anchor := self._household.wall_clock.note()) is not None:
            await self._async_write(anchor)

    @callback
    def async_look(self) -> bool:
        """Return whether the clock can be believed, and have everything follow when that has changed."""
        household, clock = self._household, self._household.wall_clock
        believed = clock.believed()
        async_check_clock(household.hass, doubted=clock.doubted_for >= PATIENCE)
        if believed != self._believed:
            self._believed = believed
            if believed:
                _LOGGER.info("The clock can be believed again")
            else:
                _LOGGER.warning(
                    "The clock jumped: nobody is recognised and nothing erased by the time until it is right"
                )
            household.entry.async_create_task(
                household.hass, household.async_people_changed(), f"{DOMAIN} clock followed"
            )
        ran = household.hass.loop.time()
        if believed and ran - self._written_at >= WRITE_EVERY and (anchor := clock.note()) is not None:
            self._written_at = ran
            household.entry.async_create_background_task(
                household.hass, self._async_write(anchor), f"{DOMAIN} clock written"
            )
        return believed

    @callback
    def async_confirm(self) -> None:
        """Believe the time as it is: the owner says that it is right."""
        self._household.wall_clock.confirm()
        self._written_at = float("-inf")
        self.async_look()

    async def _async_write(self, anchor: Anchor) -> None:
        """Keep a time. Nothing is lost when that fails: it is done again."""
        async with self._writing:
            try:
                await self._household.hass.async_add_executor_job(write_anchor, self._path, anchor)
            except VaultError as err:
                _LOGGER.debug("The time could not be written down: %s", err)
