"""Where the stream of a camera entity can be had, and how Home Assistant reads it."""

from collections.abc import Mapping, Sequence
import logging

from homeassistant.components.camera import async_get_stream_source
from homeassistant.components.camera.const import StreamType
from homeassistant.components.camera.helper import get_camera_from_entity_id
from homeassistant.components.camera.prefs import get_dynamic_camera_stream_settings
from homeassistant.components.stream import CONF_RTSP_TRANSPORT, CONF_USE_WALLCLOCK_AS_TIMESTAMPS, Orientation
from homeassistant.const import CONF_VERIFY_SSL, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..internals.go2rtc_server import is_shared
from .relayed_stream import RelayedStream, is_running
from .restream import Restream
from .stream_origin import Origin
from .stream_reader import StreamAddress, is_live

_LOGGER = logging.getLogger(__name__)

CLOCKWISE = {
    Orientation.ROTATE_180: 180,
    Orientation.FLIP: 180,
    Orientation.ROTATE_LEFT: 270,
    Orientation.ROTATE_LEFT_AND_FLIP: 90,
    Orientation.ROTATE_RIGHT: 90,
    Orientation.ROTATE_RIGHT_AND_FLIP: 270,
}
"""By how many degrees pictures are turned to be upright as Home Assistant shows them. A face that is still a mirror
image resembles itself."""


async def async_find_origins(hass: HomeAssistant, camera: str) -> Sequence[Origin]:
    """Return where the stream of a camera entity can be had now, the best first; nothing where none is live.

    That is the camera itself; what Home Assistant reads of it for somebody else; and go2rtc, which shares one
    connection, and knows kinds of addresses that FFmpeg does not.
    """
    state = hass.states.get(camera)
    if state is None or state.state == STATE_UNAVAILABLE:
        return ()
    try:
        entity = get_camera_from_entity_id(hass, camera)
        url = await async_get_stream_source(hass, camera)
        orientation = (await get_dynamic_camera_stream_settings(hass, camera)).orientation
        turn = CLOCKWISE.get(orientation, 0)
        origins: list[Origin] = []
        if url and is_live(url):
            origins.append(StreamAddress(url, ffmpeg_options(entity.stream_options), turn))
        if is_running(entity.stream):
            origins.append(RelayedStream(entity, turn))
        if url and is_shared(entity):
            origins.append(Restream(hass, entity))
    except HomeAssistantError:
        return ()
    except Exception:
        # Integrations raise what their libraries raise.
        _LOGGER.debug("%s does not say where its stream is", camera, exc_info=True)
        return ()
    return origins


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
