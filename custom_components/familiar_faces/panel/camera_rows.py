"""What is said of a camera to the person who sets it up: how it does, and how it is set up."""

from dataclasses import asdict
from typing import Any

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..capture.camera_settings import CameraSettings, is_image
from ..capture.triggers import async_role
from ..const import Mode
from ..enrolment.walking_up import cameras_for
from ..recognising.watcher import Watcher
from ..seen.weekly import Week, advice_of
from ..visits.fitness import SMALL
from .permitted import Asked

type Said = dict[str, Any]


@callback
def async_cameras(hass: HomeAssistant, asked: Asked) -> list[Said]:
    """Return the cameras that the user may be told of."""
    watchers = asked.hub.watchers
    return [
        _camera(hass, asked, place.name, watchers[camera_id])
        for camera_id, place in asked.lookup.places().items()
        if camera_id in watchers
    ]


def _camera(hass: HomeAssistant, asked: Asked, name: str, watcher: Watcher) -> Said:
    hub, now = asked.hub, dt_util.utcnow()
    settings = watcher.settings
    agreed = [each for each in hub.people.values() if each.may_be_recognised(now, watcher.camera_id)]
    state = hass.states.get(settings.camera)
    away = state is None or state.state == STATE_UNAVAILABLE
    # An image entity has no stream, and neither do some cameras.
    streams = not is_image(settings.camera) and (away or hub.cameras.async_may_stream(settings.camera))
    return {
        "camera_id": watcher.camera_id,
        "name": name,
        "entity_id": settings.camera,
        "there": state is not None,
        "on": watcher.recognition,
        "fitness": None if watcher.fitness_state is None else str(watcher.fitness_state),
        "faces": watcher.fitness.faces,
        "face_width": watcher.fitness.face_width,
        "least_width": SMALL,
        "time_to_name_ms": None if watcher.time_to_name is None else round(watcher.time_to_name),
        "mode": str(settings.mode),
        "triggers": [_trigger(hass, settings, each) for each in settings.triggers],
        "roles_can_change": settings.mode is Mode.ON_MOTION,
        "turn": settings.turn,
        "stream": str(settings.stream) if streams else None,
        "stream_open": hub.cameras.async_is_open(settings.camera),
        "agreed": len(agreed),
        # Whose photos can be taken here.
        "photos_of": [
            {"person_id": each.person_id, "name": each.name}
            for each in hub.people.values()
            if watcher.camera_id in cameras_for(hub, hub.cameras, each)
        ],
        "people": len(hub.people),
        # Faces that are pictures themselves: those that may be, and those that are ignored.
        "posters_found": [each.poster_id for each in watcher.suspected.likely],
        "posters_ignored": [each.poster_id for each in settings.posters],
    }


def _trigger(hass: HomeAssistant, settings: CameraSettings, entity_id: str) -> Said:
    state = hass.states.get(entity_id)
    role = settings.roles.get(entity_id) or async_role(hass, entity_id, settings.mode)
    return {
        "entity_id": entity_id,
        "name": entity_id if state is None else state.name,
        "there": state is not None,
        "role": str(role),
    }


def weeks_row(camera_id: str, weeks: list[Week]) -> Said:
    """Return the figures of a camera's weeks."""
    advice = advice_of(weeks)
    return {
        "camera_id": camera_id,
        "advice": None if advice is None else asdict(advice),
        "weeks": [
            {
                "begins": week.begins.date().isoformat(),
                "visits": week.visits,
                "named": week.named,
                "confirmed": week.confirmed,
                "corrected": week.corrected,
                "missed": week.missed,
                "strangers": week.strangers,
                "unclear": dict(week.unclear),
                "usable": week.visits - week.unusable,
                "took_ms": week.took_ms,
            }
            for week in weeks
        ],
    }
