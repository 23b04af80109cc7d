"""Where the stream of a camera entity is, as a real Home Assistant says it."""

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
import pytest

from custom_components.familiar_faces.capture.stream_address import async_find_origins, ffmpeg_options
from custom_components.familiar_faces.capture.stream_reader import StreamAddress
from tests.conftest import CAMERA, FrontDoor


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("rtsp://user:secret@door/1", True),
        ("http://door/live.ts", True),
        ("/media/film.mp4", False),
        ("", False),
        (None, False),
    ],
)
async def test_only_live_streams_are_found(
    hass: HomeAssistant, front_door: FrontDoor, monkeypatch: pytest.MonkeyPatch, url: str | None, found: bool
) -> None:
    async def source() -> str | None:
        return url

    monkeypatch.setattr(front_door, "stream_source", source)
    origins = await async_find_origins(hass, CAMERA)
    assert len(origins) == found
    for address in origins:
        assert isinstance(address, StreamAddress)
        assert address.url == url
        assert "secret" not in repr(address)


async def test_a_camera_that_is_away_has_no_stream(
    hass: HomeAssistant, front_door: FrontDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def source() -> str:
        return "rtsp://door/1"

    monkeypatch.setattr(front_door, "stream_source", source)
    assert len(await async_find_origins(hass, CAMERA)) == 1
    hass.states.async_set(CAMERA, STATE_UNAVAILABLE)
    assert await async_find_origins(hass, CAMERA) == ()
    assert await async_find_origins(hass, "camera.nowhere") == ()


async def test_an_integration_that_fails_has_no_stream(
    hass: HomeAssistant, front_door: FrontDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def source() -> str:
        raise KeyError("a library's mistake")

    monkeypatch.setattr(front_door, "stream_source", source)
    assert await async_find_origins(hass, CAMERA) == ()


def test_the_stream_options_of_a_camera_are_kept() -> None:
    assert ffmpeg_options({}) == {"tls_verify": "0"}
    assert ffmpeg_options(
        {"verify_ssl": True, "rtsp_transport": "udp", "use_wallclock_as_timestamps": True}
    ) == {"tls_verify": "1", "rtsp_transport": "udp", "use_wallclock_as_timestamps": "1"}
