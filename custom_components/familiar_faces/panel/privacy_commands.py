"""The commands of the tab Privacy: what is kept, where it goes, and whether the audit log is as it was written."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from homeassistant.components.http.auth import async_sign_path
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import require_admin, websocket_command
from homeassistant.core import HomeAssistant
import voluptuous as vol

from ..const import PAPERS, RECORD
from ..openness.audit_trail import MOST_ENTRIES, Verified
from ..openness.kept_now import async_kept_now, async_receipts
from ..vault.records import AuditEntry, Receipt
from ..wording.words import LANGUAGES
from .permitted import answering, asked_of
from .privacy_facts import (
    RECORD_SIGNED_FOR,
    async_connections,
    async_engine,
    async_papers_shown,
    async_periods,
    async_running,
)

ENTRIES: Final = 20
MOST_RECEIPTS: Final = 100
MOST_INVITATIONS: Final = 50
"""Open invitations that are listed. All of them are counted."""

type Said = dict[str, Any]


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


@websocket_command(
    {
        vol.Required("type"): "familiar_faces/privacy/summary",
        vol.Optional("language", default=LANGUAGES[0]): vol.In(LANGUAGES),
    }
)
@require_admin
@answering
async def _summary(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> Said:
    """Return what is kept and until when, the engine, the connections and the papers."""
    asked = asked_of(hass, connection)
    kept = await async_kept_now(asked.hub)
    stored, oldest = kept.stored, kept.oldest
    verified, known = asked.hub.audit_trail.last, asked.lookup.known()
    engine = async_engine(asked.hub) | await async_running(asked.hub)
    return {
        "stored": {
            "people": stored.people,
            "photos": stored.photos,
            "templates": stored.templates,
            "visits": stored.visits,
            "pictures": stored.pictures,
            "consents": stored.consents,
            "review": stored.review,
            "audit_entries": stored.audit_entries,
            "bytes": stored.bytes,
        },
        "oldest": {
            "visit": _moment(oldest.visit),
            "picture": _moment(oldest.picture),
            "review": _moment(oldest.review),
            "audit_entry": _moment(oldest.audit_entry),
        },
        "next_purge": _moment(kept.next_purge),
        "periods": async_periods(asked.hub),
        # Of cameras, with nothing but numbers in them.
        "weeks": oldest.weeks,
        "links": {"invitations": len(kept.invitations), "own": oldest.links},
        "invitations": [
            {
                "invitation_id": each.invitation_id,
                # Nobody's name for somebody new.
                "name": None if (person := known.get(each.person_id or "")) is None else person.name,
                "until": each.expires_at.isoformat(),
            }
            for each in kept.invitations[:MOST_INVITATIONS]
        ],
        "verified": None if verified is None else _verified(verified),
        "engine": engine,
        "connections": async_connections(asked.hub),
        "papers": {
            "shown": async_papers_shown(asked.hub),
            **PAPERS,
            # For the one who asks, and not for long.
            "record": async_sign_path(hass, RECORD.format(language=message["language"]), RECORD_SIGNED_FOR),
        },
    }


@websocket_command(
    {
        vol.Required("type"): "familiar_faces/privacy/audit",
        vol.Optional("limit", default=ENTRIES): vol.All(int, vol.Range(min=1, max=MOST_ENTRIES)),
    }
)
@require_admin
@answering
async def _audit(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> Said:
    """Return the newest entries of the audit log. Names are added here: the log has none."""
    asked = asked_of(hass, connection)
    # One more than is shown, to know whether there are more.
    entries = await asked.hub.audit_trail.async_entries(limit=message["limit"] + 1)
    users = {user.id: user.name for user in await hass.auth.async_get_users()}
    people = {person_id: person.name for person_id, person in asked.lookup.known().items()}
    shown = entries[: message["limit"]]
    return {
        "entries": [_entry(each, people, users) for each in shown],
        "more": len(entries) > len(shown),
    }


@websocket_command({vol.Required("type"): "familiar_faces/privacy/verify"})
@require_admin
@answering
async def _verify(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> Said:
    """Return whether the audit log is as it was written."""
    trail = asked_of(hass, connection).hub.audit_trail
    return _verified(await trail.async_verify_for(connection.user.id))


@websocket_command(
    {
        vol.Required("type"): "familiar_faces/privacy/receipts",
        vol.Optional("limit", default=ENTRIES): vol.All(int, vol.Range(min=1, max=MOST_RECEIPTS)),
    }
)
@require_admin
@answering
async def _receipts(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> Said:
    """Return the receipts of those who were forgotten."""
    receipts = await async_receipts(asked_of(hass, connection).hub, message["limit"])
    return {"receipts": [_receipt(each) for each in receipts]}


def _entry(entry: AuditEntry, people: Mapping[str, str], users: Mapping[str, str | None]) -> Said:
    details = dict(entry.details)
    user_id = details.pop("user", None)
    return {
        "number": entry.number,
        "at": entry.at.isoformat(),
        "kind": entry.kind,
        "person_id": entry.person_id,
        "name": None if entry.person_id is None else people.get(entry.person_id),
        # Who did it, where that is noted; a user who is gone has no name.
        "by": None if user_id is None else (users.get(str(user_id)) or str(user_id)),
        "details": details,
    }


def _verified(verified: Verified) -> Said:
    verdict = verified.verdict
    return {
        "at": verified.at.isoformat(),
        "ok": verdict.ok,
        "entries": verdict.entries,
        "first_bad": verdict.first_bad,
        "rows_ok": verdict.rows_ok,
        "mark_ok": verdict.mark_ok,
    }


def _receipt(receipt: Receipt) -> Said:
    return {
        "person_id": receipt.person_id,
        "forgotten_at": receipt.forgotten_at.isoformat(),
        "finished_at": _moment(receipt.finished_at),
        "everywhere": receipt.everywhere,
        "erased": receipt.erased,
    }


COMMANDS: Final = (_summary, _audit, _verify, _receipts)
