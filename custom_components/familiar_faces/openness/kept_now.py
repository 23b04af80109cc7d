"""What is kept at this moment, for the owner: how much, since when, until when, and which links are open."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from homeassistant.util import dt as dt_util

from ..household.household import Household
from ..vault.links import Invitation
from ..vault.records import Oldest, Receipt, StoredItems

MOST_RECEIPTS: Final = 1000
"""Receipts that are read at once."""


@dataclass(frozen=True, slots=True)
class KeptNow:
    """What the vault holds."""

    stored: StoredItems
    oldest: Oldest
    next_purge: datetime | None
    """When the next thing is past its time; None when nothing is kept."""
    invitations: tuple[Invitation, ...]
    """Those that can be used, oldest first. None of them says its link."""


async def async_kept_now(household: Household) -> KeptNow:
    """Return what is kept, counted now; raise VaultError."""
    vault, now = household.vault, dt_util.utcnow()
    retention = household.retention

    def count() -> KeptNow:
        return KeptNow(
            vault.stored(),
            vault.oldest(),
            vault.next_purge(now, retention),
            tuple(vault.links.invitations(now)),
        )

    return await household.hass.async_add_executor_job(count)


async def async_receipts(
    household: Household, limit: int, *, person_id: str | None = None, on: date | None = None
) -> list[Receipt]:
    """Return the newest receipts of those who were forgotten; raise VaultError. They hold no name.

    `person_id`: that of this person alone. `on`: those of one day, in the home's time zone.
    """
    hass, vault = household.hass, household.vault
    if person_id is not None:
        receipt = await hass.async_add_executor_job(vault.receipt, person_id)
        return [] if receipt is None else [receipt]
    receipts = await hass.async_add_executor_job(vault.receipts, limit if on is None else MOST_RECEIPTS)
    if on is not None:
        receipts = [each for each in receipts if dt_util.as_local(each.forgotten_at).date() == on]
    return receipts[:limit]
