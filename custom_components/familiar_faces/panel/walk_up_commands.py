"""The command of taking photos with a camera: what the camera shows, and what would help, until it has ended."""

import asyncio
import base64
import logging
from typing import Any, Final

from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import require_admin, websocket_command
from homeassistant.components.websocket_api.messages import event_message
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import voluptuous as vol

from ..const import DOMAIN
from ..enrolment.walking_up import WANTED, Ended, Frame, WalkUp, cameras_for
from .permitted import ID, Asked, answering, asked_of
from .person_facts import whose
from .rows import Said

_LOGGER = logging.getLogger(__name__)

MOST_BYTES: Final = 500_000
"""Bytes of pictures that are sent in a second: each larger one is followed by none for as long as it takes."""
LARGEST: Final = 4_000_000
"""Bytes of the largest picture that is sent."""


class _Told:
    """A walk-up as one browser follows it. Calling it ends it, as Home Assistant ends subscriptions."""

    def __init__(self, asked: Asked, connection: ActiveConnection, message: Said) -> None:
        """Look at nothing yet."""
        self._hub = asked.hub
        self._connection = connection
        self._message_id: int = message["id"]
        self._up = WalkUp(
            asked.hub,
            asked.hub.cameras,
            message["person_id"],
            message["camera_id"],
            turn=f"walk-up {id(self)}",
            on_frame=self._async_show,
        )
        self._next_picture = 0.0
        """When a picture is sent again, by the clock of the event loop."""
        self._left = False
        """Whether the browser no longer listens."""
        self._task: asyncio.Task[None] | None = None

    @callback
    def async_start(self) -> None:
        """Look at the camera from now on."""
        self._task = self._hub.entry.async_create_background_task(
            self._hub.hass, self._async_follow(), f"{DOMAIN} walk-up"
        )

    @property
    def over(self) -> bool:
        """Return whether it has ended."""
        return self._left or (self._task is not None and self._task.done())

    @callback
    def __call__(self) -> None:
        """End it."""
        self._left = True
        if self._task is not None:
            self._task.cancel()

    async def _async_follow(self) -> None:
        up = self._up
        try:
            await up.async_follow(lambda: not self._left)
        except Exception:
            # Whatever it was, the browser must not wait for ever.
            _LOGGER.exception("A walk-up failed")
        finally:
            # Also when the integration is stopped meanwhile.
            self._say(
                {
                    "type": "ended",
                    "ended": str(up.ended or Ended.STOPPED),
                    "taken": len(up.guide.taken),
                    "wanted": WANTED,
                }
            )

    @callback
    def _async_show(self, frame: Frame) -> None:
        """Say what would help now; a picture goes along as often as the connection can carry it."""
        up, hub = self._up, self._hub
        self._say(
            {
                "type": "frame",
                "hint": str(up.advised.hint),
                "other": up.advised.other,
                "settled": up.advised.settled,
                "wanted": WANTED,
                "taken": list(up.guide.taken.values()),
                "shown": self._shown(frame),
            }
        )
        if frame.faces.faces:
            # At most once an hour: somebody looked at those who were there.
            hub.entry.async_create_task(
                hub.hass, hub.viewings.async_note(None, self._connection.user.id), f"{DOMAIN} walk-up viewed"
            )

    def _shown(self, frame: Frame) -> Said | None:
        now, size = self._hub.hass.loop.time(), len(frame.picture)
        if now < self._next_picture or not 0 < size <= LARGEST:
            return None
        self._next_picture = now + size / MOST_BYTES
        return {
            "picture": base64.b64encode(frame.picture).decode(),
            "turn": frame.turn,
            "size": list(frame.faces.size),
            "faces": [[round(value) for value in face.box] for face in frame.faces.faces],
        }

    @callback
    def _say(self, event: Said) -> None:
        if not self._left:
            self._connection.send_message(event_message(self._message_id, event))


@websocket_command(
    {
        vol.Required("type"): "familiar_faces/person/walk_up",
        vol.Required("person_id"): ID,
        vol.Required("camera_id"): ID,
    }
)
@require_admin
@answering
async def _walk_up(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> None:
    """Take photos of a person with a camera that they agreed to, and send what it shows until it has ended."""
    asked = asked_of(hass, connection)
    person = whose(asked, message["person_id"])
    if message["camera_id"] not in cameras_for(asked.hub, asked.hub.cameras, person):
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="unknown_camera",
            translation_placeholders={"camera": message["camera_id"]},
        )
    if any(isinstance(each, _Told) and not each.over for each in connection.subscriptions.values()):
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key="walk_up_goes_on")
    told = _Told(asked, connection, message)
    connection.subscriptions[message["id"]] = told
    told.async_start()


COMMANDS: Final = (_walk_up,)
