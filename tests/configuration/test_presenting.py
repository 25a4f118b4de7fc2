"""Servers that exchange their certificate while they run, against real connections."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from rostra import tls
from rostra.configuration.certificates.presenting import Material, Presenter
from rostra.configuration.sealing import Locked
from tests.certificates import Made, made

ROOT = made("Root", authority=True)
MIDDLE = made("Middle", authority=True, by=ROOT)
OWN = made("own.test")
FIRST = made("first.test", by=MIDDLE)
P521 = "-----BEGIN EC PARAMETERS-----\nBgUrgQQAIw==\n-----END EC PARAMETERS-----\n"


def material(one: Made, **more: object) -> Material:
    return Material(one.pem, one.key_pem, **more)  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def listening(context: ssl.SSLContext) -> AsyncIterator[int]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while line := await reader.readline():
                writer.write(line)
                await writer.drain()
            writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def client(version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if version:
        context.maximum_version = version
    return context


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def connect(port: int, context: ssl.SSLContext | None = None) -> Connection:
    return await asyncio.open_connection("127.0.0.1", port, ssl=context or client())


def served(connection: Connection) -> x509.Certificate:
    found = connection[1].get_extra_info("ssl_object").getpeercert(binary_form=True)
    return x509.load_der_x509_certificate(found)


async def now_served(port: int, context: ssl.SSLContext | None = None) -> x509.Certificate:
    connection = await connect(port, context)
    connection[1].close()
    return served(connection)


async def says(connection: Connection, word: bytes) -> bytes:
    connection[1].write(word + b"\n")
    return (await asyncio.wait_for(connection[0].readline(), 5)).strip()


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def own() -> ssl.SSLContext:
    return tls.server_context(OWN.pem, OWN.key_pem)


@pytest.mark.spec("SYS-221")
async def test_new_connections_get_the_new_certificate_and_open_ones_go_on(own: ssl.SSLContext) -> None:
    live = tls.LiveContext(own)
    presenter = Presenter(live, own)
    async with listening(live) as port:
        before = await connect(port)
        assert served(before) == OWN.certificate
        presenter.present(material(FIRST))
        assert await now_served(port) == FIRST.certificate
        assert await says(before, b"still here") == b"still here"
        presenter.present(None)
        assert await now_served(port) == OWN.certificate
        before[1].close()


@pytest.mark.spec("SYS-216")
async def test_nothing_is_left_of_a_certificate_with_another_type_of_key(
    own: ssl.SSLContext, rsa_key: rsa.RSAPrivateKey
) -> None:
    """OpenSSL has a place for each type; a client that prefers ECDSA must not be given the former certificate."""
    other = made("rsa.test", key=rsa_key)
    live = tls.LiveContext(own)
    Presenter(live, own).present(material(other))
    async with listening(live) as port:
        for version in (None, ssl.TLSVersion.TLSv1_2):
            assert await now_served(port, client(version)) == other.certificate
        ecdsa = client(ssl.TLSVersion.TLSv1_2)
        ecdsa.set_ciphers("ECDSA")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await connect(port, ecdsa)


@pytest.mark.spec("SYS-235")
async def test_uploaded_intermediates_are_presented(own: ssl.SSLContext) -> None:
    """Who trusts the root alone can verify the connection."""
    live = tls.LiveContext(own)
    trust = ssl.create_default_context(cadata=ROOT.pem)
    trust.check_hostname = False
    presenter = Presenter(live, own)
    async with listening(live) as port:
        presenter.present(material(FIRST))
        with pytest.raises(ssl.SSLCertVerificationError):
            await connect(port, trust)
        presenter.present(material(FIRST, authorities=((MIDDLE.pem, False), (ROOT.pem, False))))
        assert await now_served(port, trust) == FIRST.certificate


@pytest.mark.spec("SYS-217")
async def test_parameters_are_used(own: ssl.SSLContext, rsa_key: rsa.RSAPrivateKey) -> None:
    live = tls.LiveContext(own)
    presenter = Presenter(live, own)
    only_p256 = client(ssl.TLSVersion.TLSv1_2)
    only_p256.set_ecdh_curve("prime256v1")
    only_p256.set_ciphers("ECDHE")
    one = made("rsa.test", key=rsa_key)
    finite = client(ssl.TLSVersion.TLSv1_2)
    finite.set_ciphers("DHE-RSA-AES128-GCM-SHA256")
    async with listening(live) as port:
        presenter.present(material(one))
        assert await now_served(port, only_p256)
        presenter.present(material(one, parameters=P521))
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await connect(port, only_p256)
        presenter.present(Material(one.pem + tls.DH_PARAMETERS, one.key_pem))
        connection = await connect(port, finite)
        assert connection[1].get_extra_info("cipher")[0] == "DHE-RSA-AES128-GCM-SHA256"
        connection[1].close()


async def test_what_cannot_be_used_leaves_the_own_certificate(own: ssl.SSLContext) -> None:
    live = tls.LiveContext(own)
    presenter = Presenter(live, own)
    async with listening(live) as port:
        for bad in (Material(FIRST.pem, OWN.key_pem), Material("nonsense", FIRST.key_pem)):
            presenter.present(material(FIRST))
            presenter.present(bad)
            assert await now_served(port) == OWN.certificate
        presenter.present(material(FIRST))
        presenter.refuse(Locked("no key"))
        assert await now_served(port) == OWN.certificate
        presenter.present(material(FIRST))
        assert await now_served(port) == FIRST.certificate


def test_the_key_is_on_no_disk(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    real = ssl.SSLContext.load_cert_chain

    def noted(self: ssl.SSLContext, file: str) -> None:
        opened.append(file)
        real(self, file)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", noted)
    tls.server_context(FIRST.pem, FIRST.key_pem)
    assert [name.startswith("/proc/self/fd/") for name in opened] == [True]


def test_material_does_not_tell_its_key() -> None:
    assert FIRST.key_pem.splitlines()[1] not in repr(material(FIRST))
