"""The audit log as the owner reads it: its entries, also as a file, and whether it is as it was written."""

import asyncio
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
import json
from typing import Final

from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType

from ..const import DOMAIN
from ..household.household import Household
from ..household.leave import Leave
from ..household.places import witness_file
from ..vault.records import AuditEntry, AuditVerdict

AUDIT_PATH: Final = f"/api/{DOMAIN}/audit"
"""Where administrators fetch the whole of it."""
MOST_ENTRIES: Final = 1000
"""Entries that are read at once."""
AT_ONCE: Final = 5
"""How often a user may have the log checked, or fetch it, in a row: that reads all of it, and the vault waits."""
ONE_MORE_EVERY: Final = 10.0
"""Seconds after which they may once more."""


@dataclass(frozen=True, slots=True)
class Verified:
    """When the audit log was checked, and what came of it."""

    at: datetime
    verdict: AuditVerdict


def described(entry: AuditEntry) -> JsonObjectType:
    """Return an entry as it is given to programs. It names nobody."""
    return {
        "number": entry.number,
        "at": entry.at.isoformat(),
        "kind": entry.kind,
        "person_id": entry.person_id,
        "details": dict(entry.details),
    }


class AuditTrail:
    """Reads the audit log of a household. All that goes wrong with it is a VaultError. Lives on the event loop."""

    def __init__(self, household: Household) -> None:
        """Have checked nothing yet."""
        self._household = household
        self._checking = asyncio.Lock()
        self._leave = Leave(AT_ONCE, ONE_MORE_EVERY)
        self._leave_to_fetch = Leave(AT_ONCE, ONE_MORE_EVERY)
        self.last: Verified | None = None
        """The last check since the start; None before the first."""

    async def async_entries(
        self, person_ids: Collection[str] | None = None, limit: int = 100
    ) -> list[AuditEntry]:
        """Return the newest entries, at most `limit`, of these people or of all."""
        vault, limit = self._household.vault, min(limit, MOST_ENTRIES)

        def read() -> list[AuditEntry]:
            if person_ids is None:
                return [*vault.audit_entries(None, limit)]
            found = [entry for each in person_ids for entry in vault.audit_entries(each, limit)]
            return sorted(found, key=lambda entry: entry.number, reverse=True)[:limit]

        return await self._household.hass.async_add_executor_job(read)

    async def async_verify(self) -> Verified:
        """Check the whole log, and all that people's rights rest on besides it; one check at a time."""
        hass = self._household.hass
        async with self._checking:
            verdict = await hass.async_add_executor_job(
                self._household.vault.verify_audit, witness_file(hass)
            )
            self.last = Verified(dt_util.utcnow(), verdict)
            return self.last

    async def async_verify_for(self, user_id: str) -> Verified:
        """Check it for a user; raise what they are to read when that is too often."""
        if wait := self._leave.wait(user_id, self._household.hass.loop.time()):
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="identify_too_often",
                translation_placeholders={"seconds": str(wait)},
            )
        return await self.async_verify()

    def may_fetch(self, user_id: str) -> bool:
        """Return whether a user may fetch the log now: that is asked once for each time."""
        return not self._leave_to_fetch.wait(user_id, self._household.hass.loop.time())

    async def async_file(self, user_id: str) -> Iterator[bytes]:
        """Return the whole log as JSON, in pieces, once it is noted in it who has fetched it; raise VaultError.

        To go on with the pieces blocks, and may raise VaultError as well.
        """
        vault, now = self._household.vault, dt_util.utcnow()
        await self._household.hass.async_add_executor_job(
            vault.audit, "audit_fetched", None, {"user": user_id}, now
        )
        return self._pieces(now)

    def _pieces(self, now: datetime) -> Iterator[bytes]:
        yield f'{{"made_at": {json.dumps(now.isoformat())}, "entries": ['.encode()
        before: int | None = None
        # Never more of it in memory, however long it is.
        while entries := self._household.vault.audit_entries(limit=MOST_ENTRIES, before=before):
            between = "" if before is None else ","
            yield (between + ",".join(f"\n{json.dumps(described(each))}" for each in entries)).encode()
            before = entries[-1].number
        yield b"\n]}\n"
