"""What any engine's answer has, for servers that stand in for one."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from custom_components.familiar_faces.engine.proof import PROOF, SCHEME, Secret
from custom_components.familiar_faces.engine.protocol import REQUEST

type Signal = Callable[[web.Request, web.StreamResponse], Awaitable[None]]


async def name_the_request(request: web.Request, response: web.StreamResponse) -> None:
    """Say in an answer which request it is for; a signal for `Application.on_response_prepare`."""
    if REQUEST in request.headers:
        response.headers.setdefault(REQUEST, request.headers[REQUEST])


def proving(token: str) -> Signal:
    """Return a signal that does the same, and proves that the answer is of somebody who knows the token."""

    async def prove(request: web.Request, response: web.StreamResponse) -> None:
        await name_the_request(request, response)
        prove_answer(token, request, response)

    return prove


def prove_answer(token: str, request: web.Request, response: web.StreamResponse) -> None:
    """Put the proof of a whole answer into its headers."""
    scheme, _, asked = request.headers.get("Authorization", "").partition(" ")
    if scheme == SCHEME and isinstance(response, web.Response):
        body = response.body if isinstance(response.body, bytes) else b""
        response.headers.setdefault(PROOF, Secret(token).of_answer(asked, response.status, body))
