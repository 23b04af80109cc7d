"""A real engine that answers HTTPS, with a certificate that its owner made."""

from collections.abc import AsyncGenerator, Generator
from datetime import UTC, datetime, timedelta
import hashlib
import ipaddress
from pathlib import Path

import aiohttp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
import pytest

from custom_components.familiar_faces.host.client import EngineClient
from custom_components.familiar_faces.host.engine_errors import EngineUnavailable, EngineUntrusted
from custom_components.familiar_faces.host.ready_made import ReadyMade
from custom_components.familiar_faces.household.engine_choice import fingerprint_of
from tests.common import pictures
from tests.common.engine_process import EngineProcess

pytestmark = pytest.mark.usefixtures("socket_enabled")

TOKEN = "a token of the tests, long enough"


def make_certificate(folder: Path) -> tuple[Path, Path, bytes]:
    """Return the files of a certificate that nobody signed and its key, and its SHA-256."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "engine")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, private, hashlib.sha256(made.public_bytes(serialization.Encoding.DER)).digest()


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
