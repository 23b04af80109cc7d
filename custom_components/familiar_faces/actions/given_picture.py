"""The picture that an action is given: one of the media sources, or one of the review inbox or of a visit, or its visit."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.selector import MediaSelector

from ..const import DOMAIN
from ..recognising.identify import async_image
from ..recognising.naming import async_nameless
from ..seen.pictured import INBOX, VISIT
from ..seen.shown import Picture
from ..vault.errors import VaultError

if TYPE_CHECKING:
    from ..hub import Hub

ATTR_PICTURE = "picture"
"""The field that chooses a visit by its picture."""
PICTURE = MediaSelector({"accept": ["image/*"]})

_OURS = f"media-source://{DOMAIN}/"


async def async_picture(hub: Hub, media: Mapping[str, Any]) -> bytes:
    """Return the picture; raises what a user of an action is to read.

    Only administrators and automations may call the actions that take one, and they may see all of ours.
    """
    if (ours := _ours(media)) is None:
        return await async_image(hub.hass, media)
    kind, visit_id = ours
    picture: bytes | None = None
    try:
        if kind == INBOX:
            found = await async_nameless(hub, visit_id)
            picture = found.picture if found is not None and found.in_inbox else None
        elif kind == VISIT:
            picture = await _async_of_visit(hub, visit_id)
    except VaultError:
        picture = None
    if picture is None:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="review_unknown")
    return picture


def visit_of(media: Mapping[str, Any]) -> str:
    """Return the id of the visit that a picture of ours shows; raises what a user of an action is to read."""
    kind, visit_id = _ours(media) or ("", "")
    if kind not in (INBOX, VISIT) or not visit_id:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="picture_of_no_visit")
    return visit_id


def _ours(media: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return which of our pictures is meant, by its folder and its visit; None for one of another media source."""
    content_id = str(media["media_content_id"])
    if not content_id.startswith(_OURS):
        return None
    kind, _, visit_id = content_id.removeprefix(_OURS).partition("/")
    return kind, visit_id


async def _async_of_visit(hub: Hub, visit_id: str) -> bytes | None:
    """Return the picture of a familiar person's visit while it may be shown, or of one that is held in memory."""
    if (nameless := await async_nameless(hub, visit_id)) is not None:
        return nameless.picture
    run = hub.hass.async_add_executor_job
    shown = hub.board.find(visit_id) or await run(hub.board.find_kept, visit_id)
    if shown is None or not shown.kept or shown.picture is not Picture.SHOWN:
        return None
    return await run(hub.vault.visit_picture, visit_id)
