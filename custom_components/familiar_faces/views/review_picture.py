"""The pictures of the review inbox, for administrators."""

from http import HTTPStatus

from aiohttp import web
from homeassistant.components.http.const import KEY_HASS_USER
from homeassistant.helpers.http import KEY_HASS, HomeAssistantView

from ..const import DOMAIN
from ..openness.review import PICTURE_PATH
from ..running import async_running_hub
from ..vault.errors import UnknownVisit, VaultError
from .strict_answers import nothing, picture


class ReviewPictureView(HomeAssistantView):
    """The pictures of the review inbox, for administrators."""

    url = PICTURE_PATH
    name = f"api:{DOMAIN}:review"

    async def get(self, request: web.Request, visit_id: str) -> web.Response:
        """Answer with a picture. What is not there and what is past its time look the same."""
        user = request[KEY_HASS_USER]
        if not user.is_admin:
            # Not 401, which is counted as a failed login.
            return nothing(HTTPStatus.FORBIDDEN)
        hub = async_running_hub(request.app[KEY_HASS])
        if hub is None:
            return nothing()
        try:
            if visit_id not in {item.visit_id for item in await hub.review.async_items()}:
                raise UnknownVisit
            kept = await hub.hass.async_add_executor_job(hub.vault.review.picture, visit_id)
        except VaultError:
            return nothing()
        await hub.viewings.async_note(None, user.id)
        return picture(kept)
