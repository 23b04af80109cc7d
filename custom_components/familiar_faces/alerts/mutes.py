"""What a recipient has muted for a while. It outlives a restart, and nothing of it is a name."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from ..const import CONF_MUTED, CONF_UNANNOUNCED
from ..household.books import Books

LONGEST = timedelta(days=7)
EVERYBODY = "*"
"""Stands for all recipients."""
_SEPARATOR = " "


class Mutes:
    """The mutes of an entry, noted in its books. What is muted is a person or a camera, by its id."""

    def __init__(self, books: Books) -> None:
        """Read and write in these books."""
        self._books = books

    def switched_on(self, what: str) -> bool:
        """Return whether a person, a camera or an alert is not switched off."""
        return what not in self._books.read(CONF_UNANNOUNCED)

    async def async_switch(self, on: bool, what: str) -> None:
        """Switch a person, a camera or an alert on or off; it outlives a power cut."""
        off = self._books.read(CONF_UNANNOUNCED)
        self._books.async_write(CONF_UNANNOUNCED, off - {what} if on else off | {what})
        await self._books.async_save()

    @callback
    def muted(self, recipient: str, camera_id: str, person_id: str | None, now: datetime) -> bool:
        """Return whether a recipient is not told of a camera, or of a person, now."""
        off = self._books.read(CONF_UNANNOUNCED)
        what = {camera_id, person_id}
        if not off.isdisjoint(what):
            return True
        return any(
            until > now and muted in what and who in (EVERYBODY, recipient)
            for muted, who, until in self._read()
        )

    @callback
    def until(self, what: str, now: datetime, recipient: str = EVERYBODY) -> datetime | None:
        """Return until when nobody, or this recipient, is told of a person or a camera; None when they are."""
        ends = [end for muted, who, end in self._read() if muted == what and who == recipient and end > now]
        return max(ends, default=None)

    @callback
    def async_mute(self, what: str, recipient: str, until: datetime, now: datetime) -> None:
        """Mute a person or a camera for a recipient; `until` in the past ends that."""
        kept = [each for each in self._read() if each[2] > now and each[:2] != (what, recipient)]
        if until > now:
            kept.append((what, recipient, min(until, now + LONGEST)))
        self._write(kept)

    @callback
    def async_prune(self, known: set[str], now: datetime) -> None:
        """Forget mutes that are over, and those of people and cameras that are no longer known."""
        self._write([each for each in self._read() if each[2] > now and each[0] in known])
        self._books.async_write(CONF_UNANNOUNCED, self._books.read(CONF_UNANNOUNCED) & known)

    def _read(self) -> Iterator[tuple[str, str, datetime]]:
        for line in self._books.read(CONF_MUTED):
            end, _, rest = line.partition(_SEPARATOR)
            what, _, recipient = rest.partition(_SEPARATOR)
            try:
                until = dt_util.parse_datetime(end)
            except ValueError:
                # It has the form of a moment and is none.
                continue
            if until is not None and until.tzinfo is not None:
                yield what, recipient, until

    def _write(self, mutes: list[tuple[str, str, datetime]]) -> None:
        lines = {_SEPARATOR.join((until.isoformat(), what, who)) for what, who, until in mutes}
        self._books.async_write(CONF_MUTED, lines)
