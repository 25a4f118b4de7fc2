"""A client API on a fake switchboard, in process and over real HTTPS."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.applications import Starlette

from rostra.clientapi.app import create_app
from rostra.clientapi.asking import Switches
from rostra.clientapi.serving import Server, serve
from rostra.clientapi.signon.desk import SignOnDesk
from rostra.domain.reception import ReceptionRules
from rostra.environment import Environment
from rostra.tls import context_of

from .driver import Api
from .fakes import FakeSwitchboard, service


@pytest.fixture
def switchboard() -> FakeSwitchboard:
    return FakeSwitchboard(
        service(1, "Demo", "meet.demo", "demo@example.com"),
        service(2, "Guests", "guests", "guests@example.com", host_pin="1234", guests=True),
        service(3, "Both", "both", host_pin="1234", guest_pin="5678", guests=True),
        service(4, "Closed", "closed", host_pin="1234"),
        service(5, "Quiet", "quiet", enable_chat=False),
        service(6, "Narrow", "narrow", max_callrate_in=576_000, max_callrate_out=1_264_000, call_type="audio"),
        service(7, "Watching", "watching", call_type="video-only"),
        service(8, "Reception", "ivr", service_type="two_stage_dialing"),
        service(9, "Meetings", "ivr.mssip", service_type="two_stage_dialing", reception=ReceptionRules(kind="mssip")),
    )


@pytest.fixture
def web_root(tmp_path: Path) -> Path:
    root = tmp_path / "web"
    (root / "assets").mkdir(parents=True)
    (root / "index.html").write_text("<!doctype html><title>app</title>")
    (root / "assets" / "main-abc123.js").write_text("export {};")
    (root / "assets" / "style-abc123.css").write_text("body {}")
    (root / "secret.txt").with_name("icon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (tmp_path / "outside.txt").write_text("not for the web")
    return root


@pytest.fixture
def alternatives() -> list[str]:
    """Other nodes that clients are told of."""
    return ["https://192.0.2.9:8443"]


@pytest.fixture
def released_elsewhere() -> list[str]:
    """Tokens handed on to other nodes."""
    return []


@pytest.fixture
def switches() -> dict[str, bool]:
    """Global settings that differ from their defaults."""
    return {}


@pytest.fixture
def desk() -> SignOnDesk | None:
    """Where users sign on: nowhere, unless a test says so."""
    return None


@pytest.fixture
def app(
    switchboard: FakeSwitchboard,
    environment: Environment,
    web_root: Path,
    alternatives: list[str],
    released_elsewhere: list[str],
    switches: dict[str, bool],
    desk: SignOnDesk | None,
) -> Starlette:
    async def release(token: str) -> None:
        released_elsewhere.append(token)

    return create_app(
        switchboard, environment, web_root, alternatives=lambda: alternatives, release_elsewhere=release,
        switches=lambda: Switches(**switches), desk=desk,
    )  # fmt: skip


@pytest.fixture
async def api(app: Starlette) -> AsyncIterator[Api]:
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 40000))
    async with httpx.AsyncClient(transport=transport, base_url="https://node.test") as http:
        yield Api(http)
    await app.state.client_api.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_file, key_file


@pytest.fixture
async def server(app: Starlette, environment: Environment, certificate: tuple[Path, Path]) -> AsyncIterator[Server]:
    running = serve(app, environment, context_of(*certificate))
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def live(server: Server, environment: Environment, certificate: tuple[Path, Path]) -> AsyncIterator[Api]:
    """The API over HTTPS."""
    trust = ssl.create_default_context(cafile=str(certificate[0]))
    base = f"https://localhost:{environment.node_https_port}"
    async with httpx.AsyncClient(verify=trust, base_url=base, timeout=10) as http:
        yield Api(http)
