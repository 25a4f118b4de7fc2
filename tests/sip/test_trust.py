"""SIP over TLS: who has to show which certificate, by mode, both ways; exchanged while connections are open."""

from __future__ import annotations

import asyncio
import dataclasses
import ssl

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from structlog.testing import capture_logs

from rostra import tls
from rostra.dialplan.outward import Hop
from rostra.environment import Environment
from rostra.sip import trust
from rostra.sip.settings import SipSettings
from tests.certificates import Made, made
from tests.ports import free_port
from tests.sip.conftest import Running
from tests.sip.dns_server import NameServer
from tests.sip.pair import answered, call, ended, resolving, serving
from tests.sip.test_calls import request

ROOT = made("Root", authority=True)
MIDDLE = made("Middle", authority=True, by=ROOT)
OTHER = made("Other root", authority=True)
SERVER = made("sip.example.org", by=ROOT)
OWN = made("conf.example.test", by=ROOT)
STRANGER = made("sip.example.org", by=OTHER)
EXPIRED = made("sip.example.org", by=ROOT, since=-9, days=-1)
CLIENT_ONLY = made("sip.example.org", by=ROOT, usages=[ExtendedKeyUsageOID.CLIENT_AUTH])
SERVER_ONLY = made("conf.example.test", by=ROOT, usages=[ExtendedKeyUsageOID.SERVER_AUTH])
WILDCARD = made("*.example.org", by=ROOT)

KNOWN = ((ROOT.pem, False),)


def settings(own: Made | None = OWN, *, verify: bool, known: tuple[tuple[str, bool], ...] = KNOWN) -> SipSettings:
    """As a node with this certificate has them."""
    client = trust.calling(verify=verify, authorities=known)
    server = None
    if own is not None:
        fresh = tls.server_context(own.pem, own.key_pem)
        server = trust.serving(fresh, verify=verify, authorities=known)
        tls.load(client, own.pem, own.key_pem)
    return SipSettings(server=server, client=client, verify=verify)


async def outcome(ours: Running, called: Running, address: str = "127.0.0.1") -> str:
    """Call; the reason why that failed, or nothing."""
    session = call(ours, "meet.demo@127.0.0.1", hop=Hop(address=address, port=called.tls_port, transport="tls"))
    await ours.until(lambda: session.did("answered") or session.left)
    if session.did("answered"):
        await ended(ours, session)
        return ""
    return session.reason


@pytest.mark.spec("SYS-227", "SYS-228", "SYS-230", "SYS-234")
@pytest.mark.parametrize(
    ("theirs", "off", "on"),
    [
        (SERVER, True, True),
        (STRANGER, False, False),
        (EXPIRED, False, False),
        (CLIENT_ONLY, False, False),
        (WILDCARD, True, False),
        (made("elsewhere.example.org", by=ROOT), True, False),
    ],
    ids=["right", "stranger", "expired", "client only", "wildcard", "another name"],
)
async def test_whom_we_call(environment: Environment, theirs: Made, off: bool, on: bool) -> None:
    zone = {("sip.example.org", "A"): ["127.0.0.1"]}
    async with NameServer(zone) as server, serving(environment, settings(theirs, verify=False)) as called:
        for verify, expected in ((False, off), (True, on)):
            ours = dataclasses.replace(settings(verify=verify), resolver=resolving(server))
            async with serving(environment, ours) as calling:
                reason = await outcome(calling, called, "sip.example.org")
                assert (reason == "") is expected, reason


@pytest.mark.spec("SYS-224", "SYS-225", "SYS-226", "SYS-229")
@pytest.mark.parametrize(
    ("theirs", "reason"),
    [
        (OWN, ""),
        (SERVER_ONLY, "unsupported certificate"),
        (made("conf.example.test", by=OTHER), "unable to get local issuer certificate"),
        (made("conf.example.test"), "self-signed certificate"),
        (made("conf.example.test", by=ROOT, since=-9, days=-1), "certificate has expired"),
        (None, ""),
    ],
    ids=["right", "server only", "stranger", "self-signed", "expired", "none"],
)
async def test_who_calls_us(environment: Environment, theirs: Made | None, reason: str) -> None:
    """With verification a certificate has to name the host that sends or the domain it calls for."""
    async with serving(environment, settings(SERVER, verify=True)) as called:
        with capture_logs() as logs:
            reply = await _options(called, theirs, "conf.example.test")
        expected = b"SIP/2.0 200 OK" if theirs is OWN else b""
        assert reply == expected
        refused = [entry["reason"] for entry in logs if entry["event"] == "sip_tls_peer_refused"]
        assert refused == ([reason] if reason else [])
        await called.service.apply(settings(SERVER, verify=False))
        assert await _options(called, None, "conf.example.test") == b"SIP/2.0 200 OK"


@pytest.mark.spec("SYS-225")
async def test_a_certificate_of_somebody_else(environment: Environment) -> None:
    async with serving(environment, settings(SERVER, verify=True)) as called:
        assert await _options(called, OWN, "192.0.2.1") == b"SIP/2.0 403 Forbidden"
        assert await _options(called, WILDCARD, "conf.example.org") == b"SIP/2.0 403 Forbidden"
        named = made("127.0.0.1", by=ROOT)
        assert await _options(called, named, "127.0.0.1") == b"SIP/2.0 200 OK"


@pytest.mark.parametrize("named", ["sip.example.org", "elsewhere.example.org"])
async def test_a_connection_that_a_peer_offers_is_used_for_whom_it_names(environment: Environment, named: str) -> None:
    """RFC 5923: an INVITE for sip.example.org takes it only if that is what its certificate says."""
    certificate = made(named, hosts=[named, "127.0.0.1"], by=ROOT)
    port = free_port()
    zone = {("sip.example.org", "A"): ["127.0.0.1"]}
    async with NameServer(zone) as server:
        ours = dataclasses.replace(settings(SERVER, verify=True), resolver=resolving(server))
        async with serving(environment, ours) as here:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            tls.load(context, certificate.pem, certificate.key_pem)
            reader, writer = await asyncio.open_connection("127.0.0.1", here.tls_port, ssl=context)
            via = f"TLS 127.0.0.1:{port};alias".encode()
            writer.write(request("OPTIONS").replace(b"UDP 192.0.2.1:5060", via))
            assert await asyncio.wait_for(reader.readline(), 5) == b"SIP/2.0 200 OK\r\n"
            session = call(here, "meet@sip.example.org", hop=Hop(address="sip.example.org", port=port, transport="tls"))
            await here.until(lambda: session.left or session.listener._placed)  # type: ignore[attr-defined]
            if named == "sip.example.org":
                await asyncio.wait_for(reader.readuntil(b"INVITE sip:meet@sip.example.org"), 5)
            else:
                await here.until(lambda: session.left)
                assert session.reason == "Destination cannot be reached"
            writer.close()


@pytest.mark.spec("SYS-208", "SYS-221")
async def test_certificates_are_exchanged_while_a_call_runs(environment: Environment) -> None:
    async with serving(environment, settings(SERVER, verify=False)) as called:
        async with serving(environment, settings(verify=False)) as ours:
            session = call(ours, "meet.demo", hop=Hop(address="127.0.0.1", port=called.tls_port, transport="tls"))
            await answered(ours, session)
            await called.service.apply(settings(STRANGER, verify=False))
            await ended(ours, session)
            await called.until(lambda: called.switchboard.sessions[0].left)
        context = ssl.create_default_context(cadata=OTHER.pem)
        _, writer = await asyncio.open_connection(
            "127.0.0.1", called.tls_port, ssl=context, server_hostname="sip.example.org"
        )
        writer.close()


@pytest.mark.spec("SYS-227", "SYS-228")
async def test_far_ends_without_certificates(environment: Environment) -> None:
    """Anonymous Diffie-Hellman: taken where peers are not verified, and nowhere else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ADH-AES256-GCM-SHA384:@SECLEVEL=0")
    tls.load_dh(context, tls.DH_PARAMETERS)
    anonymous = dataclasses.replace(settings(verify=False), server=context)
    async with serving(environment, anonymous) as called:
        for verify in (False, True):
            async with serving(environment, settings(verify=verify)) as ours:
                assert (await outcome(ours, called) == "") is not verify


async def test_names_are_asked_for_and_addresses_are_not(environment: Environment) -> None:
    asked: list[str | None] = []
    context = tls.server_context(SERVER.pem, SERVER.key_pem)
    context.sni_callback = lambda _object, name, _context: asked.append(name)
    zone = {("sip.example.org", "A"): ["127.0.0.1"]}
    theirs = dataclasses.replace(settings(verify=False), server=context)
    async with NameServer(zone) as server, serving(environment, theirs) as called:
        ours = dataclasses.replace(settings(verify=False), resolver=resolving(server))
        for host in ("sip.example.org", "127.0.0.1"):
            async with serving(environment, ours) as calling:
                await outcome(calling, called, host)
    assert asked == ["sip.example.org", None]


@pytest.mark.spec("PLAT-105")
def test_nothing_weak_is_spoken() -> None:
    for context in (settings(verify=False).client, settings(verify=True).client, settings(verify=True).server):
        assert context is not None
        names = [one["name"] for one in context.get_ciphers()]
        assert names
        assert not [name for name in names if any(weak in name for weak in ("DES", "MD5", "RC4", "NULL", "EXP"))]
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_chain_ends_where_it_is_said_to() -> None:
    """Intermediates that are trusted by themselves make none of the others so."""
    partial = trust.calling(
        verify=True, authorities=[(MIDDLE.pem, True), (made("x", authority=True, by=OTHER).pem, False)]
    )
    assert partial.verify_flags & ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    subjects = [str(one["subject"]) for one in partial.get_ca_certs()]
    assert any("Middle" in one for one in subjects)
    assert not any("'x'" in one for one in subjects)


async def _options(called: Running, certificate: Made | None, sent_by: str) -> bytes:
    """What a client with this certificate is told first; nothing when it is not let in."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if certificate is not None:
        tls.load(context, certificate.pem, certificate.key_pem)
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", called.tls_port, ssl=context)
        writer.write(request("OPTIONS").replace(b"UDP 192.0.2.1:5060", b"TLS " + sent_by.encode()))
        line = await asyncio.wait_for(reader.readline(), 5)
    except (ssl.SSLError, ConnectionError):
        return b""
    writer.close()
    return line.strip()
