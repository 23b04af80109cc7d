"""The actions."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from homeassistant.components import media_source
from homeassistant.components.camera import async_get_image
from homeassistant.components.camera.const import DOMAIN as CAMERA_DOMAIN
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.selector import MediaSelector
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonValueType
import voluptuous as vol

from .const import DOMAIN
from .engine.protocol import MAX_BYTES, Face
from .host.errors import EngineError, ImageRejected
from .visits.decision import decide
from .visits.visit import Decision, Sighting, Verdict

if TYPE_CHECKING:
    from .hub import FamiliarFacesConfigEntry, Hub

SERVICE_IDENTIFY = "identify"
ATTR_CAMERA = "camera"
ATTR_IMAGE = "image"

IDENTIFY_SCHEMA = vol.All(
    vol.Schema(
        {
            vol.Exclusive(ATTR_CAMERA, "source"): cv.entity_domain(CAMERA_DOMAIN),
            vol.Exclusive(ATTR_IMAGE, "source"): MediaSelector({"accept": ["image/*"], "image_upload": True}),
        }
    ),
    cv.has_at_least_one_key(ATTR_CAMERA, ATTR_IMAGE),
)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    hass.services.async_register(
        DOMAIN,
        SERVICE_IDENTIFY,
        _async_identify,
        schema=IDENTIFY_SCHEMA,
        supports_response=SupportsResponse.ONLY,
    )


def _hub(hass: HomeAssistant) -> Hub:
    entries: list[FamiliarFacesConfigEntry] = hass.config_entries.async_entries(DOMAIN)
    for entry in entries:
        if entry.state is ConfigEntryState.LOADED:
            return entry.runtime_data
    raise ServiceValidationError(translation_domain=DOMAIN, translation_key="not_loaded")


async def _async_identify(call: ServiceCall) -> ServiceResponse:
    """Say who is in a picture. Nothing is kept, and no event is fired."""
    hub = _hub(call.hass)
    watched = {watcher.camera: camera_id for camera_id, watcher in hub.watchers.items()}
    if not hub.recognition(watched.get(call.data.get(ATTR_CAMERA, ""))):
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="recognition_off")
    if ATTR_CAMERA in call.data:
        image = (await async_get_image(call.hass, call.data[ATTR_CAMERA])).content
    else:
        image = await _async_image(call.hass, call.data[ATTR_IMAGE])
    try:
        seen = await hub.client.faces(image)
    except ImageRejected as err:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="image_rejected",
            translation_placeholders={"reason": str(err)},
        ) from err
    except EngineError as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="engine_failed",
            translation_placeholders={"reason": str(err)},
        ) from err
    gallery = await hub.roster.async_gallery(seen.model)
    now = dt_util.utcnow()

    def identify() -> list[JsonValueType]:
        return [
            _describe(face, decide(Sighting.begin(face, now), gallery, now, final=True))
            for face in seen.faces
        ]

    faces = await call.hass.async_add_executor_job(identify)
    return {"faces": faces, "size": list(seen.size), "engine_ms": round(seen.ms.get("total", 0.0))}


async def _async_image(hass: HomeAssistant, media: Mapping[str, Any]) -> bytes:
    """Return a picture of the media sources that lies on this machine, such as an uploaded one."""
    content_id = media["media_content_id"]
    resolved = await media_source.async_resolve_media(hass, content_id, None)
    if resolved.path is None:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="not_a_local_image",
            translation_placeholders={"image": content_id},
        )
    try:
        return await hass.async_add_executor_job(_read, resolved.path)
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


def _describe(face: Face, verdict: Verdict | None) -> dict[str, JsonValueType]:
    """Return what is said of a face. Its embedding stays here."""
    assert verdict is not None, "a final decision is never put off"
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
