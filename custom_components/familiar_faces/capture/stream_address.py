"""Where the stream of a camera entity is, and how Home Assistant reads it."""

from collections.abc import Mapping
import logging

from homeassistant.components.camera import async_get_stream_source
from homeassistant.components.camera.const import StreamType
from homeassistant.components.camera.helper import get_camera_from_entity_id
from homeassistant.components.stream import CONF_RTSP_TRANSPORT, CONF_USE_WALLCLOCK_AS_TIMESTAMPS
from homeassistant.const import CONF_VERIFY_SSL, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .camera_stream import StreamAddress
from .stream_reader import is_live

_LOGGER = logging.getLogger(__name__)


async def async_find_stream(hass: HomeAssistant, camera: str) -> StreamAddress | None:
    """Return where the stream of a camera entity is now; None where it has none that is live."""
    state = hass.states.get(camera)
    if state is None or state.state == STATE_UNAVAILABLE:
        return None
    try:
        entity = get_camera_from_entity_id(hass, camera)
        url = await async_get_stream_source(hass, camera)
    except HomeAssistantError:
        return None
    except Exception:
        # Integrations raise what their libraries raise.
        _LOGGER.debug("%s does not say where its stream is", camera, exc_info=True)
        return None
    if not url or not is_live(url):
        return None
    return StreamAddress(url, ffmpeg_options(entity.stream_options))


def is_webrtc_only(hass: HomeAssistant, camera: str) -> bool:
    """Return whether a camera entity sends its pictures to browsers alone, and Home Assistant never has one.

    Such a camera hands out the same placeholder as its still for ever (Nest: home-assistant/core#176807).
    """
    try:
        types = get_camera_from_entity_id(hass, camera).camera_capabilities.frontend_stream_types
    except HomeAssistantError:
        return False
    return types == {StreamType.WEB_RTC}


def ffmpeg_options(options: Mapping[str, str | bool | float]) -> dict[str, str]:
    """Return FFmpeg's words for the stream options of a camera, as Home Assistant's own stream has them."""
    # FFmpeg verifies by default; most cameras have certificates that they made themselves.
    words = {"tls_verify": "1" if options.get(CONF_VERIFY_SSL) else "0"}
    if transport := options.get(CONF_RTSP_TRANSPORT):
        words["rtsp_transport"] = str(transport)
    if options.get(CONF_USE_WALLCLOCK_AS_TIMESTAMPS):
        words["use_wallclock_as_timestamps"] = "1"
    return words
