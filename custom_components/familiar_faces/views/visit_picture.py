"""The pictures of visits, for the panel and the card: by paths that Home Assistant signs for a minute."""

from http import HTTPStatus

from aiohttp import web
from homeassistant.components.http.const import KEY_HASS_USER
from homeassistant.helpers.http import KEY_HASS, HomeAssistantView
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..running import async_running_hub
from ..seen.listing import Listing
from ..seen.lookup import Asker, Lookup
from ..seen.shown import Picture
from ..vault.errors import VaultError

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'",
    "Referrer-Policy": "no-referrer",
    # As the pages say it: a cache of a service worker takes `no-store` for nothing, and refuses this.
    "Vary": "*",
    "X-Content-Type-Options": "nosniff",
}
LONGEST_ID = 64
VISIT_PATH = f"/api/{DOMAIN}/visit/{{visit_id}}"


class VisitPictureView(HomeAssistantView):
    """The picture of a visit, for users who may be told of that visit and of its camera.

    Of somebody without a name, as long as they can be given one, for administrators alone.
    """

    url = VISIT_PATH
    name = f"api:{DOMAIN}:visit"

    async def get(self, request: web.Request, visit_id: str) -> web.Response:
        """Answer with a picture, and note who saw it. What is not there and what is not for them look the same."""
        hass, user = request.app[KEY_HASS], request[KEY_HASS_USER]
        hub = async_running_hub(hass)
        if hub is None or len(visit_id) > LONGEST_ID:
            return _nothing()
        if (missed := hub.missed.get(visit_id, dt_util.utcnow())) is not None:
            if not user.is_admin or missed.picture is None:
                return _nothing()
            await hub.viewings.async_note(None, user.id)
            return web.Response(body=missed.picture, content_type="image/jpeg", headers=_HEADERS)
        listing = Listing(hub, hub.board, Lookup(hub, hub.board, Asker(hass, user)))
        try:
            visit = await listing.async_find(visit_id)
            if visit is None or visit.place is None or visit.picture is not Picture.SHOWN:
                return _nothing()
            picture = await hass.async_add_executor_job(hub.vault.visit_picture, visit_id)
        except VaultError:
            return _nothing()
        # Once more: somebody may have been forgotten, or have agreed to less, while it was read.
        if picture is None or await listing.async_find(visit_id) is None:
            return _nothing()
        await hub.viewings.async_note(visit.person_id, user.id)
        return web.Response(body=picture, content_type="image/jpeg", headers=_HEADERS)


def _nothing() -> web.Response:
    return web.Response(status=HTTPStatus.NOT_FOUND, headers=_HEADERS)
