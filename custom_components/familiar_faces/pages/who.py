"""Where "Who is it?" of a notification leads: on to the page on which people are enrolled."""

from http import HTTPStatus

from aiohttp import hdrs, web

from ..const import DOMAIN, WHO_PATH
from . import response
from .guard import async_get_guard
from .view import PageView

ENROL_PATH = f"/config/integrations/integration/{DOMAIN}"
_APP = "external_auth"


class WhoIsIt(PageView):
    """A link that was sent to an administrator's phone. It works once, and shows nothing itself."""

    url = WHO_PATH
    name = f"{DOMAIN}:who"

    async def get(self, request: web.Request, token: str) -> web.Response:
        """Lead on, to where Home Assistant asks who they are; a wrong link is answered like any other."""
        entry = self.entry()
        if entry is None or not await entry.runtime_data.alerts.answers.async_opened(token):
            await async_get_guard(self.hass).async_wrong(
                request, None if entry is None else entry.runtime_data
            )
            return self.not_found(request)
        # The companion apps say with it that they log their user in themselves.
        query = f"?{_APP}=1" if request.query.get(_APP) == "1" else ""
        return web.Response(
            status=HTTPStatus.FOUND, headers={**response.HEADERS, hdrs.LOCATION: f"{ENROL_PATH}{query}"}
        )


VIEWS = (WhoIsIt,)
