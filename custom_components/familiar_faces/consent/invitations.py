"""Invitations and personal links as they are handed out: an address of this home, and its QR code.

A token is in nothing that Home Assistant keeps: in no state, attribute, registry or log. The vault holds its
hash, and what is shown is held in memory until the invitation is over.
"""

from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.network import NoURLAvailableError, get_url
from homeassistant.util import dt as dt_util
import segno

from ..const import DOMAIN, INVITATION_PATH, OWN_PATH
from ..vault.errors import UnknownPerson, VaultError

if TYPE_CHECKING:
    from ..hub import Hub

_BORDER = 4
"""Light modules around a QR code, as the standard asks for (ISO/IEC 18004)."""
_MODULE_PX = 8


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation that was made, with the address that opens it."""

    invitation_id: str
    person_id: str | None
    """Whom it is for when they are here already; None for somebody new."""
    created_at: datetime
    expires_at: datetime
    url: str = field(repr=False)


async def async_invite(hub: Hub, person_id: str | None = None) -> Invited:
    """Make an invitation, which closes an earlier one of the same person; raises what the owner is to read."""
    base, now = _base_url(hub.hass), dt_util.utcnow()
    expires_at = now + hub.retention.invitation
    try:
        invitation, token = await hub.hass.async_add_executor_job(
            lambda: hub.vault.links.invite(person_id=person_id, expires_at=expires_at, now=now)
        )
    except VaultError as err:
        raise _failed(err) from err
    invited = Invited(
        invitation.invitation_id, person_id, now, expires_at, base + INVITATION_PATH.format(token=token)
    )
    if person_id is not None:
        hub.invited[person_id] = invited
    hub.async_changed()
    return invited


async def async_own_link(hub: Hub, person_id: str) -> str:
    """Make somebody a new personal link, which replaces the one before; raises what the owner is to read."""
    base = _base_url(hub.hass)
    try:
        token = await hub.hass.async_add_executor_job(hub.vault.links.new_link, person_id, dt_util.utcnow())
    except VaultError as err:
        raise _failed(err) from err
    return base + OWN_PATH.format(token=token)


async def async_close_invitations(hub: Hub) -> int:
    """Close every invitation that is open, and return how many there were; raises what the owner is to read."""
    now, closed = dt_util.utcnow(), 0
    try:
        for each in await hub.hass.async_add_executor_job(hub.vault.links.invitations, now):
            closed += await hub.hass.async_add_executor_job(hub.vault.links.close, each.invitation_id, now)
    except VaultError as err:
        raise _failed(err) from err
    finally:
        await async_check_invited(hub)
    return closed


async def async_check_invited(hub: Hub) -> None:
    """Drop from memory the invitations that are used, closed or over."""
    try:
        found = await hub.hass.async_add_executor_job(hub.vault.links.invitations, dt_util.utcnow())
    except VaultError:
        # Nobody can follow one either.
        found = []
    still = {each.invitation_id for each in found}
    over = [each for each in hub.invited.values() if each.invitation_id not in still]
    for each in over:
        if each.person_id is not None and hub.invited.get(each.person_id) is each:
            del hub.invited[each.person_id]
    if over:
        hub.async_changed()


@callback
def async_invited(hub: Hub, person_id: str) -> Invited | None:
    """Return the invitation of somebody who is here, as far as it was made since the start and is not over."""
    invited = hub.invited.get(person_id)
    return invited if invited is not None and invited.expires_at > dt_util.utcnow() else None


def qr_data_uri(url: str) -> str:
    """Return the QR code of an address as an SVG data URI, dark on white also where the page is dark."""
    code = segno.make_qr(url, error="m")
    return str(code.svg_data_uri(scale=4, dark="#000", light="#fff", border=_BORDER))


def qr_png(url: str) -> bytes:
    """Return the QR code of an address as a PNG."""
    data = BytesIO()
    segno.make_qr(url, error="m").save(data, kind="png", scale=_MODULE_PX, border=_BORDER)
    return data.getvalue()


def _base_url(hass: HomeAssistant) -> str:
    """Return the address of this Home Assistant that reaches furthest: a visitor's phone is in no home network."""
    try:
        return get_url(hass, prefer_external=True)
    except NoURLAvailableError as err:
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key="no_url") from err


def _failed(err: VaultError) -> HomeAssistantError:
    if isinstance(err, UnknownPerson):
        return ServiceValidationError(translation_domain=DOMAIN, translation_key="person_gone")
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key="invitation_failed",
        translation_placeholders={"reason": str(err)},
    )
