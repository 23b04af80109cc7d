"""The one place that makes the answers of these views: every one of them with the same strict headers."""

from http import HTTPStatus
from typing import Final

from aiohttp import hdrs, web

HEADERS: Final = {
    hdrs.CACHE_CONTROL: "no-store",
    "Content-Security-Policy": "default-src 'none'",
    "Referrer-Policy": "no-referrer",
    # As the pages say it: a cache of a service worker takes `no-store` for nothing, and refuses this.
    hdrs.VARY: "*",
    "X-Content-Type-Options": "nosniff",
}
LONGEST_ID: Final = 64
"""Characters of an id that is looked for."""


_DRAWN: Final = HEADERS | {"Content-Security-Policy": "default-src 'none'; img-src data:; sandbox"}
"""Of a picture with frames, which holds the camera's; opened by itself it runs nothing."""


def picture(body: bytes) -> web.Response:
    """Answer with a picture: a JPEG, or an SVG that was drawn here."""
    if body.startswith(b"<svg "):
        return web.Response(body=body, content_type="image/svg+xml", headers=_DRAWN)
    return web.Response(body=body, content_type="image/jpeg", headers=HEADERS)


def nothing(status: HTTPStatus = HTTPStatus.NOT_FOUND) -> web.Response:
    """Answer that there is nothing, or nothing for the one who asks."""
    return web.Response(status=status, headers=HEADERS)
