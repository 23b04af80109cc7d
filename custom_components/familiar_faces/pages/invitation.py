"""An invitation: the question, the choices, and the consent."""

import logging
from typing import override
from uuid import uuid4

from aiohttp import web
from homeassistant.util import dt as dt_util

from ..consent.guests import async_notify_done
from ..const import INVITATION_PATH, OWN_PATH
from ..vault.errors import InvitationClosed, VaultError
from ..vault.records import EnrolmentState
from .guard import Form
from .visitor import InvitationView, Invited
from .visitor_form import ConsentForm, Filled

_LOGGER = logging.getLogger(__name__)


class Invitation(InvitationView):
    """The page that an invitation opens, once."""

    url = INVITATION_PATH
    name = "familiar_faces:invitation"

    @override
    async def show(self, request: web.Request, opened: Invited, **ids: str) -> web.StreamResponse:
        form = self._form(request, opened)
        return self._page(request, opened, form, await form.async_empty())

    @override
    async def take(
        self, request: web.Request, opened: Invited, form: Form, **ids: str
    ) -> web.StreamResponse | None:
        asked = self._form(request, opened)
        filled = await asked.async_fill(form)
        if filled.consent is None:
            return self._page(request, opened, asked, filled)
        hub, consent, now = opened.hub, filled.consent, dt_util.utcnow()
        person_id, enrolled = uuid4().hex, False
        if opened.person is not None:
            person_id = opened.person.person_id
            state = await self.hass.async_add_executor_job(hub.vault.state, person_id)
            enrolled = state is EnrolmentState.ENROLLED
        try:
            token = await self.hass.async_add_executor_job(
                lambda: hub.vault.links.accept(
                    opened.token, person_id=person_id, name=filled.answers.name, consent=consent, now=now
                )
            )
        except InvitationClosed:
            # Somebody else was quicker, or its time was over while the form was filled in.
            return None
        own = OWN_PATH.format(token=token)
        try:
            await hub.invitations.async_check()
            await hub.async_refresh_people()
        except VaultError as err:
            # The link is told here and never again: the yes stands, whatever else fails.
            _LOGGER.warning("A new consent counts once the people can be read again: %s", err)
        if enrolled and opened.person is not None:
            await async_notify_done(hub, opened.person, renewed=True)
        return self.see_other(request, own if enrolled else f"{own}/photos")

    def _form(self, request: web.Request, opened: Invited) -> ConsentForm:
        return ConsentForm(opened.hub, self.language(request), opened.person)

    def _page(self, request: web.Request, opened: Invited, form: ConsentForm, filled: Filled) -> web.Response:
        return self.page(
            request,
            "visitor/invitation.html",
            expires_at=opened.invitation.expires_at,
            action=INVITATION_PATH.format(token=opened.token),
            **form.values(filled),
        )


VIEWS = (Invitation,)
