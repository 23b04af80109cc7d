"""What any engine's answer has, for servers that stand in for one."""

from aiohttp import web

from custom_components.familiar_faces.engine.protocol import REQUEST


async def name_the_request(request: web.Request, response: web.StreamResponse) -> None:
    """Say in an answer which request it is for; a signal for `Application.on_response_prepare`."""
    if REQUEST in request.headers:
        response.headers.setdefault(REQUEST, request.headers[REQUEST])
