"""Talks to an engine over HTTP, on a Unix socket or over the network."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
import hashlib
import io
import secrets
from statistics import median
from typing import NamedTuple, Unpack
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from ..engine import OLDEST, PROTOCOL
from ..engine.digests import sha256_of
from ..engine.proof import DIGEST, PROOF, SCHEME, Secret, StreamSeal, same
from ..engine.protocol import REQUEST, SPEAKS, Faces, Health
from .engine_answers import PARSE_ELSEWHERE, faces_of, health_of, parse, raise_for, rejection
from .engine_errors import (
    AnotherAnswer,
    EngineForged,
    EngineIncompatible,
    EngineRefused,
    EngineTimedOut,
    EngineTooNew,
    EngineTooOld,
    EngineUnavailable,
    EngineUntrusted,
    StreamsUnknown,
    TokenMissing,
)
from .engine_questions import Asked, query_of
from .metadata import without_metadata
from .stream_session import StreamSession

MAX_ANSWER = 16 * 1024 * 1024
"""Bytes of an answer that are read at most; twenty faces with both pictures are under 2 MB."""
STRIP_ELSEWHERE = 2 * 1024 * 1024
"""Bytes above which an image is rid of its metadata in a thread: this many take about a millisecond."""
LATENCIES = 21
"""How many recent answers the latency is the median of."""
UPGRADE_REQUIRED = 426
_NOTHING = hashlib.sha256(b"").hexdigest()
HANG = 5.0
"""Seconds of silence that mean a hang. A caller who waited less was only in a hurry."""


class _Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class EngineClient:
    """One engine's address, and how to ask it. Keeps no image and logs none."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        token: str | None = None,
        *,
        wary: bool = False,
        verified: bool = False,
        fingerprint: aiohttp.Fingerprint | None = None,
    ) -> None:
        """Speak to the engine at `url`; with a session on a Unix socket that is `http://engine`.

        `wary`: send no picture before something answered there as an engine does, and again after it did not: an
        address in a network may become another machine's. `verified`: the session makes sure by a certificate who
        answers. `fingerprint`: the only accepted certificate, no matter who signed it.
        """
        self.on_timeout: Callable[[], None] | None = None
        """Called when a request for faces went unanswered long enough to be a hang."""
        self.on_unavailable: Callable[[], None] | None = None
        """Called when a request for faces found the engine gone."""
        self.silent = 0
        """How many requests for faces in a row were left without any answer for at least `HANG` seconds."""
        self._wary = wary
        self._known = False
        self._session = session
        self._url = url.rstrip("/")
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            SPEAKS: str(PROTOCOL),
        }
        self._tls: aiohttp.Fingerprint | bool = fingerprint or True
        self._verified = self._url.startswith("https:") and (verified or fingerprint is not None)
        self._token = token
        self._secret = Secret(token) if token else None
        self._older = False
        """Whether the engine is of protocol 1 and wants the token itself, which only who is verified is sent."""
        self._latencies: deque[float] = deque(maxlen=LATENCIES)

    @property
    def latency_ms(self) -> float | None:
        """Return the median of the engine's own recent totals in milliseconds; None before the first."""
        return median(self._latencies) if self._latencies else None

    async def health(self, timeout: float = 5) -> Health:
        """Return what the engine says about itself.

        Raises EngineUnavailable, EngineBusy, EngineRefused or EngineIncompatible.
        """
        self._known = False
        # It may have been updated.
        self._older = False
        status, headers, body = await self._ask("GET", "/v1/health", timeout)
        if status != 200:
            raise_for(status, headers, body)
        health = health_of(parse(body))
        spoken = f"The engine ({health.version}) speaks protocol {health.protocol}, and this integration"
        if health.protocol < OLDEST:
            raise EngineTooOld(f"{spoken} {OLDEST} to {PROTOCOL}: update the engine")
        if health.protocol > PROTOCOL:
            raise EngineTooNew(f"{spoken} {OLDEST} to {PROTOCOL}: update the integration")
        self._known = True
        return health

    async def _know(self, timeout: float) -> None:
        """See that an engine answers before it gets a picture; raises as `health`."""
        if self._wary and not self._known:
            await self.health(timeout)

    @contextmanager
    def _doubting(self) -> Generator[None]:
        """Take it that what is there may be something else once it is gone, or answers as no engine does."""
        try:
            yield
        except EngineUnavailable, EngineIncompatible, EngineRefused:
            self._known = False
            raise

    async def faces(self, image: bytes, *, timeout: float = 10, **asked: Unpack[Asked]) -> Faces:
        """Return the faces in a JPEG, PNG, WebP, HEIC or AVIF, of which nothing but the picture is sent.

        Raises ImageRejected when it cannot be read as an image, otherwise as `health` does.
        """
        query = query_of(**asked)
        upload = asked.get("upload", False)
        with self._doubting():
            return await self._faces(image, query, upload, timeout)

    async def _faces(self, image: bytes, query: dict[str, str], upload: bool, timeout: float) -> Faces:
        await self._know(timeout)
        if len(image) > STRIP_ELSEWHERE:
            image = await asyncio.to_thread(without_metadata, image)
        else:
            image = without_metadata(image)
        status, headers, body = await self._ask_for_faces(timeout, query, image, upload)
        for newer in ("upload", "search_turned"):
            if status == 400 and b"is not a parameter" in body and newer in query:
                # An engine that was not updated with us: it has one queue, and looks at the picture as it lies.
                del query[newer]
                status, headers, body = await self._ask_for_faces(timeout, query, image, upload)
        if status == 400 and b"is not a parameter" in body:
            raise EngineTooOld("The engine is too old to turn pictures: update it")
        if status in (400, 413, 415):
            raise rejection(status, headers, body)
        if status != 200:
            raise_for(status, headers, body)
        if len(body) > PARSE_ELSEWHERE:
            faces = await asyncio.to_thread(faces_of, body)
        else:
            faces = faces_of(body)
        self._note(faces)
        return faces

    async def _ask_for_faces(
        self, timeout: float, query: Mapping[str, str], image: bytes, upload: bool
    ) -> _Answer:
        """Ask once, and take note of an engine that is silent or gone."""
        try:
            answer = await self._ask("POST", "/v1/faces", timeout, query, image)
        except EngineTimedOut:
            # What was sent in waits behind all looks, however many there are: that is no sign of a hang.
            if timeout >= HANG and not upload:
                self._was_silent()
            raise
        except EngineUnavailable:
            self._was_gone()
            raise
        self.silent = 0
        return answer

    @asynccontextmanager
    async def stream(self, timeout: float = 5) -> AsyncGenerator[StreamSession]:
        """Yield a stream: pieces go in, and what is seen in its newest frame comes out.

        Raises StreamsUnknown when the engine is too old for it, EngineBusy when it decodes as many as it may,
        otherwise as `health` does.
        """
        with self._doubting():
            await self._know(timeout)
            # Asked without an upgrade first: what redirects is no engine, and a WebSocket would follow it.
            status, headers, body = await self._ask("GET", "/v1/stream", timeout)
            if status in (404, 405):
                raise StreamsUnknown("The engine is too old to look at streams")
            if status != UPGRADE_REQUIRED:
                raise_for(status, headers, body)
            with self._translated(timeout):
                async with asyncio.timeout(timeout):
                    try:
                        headers, proof = self._signed("GET", "/v1/stream")
                        socket = await self._session.ws_connect(
                            self._url + "/v1/stream",
                            headers=headers,
                            max_msg_size=MAX_ANSWER,
                            ssl=self._tls,
                        )
                    except aiohttp.WSServerHandshakeError as err:
                        # A proxy in between that lets no WebSocket through answers otherwise, often with 400 or 502.
                        if err.status in (400, UPGRADE_REQUIRED, 501):
                            raise StreamsUnknown(
                                "What lies before the engine lets no stream through"
                            ) from err
                        raise_for(err.status, err.headers or {}, b"")
        seal = StreamSeal(self._secret, proof) if self._secret and proof else None
        session = StreamSession(socket, self._was_silent, self._was_gone, self._note, seal)
        try:
            yield session
        finally:
            await session.close()

    def _was_silent(self) -> None:
        self.silent += 1
        if self.on_timeout is not None:
            self.on_timeout()

    def _was_gone(self) -> None:
        self._known = False
        if self.on_unavailable is not None:
            self.on_unavailable()

    def _note(self, faces: Faces) -> None:
        self.silent = 0
        if (total := faces.ms.get("total")) is not None:
            self._latencies.append(total)

    async def _ask(
        self,
        method: str,
        path: str,
        timeout: float,
        query: Mapping[str, str] | None = None,
        data: bytes = b"",
    ) -> _Answer:
        """Return status, headers and body; ask again once when a kept connection turned out closed."""
        if self._wary and self._secret is None and not self._verified:
            raise TokenMissing("Without a token nobody knows whether an answer is the engine's")
        connector = self._session.connector
        retries = 0 if connector is None or connector.force_close else 1
        digest = await sha256_of(data)
        target = f"{path}?{urlencode(query)}" if query else path
        with self._translated(timeout):
            async with asyncio.timeout(timeout):
                while True:
                    try:
                        answer = await self._ask_once(method, target, data, digest)
                    except aiohttp.ServerDisconnectedError:
                        if not retries:
                            raise
                        retries -= 1
                        continue
                    if answer.status == 401 and self._speaks_older(answer.headers):
                        continue
                    return answer
        raise AssertionError

    async def _ask_once(self, method: str, target: str, data: bytes, digest: str) -> _Answer:
        headers, proof = self._signed(method, target, digest)
        try:
            url = URL(self._url + target, encoded=True)
        except ValueError as err:
            raise aiohttp.InvalidURL(self._url) from err
        if method == "POST":
            headers["Content-Type"] = "application/octet-stream"
        async with self._session.request(
            method,
            url,
            # In pieces: aiohttp would write bytes at once and hold the loop.
            data=io.BytesIO(data) if method == "POST" else None,
            headers=headers,
            # The engine never redirects. Anyone who does is somebody else, and gets no image.
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None),
            ssl=self._tls,
        ) as response:
            if response.status == 200 and response.headers.get(REQUEST) != headers[REQUEST]:
                raise _another_answer(response.headers)
            answer = _Answer(response.status, response.headers, await _read(response))
        if answer.status == 200 and self._secret is not None and proof:
            given = answer.headers.get(PROOF, "")
            if not same(given, self._secret.of_answer(proof, answer.status, answer.body)):
                raise EngineForged("The answer does not prove that it is the engine's")
        return answer

    def _signed(self, method: str, target: str, digest: str = _NOTHING) -> tuple[dict[str, str], str]:
        """Return the headers of a request and their proof, which is empty where the engine asks for none."""
        name = secrets.token_hex(16)
        headers = {**self._headers, REQUEST: name}
        if self._secret is None:
            return headers, ""
        if self._older:
            return {**headers, "Authorization": f"Bearer {self._token}"}, ""
        proof = self._secret.of_request(name, method, target, digest)
        return {**headers, DIGEST: digest, "Authorization": f"{SCHEME} {proof}"}, proof

    def _speaks_older(self, headers: Mapping[str, str]) -> bool:
        """Return whether to ask again as engines of protocol 1 are asked, when it refused the request.

        Raises EngineTooOld where that would show the token to others on the way.
        """
        wanted = headers.get("WWW-Authenticate", "")
        if self._secret is None or self._older or SCHEME in wanted or not wanted.startswith("Bearer"):
            return False
        if not self._verified:
            raise EngineTooOld("The engine is too old to prove its answers: update the engine")
        self._older = True
        return True

    @contextmanager
    def _translated(self, timeout: float) -> Generator[None]:
        """Raise what goes wrong on the way as one of our own errors."""
        try:
            yield
        except TimeoutError:
            raise EngineTimedOut(f"The engine did not answer within {timeout:g} s") from None
        except aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError:
            raise EngineIncompatible("The engine's address is not one that can be asked") from None
        except aiohttp.ClientConnectorCertificateError as err:
            raise EngineUntrusted(
                f"The engine's certificate is not trusted: {err.certificate_error}"
            ) from None
        except aiohttp.ServerFingerprintMismatch:
            raise EngineUntrusted(
                "The engine's certificate is another one than the one that is known"
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


def _another_answer(headers: Mapping[str, str]) -> EngineIncompatible:
    """Return what it means that an answer does not name the request."""
    if REQUEST in headers:
        return AnotherAnswer("What was answered is the answer to another request")
    return EngineIncompatible("Whatever answers there is not an engine, or one that is too old: update it")


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Return the body, never reading more than `MAX_ANSWER`."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > MAX_ANSWER:
            response.close()
            raise EngineIncompatible("The answer is larger than any engine's")
    return bytes(body)
