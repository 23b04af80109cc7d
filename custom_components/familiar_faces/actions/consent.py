"""The actions about consent: ask for one, record one, withdraw it."""

from typing import TYPE_CHECKING

from homeassistant.components.camera.const import DOMAIN as CAMERA_DOMAIN
from homeassistant.core import ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..consent.invitations import qr_data_uri
from ..consent.own_choices import async_say_refusal
from ..consent.record import ConsentRefused, async_put_on_record, build_consent
from ..consent.text import async_consent_text
from ..consent.withdrawal import async_withdraw
from ..const import DOMAIN
from ..erasing.receipt_facts import answer_receipt
from ..people.choices import Choices, Keeping
from ..people.person import ConsentMethod
from ..vault.errors import VaultError
from ..wording.vault_errors import Failed, vault_failed
from ..wording.words import LANGUAGES, shown_language
from .common import ATTR_PERSON, TEXT, Action, cameras_of, find_cameras, find_id, find_person, hub_of

if TYPE_CHECKING:
    from ..hub import Hub

ATTR_CAMERAS = "cameras"
ATTR_GIVEN_BY = "given_by"
ATTR_GIVEN_ON = "given_on"
ATTR_KEEPING = "keeping"
ATTR_LANGUAGE = "language"
ATTR_METHOD = "method"
ATTR_PICTURES = "pictures"
ATTR_UPLOADS = "uploads"
ATTR_VALID_UNTIL = "valid_until"

INVITE_SCHEMA = vol.Schema({vol.Optional(ATTR_PERSON): TEXT})
RECORD_CONSENT_SCHEMA = vol.Schema(
    {
        vol.Required(ATTR_PERSON): TEXT,
        vol.Required(ATTR_GIVEN_BY): TEXT,
        # On their own phone they say it themselves.
        vol.Required(ATTR_METHOD): vol.In([str(ConsentMethod.IN_PERSON), str(ConsentMethod.ON_PAPER)]),
        # Each a yes or no of its own, so that none of them is ever said by leaving it out.
        vol.Required(ATTR_KEEPING): vol.In([str(each) for each in Keeping]),
        vol.Required(ATTR_PICTURES): cv.boolean,
        # Left out it is a no: the one that nobody can mean by it.
        vol.Optional(ATTR_UPLOADS, default=False): cv.boolean,
        vol.Optional(ATTR_CAMERAS): vol.All(
            cv.ensure_list, vol.Length(min=1), [cv.entity_domain(CAMERA_DOMAIN)]
        ),
        vol.Optional(ATTR_GIVEN_ON): cv.date,
        vol.Optional(ATTR_VALID_UNTIL): cv.date,
        vol.Optional(ATTR_LANGUAGE): vol.In(LANGUAGES),
    }
)
WITHDRAW_CONSENT_SCHEMA = vol.Schema({vol.Required(ATTR_PERSON): TEXT})


async def _async_invite(call: ServiceCall) -> ServiceResponse:
    """Make an invitation, for somebody new or for a person to renew."""
    hub = hub_of(call.hass)
    person_id = find_person(hub, call.data[ATTR_PERSON]).person_id if ATTR_PERSON in call.data else None
    invited = await hub.invitations.async_invite(person_id)
    return {
        "invitation_id": invited.invitation_id,
        "person_id": person_id,
        "url": invited.url,
        "expires_at": invited.expires_at.isoformat(),
        "qr": await hub.hass.async_add_executor_job(qr_data_uri, invited.url),
    }


async def _async_close_invitations(call: ServiceCall) -> ServiceResponse:
    """Close every invitation that is open."""
    return {"closed": await hub_of(call.hass).invitations.async_close()}


async def _async_record_consent(call: ServiceCall) -> ServiceResponse:
    """Put a consent on record that was given in person or on paper."""
    hub = hub_of(call.hass)
    person = find_person(hub, call.data[ATTR_PERSON])
    language = call.data.get(ATTR_LANGUAGE, shown_language(hub.hass))
    child = person.consent is not None and person.consent.on_behalf_of_child
    try:
        consent = build_consent(
            hub,
            name=person.name,
            child=child,
            given_by=call.data[ATTR_GIVEN_BY],
            method=ConsentMethod(call.data[ATTR_METHOD]),
            choices=Choices(
                _cameras(hub, call.data.get(ATTR_CAMERAS)),
                Keeping(call.data[ATTR_KEEPING]),
                call.data[ATTR_PICTURES],
                call.data[ATTR_UPLOADS],
            ),
            text=await async_consent_text(hub, language, name=person.name, child=child),
            language=language,
            given_on=call.data.get(ATTR_GIVEN_ON),
            valid_until=call.data.get(ATTR_VALID_UNTIL),
        )
        await hub.async_whole(async_put_on_record(hub, person.person_id, consent))
    except ConsentRefused as err:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="consent_refused",
            translation_placeholders={
                "reason": await async_say_refusal(hub, err.refusal, hub.hass.config.language)
            },
        ) from err
    except VaultError as err:
        raise vault_failed(err, Failed.CONSENT) from err
    return {
        "person_id": person.person_id,
        "consent_id": consent.consent_id,
        "valid_until": consent.valid_until.isoformat(),
        "text_version": consent.text_version,
        "text": consent.text,
    }


async def _async_withdraw_consent(call: ServiceCall) -> ServiceResponse:
    """Withdraw somebody's consent, which erases what was kept of them at once."""
    hub = hub_of(call.hass)
    person_id = find_id(hub, call.data[ATTR_PERSON])
    try:
        receipt = await hub.async_whole(async_withdraw(hub, hub.forgetting, person_id))
    except VaultError as err:
        raise vault_failed(err, Failed.FORGETTING) from err
    return answer_receipt(person_id, receipt)


def _cameras(hub: Hub, entity_ids: list[str] | None) -> frozenset[str] | None:
    """Return the cameras by the ids of their subentries; None, as they were given, for every camera."""
    if entity_ids is None:
        return None
    return frozenset(find_cameras(entity_ids, cameras_of(hub)))


ACTIONS = (
    Action("invite", _async_invite, INVITE_SCHEMA, SupportsResponse.ONLY),
    Action("close_invitations", _async_close_invitations, vol.Schema({})),
    Action("record_consent", _async_record_consent, RECORD_CONSENT_SCHEMA),
    Action("withdraw_consent", _async_withdraw_consent, WITHDRAW_CONSENT_SCHEMA),
)
