"""Errors over HTTP, as RFC 9457 has them."""

from collections.abc import Awaitable, Callable
import logging

from aiohttp import hdrs, web

_LOGGER = logging.getLogger(__name__)

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

RETRY_AFTER = "1"
"""Seconds after which a busy engine may be asked again."""


def problem(status: int, detail: str, name: str | None = None, **headers: str) -> web.Response:
    """Return an error as RFC 9457 has it; with a `name` where the status alone says too little."""
    body = {
        "type": f"#{name}" if name else "about:blank",
        "title": _title(status),
        "status": status,
        "detail": detail,
    }
    return web.json_response(body, status=status, content_type="application/problem+json", headers=headers)


def busy(detail: str) -> web.Response:
    """Return that there is no room now, and when to come again."""
    return problem(503, detail, **{hdrs.RETRY_AFTER: RETRY_AFTER})


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into a problem, and never let one end the process."""
    try:
        return await handler(request)
    except web.HTTPException as err:
        headers = {"Allow": err.headers["Allow"]} if "Allow" in err.headers else {}
        return problem(err.status, err.reason, **headers)
    except ConnectionError:
        raise
    except Exception:
        _LOGGER.exception("%s %s failed", request.method, request.path)
        return problem(500, "the engine failed on this request; its log says why")


def _title(status: int) -> str:
    return {
        400: "Bad request",
        401: "Unauthorized",
        408: "Request timeout",
        413: "Content too large",
        503: "Service unavailable",
    }.get(status, "Error")
