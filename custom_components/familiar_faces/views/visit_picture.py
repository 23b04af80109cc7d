"""The pictures of visits, for the panel and the card: by paths that Home Assistant signs for a minute."""

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
from .strict_answers import LONGEST_ID, nothing, picture

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
            return nothing()
        if (missed := hub.missed.get(visit_id, dt_util.utcnow())) is not None:
            if not user.is_admin or missed.picture is None:
                return nothing()
            await hub.viewings.async_note(None, user.id)
            return picture(missed.picture)
        listing = Listing(hub, hub.board, Lookup(hub, hub.board, Asker(hass, user)))
        try:
            visit = await listing.async_find(visit_id)
            if visit is None or visit.place is None or visit.picture is not Picture.SHOWN:
                return nothing()
            kept = await hass.async_add_executor_job(hub.vault.visit_picture, visit_id)
        except VaultError:
            return nothing()
        # Once more: somebody may have been forgotten, or have agreed to less, while it was read.
        if kept is None or await listing.async_find(visit_id) is None:
            return nothing()
        await hub.viewings.async_note(visit.person_id, user.id)
        return picture(kept)
