"""Invitations and personal links as they are handed out: an address of this home, and its QR code.

A token is in nothing that Home Assistant keeps: in no state, attribute, registry or log. The vault holds its
hash, and what is shown is held in memory until the invitation is over.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from urllib.parse import quote

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.network import NoURLAvailableError, get_url
from homeassistant.util import dt as dt_util
import segno

from ..const import DOMAIN, INVITATION_PATH, OWN_PATH
from ..household.household import Household
from ..household.signals import SIGNAL_FORGOTTEN, Of
from ..vault.errors import UnknownPerson, VaultError
from ..vault.links import Invitation
from ..wording.vault_errors import Failed, vault_failed

_BORDER = 4
"""Light modules around a QR code, as the standard asks for (ISO/IEC 18004)."""
_MODULE_PX = 8


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation that was made, with the address that opens it."""

    invitation_id: str
    person_id: str | None
    """The person it is for when they are here already; None for somebody new."""
    created_at: datetime
    expires_at: datetime
    url: str = field(repr=False)


class Invitations:
    """The invitations that can be shown. In memory only: they hold what opens them. Lives on the event loop."""

    def __init__(self, household: Household) -> None:
        """Have made none yet."""
        self._household = household
        self._invited: dict[str, Invited] = {}
        """By the person they are for."""

    @property
    def shown(self) -> Mapping[str, Invited]:
        """Return those that can be shown, by the person they are for."""
        return self._invited

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Drop those of people who are forgotten; return how to end that."""
        return self._household.async_connect(SIGNAL_FORGOTTEN, self.async_drop)

    @callback
    def async_drop(self, person_id: str) -> None:
        """Stop showing a person's invitation: it is over, or they are forgotten."""
        self._invited.pop(person_id, None)

    async def async_invite(self, person_id: str | None = None) -> Invited:
        """Make an invitation, which closes an earlier one of the same person; raises what the owner is to read."""
        household, now = self._household, dt_util.utcnow()
        base = _base_url(household.hass)
        expires_at = now + household.retention.invitation
        try:
            invitation, token = await household.hass.async_add_executor_job(
                lambda: household.vault.links.invite(person_id=person_id, expires_at=expires_at, now=now)
            )
        except VaultError as err:
            raise _failed(err) from err
        invited = Invited(
            invitation.invitation_id, person_id, now, expires_at, base + INVITATION_PATH.format(token=token)
        )
        if person_id is not None:
            self._invited[person_id] = invited
        household.async_changed(Of.PEOPLE, *([] if person_id is None else [person_id]))
        return invited

    async def async_own_link(self, person_id: str) -> str:
        """Make somebody a new personal link, which replaces the one before; raises what the owner is to read."""
        hass = self._household.hass
        base = _base_url(hass)
        try:
            token = await hass.async_add_executor_job(
                self._household.vault.links.new_link, person_id, dt_util.utcnow()
            )
        except VaultError as err:
            raise _failed(err) from err
        return base + OWN_PATH.format(token=token)

    async def async_close(self, only: Collection[str] | None = None) -> int:
        """Close every invitation that is open, and return how many there were; raises what the owner is to read.

        `only`: the ids of those to close.
        """
        hass, links, now, closed = self._household.hass, self._household.vault.links, dt_util.utcnow(), 0
        try:
            for each in await hass.async_add_executor_job(links.invitations, now):
                if only is not None and each.invitation_id not in only:
                    continue
                closed += await hass.async_add_executor_job(links.close, each.invitation_id, now)
        except VaultError as err:
            raise _failed(err) from err
        finally:
            await self.async_check()
        return closed

    async def async_open(self) -> list[Invitation]:
        """Return the invitations that are open, oldest first; raise VaultError. None of them says its link."""
        household = self._household
        return await household.hass.async_add_executor_job(
            household.vault.links.invitations, dt_util.utcnow()
        )

    async def async_remind(self, invitation_ids: Collection[str]) -> list[Invited]:
        """Make new invitations in the place of open ones, whose links stop working; raises what the owner is to read.

        What a link says is kept nowhere, so a reminder is a new one.
        """
        made = []
        try:
            found = await self.async_open()
        except VaultError as err:
            raise _failed(err) from err
        for each in found:
            if each.invitation_id in invitation_ids:
                made.append(await self.async_invite(each.person_id))
                await self.async_close({each.invitation_id})
        return made

    async def async_check(self) -> None:
        """Drop from memory the invitations that are used, closed or over."""
        household = self._household
        try:
            found = await household.hass.async_add_executor_job(
                household.vault.links.invitations, dt_util.utcnow()
            )
        except VaultError:
            # Nobody can follow one either.
            found = []
        still = {each.invitation_id for each in found}
        over = [each for each in self._invited.values() if each.invitation_id not in still]
        for each in over:
            if each.person_id is not None and self._invited.get(each.person_id) is each:
                del self._invited[each.person_id]
        household.async_changed(Of.PEOPLE, *{each.person_id for each in over if each.person_id is not None})

    @callback
    def async_of(self, person_id: str) -> Invited | None:
        """Return the invitation of somebody who is here, as far as it was made since the start and is not over."""
        invited = self._invited.get(person_id)
        return invited if invited is not None and invited.expires_at > dt_util.utcnow() else None


def qr_data_uri(url: str) -> str:
    """Return the QR code of an address as an SVG data URI, dark on white also where the page is dark."""
    code = segno.make_qr(url, error="m")
    return str(code.svg_data_uri(scale=4, dark="#000", light="#fff", border=_BORDER))


def qr_markdown(url: str) -> str:
    """Return the QR code of an address as a picture in Markdown, dark on white also where the page is dark."""
    code = segno.make_qr(url, error="m")
    return f"![QR]({code.png_data_uri(scale=_MODULE_PX, dark='#000', light='#fff', border=_BORDER)})"


def qr_png(url: str) -> bytes:
    """Return the QR code of an address as a PNG."""
    data = BytesIO()
    segno.make_qr(url, error="m").save(data, kind="png", scale=_MODULE_PX, border=_BORDER)
    return data.getvalue()


def mail(url: str) -> str:
    """Return a link that begins a mail with a link in it."""
    return f"mailto:?body={quote(url, safe='')}"


def _base_url(hass: HomeAssistant) -> str:
    """Return the address of this Home Assistant that reaches furthest: a visitor's phone is in no home network."""
    try:
        return get_url(hass, prefer_external=True)
    except NoURLAvailableError as err:
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key="no_url") from err


def _failed(err: VaultError) -> HomeAssistantError:
    if isinstance(err, UnknownPerson):
        return ServiceValidationError(translation_domain=DOMAIN, translation_key="person_gone")
    return vault_failed(err, Failed.INVITING)
