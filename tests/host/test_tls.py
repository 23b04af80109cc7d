"""A real engine that answers HTTPS, with a certificate that its owner made."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
import signal
import ssl

import aiohttp
from aiohttp import web
import pytest

from custom_components.familiar_faces.host.client import EngineClient
from custom_components.familiar_faces.host.engine_errors import (
    EngineTooOld,
    EngineUnavailable,
    EngineUntrusted,
)
from custom_components.familiar_faces.host.ready_made import ReadyMade
from custom_components.familiar_faces.household.engine_choice import fingerprint_of
from demo.certificates import make_certificate
from tests.common import pictures
from tests.common.engine_process import EngineProcess

pytestmark = pytest.mark.usefixtures("socket_enabled")

TOKEN = "a token of the tests, long enough"


@pytest.fixture(scope="module")
def tls(place: ReadyMade, tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[EngineProcess, bytes]]:
    """Return an engine over HTTPS, and the fingerprint of its certificate."""
    certificate, key, digest = make_certificate(tmp_path_factory.mktemp("tls"))
    options = ["--tls-certificate", str(certificate), "--tls-key", str(key)]
    engine = EngineProcess(token=TOKEN, arguments=options).start(120)
    yield engine, digest
    engine.kill()


@pytest.fixture
async def session() -> AsyncGenerator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_a_known_certificate_is_taken_whoever_signed_it(
    session: aiohttp.ClientSession, tls: tuple[EngineProcess, bytes]
) -> None:
    engine, digest = tls
    assert engine.url.startswith("https://")
    # As openssl prints it.
    pinned = fingerprint_of({"fingerprint": f"sha256 Fingerprint={digest.hex(':').upper()}"})
    client = EngineClient(session, engine.url, TOKEN, wary=True, fingerprint=pinned)
    assert len((await client.faces(pictures.jpeg(pictures.astronaut()), timeout=60)).faces) == 1
    async with client.stream(timeout=30):
        pass


@pytest.mark.parametrize("fingerprint", [None, bytes(32)], ids=["nobody signed it", "another certificate"])
async def test_another_certificate_is_told_nothing(
    session: aiohttp.ClientSession, tls: tuple[EngineProcess, bytes], fingerprint: bytes | None
) -> None:
    engine, _ = tls
    pinned = None if fingerprint is None else aiohttp.Fingerprint(fingerprint)
    client = EngineClient(session, engine.url, TOKEN, wary=True, verified=True, fingerprint=pinned)
    with pytest.raises(EngineUntrusted):
        await client.health()
    with pytest.raises(EngineUntrusted):
        async with client.stream():
            pass


async def test_plain_http_is_not_answered(
    session: aiohttp.ClientSession, tls: tuple[EngineProcess, bytes]
) -> None:
    with pytest.raises(EngineUnavailable):
        await EngineClient(session, tls[0].url.replace("https", "http"), TOKEN, wary=True).health()


@pytest.mark.parametrize("text", ["no fingerprint", "00:11", "0" * 63, "g" * 64])
def test_what_is_no_fingerprint_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="64"):
        fingerprint_of({"fingerprint": text})
    assert fingerprint_of({}) is fingerprint_of({"fingerprint": " "}) is None


async def refused(session: aiohttp.ClientSession, url: str, digest: bytes) -> bool:
    """Return whether a certificate is another one than that which is known; raise any other trouble."""
    client = EngineClient(session, url, TOKEN, wary=True, fingerprint=aiohttp.Fingerprint(digest))
    try:
        await client.health()
    except EngineUntrusted:
        return True
    return False


async def test_a_new_certificate_is_taken_without_a_new_start(
    session: aiohttp.ClientSession, place: ReadyMade, tmp_path: Path
) -> None:
    """A service that renews it sends SIGHUP. One that is not whole yet, or has no key yet, leaves the old one."""
    certificate, key, first = make_certificate(tmp_path)
    options = ["--tls-certificate", str(certificate), "--tls-key", str(key)]
    engine = EngineProcess(token=TOKEN, arguments=options).start(120)
    try:
        assert engine.process is not None
        assert not await refused(session, engine.url, first)
        (tmp_path / "new").mkdir()
        new_certificate, new_key, second = make_certificate(tmp_path / "new")
        for half in (b"-----BEGIN CERTIFICATE-----\nMIIB", new_certificate.read_bytes()):
            certificate.write_bytes(half)
            engine.process.send_signal(signal.SIGHUP)
            # Answered after the signal was, which came before.
            for _ in range(3):
                assert not await refused(session, engine.url, first)
        key.write_bytes(new_key.read_bytes())
        engine.process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(20):
            while await refused(session, engine.url, second):
                await asyncio.sleep(0.05)
        assert await refused(session, engine.url, first)
    finally:
        engine.kill()


@pytest.fixture
async def older(tmp_path: Path) -> AsyncGenerator[tuple[str, bytes, list[str]]]:
    """Return the address of what answers HTTPS as engines of protocol 1 did, its certificate, and what it heard."""
    certificate, key, digest = make_certificate(tmp_path)
    heard: list[str] = []

    def answered(request: web.Request, body: object) -> web.Response:
        heard.append(request.headers.get("Authorization", ""))
        if heard[-1] != f"Bearer {TOKEN}":
            return web.json_response({}, status=401, headers={"WWW-Authenticate": "Bearer"})
        return web.json_response(body, headers={"X-Request-Id": request.headers["X-Request-Id"]})

    async def health(request: web.Request) -> web.Response:
        return answered(request, {"version": "0.0.1", "protocol": 1, "model": {"name": "sface"}})

    async def faces(request: web.Request) -> web.Response:
        await request.read()
        return answered(request, {"model": "sface", "size": [64, 64], "faces": [], "ms": {"total": 1.0}})

    application = web.Application()
    application.router.add_get("/v1/health", health)
    application.router.add_post("/v1/faces", faces)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield f"https://127.0.0.1:{runner.addresses[0][1]}", digest, heard
    await runner.cleanup()


async def test_an_engine_of_protocol_1_is_used_where_its_certificate_is_known(
    session: aiohttp.ClientSession, older: tuple[str, bytes, list[str]]
) -> None:
    """It proves nothing itself, so that it gets the token only where TLS says who it is."""
    url, digest, heard = older
    client = EngineClient(session, url, TOKEN, wary=True, fingerprint=aiohttp.Fingerprint(digest))
    assert (await client.health()).protocol == 1
    assert (await client.faces(pictures.jpeg(pictures.astronaut()))).faces == ()
    assert heard[-2:] == [f"Bearer {TOKEN}"] * 2


async def test_an_engine_of_protocol_1_gets_no_token_from_whoever_does_not_know_its_certificate(
    session: aiohttp.ClientSession, older: tuple[str, bytes, list[str]]
) -> None:
    url, _, heard = older
    # The owner has switched the verification off.
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as unverified:
        with pytest.raises((EngineTooOld, EngineUntrusted)):
            await EngineClient(unverified, url, TOKEN, wary=True).health()
    assert not any("Bearer" in each for each in heard)
