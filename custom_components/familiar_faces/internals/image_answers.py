"""How pictures of our image entities are answered: never to be stored, and without a word once the entity is gone.

Home Assistant answers `/api/image_proxy/image.anna_last_picture` itself, without saying that a browser must not store
it. When that entity is gone, a dashboard that is still open asks on; Home Assistant takes that for a failed login,
and writes the path, with the name in it, into its log and a notification. A view for that very path is found first.
"""

from http import HTTPStatus
import logging

from aiohttp import hdrs, web
from homeassistant.components import image
from homeassistant.components.image.const import DATA_COMPONENT
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.http import HomeAssistantView
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN

_LOGGER = logging.getLogger(__name__)

_HEADERS = {hdrs.CACHE_CONTROL: "no-store", "Referrer-Policy": "no-referrer"}
_ANSWERED: HassKey[set[str]] = HassKey(f"{DOMAIN}_image_answers")


def check(hass: HomeAssistant) -> bool:
    """Return whether this Home Assistant still answers for image entities as is expected here; yes where it has none."""
    if "image" not in hass.config.components:
        return True
    view = getattr(image, "ImageView", None)
    return (
        DATA_COMPONENT in hass.data
        and hasattr(hass.data[DATA_COMPONENT], "get_entity")
        and getattr(view, "url", None) == "/api/image_proxy/{entity_id}"
        and all(callable(getattr(view, method, None)) for method in ("get", "head"))
    )


class _OurImageView(HomeAssistantView):
    """Home Assistant's view of one image entity, with our headers."""

    # As Home Assistant's own, which looks for the token of the entity.
    requires_auth = False

    def __init__(self, hass: HomeAssistant, entity_id: str) -> None:
        """Answer for an entity."""
        self._hass = hass
        self._entity_id = entity_id
        self.url = f"/api/image_proxy/{entity_id}"
        self.name = f"api:{DOMAIN}:image:{entity_id}"

    async def head(self, request: web.Request) -> web.StreamResponse:
        """Say whether there is a picture."""
        return await self._answer(request)

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Answer with the picture."""
        return await self._answer(request)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        component = self._hass.data[DATA_COMPONENT]
        if component.get_entity(self._entity_id) is None:
            return web.Response(status=HTTPStatus.NOT_FOUND, headers=_HEADERS)
        view = image.ImageView(component)
        answer = view.head if request.method == hdrs.METH_HEAD else view.get
        try:
            response = await answer(request, self._entity_id)
        except web.HTTPInternalServerError:
            # There is no picture, or it is gone.
            return web.Response(status=HTTPStatus.NOT_FOUND, headers=_HEADERS)
        response.headers.update(_HEADERS)
        return response


@callback
def async_answer_for(hass: HomeAssistant, entity_id: str) -> None:
    """Answer for an image entity from now on, until Home Assistant restarts. Does nothing where no pages are served."""
    answered = hass.data.setdefault(_ANSWERED, set())
    if entity_id in answered or "http" not in hass.config.components or not check(hass):
        return
    try:
        hass.http.register_view(_OurImageView(hass, entity_id))
    except RuntimeError:
        # The path has a name in it.
        _LOGGER.debug("The web server accepts no further views: Home Assistant answers for a picture itself")
    else:
        answered.add(entity_id)
