"""What the views of the pages share."""

from http import HTTPStatus
from pathlib import Path
from typing import override

from aiohttp import hdrs, web
from homeassistant.core import HomeAssistant
from homeassistant.helpers.http import HomeAssistantView, request_handler_factory

from ..const import DOMAIN, ROOT
from ..hub import FamiliarFacesConfigEntry
from ..running import async_running_hub
from ..wording.language import choose_language, default_language
from ..wording.renderer import CONTENT_TYPES, Renderer
from . import response


class PageView(HomeAssistantView):
    """A view for people without an account. What may not be seen is not there: the answer is the same 404."""

    requires_auth = False

    def __init__(self, hass: HomeAssistant, renderer: Renderer) -> None:
        """Show pages made by a renderer."""
        self.hass = hass
        self.renderer = renderer

    def entry(self) -> FamiliarFacesConfigEntry | None:
        """Return the entry while it runs."""
        hub = async_running_hub(self.hass)
        return None if hub is None else hub.entry

    def language(self, request: web.Request) -> str:
        """Return the language to answer in."""
        return choose_language(request, default_language(self.hass, self.entry()))

    def page(
        self,
        request: web.Request,
        template: str,
        /,
        status: HTTPStatus = HTTPStatus.OK,
        language: str | None = None,
        **values: object,
    ) -> web.Response:
        """Answer with a page, in the visitor's language unless another one is given."""
        html = self.renderer.render(template, language or self.language(request), **values)
        return response.page(html, status)

    @override
    def register(self, hass: HomeAssistant, app: web.Application, router: web.UrlDispatcher) -> None:
        """Answer every method, also those that Home Assistant does not know: what there is, or that there is nothing.

        No other site is given leave to read these pages, whatever is set for Home Assistant's own.
        """
        assert self.url is not None, "every page has a path"
        for method in (hdrs.METH_GET, hdrs.METH_POST):
            if (handler := getattr(self, method.lower(), None)) is not None:
                router.add_route(method, self.url, request_handler_factory(hass, self, handler))
        router.add_route(hdrs.METH_ANY, self.url, request_handler_factory(hass, self, self.refuse))

    async def refuse(self, request: web.Request, **parts: str) -> web.StreamResponse:
        """Answer in any other way: there is nothing to see."""
        return self.not_found(request)

    def not_found(self, request: web.Request) -> web.Response:
        """Answer as for a path that there never was."""
        return self.page(request, "not_found.html", status=HTTPStatus.NOT_FOUND)


class Asset(PageView):
    """The stylesheet and the pictures of the pages."""

    url = f"{ROOT}/static/{{name}}"
    name = f"{DOMAIN}:static"

    async def get(self, request: web.Request, name: str) -> web.Response:
        """Answer with a file that was read at the start; nothing is looked for on the disk."""
        if (body := self.renderer.assets.get(name)) is None:
            return self.not_found(request)
        return response.content(body, CONTENT_TYPES[Path(name).suffix])


class NotFound(PageView):
    """Whatever else is asked for below our path, and in whatever way."""

    url = f"{ROOT}/{{rest:.*}}"
    name = f"{DOMAIN}:not_found"

    async def get(self, request: web.Request, rest: str) -> web.Response:
        """Say that there is nothing."""
        return self.not_found(request)

    post = get
