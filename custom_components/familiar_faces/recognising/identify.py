"""Who is in a picture: the work of the action `identify`."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from homeassistant.components import media_source
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType, JsonValueType

from ..capture.camera_settings import CameraSettings, camera_settings
from ..capture.cameras import Cameras
from ..capture.picture_source import Ask, Source, Wish
from ..const import CONF_CAMERA, DOMAIN, ENGINE_PATIENCE, PHOTO_SECONDS, SUBENTRY_CAMERA, Mode
from ..engine.protocol import MAX_BYTES, Face, Faces
from ..host.engine_errors import EngineBusy, EngineError, EngineUnavailable, ImageRejected
from ..household.household import Household
from ..household.keeping import may_be_told
from ..household.leave import Leave
from ..people.choices import NO_CAMERA, UPLOADED
from ..people.gallery import Gallery
from ..people.person import Person
from ..people.verification import Verification, best, verify
from ..vault.errors import VaultError
from ..vault.records import Detail
from ..visits.decision import decide
from ..visits.look import NEAR, far_face
from ..visits.tracker import Tracker
from ..visits.visit import Decision, Sighting, Verdict
from ..wording.vault_errors import Failed, vault_failed

PICTURES = 3
"""How many fresh pictures of a camera are looked at: one alone names nobody."""
SECONDS = 8.0
"""How long they are waited for."""
AGAIN = 0.2
"""Seconds until another one is looked at after one that could not be."""
AT_ONCE = 20
"""How often somebody may ask in a row."""
ONE_MORE_EVERY = 30.0
"""Seconds after which they may ask once more: nobody goes through a whole album of faces with it."""


@dataclass(frozen=True, slots=True)
class _Found:
    """An individual in the picture, and what was decided of them."""

    face: Face
    verdict: Verdict
    verification: Verification | None


class Identifying:
    """Answers who is in a picture that an administrator, or an automation, asks about. Lives on the event loop.

    Each answer is written to the audit log before it is given. No picture is kept.
    """

    def __init__(self, household: Household, cameras: Cameras) -> None:
        """Have answered nobody yet."""
        self._household = household
        self._cameras = cameras
        self._leave = Leave(AT_ONCE, ONE_MORE_EVERY)

    async def async_identify(
        self,
        user_id: str | None,
        camera: str | None,
        read: Callable[[], Awaitable[bytes]] | None,
        claimed: Person | None,
    ) -> JsonObjectType:
        """Say who is in a camera's picture or another one, and whether it is the claimed person.

        `user_id`: who asks; None for an automation. `read`: reads the picture, where no camera is named.
        """
        household = self._household
        subentries = household.entry.get_subentries_of_type(SUBENTRY_CAMERA)
        watched = {str(each.data[CONF_CAMERA]): each for each in subentries}
        subentry = None if camera is None else watched.get(camera)
        if not household.recognition(None if subentry is None else subentry.subentry_id):
            raise ServiceValidationError(translation_domain=DOMAIN, translation_key="recognition_off")
        if not household.wall_clock.believed():
            raise ServiceValidationError(translation_domain=DOMAIN, translation_key="clock_doubted")
        if subentry is not None:
            camera_id = subentry.subentry_id
        else:
            camera_id = UPLOADED if camera is None else NO_CAMERA
        self._check_claim(claimed, camera_id)
        if wait := self._leave.wait(user_id, household.hass.loop.time()):
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="identify_too_often",
                translation_placeholders={"seconds": str(wait)},
            )
        one_picture = camera is None
        if camera is not None:
            settings = (
                CameraSettings(camera, Mode.ON_RING) if subentry is None else camera_settings(subentry.data)
            )
            one_picture = settings.one_picture
            seen, sightings = await _async_look(
                household, self._cameras.async_source(settings), settings.turn, judge=settings.judge
            )
        else:
            assert read is not None, "the schema asks for one of the two"
            seen = await async_faces(household, await read(), search_turned=True)
            now = dt_util.utcnow()
            sightings = [Sighting.begin(face, now) for face in seen.faces]
        gallery = (await household.roster.async_gallery(seen.model)).at(camera_id)
        try:
            found = await household.hass.async_add_executor_job(
                partial(_compare, household, sightings, gallery, claimed, one_picture=one_picture)
            )
        except LookupError as err:
            # Also when they withdrew in this very moment.
            self._check_claim(claimed, camera_id)
            assert claimed is not None
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="nothing_to_compare",
                translation_placeholders={"name": claimed.name},
            ) from err
        await self._async_note(user_id, camera, self._told(found, camera_id), claimed)
        # People who withdrew, or whose consent ended, meanwhile are no longer named.
        self._check_claim(claimed, camera_id)
        described = _describe_all(self._told(found, camera_id), claimed)
        return {**described, "size": list(seen.size), "engine_ms": round(seen.ms.get("total", 0.0))}

    def _check_claim(self, claimed: Person | None, camera_id: str) -> None:
        """Refuse to say of somebody whether they are there, when that may not be told."""
        if claimed is not None and not may_be_told(self._household, claimed.person_id, camera_id):
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="no_consent",
                translation_placeholders={"name": claimed.name},
            )

    def _told(self, found: Sequence[_Found], camera_id: str) -> list[_Found]:
        """Return what may be told now: those who stay silent are left out, as if nobody were there."""
        return [
            each
            for each in found
            if each.verdict.person_id is None
            or may_be_told(self._household, each.verdict.person_id, camera_id)
        ]

    async def _async_note(
        self, user_id: str | None, camera: str | None, told: Sequence[_Found], claimed: Person | None
    ) -> None:
        """Write down who asked, with a line for each person that the answer names; raise what a user reads.

        Somebody's own log has their line, and of others nothing.
        """
        household = self._household
        concerned: set[str | None] = {each.verdict.person_id for each in told} - {None}
        if claimed is not None:
            concerned.add(claimed.person_id)
        details: dict[str, Detail] = {"user": user_id, "from": "upload" if camera is None else "camera"}

        def write() -> None:
            for person_id in concerned or {None}:
                household.vault.audit("identified", person_id, details, dt_util.utcnow())

        try:
            await household.hass.async_add_executor_job(write)
        except VaultError as err:
            raise vault_failed(err, Failed.IDENTIFYING) from err


async def _async_look(
    household: Household, source: Source, turn: int, *, judge: bool
) -> tuple[Faces, list[Sighting]]:
    """Return what the newest of a few fresh pictures shows, and the individuals in it as all of them show them.

    `judge`: the owner wants no name for what looks like a picture at this camera.

    Raises NoPicture, or what a user of an action is to read.
    """
    tracker, shown, seen = Tracker(), list[Sighting](), None
    failure: EngineError | None = None
    looked_at, last = 0, datetime.min.replace(tzinfo=UTC)
    ask = Ask(dt_util.utcnow(), SECONDS, lambda: household.client, turn=turn)
    try:
        async with source.open(ask) as pictures:
            while looked_at < PICTURES and await pictures.ready():
                # Smaller faces too, once a picture showed none.
                nobody = seen is not None and not seen.faces.faces
                try:
                    wish = Wish(
                        far_face(seen.faces.size) if seen and nobody else NEAR,
                        judge=judge and seen is not None and seen.faces.judges,
                    )
                    seen = await pictures.see(wish)
                except (EngineBusy, ImageRejected) as err:
                    # The next picture may be whole, and the engine have time.
                    failure = err
                    await asyncio.sleep(AGAIN)
                    continue
                looked_at += 1
                last = max(seen.at, last + timedelta(milliseconds=1))
                shown = list(tracker.add(seen.faces, last))
    except EngineError as err:
        raise engine_failed(err) from err
    if seen is None:
        if isinstance(failure, ImageRejected):
            raise rejected(failure) from failure
        raise engine_failed(failure or EngineUnavailable("The engine had no time")) from failure
    return seen.faces, shown


async def async_faces(
    household: Household,
    picture: bytes,
    *,
    portraits: bool = False,
    mirrored: bool = False,
    search_turned: bool = False,
) -> Faces:
    """Return what the engine sees in a picture; raises what a user of an action is to read.

    A picture that shows nobody is searched once more for smaller faces and for faces in the shadow, as in a look.
    """
    try:
        ask = partial(
            household.client.faces,
            picture,
            portraits=portraits,
            mirrored=mirrored,
            search_turned=search_turned,
            # What may lie in any way was sent in, and is no camera's.
            upload=search_turned,
            timeout=PHOTO_SECONDS if search_turned else ENGINE_PATIENCE,
        )
        seen = await ask(min_face=NEAR)
        far, shadows = far_face(seen.size), seen.in_shadow is not None
        if seen.faces or (far >= NEAR and not shadows):
            return seen
        return await ask(min_face=far, search_shadows=shadows)
    except ImageRejected as err:
        raise rejected(err) from err
    except EngineError as err:
        raise engine_failed(err) from err


def rejected(err: ImageRejected) -> ServiceValidationError:
    """Return what is said of a picture that the engine does not take."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="image_rejected",
        translation_placeholders={"reason": str(err)},
    )


def engine_failed(err: EngineError) -> HomeAssistantError:
    """Return what is said when the engine could not look at a picture."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key="engine_failed",
        translation_placeholders={"reason": str(err)},
    )


def _compare(
    household: Household,
    sightings: Sequence[Sighting],
    gallery: Gallery,
    claimed: Person | None,
    *,
    one_picture: bool,
) -> list[_Found]:
    """Return what is decided of each individual, and of the claim; raise LookupError as `verify` does."""
    now, strictness = dt_util.utcnow(), household.strictness
    found: list[_Found] = []
    for sighting in sightings:
        verdict = decide(sighting, gallery, now, final=True, strictness=strictness, one_picture=one_picture)
        assert verdict is not None, "a final decision is never put off"
        verification = None
        if claimed is not None:
            verification = verify(
                sighting.embeddings,
                sighting.weights,
                gallery,
                claimed.person_id,
                now,
                strictness=strictness,
                lengths=sighting.lengths,
            )
        found.append(_Found(sighting.last_face, verdict, verification))
    return found


def _describe_all(told: Sequence[_Found], claimed: Person | None) -> JsonObjectType:
    """Return what is said of each face, and of the claimed person."""
    faces: list[JsonValueType] = []
    for each in told:
        described = _describe(each.face, each.verdict)
        if each.verification is not None:
            described["verification"] = _verified(each.verification)
        faces.append(described)
    if claimed is None:
        return {"faces": faces}
    answer = best([each.verification for each in told if each.verification is not None])
    return {
        "faces": faces,
        "verification": str(answer.answer),
        "claimed": {
            "person_id": claimed.person_id,
            "name": claimed.name,
            **_verified(answer),
        },
    }


def _verified(verification: Verification) -> dict[str, JsonValueType]:
    """Return what is said of a claim. How alike two faces are stays here: it would tell faces apart by itself."""
    described: dict[str, JsonValueType] = {
        "answer": str(verification.answer),
        "probability": None if verification.probability is None else round(verification.probability, 3),
    }
    if verification.reason is not None:
        described["reason"] = str(verification.reason)
    return described


async def async_image(hass: HomeAssistant, media: Mapping[str, Any]) -> bytes:
    """Return a picture of the media sources that lies on this machine, such as an uploaded one."""
    content_id = media["media_content_id"]
    path: Path | None = None
    # Home Assistant fails at the list of all sources, and at what is the name of no file.
    if content_id not in ("", media_source.const.URI_SCHEME) and "\0" not in content_id:
        path = (await media_source.async_resolve_media(hass, content_id, None)).path
    if path is None:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="not_a_local_image",
            translation_placeholders={"image": content_id},
        )
    try:
        return await hass.async_add_executor_job(_read, path)
    except OSError as err:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="image_rejected",
            translation_placeholders={"reason": err.strerror or str(err)},
        ) from err


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        # One byte more than the engine takes, so that it is the one to refuse.
        return file.read(MAX_BYTES + 1)


def _describe(face: Face, verdict: Verdict) -> dict[str, JsonValueType]:
    """Return what is said of a face. Its embedding stays here."""
    quality = face.quality
    described: dict[str, JsonValueType] = {
        "decision": str(verdict.decision),
        "person_id": verdict.person_id,
        "name": verdict.name,
        "confidence": None if verdict.confidence is None else round(verdict.confidence, 3),
        "box": [round(value) for value in face.box],
        "quality": quality.reason or "good",
        "width": quality.size,
    }
    if verdict.decision is Decision.UNCLEAR and verdict.reason is not None:
        described["reason"] = str(verdict.reason)
    return described
