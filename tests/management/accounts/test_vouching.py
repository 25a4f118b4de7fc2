"""Signing in with a browser's certificate: whom it names, who is let in, and what the server asks of connections."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from django.test import Client

from rostra import heads, tls
from rostra.configuration.certificates.presenting import Material, Presenter
from rostra.configuration.models import CaCertificate, GlobalSettings
from rostra.management.accounts import backend, vouching
from rostra.management.accounts.ldap.directory import Person
from rostra.management.accounts.models import Account, AuthenticationSettings, LoginAttempt
from rostra.management.certificates.serving import ManagementCertificate
from tests.certificates import Made, made, name
from tests.management import people
from tests.management.conftest import Api
from tests.ports import free_port

ROOT = made("Browsers", authority=True)
STRANGE = made("Somebody else", authority=True)
SERVER = made("server.test")
ASKED = ((ROOT.pem, False),)
LOGIN = "/admin/login/"


def principal(*names: bytes, by: Made = ROOT) -> Made:
    """A certificate whose alternative names are these values (DER) of userPrincipalName."""
    plain = made("Ada Lovelace", by=by, hosts=())
    others = [x509.OtherName(vouching._PRINCIPAL, value) for value in names]
    builder = x509.CertificateBuilder().subject_name(name("Ada Lovelace")).issuer_name(by.certificate.subject)
    builder = builder.public_key(plain.key.public_key()).serial_number(7)
    builder = builder.not_valid_before(plain.certificate.not_valid_before_utc)
    builder = builder.not_valid_after(plain.certificate.not_valid_after_utc)
    builder = builder.add_extension(x509.SubjectAlternativeName(others), critical=False)
    return Made(builder.sign(by.key, hashes.SHA256()), plain.key)


def utf8(text: str) -> bytes:
    return bytes([0x0C, len(text.encode())]) + text.encode()


@pytest.mark.spec("SYS-069")
@pytest.mark.parametrize(
    ("certificate", "where", "found"),
    [
        (made("ada", by=ROOT), "CN", "ada"),
        (principal(utf8("ada@acme.test")), "UPN", "ada@acme.test"),
        (principal(utf8("ada@acme.test")), "CN", "Ada Lovelace"),
        (made("ada", by=ROOT), "UPN", ""),
        (principal(utf8("ada@acme.test"), utf8("eve@acme.test")), "UPN", ""),
        (principal(b"\x16\x03ada"), "UPN", ""),
        (principal(utf8("a" * 120 + "@" + "b" * 6)), "UPN", "a" * 120 + "@" + "b" * 6),
    ],
)
def test_whom_a_certificate_names(certificate: Made, where: str, found: str) -> None:
    if found:
        assert vouching.named(certificate.certificate, where) == found
        return
    with pytest.raises(vouching.NotVouched):
        vouching.named(certificate.certificate, where)


@pytest.fixture
def required(database: Any) -> None:
    CaCertificate.objects.create(certificate=ROOT.pem)
    AuthenticationSettings.objects.update(client_certificate="CN")


def shown(monkeypatch: pytest.MonkeyPatch, one: Made | None) -> Client:
    monkeypatch.setattr(vouching, "presented", lambda _request: one.certificate if one else None)
    return Client()


@pytest.mark.spec("SYS-068", "SYS-069", "SYS-070", "SYS-071")
def test_a_certificate_is_the_way_in(required: None, monkeypatch: pytest.MonkeyPatch) -> None:
    people.account("ada", "use_web", "view_service")
    people.account("api-only", "use_api")
    entered = shown(monkeypatch, made("ada", by=ROOT))
    answer = entered.get(f"{LOGIN}?next=/admin/configuration/conference/")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/configuration/conference/")
    assert entered.get("/admin/").status_code == 200
    assert LoginAttempt.objects.values_list("username", "success", "interface").first() == ("ada", True, "web")
    for elsewhere in ("//evil.example/", "https://evil.example/", f"{LOGIN}?next=/admin/"):
        assert shown(monkeypatch, made("ada", by=ROOT)).get(LOGIN, {"next": elsewhere})["Location"] == "/admin/"
    for nobody in (None, made("Ada", by=ROOT), made("ada ", by=ROOT), made("eve", by=ROOT), made("api-only", by=ROOT)):
        refused = shown(monkeypatch, nobody)
        for way in (refused.get(LOGIN), refused.post(LOGIN, {"username": "admin", "password": "secret"})):
            assert way.status_code == 403
            assert b'name="password"' not in way.content
        assert refused.get("/admin/").status_code == 302
    Account.objects.filter(username="ada").update(is_active=False)
    assert shown(monkeypatch, made("ada", by=ROOT)).get(LOGIN).status_code == 403
    AuthenticationSettings.objects.update(client_certificate="NO")
    assert b'name="password"' in Client().get(LOGIN).content


@pytest.mark.spec("DIAG-122")
def test_with_a_banner_the_login_history_comes_first(required: None, monkeypatch: pytest.MonkeyPatch) -> None:
    GlobalSettings.objects.update(logon_banner="Be careful.")
    answer = shown(monkeypatch, made("admin", by=ROOT)).get(LOGIN)
    assert answer["Location"] == "/admin/history/login_history/"


def test_programs_go_on_with_passwords(required: None, api: Api) -> None:
    assert api.read("authentication/1/")["client_certificate"] == "CN"


def test_a_directory_that_is_away_lets_nobody_in(required: None, monkeypatch: pytest.MonkeyPatch) -> None:
    AuthenticationSettings.objects.update(source="LDAP", ldap_server="127.0.0.1:9")
    answer = shown(monkeypatch, made("admin", by=ROOT)).get(LOGIN)
    assert answer.status_code == 403
    assert "The directory cannot be asked now" in answer.content.decode()


def test_the_directory_is_asked_without_a_password(required: None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(backend, "_from_directory", lambda _settings, *who: asked.append(who))
    AuthenticationSettings.objects.update(source=AuthenticationSettings.BOTH)
    assert backend.vouched("ada@acme.test") == backend.Verdict()
    assert asked == [("ada@acme.test", None)]


@pytest.mark.spec("SYS-070")
@pytest.mark.parametrize(
    ("attributes", "found"),
    [
        ({"useraccountcontrol": ["512"]}, True),
        ({"useraccountcontrol": ["514"]}, False),
        ({"nsaccountlock": ["TRUE"]}, False),
        ({"nsaccountlock": ["false"]}, True),
        ({"pwdaccountlockedtime": ["000001010000Z"]}, False),
        ({}, True),
    ],
)
def test_who_is_disabled_in_the_directory_stays_out(
    required: None, monkeypatch: pytest.MonkeyPatch, attributes: dict[str, list[str]], found: bool
) -> None:
    """A certificate outlives an account, and no password is tried that the directory would refuse."""

    class Opened:
        def person(self, _name: str) -> Person:
            return Person("uid=ada", "ada", attributes, "1")

        def groups(self, _person: Person) -> list[str]:
            return ["cn=admins"]

    monkeypatch.setattr(backend.directory, "connected", lambda _settings: contextlib.nullcontext(Opened()))
    asked: list[str] = []
    monkeypatch.setattr(backend, "_remember", lambda person, *_: asked.append(person.uid) or people.account("ada"))
    backend._from_directory(AuthenticationSettings(), "ada", None)
    assert asked == (["ada"] if found else [])


def test_it_is_required_only_where_there_is_an_authority(api: Api) -> None:
    refused = api("PATCH", "authentication/1/", {"client_certificate": "UPN"})
    assert "Upload the CA certificate" in str(refused.json()["authentication"]["client_certificate"])
    CaCertificate.objects.create(certificate=ROOT.pem)
    assert api("PATCH", "authentication/1/", {"client_certificate": "UPN"}).status_code == 202


# ---- connections


@pytest.fixture
async def live() -> AsyncIterator[tuple[tls.LiveContext, int]]:
    """A server that answers with the serial number of the certificate it was shown."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        given = scope.get("state", {}).get(heads.PEER)
        body = str(x509.load_der_x509_certificate(given).serial_number).encode() if given else b"none"
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})

    context, port = tls.LiveContext(tls.server_context(SERVER.pem, SERVER.key_pem)), free_port()
    made_of: Any = application
    server = uvicorn.Server(
        uvicorn.Config(
            made_of, port=port, lifespan="off", log_config=None, access_log=False, http=heads.Heads,
            ssl_context_factory=lambda _config, _default: context,
        )
    )  # fmt: skip
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
    yield context, port
    server.should_exit = True
    await task


async def seen(port: int, one: Made | None) -> str:
    """What the server sees of a client with this certificate; empty: there was no connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if one is not None:
        tls.load(context, one.pem, one.key_pem)
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
    except (ssl.SSLError, ConnectionError):
        return ""
    return answer.rpartition(b"\r\n")[2].decode()


@pytest.mark.spec("SYS-070")
async def test_connections_are_asked_while_it_is_required(live: tuple[tls.LiveContext, int]) -> None:
    context, port = live
    own = tls.server_context(SERVER.pem, SERVER.key_pem)
    presenter = Presenter(context, own, lambda: tls.server_context(SERVER.pem, SERVER.key_pem))
    ada, eve, late = made("ada", by=ROOT), made("ada", by=STRANGE), made("ada", by=ROOT, days=-0.5)
    presenter.present(None)
    assert await seen(port, ada) == "none"
    for material in (None, Material(SERVER.pem, SERVER.key_pem)):
        presenter.present(material, ASKED)
        assert await seen(port, ada) == str(ada.certificate.serial_number)
        assert await seen(port, None) == "none"  # programs and nodes have none
        assert [await seen(port, other) for other in (eve, late, made("ada"))] == ["", "", ""]
    presenter.present(None)
    assert await seen(port, ada) == "none"


async def test_the_setting_counts_at_once(database: Path, live: tuple[tls.LiveContext, int]) -> None:
    context, port = live
    ada = made("ada", by=ROOT)
    own = tls.server_context(SERVER.pem, SERVER.key_pem)
    keeping = ManagementCertificate(context, own, lambda: tls.server_context(SERVER.pem, SERVER.key_pem))
    await keeping.look()
    assert await seen(port, ada) == "none"
    await asyncio.to_thread(_require)
    await keeping.look()
    assert await seen(port, ada) == str(ada.certificate.serial_number)


def _require() -> None:
    CaCertificate.objects.create(certificate=ROOT.pem)
    AuthenticationSettings.objects.update(client_certificate="CN")
