"""The pictures of notifications, fetched by phones."""

from http import HTTPStatus

from aiohttp import web
from homeassistant.helpers.http import KEY_HASS, HomeAssistantView
from homeassistant.util import dt as dt_util

from ..alerts.pictures import PICTURE_PATH
from ..const import DOMAIN
from ..running import async_running_hub

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'",
    "Referrer-Policy": "no-referrer",
    # As the pages say it: a cache of a service worker takes `no-store` for nothing, and refuses this.
    "Vary": "*",
    "X-Content-Type-Options": "nosniff",
}


class NotificationPictureView(HomeAssistantView):
    """The picture of a notification, for the holder of its signed link; no id can be guessed."""

    url = PICTURE_PATH
    name = f"api:{DOMAIN}:notification"

    async def get(self, request: web.Request, picture_id: str) -> web.Response:
        """Answer with a picture. What never was and what is past its time look the same."""
        hub = async_running_hub(request.app[KEY_HASS])
        picture = None if hub is None else hub.alerts.pictures.async_get(picture_id, dt_util.utcnow())
        if picture is None:
            return web.Response(status=HTTPStatus.NOT_FOUND, headers=_HEADERS)
        return web.Response(body=picture, content_type="image/jpeg", headers=_HEADERS)
