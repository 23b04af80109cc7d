"""Behind somebody's own link: their photos, added, shown and removed, and the end of an enrolment."""

from http import HTTPStatus
from typing import Any, override

from aiohttp import web

from ..const import OWN_PATH
from ..engine.photo_formats import ACCEPT
from ..people.templates import ENOUGH_PHOTOS, count_distinct, leaves_one
from ..vault.errors import UnknownPerson, UnknownTemplate
from ..vault.records import EnrolmentState
from . import response
from .guard import Form, FormRefused, TooOften, UploadBusy
from .visitor import Own, OwnView
from .visitor_photos import Verdict, async_finish, async_judge
from .visitor_upload import MAX_PHOTO_BYTES, MAX_PHOTOS_SENT, photos_sent


class Photos(OwnView):
    """The page that photos are added on, each judged at once."""

    url = f"{OWN_PATH}/photos"
    name = "familiar_faces:own_photos"

    @override
    async def show(self, request: web.Request, opened: Own, **ids: str) -> web.StreamResponse:
        return await self._async_page(request, opened, [])

    @override
    async def async_take(self, request: web.Request, opened: Own, **ids: str) -> web.StreamResponse | None:
        verdicts: list[Verdict] = []
        status = HTTPStatus.OK
        photos = photos_sent(request)
        try:
            with self.guard.upload(opened.person_id):
                async for sent in photos:
                    if sent.problem is not None:
                        verdicts.append(Verdict(sent.problem))
                    elif Verdict("engine_unavailable") in verdicts:
                        # It was waited for once, while the others who send photos wait as well.
                        verdicts.append(Verdict("engine_unavailable"))
                    else:
                        self.guard.count_change(opened.person_id)
                        verdicts.append(await opened.hub.async_whole(_async_look(opened, sent.photo)))
        except UploadBusy:
            verdicts, status = [Verdict("busy")], HTTPStatus.SERVICE_UNAVAILABLE
        except FormRefused:
            # The photos before stay as they were judged.
            verdicts.append(Verdict("refused"))
            status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        except UnknownPerson:
            # They withdrew in another window.
            return None
        except TooOften:
            verdicts.append(Verdict("too_often"))
            status = HTTPStatus.TOO_MANY_REQUESTS
        finally:
            await photos.aclose()
        return await self._async_page(request, opened, verdicts or [Verdict("nothing_sent")], status)

    async def _async_page(
        self, request: web.Request, opened: Own, verdicts: list[Verdict], status: HTTPStatus = HTTPStatus.OK
    ) -> web.StreamResponse:
        vault = opened.hub.vault
        person = await self.hass.async_add_executor_job(vault.person, opened.person_id)
        state = await self.hass.async_add_executor_job(vault.state, opened.person_id)
        values: dict[str, Any] = {
            "person": person,
            "own": opened.path,
            "verdicts": verdicts,
            "count": count_distinct(person),
            "enough": ENOUGH_PHOTOS,
            "enrolling": state is EnrolmentState.ENROLLING,
            "accept": ACCEPT,
            "most": MAX_PHOTOS_SENT,
            "megabytes": MAX_PHOTO_BYTES // 1024**2,
            "switch": not verdicts,
        }
        return self.page(request, "visitor/photos.html", status=status, **values)


async def _async_look(opened: Own, photo: bytes) -> Verdict:
    """Judge a photo, and have it count at once when it was taken."""
    verdict = await async_judge(opened.hub, opened.person_id, photo)
    if verdict.taken:
        await opened.hub.async_refresh_people()
    return verdict


class Done(OwnView):
    """Where somebody says that their photos are enough."""

    url = f"{OWN_PATH}/done"
    name = "familiar_faces:own_done"

    @override
    async def take(self, request: web.Request, opened: Own, form: Form, **ids: str) -> web.StreamResponse:
        self.guard.count_change(opened.person_id)
        async with self.guard.enrolling:
            finished = await async_finish(opened.hub, opened.person_id)
        return self.see_other(request, opened.path if finished else f"{opened.path}/photos")


class Photo(OwnView):
    """One of somebody's own photos."""

    url = f"{OWN_PATH}/photos/{{photo_id}}"
    name = "familiar_faces:own_photo"

    @override
    async def show(self, request: web.Request, opened: Own, **ids: str) -> web.StreamResponse | None:
        photo_id = ids["photo_id"]
        if photo_id not in {each.template_id for each in opened.person.templates}:
            return None
        try:
            photo = await self.hass.async_add_executor_job(opened.hub.vault.reference_photo, photo_id)
        except UnknownTemplate:
            return None
        return response.content(photo, "image/jpeg")


class RemovePhoto(OwnView):
    """Where one of somebody's own photos is removed."""

    url = f"{OWN_PATH}/photos/{{photo_id}}/remove"
    name = "familiar_faces:own_photo_remove"

    @override
    async def take(
        self, request: web.Request, opened: Own, form: Form, **ids: str
    ) -> web.StreamResponse | None:
        templates, photo_id = opened.person.templates, ids["photo_id"]
        if photo_id not in {each.template_id for each in templates}:
            return None
        hub, person_id = opened.hub, opened.person_id
        state = await self.hass.async_add_executor_job(hub.vault.state, person_id)
        # The last one goes with all the rest only, by withdrawing; before the end any may go.
        if state is EnrolmentState.ENROLLING or leaves_one(templates, [photo_id]):
            self.guard.count_change(person_id)
            try:
                await self.hass.async_add_executor_job(hub.vault.remove_reference, person_id, photo_id)
            except UnknownTemplate, UnknownPerson:
                return None
            await hub.async_refresh_people()
        return self.see_other(request, f"{opened.path}/photos")


VIEWS = (Photos, Done, Photo, RemovePhoto)
