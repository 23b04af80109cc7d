"""Talks to an engine over HTTP, on a Unix socket or over the network."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
import io
import json
import re
from statistics import median
from typing import Any, NoReturn

import aiohttp

from ..engine import PROTOCOL
from ..engine.protocol import (
    MAX_FACES,
    MIN_FACE,
    Faces,
    Health,
    ProtocolError,
    faces_from_json,
    health_from_json,
)
from .engine_errors import (
    EngineBusy,
    EngineIncompatible,
    EngineRefused,
    EngineTimedOut,
    EngineUnavailable,
    ImageRejected,
)
from .metadata import without_metadata

MAX_ANSWER = 16 * 1024 * 1024
"""Bytes of an answer that are read at most; twenty faces with both pictures are under 2 MB."""
PARSE_ELSEWHERE = 128 * 1024
"""Bytes above which an answer is parsed in a thread: this many take about a millisecond."""
STRIP_ELSEWHERE = 2 * 1024 * 1024
"""Bytes above which an image is rid of its metadata in a thread: this many take about a millisecond."""
LATENCIES = 21
"""How many recent answers the latency is the median of."""
HANG = 5.0
"""Seconds of silence that mean a hang. A caller who waited less was only in a hurry."""
RETRY_AFTER_MAX = 60.0
PROBLEM_MAX = 300
"""Characters of a problem's text that are kept."""
_REASONS = {400: "not_an_image", 413: "too_large", 415: "not_an_image"}


class EngineClient:
    """One engine's address, and how to ask it. Keeps no image and logs none."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str | None = None) -> None:
        """Speak to the engine at `url`; with a session on a Unix socket that is `http://engine`."""
        self.on_timeout: Callable[[], None] | None = None
        """Called when a request for faces went unanswered long enough to be a hang."""
        self.on_unavailable: Callable[[], None] | None = None
        """Called when a request for faces found the engine gone."""
        self.silent = 0
        """How many requests for faces in a row were left without any answer for at least `HANG` seconds."""
        self._session = session
        self._url = url.rstrip("/")
        self._headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._latencies: deque[float] = deque(maxlen=LATENCIES)

    @property
    def latency_ms(self) -> float | None:
        """Return the median of the engine's own recent totals in milliseconds; None before the first."""
        return median(self._latencies) if self._latencies else None

    async def health(self, timeout: float = 5) -> Health:
        """Return what the engine says about itself.

        Raises EngineUnavailable, EngineBusy, EngineRefused or EngineIncompatible.
        """
        status, headers, body = await self._ask("GET", "/v1/health", timeout)
        if status != 200:
            _raise_for(status, headers, body)
        health = _health(_parse(body))
        if health.protocol != PROTOCOL:
            raise EngineIncompatible(
                f"The engine speaks protocol {health.protocol}, and this integration speaks {PROTOCOL}"
            )
        return health

    async def faces(
        self,
        image: bytes,
        *,
        min_face: int = MIN_FACE,
        max_faces: int = MAX_FACES,
        crops: bool = False,
        portraits: bool = False,
        mirrored: bool = False,
        rotate: int = 0,
        search_turned: bool = False,
        timeout: float = 10,
    ) -> Faces:
        """Return the faces in a JPEG, PNG, WebP, HEIC or AVIF, of which nothing but the picture is sent.

        `rotate`: degrees clockwise, 0, 90, 180 or 270, by which it is turned first. `search_turned`: when nobody is
        upright in it, look for them in the picture turned, and return those; `Faces.turned` says by how much.
        Raises ImageRejected when it cannot be read as an image, otherwise as `health` does.
        """
        query = {
            "min_face": str(min_face),
            "max_faces": str(max_faces),
            "crops": str(int(crops)),
            "portraits": str(int(portraits)),
            "mirrored": str(int(mirrored)),
        }
        # Only when asked for: an engine before them knows no such words.
        if rotate:
            query["rotate"] = str(rotate)
        if search_turned:
            query["search_turned"] = "1"
        if len(image) > STRIP_ELSEWHERE:
            image = await asyncio.to_thread(without_metadata, image)
        else:
            image = without_metadata(image)
        try:
            status, headers, body = await self._ask("POST", "/v1/faces", timeout, query, image)
        except EngineTimedOut:
            if timeout >= HANG:
                self.silent += 1
                if self.on_timeout is not None:
                    self.on_timeout()
            raise
        except EngineUnavailable:
            if self.on_unavailable is not None:
                self.on_unavailable()
            raise
        self.silent = 0
        if status in (400, 413, 415):
            raise _rejection(status, headers, body)
        if status != 200:
            _raise_for(status, headers, body)
        if len(body) > PARSE_ELSEWHERE:
            faces = await asyncio.to_thread(_faces, body)
        else:
            faces = _faces(body)
        if (total := faces.ms.get("total")) is not None:
            self._latencies.append(total)
        return faces

    async def _ask(
        self,
        method: str,
        path: str,
        timeout: float,
        query: Mapping[str, str] | None = None,
        data: bytes | None = None,
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Return status, headers and body; ask again once when a kept connection turned out closed."""
        connector = self._session.connector
        retries = 0 if connector is None or connector.force_close else 1
        headers = (
            self._headers if data is None else {**self._headers, "Content-Type": "application/octet-stream"}
        )
        try:
            async with asyncio.timeout(timeout):
                while True:
                    try:
                        async with self._session.request(
                            method,
                            self._url + path,
                            params=query,
                            # In pieces: aiohttp would write bytes at once and hold the loop.
                            data=None if data is None else io.BytesIO(data),
                            headers=headers,
                            # The engine never redirects. Whoever does is somebody else, and gets no image.
                            allow_redirects=False,
                            timeout=aiohttp.ClientTimeout(total=None),
                        ) as response:
                            return response.status, response.headers, await _read(response)
                    except aiohttp.ServerDisconnectedError:
                        if not retries:
                            raise
                        retries -= 1
        except TimeoutError:
            raise EngineTimedOut(f"The engine did not answer within {timeout:g} s") from None
        except aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError:
            raise EngineIncompatible("The engine's address is not one that can be asked") from None
        except aiohttp.ClientConnectorCertificateError as err:
            raise EngineUnavailable(
                f"The engine's certificate is not trusted: {err.certificate_error}"
            ) from None
        except aiohttp.ClientConnectionError as err:
            raise EngineUnavailable(f"The engine cannot be reached ({type(err).__name__})") from err
        except aiohttp.ClientResponseError as err:
            raise EngineIncompatible(f"Not an engine's answer ({type(err).__name__})") from err
        except aiohttp.ClientPayloadError as err:
            raise EngineUnavailable("The engine's answer was cut off") from err
        except OSError as err:
            raise EngineUnavailable(f"The engine cannot be reached ({err.strerror})") from err
        except RuntimeError as err:
            if not self._session.closed:
                raise
            raise EngineUnavailable("The connection to the engine is closed") from err


def _health(data: Any) -> Health:
    """Return the health in parsed JSON; raise EngineIncompatible when it is something else."""
    try:
        return health_from_json(data)
    except (ProtocolError, ArithmeticError) as err:
        raise EngineIncompatible("Whatever answers there is not an engine") from err


def _faces(body: bytes) -> Faces:
    try:
        return faces_from_json(_parse(body))
    except (ProtocolError, ArithmeticError) as err:
        raise EngineIncompatible("The engine's answer cannot be understood") from err


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as err:
        raise EngineIncompatible("The engine's answer is not JSON") from err


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Return the body, never reading more than `MAX_ANSWER`."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > MAX_ANSWER:
            response.close()
            raise EngineIncompatible("The answer is larger than any engine's")
    return bytes(body)


def _raise_for(status: int, headers: Mapping[str, str], body: bytes) -> NoReturn:
    """Raise what a status other than 200 means."""
    if status in (401, 403):
        raise EngineRefused("The engine does not accept the token")
    if status in (429, 503) and (retry_after := _retry_after(headers)) is not None:
        raise EngineBusy(retry_after)
    if status >= 500 or status in (408, 429):
        _, detail = _problem(headers, body)
        raise EngineUnavailable(detail or f"The engine failed (HTTP {status})")
    if 300 <= status < 400:
        raise EngineIncompatible("Whatever answers there sends us elsewhere, which an engine never does")
    raise EngineIncompatible(f"Whatever answers there is not an engine (HTTP {status})")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return Retry-After in seconds, within reason; an engine never gives a date."""
    text = headers.get("Retry-After", "")
    return min(float(text), RETRY_AFTER_MAX) if text.isascii() and text.isdigit() else None


def _rejection(status: int, headers: Mapping[str, str], body: bytes) -> Exception:
    """Return what a refused image means."""
    name, detail = _problem(headers, body)
    if detail is not None:
        return ImageRejected(name or _REASONS[status], detail)
    if status == 413:
        # A proxy in between has its own, smaller limit.
        return ImageRejected("too_large", "The image is larger than what lies before the engine lets through")
    return EngineIncompatible(f"Whatever answers there is not an engine (HTTP {status})")


def _problem(headers: Mapping[str, str], body: bytes) -> tuple[str | None, str | None]:
    """Return the name and the text of a problem+json (RFC 9457); None for what is missing."""
    if not headers.get("Content-Type", "").startswith("application/problem+json"):
        return None, None
    try:
        problem = _parse(body)
    except EngineIncompatible:
        return None, None
    if not isinstance(problem, dict):
        return None, None
    # Its type is a URI reference whose last part names the problem; about:blank says no more than the status.
    uri = str(problem.get("type", "about:blank"))
    name = None if uri == "about:blank" else re.split(r"[/:#]", uri.rstrip("/"))[-1][:PROBLEM_MAX] or None
    detail = str(problem.get("detail") or problem.get("title") or "")
    return name, detail[:PROBLEM_MAX] or None
