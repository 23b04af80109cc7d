"""Who is in a picture: the work of the action `identify`."""

import asyncio
from collections.abc import Mapping, Sequence
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
from ..people.choices import NO_CAMERA
from ..people.gallery import Gallery
from ..people.person import Person
from ..people.verification import Verification, best, verify
from ..visits.decision import decide
from ..visits.look import NEAR, far_face
from ..visits.tracker import Tracker
from ..visits.visit import Decision, Sighting, Verdict

PICTURES = 3
"""How many fresh pictures of a camera are looked at: one alone names nobody."""
SECONDS = 8.0
"""How long they are waited for."""
AGAIN = 0.2
"""Seconds until another one is looked at after one that could not be."""


async def async_identify(
    household: Household,
    cameras: Cameras,
    camera: str | None,
    image: Mapping[str, Any] | None,
    claimed: Person | None,
) -> JsonObjectType:
    """Say who is in a camera's picture or an image, and whether it is the claimed person. Nothing is kept."""
    subentries = household.entry.get_subentries_of_type(SUBENTRY_CAMERA)
    watched = {str(each.data[CONF_CAMERA]): each for each in subentries}
    subentry = None if camera is None else watched.get(camera)
    if not household.recognition(None if subentry is None else subentry.subentry_id):
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="recognition_off")
    one_picture = camera is None
    if camera is not None:
        settings = (
            CameraSettings(camera, Mode.ON_RING) if subentry is None else camera_settings(subentry.data)
        )
        one_picture = settings.one_picture
        seen, sightings = await _async_look(household, cameras.async_source(settings), settings.turn)
    else:
        assert image is not None, "the schema asks for one of the two"
        seen = await async_faces(household, await async_image(household.hass, image), search_turned=True)
        now = dt_util.utcnow()
        sightings = [Sighting.begin(face, now) for face in seen.faces]
    whole = await household.roster.async_gallery(seen.model)
    # A picture of no camera of ours is compared with those only who agreed to every camera.
    camera_id = NO_CAMERA if subentry is None else subentry.subentry_id
    gallery = whole.at(camera_id)
    if claimed is not None and not may_be_told(household, claimed.person_id, camera_id):
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_consent",
            translation_placeholders={"name": claimed.name},
        )
    try:
        described = await household.hass.async_add_executor_job(
            partial(_compare, household, sightings, gallery, camera_id, claimed, one_picture=one_picture)
        )
    except LookupError as err:
        assert claimed is not None
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="nothing_to_compare",
            translation_placeholders={"name": claimed.name},
        ) from err
    return {**described, "size": list(seen.size), "engine_ms": round(seen.ms.get("total", 0.0))}


async def _async_look(household: Household, source: Source, turn: int) -> tuple[Faces, list[Sighting]]:
    """Return what the newest of a few fresh pictures shows, and the individuals in it as all of them show them.

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
                    seen = await pictures.see(Wish(far_face(seen.faces.size) if seen and nobody else NEAR))
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
            raise _rejected(failure) from failure
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

    A picture that shows nobody is searched once more for smaller faces, as in a look.
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
        if seen.faces or (far := far_face(seen.size)) >= NEAR:
            return seen
        return await ask(min_face=far)
    except ImageRejected as err:
        raise _rejected(err) from err
    except EngineError as err:
        raise engine_failed(err) from err


def _rejected(err: ImageRejected) -> ServiceValidationError:
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
    camera_id: str,
    claimed: Person | None,
    *,
    one_picture: bool,
) -> JsonObjectType:
    """Return what is said of each face, and of the claimed person; raise LookupError as `verify` does.

    The faces of those who stay silent are left out, as if nobody were there.
    """
    now, strictness = dt_util.utcnow(), household.strictness
    faces: list[JsonValueType] = []
    verifications: list[Verification] = []
    for sighting in sightings:
        verdict = decide(sighting, gallery, now, final=True, strictness=strictness, one_picture=one_picture)
        assert verdict is not None, "a final decision is never put off"
        if verdict.person_id is not None and not may_be_told(household, verdict.person_id, camera_id):
            continue
        described = _describe(sighting.last_face, verdict)
        if claimed is not None:
            verification = verify(
                sighting.embeddings,
                sighting.weights,
                gallery,
                claimed.person_id,
                now,
                strictness=strictness,
            )
            verifications.append(verification)
            described["verification"] = _verified(verification)
        faces.append(described)
    if claimed is None:
        return {"faces": faces}
    answer = best(verifications)
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
    """Return what is said of a claim."""
    described: dict[str, JsonValueType] = {
        "answer": str(verification.answer),
        "probability": None if verification.probability is None else round(verification.probability, 3),
        "similarity": None if verification.similarity is None else round(verification.similarity, 3),
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
