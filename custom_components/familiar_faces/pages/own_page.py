"""A person's own page: their stored data, to view, download, change and erase at any time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any, override

from aiohttp import web
from homeassistant.util import dt as dt_util

from ..consent.record import async_put_on_record
from ..consent.withdrawal import async_withdraw
from ..const import OWN_PATH
from ..household.keeping import pictures_kept_for, visits_kept_for
from ..household.subentries import camera_names
from ..openness import export
from ..people.person import ConsentState
from ..people.templates import leaves_one
from ..vault.errors import ErasedLater, UnknownPerson, UnknownVisit, VaultDamaged, VaultError
from ..vault.records import EnrolmentState, VisitRecord
from . import response
from .guard import Form
from .visitor import Own, OwnView
from .visitor_form import ConsentForm, Filled

MAX_VISITS = 50
"""How many visits are shown; the file to take along has them all."""


@dataclass(frozen=True, slots=True)
class ShownVisit:
    """A visit as it is shown."""

    visit: VisitRecord
    has_picture: bool


class OwnPage(OwnView):
    """Who agreed to what, and what is kept."""

    url = OWN_PATH
    name = "familiar_faces:own"

    @override
    async def show(self, request: web.Request, opened: Own, **ids: str) -> web.StreamResponse:
        hub, person = opened.hub, opened.person
        state = await self.hass.async_add_executor_job(hub.vault.state, opened.person_id)
        visits = await self.hass.async_add_executor_job(_visits, opened)
        if self.guard.first_view(opened.person_id):
            await _async_note(opened, "own_page_viewed")
        now = dt_util.utcnow()
        values: dict[str, Any] = {
            "own": opened.path,
            "second": timedelta(seconds=1),
            "person": person,
            "enrolling": state is EnrolmentState.ENROLLING,
            "consent": person.consent,
            "state": str(ConsentState.EXPIRED if person.consent is None else person.consent.state(now)),
            "states": {each.consent_id: str(each.state(now)) for each in person.consents},
            "cameras": camera_names(hub.entry),
            "visits": visits,
            "most_visits": MAX_VISITS,
            "removable": {
                each.template_id
                for each in person.templates
                if leaves_one(person.templates, [each.template_id])
            },
            "retention": hub.retention,
            "visits_for": visits_kept_for(hub, person.consent),
            "pictures_for": pictures_kept_for(hub, person.consent),
        }
        return self.page(request, "visitor/own.html", **values)


class Choices(OwnView):
    """Where somebody chooses otherwise, or says yes for longer: a new consent."""

    url = f"{OWN_PATH}/choices"
    name = "familiar_faces:own_choices"

    @override
    async def show(self, request: web.Request, opened: Own, **ids: str) -> web.StreamResponse:
        form = ConsentForm(opened.hub, self.language(request), opened.person)
        return self._page(request, opened, form, await form.async_empty())

    @override
    async def take(
        self, request: web.Request, opened: Own, form: Form, **ids: str
    ) -> web.StreamResponse | None:
        asked = ConsentForm(opened.hub, self.language(request), opened.person)
        filled = await asked.async_fill(form)
        if filled.consent is None:
            return self._page(request, opened, asked, filled)
        self.guard.count_change(opened.person_id)
        try:
            await async_put_on_record(opened.hub, opened.person_id, filled.consent)
        except UnknownPerson:
            return None
        return self.see_other(request, opened.path)

    def _page(self, request: web.Request, opened: Own, form: ConsentForm, filled: Filled) -> web.Response:
        return self.page(
            request,
            "visitor/choices.html",
            own=opened.path,
            action=f"{opened.path}/choices",
            **form.values(filled),
        )


class VisitPicture(OwnView):
    """The picture of one of somebody's own visits."""

    url = f"{OWN_PATH}/visits/{{visit_id}}"
    name = "familiar_faces:own_visit"

    @override
    async def show(self, request: web.Request, opened: Own, **ids: str) -> web.StreamResponse | None:
        def read() -> bytes | None:
            vault, visit_id = opened.hub.vault, ids["visit_id"]
            try:
                # Of another person there is none here, also for those who know its id.
                if vault.visit(visit_id).person_id != opened.person_id:
                    return None
                return vault.visit_picture(visit_id)
            except UnknownVisit:
                return None

        picture = await self.hass.async_add_executor_job(read)
        return None if picture is None else response.content(picture, "image/jpeg")


class Download(OwnView):
    """All that is kept of somebody, as one file."""

    url = f"{OWN_PATH}/download"
    name = "familiar_faces:own_download"

    @override
    async def async_show(self, request: web.Request, opened: Own, **ids: str) -> web.StreamResponse | None:
        self.guard.count_change(opened.person_id)
        with self.guard.download(opened.person_id):
            async with self.guard.page:
                pieces = await self._async_pieces(request, opened)
            if pieces is None:
                return None
            headers = response.download_headers(f"familiar-faces-{dt_util.now():%Y-%m-%d}.zip")
            return await export.async_send(self.hass, request, pieces, headers)

    async def _async_pieces(self, request: web.Request, opened: Own) -> Iterator[bytes] | None:
        try:
            return await export.async_export(opened.hub, opened.person_id, self.language(request))
        except UnknownPerson:
            return None


class Withdraw(OwnView):
    """Where somebody says no, which nobody else can keep from happening."""

    url = f"{OWN_PATH}/withdraw"
    name = "familiar_faces:own_withdraw"

    @override
    async def show(self, request: web.Request, opened: Own, **ids: str) -> web.StreamResponse:
        # Asked for also when what is kept of them is damaged.
        return self.page(request, "visitor/withdraw.html", own=opened.path, person=opened.stored)

    @override
    async def take(self, request: web.Request, opened: Own, form: Form, **ids: str) -> web.StreamResponse:
        receipt, later, unsaved = None, False, False
        try:
            receipt = await async_withdraw(opened.hub, opened.hub.forgetting, opened.person_id)
        except ErasedLater:
            # On the disk, and tried again; they are no longer recognised from now on.
            later = True
        except VaultError:
            # Nobody recognises them as long as Home Assistant runs, and no longer is promised.
            unsaved = True
        return self.page(
            request,
            "visitor/receipt.html",
            receipt=receipt,
            later=later,
            unsaved=unsaved,
            now=dt_util.utcnow(),
            switch=False,
            status=HTTPStatus.SERVICE_UNAVAILABLE if unsaved else HTTPStatus.OK,
        )


def _visits(opened: Own) -> list[ShownVisit]:
    """Return the newest visits. Blocks."""
    vault, shown = opened.hub.vault, []
    for visit in vault.visits(person_id=opened.person_id, limit=MAX_VISITS):
        try:
            has_picture = vault.visit_picture(visit.visit_id) is not None
        except UnknownVisit, VaultDamaged:
            has_picture = False
        shown.append(ShownVisit(visit, has_picture))
    return shown


async def _async_note(opened: Own, kind: str) -> None:
    """Write what was done with a link to the audit log; a full disk keeps nobody from seeing what is theirs."""
    try:
        await opened.hub.hass.async_add_executor_job(
            opened.hub.vault.audit, kind, opened.person_id, {}, dt_util.utcnow()
        )
    except VaultError:
        return


VIEWS = (OwnPage, Choices, VisitPicture, Download, Withdraw)
