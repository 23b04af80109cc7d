"""The reference photos of people, for the panel: shown by signed paths, and added by who may."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
import logging
from typing import Any

from aiohttp import web
from homeassistant.components.http.const import KEY_HASS_USER
from homeassistant.helpers.http import KEY_HASS, HomeAssistantView

from ..const import DOMAIN
from ..enrolment.reference_photos import Judged, async_see_photo, async_take_photo
from ..host.engine_errors import EngineError, EngineIncompatible, ImageRejected
from ..hub import Hub
from ..people.person import Person
from ..running import async_running_hub
from ..seen.lookup import Asker, Lookup
from ..vault.errors import ConsentMissing, UnknownPerson, VaultError
from .strict_answers import HEADERS, LONGEST_ID, nothing, picture

_LOGGER = logging.getLogger(__name__)

MAX_PHOTO_BYTES = 48 * 1024 * 1024
"""Photos of 200 megapixels have 25 to 45 MB."""
IDLE_SECONDS = 20.0
"""How long nothing may come."""
UPLOAD_SECONDS = 120.0
AT_ONCE = 2
"""Photos that are taken in at once; each is in memory as a whole."""
MOST_OWN = 20
"""How many reference photos people may have by their own doing; more make nobody better known."""
_PIECE = 64 * 1024


class ReferencePhotoView(HomeAssistantView):
    """A reference photo, for administrators and for the person whose it is."""

    url = f"/api/{DOMAIN}/photo/{{person_id}}/{{template_id}}"
    name = f"api:{DOMAIN}:photo"

    async def get(self, request: web.Request, person_id: str, template_id: str) -> web.Response:
        """Answer with the photo, and note who saw it. What is not there and what is not for them look the same."""
        hass, user = request.app[KEY_HASS], request[KEY_HASS_USER]
        hub = async_running_hub(hass)
        if hub is None or not _has(hub, request, person_id, template_id):
            return nothing()
        try:
            photo = await hass.async_add_executor_job(hub.vault.reference_photo, template_id)
        except VaultError:
            return nothing()
        # Once more: they may have been forgotten while it was read.
        if not _has(hub, request, person_id, template_id):
            return nothing()
        await hub.viewings.async_note(person_id, user.id)
        return picture(photo)


class AddPhotoView(HomeAssistantView):
    """Where a reference photo is added, by administrators and by the person whose it is."""

    url = f"/api/{DOMAIN}/photo/{{person_id}}"
    name = f"api:{DOMAIN}:add_photo"

    def __init__(self) -> None:
        """Take none in yet."""
        self._at_once = 0

    async def post(self, request: web.Request, person_id: str) -> web.Response:
        """Judge the photo that is the body of the request, keep it when it will do, and answer what became of it."""
        hass, user = request.app[KEY_HASS], request[KEY_HASS_USER]
        hub = async_running_hub(hass)
        if hub is None:
            return self._say(HTTPStatus.SERVICE_UNAVAILABLE, "not_loaded")
        if (person := _person(hub, request, person_id)) is None or not _may_add(hub, request, person_id):
            # Not 401, which is counted as a failed login.
            return self._say(HTTPStatus.FORBIDDEN, "refused")
        if not user.is_admin and len(person.templates) >= MOST_OWN:
            return self._say(HTTPStatus.OK, "enough")
        if request.content_length is None or request.content_length > MAX_PHOTO_BYTES:
            return self._say(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large")
        if self._at_once >= AT_ONCE:
            return self._say(HTTPStatus.SERVICE_UNAVAILABLE, "busy")
        with self._counted():
            try:
                photo = await _read(request)
            except TimeoutError:
                return self._say(HTTPStatus.REQUEST_TIMEOUT, "cut_off")
            if photo is None:
                return self._say(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large")
            insist = user.is_admin and request.query.get("insist") == "1"
            reason, judged = await self._async_judge(hub, person_id, photo, insist=insist)
        return self._answer(hub, reason, judged, tells=user.is_admin)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._at_once += 1
        try:
            yield
        finally:
            self._at_once -= 1

    @staticmethod
    async def _async_judge(
        hub: Hub, person_id: str, photo: bytes, *, insist: bool
    ) -> tuple[str, Judged | None]:
        """Return what became of a photo: a key of the texts `photo_verdict`, and what was found about it."""
        try:
            seen = await async_see_photo(hub, photo)
            judged = await hub.async_whole(_async_take(hub, person_id, photo, seen, insist=insist))
        except ImageRejected as err:
            return err.reason if err.reason in ("too_large", "cut_off") else "not_an_image", None
        except EngineIncompatible as err:
            _LOGGER.error("A photo could not be judged: %s", err)
            return "engine_strange", None
        except EngineError as err:
            _LOGGER.debug("A photo could not be judged yet: %s", err)
            return "engine_unavailable", None
        except ConsentMissing, UnknownPerson:
            return "consent_missing", None
        except VaultError as err:
            _LOGGER.error("A photo could not be kept: %s", err)
            return "vault_failed", None
        taken = judged.template_id is not None
        return "insisted" if taken and not judged.verdict.accepted else str(judged.verdict.reason), judged

    def _answer(self, hub: Hub, reason: str, judged: Judged | None, *, tells: bool) -> web.Response:
        if judged is None:
            return self._say(HTTPStatus.OK, reason)
        verdict, other = judged.verdict, ""
        if (
            tells
            and verdict.other_name
            and any(
                each.name == verdict.other_name and each.choices.announced for each in hub.people.values()
            )
        ):
            other = verdict.other_name
        return self._say(
            HTTPStatus.OK,
            reason,
            taken=judged.template_id is not None,
            # To people themselves it is not said that somebody looks like them, as that names others.
            warnings=[str(each) for each in verdict.warnings if tells or each != "looks_like_other"],
            may_insist=tells and judged.template_id is None and verdict.may_insist,
            other=other,
        )

    def _say(self, status: HTTPStatus, reason: str, **more: Any) -> web.Response:
        said = {"reason": reason, "taken": False, "warnings": [], "may_insist": False, "other": ""}
        return self.json(said | more, status, headers=HEADERS)


async def _async_take(hub: Hub, person_id: str, photo: bytes, seen: Any, *, insist: bool) -> Judged:
    judged = await async_take_photo(hub, person_id, photo, seen, insist=insist)
    if judged.template_id is not None:
        await hub.async_refresh_people()
    return judged


async def _read(request: web.Request) -> bytes | None:
    """Return the body; None when it is larger than it may be. Raise TimeoutError when nothing comes."""
    photo = bytearray()
    async with asyncio.timeout(UPLOAD_SECONDS):
        while True:
            async with asyncio.timeout(IDLE_SECONDS):
                piece = await request.content.read(_PIECE)
            if not piece:
                return bytes(photo)
            photo += piece
            if len(photo) > MAX_PHOTO_BYTES:
                return None


def _lookup(hub: Hub, request: web.Request) -> Lookup:
    return Lookup(hub, hub.board, Asker(hub.hass, request[KEY_HASS_USER]))


def _person(hub: Hub, request: web.Request, person_id: str) -> Person | None:
    """Return the person, as far as the user may see their photos."""
    if len(person_id) > LONGEST_ID or (person := hub.people.get(person_id)) is None:
        return None
    own = _lookup(hub, request).own()
    mine = own is not None and own.person_id == person_id
    return person if request[KEY_HASS_USER].is_admin or mine else None


def _has(hub: Hub, request: web.Request, person_id: str, template_id: str) -> bool:
    person = _person(hub, request, person_id)
    return person is not None and template_id in {each.template_id for each in person.templates}


def _may_add(hub: Hub, request: web.Request, person_id: str) -> bool:
    if request[KEY_HASS_USER].is_admin:
        return True
    return _lookup(hub, request).acts_as(person_id)
