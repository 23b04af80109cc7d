"""The commands of the tab Cameras: how each one does, what it shows now, and what is set there in one click."""

import base64
from typing import Any, Final

from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import require_admin, websocket_command
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import voluptuous as vol

from ..capture.camera_settings import CameraSettings, camera_settings, changed, is_image
from ..capture.triggers import async_event_types, async_likely_types
from ..const import DOMAIN, Mode, Role, StreamOpen
from ..seen.weekly import weeks_of
from ..visits.posters import Poster, number_of
from .camera_rows import async_cameras, weeks_row
from .permitted import ID, Asked, answering, asked_of

MOST_TRIGGERS: Final = 50
ENTITY_ID = vol.All(str, vol.Length(min=3, max=255))


def _turn(value: object) -> int:
    """Return by how many degrees pictures are turned; raise Invalid for what is no quarter."""
    if type(value) is not int or value not in (0, 90, 180, 270):
        raise vol.Invalid("a picture is turned by 0, 90, 180 or 270 degrees")
    return value


def _camera(asked: Asked, camera_id: str) -> ConfigSubentry:
    """Return a camera that the user may be told of."""
    if camera_id not in asked.lookup.places():
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="unknown_camera",
            translation_placeholders={"camera": camera_id},
        )
    return asked.hub.entry.subentries[camera_id]


def _posters(
    asked: Asked, settings: CameraSettings, camera_id: str, message: dict[str, Any]
) -> tuple[list[Poster], list[str]]:
    """Return the posters to ignore from now on, and the ids of those to ignore no longer."""
    watcher = asked.hub.watchers.get(camera_id)
    suspected = {} if watcher is None else {each.poster_id: each for each in watcher.suspected.likely}
    known = {each.poster_id for each in settings.posters}
    ignore, recognise = message.get("ignore"), message.get("recognise")
    if (ignore is not None and ignore not in suspected) or (recognise is not None and recognise not in known):
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="unknown_poster")
    return [] if ignore is None else [suspected[ignore]], [] if recognise is None else [recognise]


@websocket_command({vol.Required("type"): "familiar_faces/cameras/list"})
@require_admin
@answering
async def _list(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> dict[str, Any]:
    """Return how the cameras do, and how they are set up."""
    return {"cameras": async_cameras(hass, asked_of(hass, connection))}


@websocket_command({vol.Required("type"): "familiar_faces/cameras/look", vol.Required("camera_id"): ID})
@require_admin
@answering
async def _look(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> dict[str, Any]:
    """Return what a camera shows now, with the faces in it measured; that somebody looked is noted."""
    asked = asked_of(hass, connection)
    subentry = _camera(asked, message["camera_id"])
    camera_id, posters = subentry.subentry_id, camera_settings(subentry.data).posters
    shown = await asked.hub.look_now.async_look(camera_id, connection.user.id)
    if shown.faces.faces:
        await asked.hub.viewings.async_note(None, connection.user.id)
    # The camera may have been removed while it took its time.
    _camera(asked_of(hass, connection), camera_id)
    return {
        "at": shown.at.isoformat(),
        "picture": await hass.async_add_executor_job(lambda: base64.b64encode(shown.picture).decode()),
        "turn": shown.turn,
        "size": list(shown.faces.size),
        "turned": shown.faces.turned,
        "faces": [
            {
                "box": [round(value) for value in face.box],
                "width": face.quality.size,
                "quality": face.quality.reason or "good",
                "poster": number_of(face, shown.faces.size, posters),
            }
            for face in shown.faces.faces
        ],
    }


@websocket_command(
    {
        vol.Required("type"): "familiar_faces/cameras/change",
        vol.Required("camera_id"): ID,
        vol.Optional("turn"): _turn,
        vol.Optional("stream"): vol.Coerce(StreamOpen),
        vol.Optional("roles"): vol.All({ENTITY_ID: vol.Coerce(Role)}, vol.Length(min=1, max=MOST_TRIGGERS)),
        vol.Optional("ignore"): ID,
        vol.Optional("recognise"): ID,
    }
)
@require_admin
@answering
async def _change(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> None:
    """Set how a camera's pictures lie, when its stream is open, what its triggers mean, or which posters are ignored."""
    asked = asked_of(hass, connection)
    subentry = _camera(asked, message["camera_id"])
    settings = camera_settings(subentry.data)
    roles: dict[str, Role] = message.get("roles", {})
    if roles and settings.mode is not Mode.ON_MOTION:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="roles_only_on_motion")
    if "stream" in message and is_image(settings.camera):
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="camera_without_stream")
    for entity_id, role in roles.items():
        mute = async_event_types(hass, entity_id) and not (
            settings.event_types.get(entity_id) or async_likely_types(hass, entity_id)
        )
        if role is Role.BELL and mute:
            # It would never start a look.
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="choose_ring_events",
                translation_placeholders={"entity": entity_id},
            )
    ignored, seen = _posters(asked, settings, subentry.subentry_id, message)
    try:
        data = changed(
            subentry.data,
            turn=message.get("turn"),
            stream=message.get("stream"),
            roles=roles or None,
            ignored=ignored,
            seen=seen,
        )
    except KeyError as err:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="not_a_trigger",
            translation_placeholders={"entity": str(err.args[0])},
        ) from err
    hass.config_entries.async_update_subentry(asked.hub.entry, subentry, data=data)


@websocket_command({vol.Required("type"): "familiar_faces/cameras/weeks"})
@require_admin
@answering
async def _weeks(
    hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]
) -> dict[str, Any]:
    """Return what came of the visits to each camera, week by week, as numbers alone, and what would help most."""
    counted = await asked_of(hass, connection).hub.counting.async_read()
    # Permissions and cameras may have changed while it was read.
    places = asked_of(hass, connection).lookup.places()
    return {
        "cameras": [
            weeks_row(camera_id, weeks_of(weeks))
            for camera_id, weeks in counted.items()
            if camera_id in places
        ]
    }


COMMANDS: Final = (_list, _look, _change, _weeks)
