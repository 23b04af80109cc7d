"""An engine over the network: bad certificates, answers of others, and addresses of what is no engine."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
import ipaddress
from pathlib import Path
import ssl

import aiohttp
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
import pytest

from custom_components.familiar_faces.engine import PROTOCOL
from custom_components.familiar_faces.engine.protocol import REQUEST
from custom_components.familiar_faces.host.client import EngineClient
from custom_components.familiar_faces.host.engine_errors import (
    AnotherAnswer,
    EngineError,
    EngineIncompatible,
    EngineMoved,
    EngineRefused,
    EngineUnavailable,
    EngineUntrusted,
)
from tests.common.answering import prove_answer

TOKEN = "a-very-secret-token"
IMAGE = b"\xff\xd8\xff\xda\0\2 somebody's face\xff\xd9"
HEALTH = {"version": "1", "protocol": PROTOCOL, "model": {"name": "sface"}}
SEEN = {"model": "sface", "size": [1, 1], "faces": [], "ms": {"total": 7}}

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Service:
    """Something that answers in a network, and what it was told."""

    url: str = ""
    handler: Handler | None = None
    asked: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    pictures: int = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Take note, and answer as told."""
        self.asked.append(f"{request.method} {request.path}")
        self.tokens += [request.headers["Authorization"]] if "Authorization" in request.headers else []
        self.pictures += IMAGE in await request.read()
        assert self.handler is not None
        return await self.handler(request)


@pytest.fixture
async def serve(socket_enabled: None) -> AsyncGenerator[Callable[..., Awaitable[Service]]]:
    """Return a function that starts a service on this machine."""
    runners: list[web.AppRunner] = []

    async def serve(handler: Handler, tls: ssl.SSLContext | None = None) -> Service:
        service = Service(handler=handler)
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", service.answer)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        service.url = f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
        return service

    yield serve
    for runner in runners:
        await runner.cleanup()


async def engine(request: web.Request) -> web.Response:
    """Answer as an engine that sees nobody."""
    body = HEALTH if request.path == "/v1/health" else SEEN
    response = web.json_response(body, headers={REQUEST: request.headers[REQUEST]})
    prove_answer(TOKEN, request, response)
    return response


class Authority:
    """Somebody who signs certificates."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority")])
        self._own = self._certificate(self._name, self._key, timedelta(days=1), None, authority=True)

    def trusted(self) -> ssl.SSLContext:
        """Return what a client has who trusts this authority."""
        text = self._own.public_bytes(serialization.Encoding.PEM).decode()
        return ssl.create_default_context(cadata=text)

    def server(self, name: str, lasts: timedelta = timedelta(days=1)) -> ssl.SSLContext:
        """Return what a server has whose certificate is for `name`, an address or a host, and `lasts` from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        path = self._folder / f"{name}{lasts.days}.pem"
        path.write_bytes(
            self._certificate(subject, key, lasts, name).public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _certificate(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        lasts: timedelta,
        name: str | None,
        *,
        authority: bool = False,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=10))
            .not_valid_after(now + lasts)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if not authority:
            # What a strict client asks for, so that the fault of each test is the only one.
            issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
            builder = builder.add_extension(issuer, critical=False)
        else:
            usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
            builder = builder.add_extension(usage, critical=True).add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
        if name is not None:
            known: x509.GeneralName
            try:
                known = x509.IPAddress(ipaddress.ip_address(name))
            except ValueError:
                known = x509.DNSName(name)
            builder = builder.add_extension(x509.SubjectAlternativeName([known]), critical=False)
        return builder.sign(self._key, hashes.SHA256())


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Return one that the client trusts."""
    return Authority(tmp_path)


@pytest.fixture
async def session(socket_enabled: None, authority: Authority) -> AsyncGenerator[aiohttp.ClientSession]:
    """Return a session that checks certificates."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=authority.trusted())) as session:
        yield session


async def test_a_certificate_that_is_right_is_taken(
    serve: Callable[..., Awaitable[Service]], session: aiohttp.ClientSession, authority: Authority
) -> None:
    service = await serve(engine, authority.server("127.0.0.1"))
    assert (await EngineClient(session, service.url, TOKEN, wary=True).faces(IMAGE)).faces == ()
    assert service.asked == ["GET /v1/health", "POST /v1/faces"]
    assert service.pictures == 1


@pytest.mark.parametrize("fault", ["out of date", "another name", "signed by itself", "no TLS"])
async def test_a_bad_certificate_is_told_nothing(
    serve: Callable[..., Awaitable[Service]],
    session: aiohttp.ClientSession,
    authority: Authority,
    tmp_path: Path,
    fault: str,
) -> None:
    contexts: dict[str, Callable[[], ssl.SSLContext]] = {
        "out of date": lambda: authority.server("127.0.0.1", timedelta(days=-2)),
        "another name": lambda: authority.server("engine.example"),
        "signed by itself": lambda: Authority(tmp_path).server("127.0.0.1"),
    }
    tls = None if fault == "no TLS" else contexts[fault]()
    service = await serve(engine, tls)
    client = EngineClient(session, service.url.replace("http:", "https:"), TOKEN, wary=True)
    expected = EngineUnavailable if fault == "no TLS" else EngineUntrusted
    for ask in (client.health(), client.faces(IMAGE)):
        with pytest.raises(expected):
            await ask
    with pytest.raises(expected):
        async with client.stream():
            pass
    assert service.asked == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_gets_neither_token_nor_picture(
    serve: Callable[..., Awaitable[Service]], session: aiohttp.ClientSession, status: int
) -> None:
    other = await serve(engine)
    honest = True

    async def turns(request: web.Request) -> web.Response:
        if honest:
            return await engine(request)
        return web.Response(status=status, headers={"Location": f"{other.url}{request.path}"})

    service = await serve(turns)
    client = EngineClient(session, service.url, TOKEN, wary=True)
    await client.faces(IMAGE)
    # It was an engine, and is something else in the middle of the day.
    honest = False
    for ask in (client.faces(IMAGE), client.faces(IMAGE), client.health()):
        with pytest.raises(EngineMoved):
            await ask
    with pytest.raises(EngineMoved):
        async with client.stream():
            pass
    assert other.asked == []
    # The picture that found it out is the last that was sent.
    assert service.pictures == 2


async def test_an_answer_to_another_picture_is_not_taken(
    serve: Callable[..., Awaitable[Service]], session: aiohttp.ClientSession
) -> None:
    kept: dict[str, web.Response] = {}

    async def cache(request: web.Request) -> web.Response:
        """Answer as a proxy that keeps answers, also of what may not be kept."""
        if request.path not in kept:
            kept[request.path] = await engine(request)
        first = kept[request.path]
        return web.Response(body=first.body, headers=first.headers)

    service = await serve(cache)
    client = EngineClient(session, service.url, TOKEN)
    assert (await client.faces(IMAGE)).faces == ()
    with pytest.raises(AnotherAnswer):
        await client.faces(IMAGE + b"another")
    await client.health()
    with pytest.raises(AnotherAnswer):
        await client.health()


async def _router(request: web.Request) -> web.Response:
    return web.Response(text="<html><title>Login</title></html>", content_type="text/html")


async def _printer(request: web.Request) -> web.Response:
    return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="printer"'})


async def _home_assistant(request: web.Request) -> web.Response:
    return (
        web.json_response({"message": "API running."})
        if request.path == "/api/"
        else web.Response(status=404)
    )


async def _any_json(request: web.Request) -> web.Response:
    return web.json_response({**HEALTH, **SEEN})


async def _mirror(request: web.Request) -> web.Response:
    """Answer as what gives back each header, and knows nothing of faces."""
    return web.json_response({"ok": True}, headers={REQUEST: request.headers[REQUEST]})


@pytest.mark.parametrize(
    ("other", "error"),
    [
        (_router, EngineIncompatible),
        (_printer, EngineRefused),
        (_home_assistant, EngineIncompatible),
        (_any_json, EngineIncompatible),
        (_mirror, EngineIncompatible),
    ],
)
async def test_what_is_no_engine_gets_no_picture(
    serve: Callable[..., Awaitable[Service]],
    session: aiohttp.ClientSession,
    other: Handler,
    error: type[EngineError],
) -> None:
    service = await serve(other)
    client = EngineClient(session, service.url, TOKEN, wary=True)
    for _ in range(2):
        with pytest.raises(error):
            await client.faces(IMAGE)
        with pytest.raises(error):
            async with client.stream():
                pass
    assert set(service.asked) == {"GET /v1/health"}
    assert service.pictures == 0


async def test_an_address_that_became_anothers_gets_no_more_pictures(
    serve: Callable[..., Awaitable[Service]], session: aiohttp.ClientSession
) -> None:
    service = await serve(engine)
    client = EngineClient(session, service.url, TOKEN, wary=True)
    await asyncio.gather(*(client.faces(IMAGE) for _ in range(3)))
    assert service.pictures == 3
    service.handler = _router
    for _ in range(3):
        with pytest.raises(EngineIncompatible):
            await client.faces(IMAGE)
    assert service.pictures == 4
    # It is back, and known again.
    service.handler = engine
    await client.faces(IMAGE)
    assert service.pictures == 5
