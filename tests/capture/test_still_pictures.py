"""Stills of a camera entity, as a real Home Assistant has them."""

import asyncio
from typing import override

from homeassistant.components.camera import Camera
from homeassistant.components.camera.const import CameraEntityFeature
from homeassistant.components.camera.helper import get_camera_from_entity_id
from homeassistant.components.camera.webrtc import (
    CameraWebRTCProvider,
    WebRTCSendMessage,
    async_register_webrtc_provider,
)
from homeassistant.components.push.camera import PushCamera
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
import pytest
from webrtc_models import RTCIceCandidateInit

from custom_components.familiar_faces.capture import still_pictures
from custom_components.familiar_faces.capture.picture_source import NoPicture, Trouble
from custom_components.familiar_faces.capture.still_pictures import async_fetch_still
from tests.conftest import CAMERA, FrontDoor, put_up

PLACEHOLDER, LIVE = b"\xff\xd8 no picture here \xff\xd9", b"\xff\xd8 of now \xff\xd9"


class BrowserCamera(FrontDoor):
    """A camera whose stream Home Assistant itself cannot read."""

    _attr_supported_features = CameraEntityFeature.STREAM

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address
        self.frames = [PLACEHOLDER]
        self.stuck = True


class Provider(CameraWebRTCProvider):
    """What takes frames out of such a stream, as go2rtc does."""

    domain = "provider"

    def __init__(self) -> None:
        self.frame: bytes | None = LIVE
        self.asked = 0
        self.silent = False

    @override
    def async_is_supported(self, stream_source: str) -> bool:
        return True

    @override
    async def async_handle_async_webrtc_offer(
        self, camera: Camera, offer_sdp: str, session_id: str, send_message: WebRTCSendMessage
    ) -> None:
        raise NotImplementedError

    @override
    async def async_on_webrtc_candidate(self, session_id: str, candidate: RTCIceCandidateInit) -> None:
        raise NotImplementedError

    @override
    async def async_get_image(
        self, camera: Camera, width: int | None = None, height: int | None = None
    ) -> bytes | None:
        self.asked += 1
        if self.silent:
            await asyncio.Event().wait()
        return self.frame


async def a_camera(hass: HomeAssistant, address: str) -> Provider:
    await put_up(hass, [BrowserCamera(address)])
    provider = Provider()
    async_register_webrtc_provider(hass, provider)
    await hass.async_block_till_done()
    return provider


async def test_a_stream_that_only_browsers_read(hass: HomeAssistant) -> None:
    provider = await a_camera(hass, "webrtc:https://door/offer")
    assert await async_fetch_still(hass, CAMERA) == LIVE
    # Where it has none, there is what the camera gives.
    provider.frame = None
    assert await async_fetch_still(hass, CAMERA) == PLACEHOLDER


async def test_a_provider_that_says_nothing(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = await a_camera(hass, "webrtc:https://door/offer")
    provider.silent = True
    monkeypatch.setattr(still_pictures, "FETCH_SECONDS", 0.1)
    with pytest.raises(HomeAssistantError):
        await async_fetch_still(hass, CAMERA)


async def test_a_stream_that_home_assistant_reads(hass: HomeAssistant) -> None:
    """The camera's own stills are quicker."""
    provider = await a_camera(hass, "rtsp://door/1")
    assert await async_fetch_still(hass, CAMERA) == PLACEHOLDER
    assert provider.asked == 0


async def test_a_camera_that_is_away(hass: HomeAssistant) -> None:
    """Nothing is asked of a camera that is not there: what came would be old."""
    provider = await a_camera(hass, "webrtc:https://door/offer")
    hass.states.async_set(CAMERA, STATE_UNAVAILABLE)
    with pytest.raises(NoPicture) as raised:
        await async_fetch_still(hass, CAMERA)
    assert raised.value.trouble is Trouble.NO_PICTURE
    assert provider.asked == 0


async def test_a_push_camera_shows_only_what_comes(hass: HomeAssistant) -> None:
    """While nothing comes, Home Assistant shows the last pictures of its own push camera in turn, as if they were new."""
    config = {"camera": {"platform": "push", "name": "push", "webhook_id": "a_secret", "buffer": 2}}
    assert await async_setup_component(hass, "camera", config)
    await hass.async_block_till_done()
    with pytest.raises(NoPicture) as raised:
        await async_fetch_still(hass, "camera.push")
    assert raised.value.trouble is Trouble.OLD_PICTURE
    entity = get_camera_from_entity_id(hass, "camera.push")
    assert isinstance(entity, PushCamera)
    await entity.update_image(LIVE, "a.jpg")  # type: ignore[no-untyped-call]
    assert await async_fetch_still(hass, "camera.push") == LIVE
    # As after its timeout.
    entity._attr_is_recording = False
    entity.async_write_ha_state()
    with pytest.raises(NoPicture) as raised:
        await async_fetch_still(hass, "camera.push")
    assert raised.value.old == LIVE
    assert entity._expired_listener is not None
    entity._expired_listener()
