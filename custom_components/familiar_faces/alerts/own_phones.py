"""The phones of a user, and how that user mutes them for a while: nobody else's are."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from ..const import SUBENTRY_CAMERA
from ..household.household import Household
from ..household.signals import Of
from .mutes import Mutes
from .recipients import Recipient, Way, async_recipients


class OwnPhones:
    """Mutes the phones of one user. A phone that is told of no camera is told nothing."""

    def __init__(self, household: Household, mutes: Mutes) -> None:
        """Have muted nothing."""
        self._household = household
        self._mutes = mutes

    @callback
    def async_of(self, user_id: str) -> list[Recipient]:
        """Return the phones of a user that can be notified."""
        return [
            each
            for each in async_recipients(self._household.hass)
            if each.way is Way.PHONE and each.user_id == user_id
        ]

    @callback
    def async_until(self, user_id: str, now: datetime) -> datetime | None:
        """Return until when all phones of a user are muted; None when one of them is not, or there is none."""
        return self._until(self.async_of(user_id), self._cameras(), now)

    @callback
    def async_until_each(self, user_id: str, what: Iterable[str], now: datetime) -> dict[str, datetime]:
        """Return until when all phones of a user are told nothing of people or cameras, of those where that is so."""
        phones = self.async_of(user_id)
        ends = {each: self._until(phones, [each], now) for each in what}
        return {each: until for each, until in ends.items() if until is not None}

    async def async_mute(self, user_id: str, length: timedelta, what: str | None = None) -> int:
        """Mute the phones of a user for so long, or end that with no time at all; return how many there are.

        `what`: a person or a camera that they are told nothing of; None for all cameras.
        """
        now, phones = dt_util.utcnow(), self.async_of(user_id)
        for phone in phones:
            for each in self._cameras() if what is None else [what]:
                self._mutes.async_mute(each, phone.key, now + length, now)
        if phones:
            self._household.async_changed(Of.MUTES)
            await self._household.books.async_save()
        return len(phones)

    def _until(self, phones: list[Recipient], what: list[str], now: datetime) -> datetime | None:
        ends = [self._mutes.until(each, now, phone.key) for phone in phones for each in what]
        known = [each for each in ends if each is not None]
        return min(known) if known and len(known) == len(ends) else None

    def _cameras(self) -> list[str]:
        return [
            each.subentry_id
            for each in self._household.entry.subentries.values()
            if each.subentry_type == SUBENTRY_CAMERA
        ]
