"""The one place that makes answers: every one of them with the same strict headers."""

from http import HTTPStatus
from typing import Final

from aiohttp import hdrs, web

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    hdrs.CACHE_CONTROL: "no-store",
    # The frontend's service worker keeps a copy of whatever it may, `no-store` or not; a cache refuses this.
    hdrs.VARY: "*",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Permissions-Policy": (
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), "
        "microphone=(), payment=(), usb=()"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""A photo is chosen with a file field, which asks for no permission: the pages need none."""


def page(html: str, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    """Answer with a page."""
    return web.Response(text=html, content_type="text/html", status=status, headers=HEADERS)


def content(body: bytes, content_type: str) -> web.Response:
    """Answer with a picture, a stylesheet or a script."""
    charset = "utf-8" if content_type.startswith("text/") else None
    return web.Response(body=body, content_type=content_type, charset=charset, headers=HEADERS)


def download_headers(filename: str) -> dict[str, str]:
    """Return the headers of a zip file to save; `filename` is made of ASCII letters, digits, dots and dashes."""
    disposition = f'attachment; filename="{filename}"'
    return {**HEADERS, hdrs.CONTENT_TYPE: "application/zip", hdrs.CONTENT_DISPOSITION: disposition}


def see_other(path: str) -> web.Response:
    """Send the browser on after a form was taken, so that going back does not send it again."""
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={**HEADERS, hdrs.LOCATION: path})
