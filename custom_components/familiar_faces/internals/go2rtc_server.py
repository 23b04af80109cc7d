"""Where go2rtc shares the stream of a camera on. Home Assistant tells only how it is used for browsers."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from homeassistant.components.camera import Camera
from homeassistant.core import HomeAssistant

DOMAIN = "go2rtc"
SECONDS = 3.0
"""How long go2rtc may take to say what it has."""
PORT = 8554
"""Where it shares streams on unless it says otherwise."""


def check(hass: HomeAssistant) -> bool:
    """Return whether this Home Assistant still has what is reached for, as far as it uses go2rtc."""
    if DOMAIN not in hass.config.components:
        return True
    try:
        from homeassistant.components.go2rtc.util import get_camera_identifier
    except ImportError:
        return False
    config = hass.data.get(DOMAIN)
    # Without a server Home Assistant keeps nothing of it.
    return callable(get_camera_identifier) and (
        config is None or (hasattr(config, "url") and hasattr(config, "session"))
    )


def is_shared(camera: Camera) -> bool:
    """Return whether Home Assistant uses go2rtc for a camera."""
    return (provider := camera.webrtc_provider) is not None and provider.domain == DOMAIN


async def async_restream_of(hass: HomeAssistant, camera: Camera) -> str | None:
    """Return the address at which go2rtc shares a camera's stream; None where it does not have that."""
    config: Any = hass.data.get(DOMAIN) if is_shared(camera) and check(hass) else None
    if config is None:
        return None
    from homeassistant.components.go2rtc.util import get_camera_identifier

    name = get_camera_identifier(camera)
    try:
        async with asyncio.timeout(SECONDS):
            about = await _async_read(config, "api")
            known = await _async_read(config, "api/streams")
    except TimeoutError, aiohttp.ClientError, ValueError, TypeError:
        return None
    if name not in known:
        return None
    host = urlsplit(config.url).hostname or "127.0.0.1"
    listen = str((about.get("rtsp") or {}).get("listen") or "")
    at, _, port = listen.rpartition(":")
    if at == "127.0.0.1":
        # Anyone who is let in by this machine alone is on it.
        host = at
    return f"rtsp://{host}:{port if port.isdecimal() else PORT}/{name}"


async def _async_read(config: Any, path: str) -> Mapping[str, Any]:
    """Return what go2rtc answers; raise TypeError when that is no object."""
    async with config.session.get(f"{config.url.rstrip('/')}/{path}") as response:
        response.raise_for_status()
        answer = await response.json(content_type=None)
    if not isinstance(answer, Mapping):
        raise TypeError(f"go2rtc said {type(answer).__name__}")
    return answer
