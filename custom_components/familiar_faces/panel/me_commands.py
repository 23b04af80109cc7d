"""What users may choose for themselves: who is one of the people in the tab Me, and all of them for their phones."""

from datetime import timedelta
from typing import Any, Final

from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import websocket_command
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..alerts.mutes import LONGEST
from ..consent.own_choices import async_choose, async_offered
from ..consent.withdrawal import async_withdraw
from ..const import DOMAIN
from ..erasing.receipt_facts import answer_receipt
from ..household.subentries import camera_names
from ..people.choices import Choices, Keeping
from ..people.person import Person
from ..vault.errors import VaultError
from ..wording.vault_errors import Failed, vault_failed
from ..wording.words import LANGUAGES, shown_language
from .permitted import ID, IDS, Asked, answering, asked_of
from .rows import Said, may_mute_own


def _own(asked: Asked, *, acting: bool) -> Person:
    """Return who the user is, who may do more than look when they are `acting`; raise Unauthorized for others."""
    own = asked.lookup.own()
    if own is None or (acting and not asked.lookup.acts_as(own.person_id)):
        raise Unauthorized
    return own


@websocket_command(
    {vol.Required("type"): "familiar_faces/me/offer", vol.Optional("language"): vol.In(LANGUAGES)}
)
@answering
async def _offer(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> Said:
    """Return what the user would agree to, with what they chose before."""
    asked = asked_of(hass, connection)
    own, hub = _own(asked, acting=False), asked.hub
    offered = await async_offered(hub, own, message.get("language", shown_language(hass)))
    choices = own.choices
    return {
        "text": offered.text,
        "read": offered.read,
        "last_day": offered.last_day.isoformat(),
        "child": own.consent is not None and own.consent.on_behalf_of_child,
        "cameras": [
            {"camera_id": key, "name": name, "chosen": choices.cameras is None or key in choices.cameras}
            for key, name in camera_names(hub.entry).items()
        ],
        "everywhere": choices.cameras is None,
        "keeping": str(choices.keeping),
        "pictures": choices.pictures,
        "uploads": choices.uploads,
    }


@websocket_command(
    {
        vol.Required("type"): "familiar_faces/me/choose",
        vol.Required("everywhere"): bool,
        vol.Required("cameras"): IDS,
        vol.Required("keeping"): vol.Coerce(Keeping),
        vol.Required("pictures"): bool,
        vol.Required("uploads"): bool,
        vol.Required("agreed"): vol.All(bool, vol.IsTrue()),
        vol.Required("read"): ID,
        vol.Optional("language"): vol.In(LANGUAGES),
    }
)
@answering
async def _choose(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> Said:
    """Put the user's own new consent on record."""
    asked = asked_of(hass, connection)
    own, keeping = _own(asked, acting=True), message["keeping"]
    told = keeping is not Keeping.SILENT
    choices = Choices(
        None if message["everywhere"] else frozenset(message["cameras"]),
        keeping,
        # Of somebody who is never announced there is no picture, nor any other answer.
        message["pictures"] and told,
        message["uploads"] and told,
    )
    language = message.get("language", shown_language(hass))
    until = await async_choose(asked.hub, own, choices, language=language, read=message["read"])
    return {"until": until.isoformat()}


@websocket_command(
    {
        vol.Required("type"): "familiar_faces/me/withdraw",
        vol.Required("sure"): vol.All(cv.boolean, vol.IsTrue()),
    }
)
@answering
async def _withdraw(hass: HomeAssistant, connection: ActiveConnection, _message: dict[str, Any]) -> Said:
    """Take the user's own consent back, which erases everything that is kept of them; return the receipt."""
    asked = asked_of(hass, connection)
    own, hub = _own(asked, acting=True), asked.hub
    try:
        receipt = await hub.async_whole(async_withdraw(hub, hub.forgetting, own.person_id))
    except VaultError as err:
        raise vault_failed(err, Failed.FORGETTING) from err
    return answer_receipt(own.person_id, receipt)


@websocket_command(
    {
        vol.Required("type"): "familiar_faces/me/mute",
        vol.Required("seconds"): vol.All(int, vol.Range(min=0, max=int(LONGEST.total_seconds()))),
        # The person or the camera that is muted; without either, everything is.
        vol.Exclusive("person_id", "what"): ID,
        vol.Exclusive("camera_id", "what"): ID,
    }
)
@answering
async def _mute(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> Said:
    """Mute the user's own phones for so long, and nobody else's; none at all ends it."""
    asked = asked_of(hass, connection)
    if not may_mute_own(asked):
        raise Unauthorized
    length, what = timedelta(seconds=message["seconds"]), _muted(asked, message)
    phones = await asked.hub.alerts.own_phones.async_mute(connection.user.id, length, what)
    if not phones:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_own_phone")
    return {"phones": phones}


def _muted(asked: Asked, message: Said) -> str | None:
    """Return the person or camera that is to be muted; raise ServiceValidationError for one not to be told of."""
    for kind, known in (("person", asked.lookup.people()), ("camera", asked.lookup.places())):
        if (what := message.get(f"{kind}_id")) is None:
            continue
        if what not in known:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key=f"unknown_{kind}",
                translation_placeholders={kind: what},
            )
        return str(what)
    return None


COMMANDS: Final = (_offer, _choose, _withdraw, _mute)
