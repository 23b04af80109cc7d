"""The pictures of notifications, fetched by phones."""

from aiohttp import web
from homeassistant.helpers.http import KEY_HASS, HomeAssistantView
from homeassistant.util import dt as dt_util

from ..alerts.pictures import PICTURE_PATH
from ..const import DOMAIN
from ..running import async_running_hub
from .strict_answers import nothing, picture


class NotificationPictureView(HomeAssistantView):
    """The picture of a notification, for the holder of its signed link; no id can be guessed."""

    url = PICTURE_PATH
    name = f"api:{DOMAIN}:notification"

    async def get(self, request: web.Request, picture_id: str) -> web.Response:
        """Answer with a picture. What never was and what is past its time look the same."""
        hub = async_running_hub(request.app[KEY_HASS])
        made = None if hub is None else hub.alerts.pictures.async_get(picture_id, dt_util.utcnow())
        return nothing() if made is None else picture(made)
