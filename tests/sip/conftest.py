"""A running SIP service before a fake switchboard."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from rostra.environment import Environment
from rostra.sip.service import SipService
from rostra.sip.settings import SipSettings
from rostra.tls import context_of
from tests.sip.fakes import FakeSwitchboard


@dataclasses.dataclass
class Running:
    """The service with what is needed to watch it."""

    service: SipService
    switchboard: FakeSwitchboard
    port: int
    tls_port: int

    async def until(self, condition: Callable[[], bool], seconds: float = 10) -> None:
        """Wait until `condition` holds."""
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 - the fakes have no events to wait for
                await asyncio.sleep(0.01)


@pytest.fixture(scope="session")
def tls_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for loopback and its key."""
    directory = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    (directory / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (directory / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return directory / "certificate.pem", directory / "key.pem"


@pytest.fixture
def tls(tls_files: tuple[Path, Path]) -> ssl.SSLContext:
    return context_of(*tls_files)


@pytest.fixture
def switchboard() -> FakeSwitchboard:
    return FakeSwitchboard()


@pytest.fixture
async def running(
    environment: Environment, switchboard: FakeSwitchboard, tls: ssl.SSLContext
) -> AsyncIterator[Running]:
    """The service on free ports, all three transports."""
    service = SipService(switchboard, environment, settings=SipSettings(server=tls))
    await service.start()
    try:
        yield Running(service, switchboard, environment.sip_port, environment.sip_tls_port)
    finally:
        await service.stop()
