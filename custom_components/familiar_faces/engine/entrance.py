"""Lets in only who knows the token, and shows that the answer comes from who knows it, too."""

from collections.abc import Callable
import hmac
import re
from typing import Any

from aiohttp import hdrs, web

from .metrics import METRICS
from .problems import Handler, problem
from .proof import DIGEST, PROOF, SCHEME, Secret, StreamSeal, same
from .protocol import REQUEST

ALIVE = "/v1/alive"
"""The one path that asks for no token."""
_NAME = re.compile(r"[0-9a-f]{32}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_ASKED: web.RequestKey[str] = web.RequestKey("asked", str)
_SECRET: web.RequestKey[Secret] = web.RequestKey("secret", Secret)


class ChangedError(Exception):
    """What arrived is not what was sent."""


def guard(token: str | None, metrics_token: str | None, refused: Callable[[], None]) -> Any:
    """Return the middleware that lets in only those who know the token; everybody where there is none.

    `metrics_token` opens the figures for monitoring alone. `refused` is called for each that is not let in.
    """
    secret = None if token is None else Secret(token)
    bearer = _bearer(token or "")
    figures = None if metrics_token is None else _bearer(metrics_token)

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == ALIVE or secret is None:
            return await handler(request)
        given = request.headers.get(hdrs.AUTHORIZATION, "")
        if figures is not None and request.path == METRICS and _same_token(given, figures):
            return await handler(request)
        if (asked := _proof(request, given)) is not None:
            if not same(asked, _right(secret, request)):
                refused()
                return _refuse()
            request[_ASKED], request[_SECRET] = asked, secret
        elif not _same_token(given, bearer):
            # An older integration sends the token itself.
            refused()
            return _refuse()
        return await handler(request)

    return guarded


@web.middleware
async def sign(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Say in each answer which request it is for, that nobody may keep it, and prove where it comes from."""
    response = await handler(request)
    if response.prepared:
        return response
    response.headers[hdrs.CACHE_CONTROL] = "no-store"
    if _NAME.fullmatch(name := request.headers.get(REQUEST, "")):
        response.headers[REQUEST] = name
    if _ASKED in request and isinstance(response, web.Response):
        body = response.body if isinstance(response.body, bytes | bytearray) else b""
        response.headers[PROOF] = request[_SECRET].of_answer(request[_ASKED], response.status, bytes(body))
    return response


def check_body(request: web.Request, digest: str) -> None:
    """Raise ChangedError when the SHA-256 of a request's body is not what its proof says."""
    if _ASKED in request and not same(digest, request.headers[DIGEST]):
        raise ChangedError


def seal_of(request: web.Request) -> StreamSeal | None:
    """Return what seals the answers on a stream that this request opens; None where it has no proof."""
    return StreamSeal(request[_SECRET], request[_ASKED]) if _ASKED in request else None


def _bearer(token: str) -> bytes:
    return f"Bearer {token}".encode("utf-8", "surrogateescape")


def _same_token(given: str, right: bytes) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), right)


def _proof(request: web.Request, given: str) -> str | None:
    """Return the proof that a request brings, None when it brings something else."""
    scheme, _, asked = given.partition(" ")
    whole = (
        scheme == SCHEME
        and _DIGEST.fullmatch(request.headers.get(DIGEST, ""))
        and _NAME.fullmatch(request.headers.get(REQUEST, ""))
    )
    return asked if whole else None


def _right(secret: Secret, request: web.Request) -> str:
    headers = request.headers
    return secret.of_request(headers[REQUEST], request.method, request.raw_path, headers[DIGEST])


def _refuse() -> web.Response:
    return problem(401, "the token is missing or wrong", **{hdrs.WWW_AUTHENTICATE: f"{SCHEME}, Bearer"})
