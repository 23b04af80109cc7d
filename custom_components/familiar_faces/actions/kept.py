"""The actions about stored data: forget a person, export, purge, and read the audit log."""

from homeassistant.core import ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..const import DOMAIN
from ..erasing.mentions import MOST
from ..erasing.receipt_facts import answer_mention, answer_receipt, place_to_clear
from ..openness.audit_trail import MOST_ENTRIES, described
from ..openness.kept_now import MOST_RECEIPTS, async_receipts
from ..vault.errors import VaultError
from ..wording.vault_errors import Failed, vault_failed
from ..wording.words import LANGUAGES, shown_language
from .common import ATTR_PERSON, TEXT, Action, find_id, find_person, hub_of

ATTR_ALSO = "also"
ATTR_FORGOTTEN_ON = "forgotten_on"
ATTR_LANGUAGE = "language"
ATTR_LIMIT = "limit"
ATTR_PERSON_ID = "person_id"

FORGET_SCHEMA = vol.Schema(
    {vol.Required(ATTR_PERSON): TEXT, vol.Optional(ATTR_ALSO, default=list): vol.All(cv.ensure_list, [TEXT])}
)
MENTIONS_SCHEMA = vol.Schema({vol.Required(ATTR_PERSON): TEXT})
# Anyone who was forgotten has no name left to choose: the day, or the id on the receipt, says who it was.
RECEIPTS_SCHEMA = vol.Schema(
    {vol.Exclusive(ATTR_FORGOTTEN_ON, "whose"): cv.date, vol.Exclusive(ATTR_PERSON_ID, "whose"): TEXT}
)
EXPORT_SCHEMA = vol.Schema({vol.Required(ATTR_PERSON): TEXT, vol.Optional(ATTR_LANGUAGE): vol.In(LANGUAGES)})
AUDIT_LOG_SCHEMA = vol.Schema(
    {
        vol.Exclusive(ATTR_PERSON, "whose"): TEXT,
        vol.Exclusive(ATTR_FORGOTTEN_ON, "whose"): cv.date,
        vol.Exclusive(ATTR_PERSON_ID, "whose"): TEXT,
        vol.Optional(ATTR_LIMIT, default=100): vol.All(vol.Coerce(int), vol.Range(min=1, max=MOST_ENTRIES)),
    }
)


async def _async_forget(call: ServiceCall) -> ServiceResponse:
    """Erase somebody from everywhere."""
    hub = hub_of(call.hass)
    person_id = find_id(hub, call.data[ATTR_PERSON])
    also = [place_to_clear(key) for key in call.data[ATTR_ALSO]]
    try:
        receipt = await hub.forgetting.async_forget(person_id, also=also)
    except VaultError as err:
        raise vault_failed(err, Failed.FORGETTING) from err
    return answer_receipt(person_id, receipt)


async def _async_mentions(call: ServiceCall) -> ServiceResponse:
    """Say where else a name is mentioned. Nothing is erased."""
    hub = hub_of(call.hass)
    person_id = find_id(hub, call.data[ATTR_PERSON])
    return {
        "person_id": person_id,
        "at_most_of_each_kind": MOST,
        "mentions": [*map(answer_mention, await hub.forgetting.async_mentions(person_id))],
    }


async def _async_receipts(call: ServiceCall) -> ServiceResponse:
    """Return receipts of people who were forgotten, newest first."""
    hub = hub_of(call.hass)
    person_id = call.data.get(ATTR_PERSON_ID)
    try:
        receipts = await async_receipts(
            hub, MOST_RECEIPTS, person_id=person_id, on=call.data.get(ATTR_FORGOTTEN_ON)
        )
    except VaultError as err:
        raise vault_failed(err, Failed.READING) from err
    if person_id is not None and not receipts:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_receipt",
            translation_placeholders={"person_id": person_id},
        )
    return {"receipts": [answer_receipt(each.person_id, each) for each in receipts]}


async def _async_export(call: ServiceCall) -> ServiceResponse:
    """Offer what is kept of somebody as a file."""
    hub = hub_of(call.hass)
    person = find_person(hub, call.data[ATTR_PERSON])
    language = call.data.get(ATTR_LANGUAGE, shown_language(hub.hass))
    try:
        offered = await hub.exports.async_offer(person.person_id, language)
    except VaultError as err:
        raise vault_failed(err, Failed.READING) from err
    return {
        "person_id": person.person_id,
        "url": offered.url,
        "expires_at": offered.expires_at.isoformat(),
        "size": offered.size,
    }


async def _async_purge(call: ServiceCall) -> ServiceResponse:
    """Erase what is past its time, now."""
    try:
        purged = await hub_of(call.hass).purging.async_purge()
    except VaultError as err:
        raise vault_failed(err, Failed.PURGING) from err
    return {
        "visits": purged.visits,
        "pictures": purged.pictures,
        "people": len(purged.people),
        "invitations": purged.invitations,
        "review": purged.review,
        "audit_entries": purged.audit_entries,
    }


async def _async_verify_audit(call: ServiceCall) -> ServiceResponse:
    """Say whether the audit log is as it was written."""
    hub = hub_of(call.hass)
    try:
        verdict = (await hub.audit_trail.async_verify()).verdict
    except VaultError as err:
        raise vault_failed(err, Failed.READING) from err
    return {
        "ok": verdict.ok,
        "entries": verdict.entries,
        "first_bad": verdict.first_bad,
        "rows_ok": verdict.rows_ok,
        "mark_ok": verdict.mark_ok,
    }


async def _async_audit_log(call: ServiceCall) -> ServiceResponse:
    """Return what was done, newest first."""
    hub = hub_of(call.hass)
    person_ids = [call.data[ATTR_PERSON_ID]] if ATTR_PERSON_ID in call.data else None
    if ATTR_PERSON in call.data:
        person_ids = [find_id(hub, call.data[ATTR_PERSON])]
    try:
        if ATTR_FORGOTTEN_ON in call.data:
            forgotten = await async_receipts(hub, MOST_RECEIPTS, on=call.data[ATTR_FORGOTTEN_ON])
            person_ids = [each.person_id for each in forgotten]
        entries = await hub.audit_trail.async_entries(person_ids, call.data[ATTR_LIMIT])
    except VaultError as err:
        raise vault_failed(err, Failed.READING) from err
    return {"entries": [described(each) for each in entries]}


ACTIONS = (
    Action("forget", _async_forget, FORGET_SCHEMA),
    Action("mentions", _async_mentions, MENTIONS_SCHEMA, SupportsResponse.ONLY),
    Action("receipts", _async_receipts, RECEIPTS_SCHEMA, SupportsResponse.ONLY),
    Action("export", _async_export, EXPORT_SCHEMA, SupportsResponse.ONLY),
    Action("purge", _async_purge, vol.Schema({})),
    Action("verify_audit", _async_verify_audit, vol.Schema({}), SupportsResponse.ONLY),
    Action("audit_log", _async_audit_log, AUDIT_LOG_SCHEMA, SupportsResponse.ONLY),
)
