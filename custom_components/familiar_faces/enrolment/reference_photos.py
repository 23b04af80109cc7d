"""Makes a photo a person's reference photo, wherever it comes from: judged first, and only with consent."""

from dataclasses import dataclass
from hashlib import sha256

from homeassistant.util import dt as dt_util

from ..const import ENGINE_PATIENCE, PHOTO_SECONDS
from ..engine.protocol import Faces
from ..host.engine_errors import EngineIncompatible
from ..household.household import Household
from ..people.photos import PhotoReason, PhotoVerdict, judge_photo
from ..vault.errors import DuplicatePhoto


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a photo."""

    verdict: PhotoVerdict
    template_id: str | None = None
    """The template that it made; None when it was not taken."""


async def async_see_photo(household: Household, photo: bytes) -> Faces:
    """Return the faces in a photo that somebody sent, seen as a reference photo has to be; raise EngineError.

    It comes behind every look, so it gets more time than those.
    """
    await household.engine.wait_ready(ENGINE_PATIENCE)
    return await household.client.faces(
        photo, portraits=True, mirrored=True, search_turned=True, upload=True, timeout=PHOTO_SECONDS
    )


async def async_take_photo(
    household: Household,
    person_id: str,
    photo: bytes,
    seen: Faces,
    *,
    insist: bool = False,
    camera_id: str | None = None,
) -> Judged:
    """Judge a photo by the faces seen in it, and when it will do make it a template.

    `seen`: asked for with portraits, and mirrored. `insist`: take it also when the owner has to say who it is.
    `camera_id`: the camera whose picture it is; None for any other photo.
    The vault asks for the consent again. Raises VaultError, and EngineIncompatible for faces that cannot be
    compared. The people are not refreshed.
    """
    gallery = await household.roster.async_gallery(seen.model)
    digest, now = sha256(photo).hexdigest(), dt_util.utcnow()

    def take() -> Judged:
        templates = household.vault.person(person_id).templates
        verdict = judge_photo(seen.faces, digest, templates, gallery, now, person_id=person_id)
        if not (verdict.accepted or (insist and verdict.may_insist)):
            return Judged(verdict)
        assert verdict.subject is not None
        face = seen.faces[verdict.subject]
        try:
            added = household.vault.add_reference(
                person_id,
                photo=face.portrait or b"",
                embedding=face.embedding,
                model=seen.model,
                photo_digest=digest,
                now=now,
                camera_id=camera_id,
            )
        except DuplicatePhoto:
            # Added from elsewhere since the templates were read.
            return Judged(PhotoVerdict(PhotoReason.SAME_PHOTO))
        return Judged(verdict, added.template_id)

    try:
        return await household.hass.async_add_executor_job(take)
    except ValueError as err:
        raise EngineIncompatible(f"The engine's answer cannot be used: {err}") from err
