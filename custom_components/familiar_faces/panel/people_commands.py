"""The commands of the tab People and of somebody's page: who is here, invitations, photos and forgetting."""

from typing import Any, Final

from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import require_admin, websocket_command
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import Unauthorized
import voluptuous as vol

from ..consent.invitations import qr_data_uri
from ..enrolment.photo_shelf import Change, async_change_photo
from ..erasing.receipt_facts import answer_mention, answer_receipt, place_to_clear
from ..household.signals import Of
from ..vault.errors import VaultError
from ..wording.vault_errors import Failed, vault_failed
from ..wording.words import LANGUAGES, shown_language
from .permitted import ID, Asked, answering, asked_of
from .person_facts import async_page, async_tile, whose
from .rows import Said
from .topic import async_subscribe

MOST_PLACES: Final = 200


async def _async_people(asked: Asked) -> Said:
    """Return the tiles, in the order of their names, and the invitations that are open."""
    invitations = await asked.hub.invitations.async_open()
    people = sorted(asked.hub.people.values(), key=lambda each: each.name.casefold())
    return {
        "people": [async_tile(asked, each) for each in people],
        "invitations": [
            {
                "invitation_id": each.invitation_id,
                "person_id": each.person_id,
                "until": each.expires_at.isoformat(),
            }
            for each in invitations
        ],
    }


@websocket_command({vol.Required("type"): "familiar_faces/people/subscribe"})
@require_admin
@answering
async def _people(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> None:
    """Send who is here, and from then on what changes."""

    async def read(asked: Asked) -> Said:
        if not asked.administrator:
            raise Unauthorized
        return await _async_people(asked)

    async_subscribe(hass, connection, message["id"], read, (Of.PEOPLE,))


@websocket_command({vol.Required("type"): "familiar_faces/person/subscribe", vol.Optional("person_id"): ID})
@answering
async def _person(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> None:
    """Send the page of somebody, by default of the user who asks, and from then on what changes of it."""
    person_id = message.get("person_id")
    whose(asked_of(hass, connection), person_id)

    async def read(asked: Asked) -> Said:
        return await async_page(hass, asked, person_id)

    async_subscribe(hass, connection, message["id"], read, (Of.PEOPLE, Of.MUTES, Of.STORED))


@websocket_command(
    {
        vol.Required("type"): "familiar_faces/person/photo",
        vol.Required("person_id"): ID,
        vol.Required("template_id"): ID,
        vol.Required("change"): vol.Coerce(Change),
    }
)
@answering
async def _photo(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> None:
    """Set a reference photo aside, use it again, or erase it; people themselves may erase theirs."""
    asked = asked_of(hass, connection)
    person = whose(asked, message["person_id"])
    change: Change = message["change"]
    if not (asked.administrator or (change is Change.REMOVE and asked.lookup.acts_as(person.person_id))):
        raise Unauthorized
    await async_change_photo(asked.hub, person.person_id, message["template_id"], change)


@websocket_command({vol.Required("type"): "familiar_faces/person/invite", vol.Optional("person_id"): ID})
@require_admin
@answering
async def _invite(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> Said:
    """Make an invitation, for somebody new or for a person to renew, with the code to scan."""
    asked = asked_of(hass, connection)
    person_id = None if "person_id" not in message else whose(asked, message["person_id"]).person_id
    invited = await asked.hub.invitations.async_invite(person_id)
    return {
        "invitation_id": invited.invitation_id,
        "url": invited.url,
        "until": invited.expires_at.isoformat(),
        "qr": await hass.async_add_executor_job(qr_data_uri, invited.url),
    }


@websocket_command(
    {vol.Required("type"): "familiar_faces/person/uninvite", vol.Required("invitation_id"): ID}
)
@require_admin
@answering
async def _uninvite(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> Said:
    """Close an invitation; its link then opens nothing."""
    closed = await asked_of(hass, connection).hub.invitations.async_close({message["invitation_id"]})
    return {"closed": closed}


@websocket_command({vol.Required("type"): "familiar_faces/person/link", vol.Required("person_id"): ID})
@require_admin
@answering
async def _link(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> Said:
    """Make somebody a new personal link, which replaces the one before."""
    asked = asked_of(hass, connection)
    url = await asked.hub.invitations.async_own_link(whose(asked, message["person_id"]).person_id)
    return {"url": url, "qr": await hass.async_add_executor_job(qr_data_uri, url)}


@websocket_command(
    {
        vol.Required("type"): "familiar_faces/person/export",
        vol.Required("person_id"): ID,
        vol.Optional("language"): vol.In(LANGUAGES),
    }
)
@answering
async def _export(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> Said:
    """Offer what is kept of somebody as a file, for five minutes: to administrators, and to the person."""
    asked = asked_of(hass, connection)
    person = whose(asked, message["person_id"])
    if not (asked.administrator or asked.lookup.acts_as(person.person_id)):
        raise Unauthorized
    language = message.get("language", shown_language(hass))
    offered = await asked.hub.exports.async_offer(person.person_id, language)
    return {"url": offered.url, "until": offered.expires_at.isoformat(), "size": offered.size}


@websocket_command({vol.Required("type"): "familiar_faces/person/mentions", vol.Required("person_id"): ID})
@require_admin
@answering
async def _mentions(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> Said:
    """Say where else somebody's name stands, which is erased only where the owner says so."""
    asked = asked_of(hass, connection)
    found = await asked.hub.forgetting.async_mentions(whose(asked, message["person_id"]).person_id)
    return {"mentions": [answer_mention(each) for each in found]}


@websocket_command(
    {
        vol.Required("type"): "familiar_faces/person/forget",
        vol.Required("person_id"): ID,
        vol.Optional("also", default=[]): vol.All(
            [vol.All(str, vol.Length(min=1, max=512))], vol.Length(max=MOST_PLACES)
        ),
    }
)
@require_admin
@answering
async def _forget(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> Said:
    """Erase somebody from everywhere, and return the receipt."""
    asked = asked_of(hass, connection)
    person = whose(asked, message["person_id"])
    also = [place_to_clear(each) for each in message["also"]]
    try:
        receipt = await asked.hub.forgetting.async_forget(person.person_id, also=also)
    except VaultError as err:
        raise vault_failed(err, Failed.FORGETTING) from err
    return answer_receipt(person.person_id, receipt)


COMMANDS: Final = (
    _people,
    _person,
    _photo,
    _invite,
    _uninvite,
    _link,
    _export,
    _mentions,
    _forget,
)
