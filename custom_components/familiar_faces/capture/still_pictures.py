"""Stills of a camera entity."""

import asyncio
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial

from homeassistant.components.camera import async_get_image
from homeassistant.components.camera.const import CameraState
from homeassistant.components.camera.helper import get_camera_from_entity_id
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .known_pictures import KnownPictures
from .picture_source import Ask, NoPicture, Pictures, Trouble, failing_as_home_assistant
from .stills import Stills
from .stream_reader import is_live

FETCH_SECONDS = 5
"""How long a camera may take for a picture."""


class StillPictures:
    """The stills that Home Assistant has of a camera. They are fresh when they were not known before."""

    def __init__(self, hass: HomeAssistant, camera: str, known: KnownPictures) -> None:
        """Take pictures of a camera entity."""
        self._hass = hass
        self._camera = camera
        self._known = known

    def open(self, ask: Ask) -> AbstractAsyncContextManager[Pictures]:
        """Take pictures for a look from now on."""
        fetch = partial(async_fetch_still, self._hass, self._camera)
        return Stills(self._camera, fetch, self._known, ask)


async def async_fetch_still(hass: HomeAssistant, camera: str) -> bytes:
    """Return the picture that Home Assistant has of a camera; raise HomeAssistantError when it has none."""
    state = hass.states.get(camera)
    if state is not None and state.state == STATE_UNAVAILABLE:
        # Home Assistant would hand out the last picture that it has.
        raise NoPicture(Trouble.NO_PICTURE, camera)
    with failing_as_home_assistant(camera):
        if _is_idle_push(hass, camera):
            # It shows its last pictures in turn, as if they were new.
            old = None
            with suppress(HomeAssistantError):
                old = (await async_get_image(hass, camera, timeout=FETCH_SECONDS)).content
            raise NoPicture(Trouble.OLD_PICTURE, camera, old)
        if (image := await _async_frame_of_provider(hass, camera)) is not None:
            return image
        return (await async_get_image(hass, camera, timeout=FETCH_SECONDS)).content


async def _async_frame_of_provider(hass: HomeAssistant, camera: str) -> bytes | None:
    """Return a frame as Home Assistant's WebRTC provider, such as go2rtc, takes it out of a camera's stream.

    None where there is no provider, or Home Assistant asks it by itself, or reads the stream without one. The stills
    of a camera whose stream it cannot read are placeholders as often as not.
    """
    entity = get_camera_from_entity_id(hass, camera)
    provider = entity.webrtc_provider
    if provider is None or entity.use_stream_for_stills:
        return None
    async with asyncio.timeout(FETCH_SECONDS):
        if is_live(await entity.stream_source() or ""):
            return None
        return await provider.async_get_image(entity)


def _is_idle_push(hass: HomeAssistant, camera: str) -> bool:
    entity = get_camera_from_entity_id(hass, camera)
    return entity.platform.platform_name == "push" and entity.state == CameraState.IDLE
