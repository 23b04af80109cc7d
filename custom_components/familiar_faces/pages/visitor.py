"""What the views behind a link share: the link is looked up, and a wrong one gets the same answer everywhere."""

from dataclasses import dataclass
from http import HTTPStatus
import logging
from typing import override

from aiohttp import web
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..const import OWN_PATH
from ..hub import Hub
from ..people.person import Person
from ..vault.errors import UnknownPerson, VaultDamaged, VaultError
from ..vault.links import Invitation
from ..wording.renderer import Renderer
from . import response
from .guard import Form, FormRefused, TooOften, async_get_guard, read_form, sent_from_here, well_formed
from .view import PageView

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Invited:
    """An open invitation."""

    hub: Hub
    token: str
    invitation: Invitation
    person: Person | None
    """Who it is for when they are here already."""


@dataclass(frozen=True, slots=True)
class Own:
    """Somebody's own link."""

    hub: Hub
    token: str
    person_id: str
    stored: Person | None
    """None when what is kept of them is damaged; they can still be forgotten."""

    @property
    def path(self) -> str:
        """Return the path of their page."""
        return OWN_PATH.format(token=self.token)

    @property
    def person(self) -> Person:
        """Return whose it is; raise VaultDamaged when that cannot be read."""
        if self.stored is None:
            raise VaultDamaged("what is kept of a person cannot be read")
        return self.stored


class VisitorView[Opened: Invited | Own](PageView):
    """A view behind a link. `show` and `take` are called only with what a right link opened."""

    def __init__(self, hass: HomeAssistant, renderer: Renderer) -> None:
        """Share one guard."""
        super().__init__(hass, renderer)
        self.guard = async_get_guard(hass)

    async def get(self, request: web.Request, token: str, **ids: str) -> web.StreamResponse:
        """Show what the link opens."""
        return await self._async_answer(request, token, ids)

    async def post(self, request: web.Request, token: str, **ids: str) -> web.StreamResponse:
        """Take a form that was sent from one of these pages."""
        if not sent_from_here(request):
            return self.page(request, "visitor/refused.html", status=HTTPStatus.FORBIDDEN, switch=False)
        return await self._async_answer(request, token, ids)

    async def async_open(self, hub: Hub, token: str) -> Opened | None:
        """Return what a link opens, None for a wrong one; raises VaultError."""
        raise NotImplementedError

    async def show(self, request: web.Request, opened: Opened, **ids: str) -> web.StreamResponse | None:
        """Answer with a page; None for what there is not."""
        return None

    async def take(
        self, request: web.Request, opened: Opened, form: Form, **ids: str
    ) -> web.StreamResponse | None:
        """Take a form; None where none is sent. It is done to its end, also when the browser hangs up."""
        return None

    async def async_show(self, request: web.Request, opened: Opened, **ids: str) -> web.StreamResponse | None:
        """Show a page. Only a few are made at a time, so that the vault's work leaves threads to the others."""
        async with self.guard.page:
            return await self.show(request, opened, **ids)

    async def async_take(self, request: web.Request, opened: Opened, **ids: str) -> web.StreamResponse | None:
        """Read a form, and process it: a visitor who withdraws and closes the page has withdrawn."""
        form = await read_form(request)
        return await opened.hub.async_whole(self.take(request, opened, form, **ids))

    async def _async_answer(
        self, request: web.Request, token: str, ids: dict[str, str]
    ) -> web.StreamResponse:
        entry = self.entry()
        hub = None if entry is None else entry.runtime_data
        opened: Opened | None = None
        answer: web.StreamResponse | None = None
        try:
            opened = None if hub is None else await self._async_open(hub, token)
            if opened is not None:
                handle = self.async_take if request.method == "POST" else self.async_show
                answer = await handle(request, opened, **ids)
        except VaultError as err:
            _LOGGER.warning("A page of a visitor could not be answered: %s", err)
            withdraw = f"{opened.path}/withdraw" if isinstance(opened, Own) else None
            return self.page(
                request,
                "visitor/failed.html",
                status=HTTPStatus.SERVICE_UNAVAILABLE,
                switch=False,
                withdraw=withdraw,
            )
        except FormRefused:
            return self.page(
                request, "visitor/refused.html", status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE, switch=False
            )
        except TooOften:
            return self.page(
                request, "visitor/too_often.html", status=HTTPStatus.TOO_MANY_REQUESTS, switch=False
            )
        if opened is None:
            await self.guard.async_wrong(request, hub)
        return self.not_found(request) if answer is None else answer

    async def _async_open(self, hub: Hub, token: str) -> Opened | None:
        # What cannot be a token is looked up like any other, so that its answer takes as long.
        async with self.guard.lookup:
            opened = await self.async_open(hub, token)
        return opened if well_formed(token) else None

    def see_other(self, request: web.Request, path: str) -> web.Response:
        """Send the browser on, in the language of this page."""
        return response.see_other(f"{path}?lang={self.language(request)}")


class InvitationView(VisitorView[Invited]):
    """A view behind an invitation."""

    @override
    async def async_open(self, hub: Hub, token: str) -> Invited | None:
        def find() -> Invited | None:
            invitation = hub.vault.links.invitation(token, dt_util.utcnow())
            if invitation is None or (person_id := invitation.person_id) in forgetting:
                return None
            try:
                person = None if person_id is None else hub.vault.person(person_id)
            except UnknownPerson:
                # Forgotten in this very moment, and the invitation with them.
                return None
            return Invited(hub, token, invitation, person)

        forgetting = hub.roster.forgetting
        return await self.hass.async_add_executor_job(find)


class OwnView(VisitorView[Own]):
    """A view behind somebody's own link."""

    @override
    async def async_open(self, hub: Hub, token: str) -> Own | None:
        def find() -> Own | None:
            person_id = hub.vault.links.person_of(token)
            # Anyone who withdrew is gone, also while the disk refuses to erase them.
            if person_id is None or person_id in forgetting:
                return None
            try:
                return Own(hub, token, person_id, hub.vault.person(person_id))
            except UnknownPerson:
                # Forgotten in this very moment.
                return None
            except VaultDamaged:
                return Own(hub, token, person_id, None)

        forgetting = hub.roster.forgetting
        return await self.hass.async_add_executor_job(find)
