"""The review inbox: pictures of visitors without a name, off unless the owner switched it on.

A picture waits in memory until its visit is over, since the visitor may be recognised until then, and lies
encrypted in the vault afterwards. No template is made of it.
"""

import asyncio
import logging

from homeassistant.core import callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..household.household import Household
from ..household.signals import Of
from ..recognising.announcing import Settled
from ..vault.errors import UnknownVisit, VaultError
from ..vault.review_rows import ReviewItem
from ..visits.visit import Decision, Visit
from ..wording.vault_errors import Failed, vault_failed

_LOGGER = logging.getLogger(__name__)

PICTURE_PATH = f"/api/{DOMAIN}/review/{{visit_id}}"
MOST = 500
"""How many pictures can be seen; more than that nobody looks through at once."""


class ReviewInbox:
    """The pictures of visits that go on, on their way into the vault. Lives on the event loop."""

    def __init__(self, household: Household) -> None:
        """Hold no picture yet."""
        self._household = household
        self._waiting: dict[str, bytes] = {}
        self._barred: set[str] = set()
        """Ids of ongoing visits without a kept picture."""
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def on(self) -> bool:
        """Return whether pictures are kept.

        Not while a restored backup is asked about: those who are held are taken for strangers, and may have
        wished that no picture is kept of them.
        """
        return bool(self._household.retention.review) and not self._household.roster.held

    @property
    def waiting(self) -> int:
        """Return how many pictures wait in memory for the end of their visit."""
        return len(self._waiting)

    @callback
    def async_settle(self, settled: Settled) -> None:
        """Take the picture of a visit without a name, or drop it once there is a name.

        Nor is one kept of a visitor who may be a person without consent to pictures.
        """
        visit, portrait = settled.outcome.visit, settled.portrait
        if visit.decision is Decision.FAMILIAR or not all(map(self._may_be_kept, settled.resembled)):
            self._barred.add(visit.visit_id)
        if not self.on or visit.visit_id in self._barred:
            self._waiting.pop(visit.visit_id, None)
        elif portrait:
            self._waiting[visit.visit_id] = portrait

    def _may_be_kept(self, person_id: str) -> bool:
        person = self._household.people.get(person_id)
        return person is not None and person.choices.keeps_pictures

    @callback
    def async_ended(self, visits: tuple[Visit, ...]) -> None:
        """Keep the pictures of visits that are over, and drop those of visits that are given up."""
        for visit in visits:
            portrait = self._waiting.pop(visit.visit_id, None)
            if portrait is not None and self.on:
                item = ReviewItem(visit.visit_id, visit.camera_id, str(visit.decision), visit.started_at)
                task = self._household.hass.async_create_task(
                    self._async_keep(item, portrait), f"{DOMAIN} review"
                )
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        open_ids = {visit.visit_id for visit in self._household.open_visits.visits}
        self._barred &= open_ids
        self._waiting = {key: value for key, value in self._waiting.items() if key in open_ids}

    async def _async_keep(self, item: ReviewItem, portrait: bytes) -> None:
        try:
            await self._household.hass.async_add_executor_job(
                self._household.vault.review.add, item, portrait
            )
        except VaultError as err:
            _LOGGER.error("A picture for the review inbox could not be kept: %s", err)
            return
        await self._household.async_count()
        self._household.async_changed(Of.STORED)

    async def async_items(self) -> list[ReviewItem]:
        """Return what is in the inbox and not past its time, newest first."""
        try:
            items = await self._household.hass.async_add_executor_job(
                self._household.vault.review.items, MOST
            )
        except VaultError as err:
            _LOGGER.error("The review inbox cannot be read: %s", err)
            return []
        kept, now = self._household.retention.review, dt_util.utcnow()
        return [item for item in items if now - item.at < kept]

    async def async_stop(self) -> None:
        """Drop what waits, and let what is being written come to its end."""
        self._waiting.clear()
        self._barred.clear()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def async_discard(self, visit_id: str | None) -> int:
        """Erase a picture of the review inbox, or without an id all of them; return how many.

        Raise what the user is to read.
        """
        household, now = self._household, dt_util.utcnow()
        try:
            if visit_id is None:
                return await household.hass.async_add_executor_job(household.vault.review.discard_all, now)
            await household.hass.async_add_executor_job(household.vault.review.discard, visit_id, now)
        except UnknownVisit as err:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="not_in_review",
                translation_placeholders={"visit_id": visit_id or ""},
            ) from err
        except VaultError as err:
            raise vault_failed(err, Failed.DISCARDING) from err
        finally:
            await household.async_count()
            household.async_changed(Of.STORED)
        return 1
