"""Single sign-on of participants against scripted providers (API-036, API-037)."""

from __future__ import annotations

import asyncio
import base64
import functools
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import httpx
import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from rostra.clientapi.signon import fetching, state
from rostra.clientapi.signon.desk import SignOnDesk
from rostra.clientapi.signon.fetching import Fetcher
from rostra.clientapi.signon.state import Pending, Seals
from rostra.domain.signon import PLACEHOLDER, Provider, SignOnRules

from .driver import Api
from .fakes import FakeSwitchboard, service
from .providers import APP, OIDC, OTHER_KEY, SAML, Oidc, pem, saml_answer, saml_request

ORIGIN = {"origin": APP}
TARGET = f"{APP}/webapp/m/board#sso={PLACEHOLDER}"


@pytest.fixture
def providers() -> dict[str, Provider]:
    return {OIDC.uuid: OIDC, SAML.uuid: SAML}


@pytest.fixture
def oidc() -> Oidc:
    return Oidc()


@pytest.fixture
def desk(providers: dict[str, Provider], oidc: Oidc) -> SignOnDesk:
    return SignOnDesk(providers.get, lambda: b"k" * 32, Fetcher(transport=oidc.transport))


@pytest.fixture
def switchboard() -> FakeSwitchboard:
    both = SignOnRules(hosts=("oidc-1", "saml-1"), guests=("oidc-1", "saml-1"))
    board, team, empty, other = (
        service(1, "Board", "board"), service(2, "Team", "team", host_pin="1234", guests=True),
        service(3, "Empty", "empty"), service(4, "Other", "other"),
    )  # fmt: skip
    board.sign_on, other.sign_on = both, both
    team.sign_on = SignOnRules(hosts=("saml-1",))
    empty.sign_on = SignOnRules(hosts=(), guests=())
    return FakeSwitchboard(board, team, empty, other)


async def ask(api: Api, alias: str = "board", pin: str | None = None, **body: Any) -> Any:
    """The result of a request that is not granted."""
    answer = await _request(api, alias, pin, **body)
    assert answer.status_code == 403, answer.text
    return answer.json()["result"]


async def _request(api: Api, alias: str, pin: str | None = None, origin: str = APP, **body: Any) -> httpx.Response:
    headers = {"origin": origin} | ({} if pin is None else {"pin": pin})
    body = {"display_name": "Nobody", **body}
    return await api.http.post(f"/api/client/v2/conferences/{alias}/request_token", json=body, headers=headers)


async def comes_back(api: Api, provider: Provider, told: dict[str, str]) -> httpx.Response:
    path = urlsplit(provider.redirects[0]).path
    if provider.kind == "oidc" and provider.flow == "code":
        return await api.http.get(f"{path}?{urlencode(told)}")
    form = {"content-type": "application/x-www-form-urlencoded"}
    return await api.http.post(path, content=urlencode(told), headers=form)


def message(answer: httpx.Response) -> dict[str, Any]:
    """What the page tells its opener; only at the address it was opened from."""
    found = re.search(r"postMessage\((\{.*\}), (\".*\")\)", answer.text)
    assert found, answer.text
    assert json.loads(found[2]) == APP
    return json.loads(found[1])


@pytest.mark.spec("API-036", "API-037")
@pytest.mark.parametrize("flow", ["code", "basic", "implicit", "hs256"])
async def test_a_user_signs_on_by_openid_connect(
    api: Api, oidc: Oidc, providers: dict[str, Provider], switchboard: FakeSwitchboard, flow: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    changes: dict[str, dict[str, Any]] = {
        "code": {}, "basic": {"basic": True}, "implicit": {"flow": "implicit", "attributes": ()},
        "hs256": {"id_signature": "HS256"},
    }  # fmt: skip
    provider = oidc.provider = providers["oidc-1"] = msgspec.structs.replace(OIDC, **changes[flow])
    listed = await ask(api, chosen_idp="none", sso_token="none")
    assert [(one["name"], one["uuid"], one["disable_popup_flow"]) for one in listed["idp"]] == [
        ("Company", "oidc-1", False), ("University", "saml-1", False),
    ]  # fmt: skip
    assert set(listed["version"]) == {"version_id", "pseudo_version"}
    sent = await ask(api, chosen_idp="oidc-1", sso_token="none", sso_redirect_target="elsewhere")
    assert sent["redirect_idp"] == {"name": "Company", "uuid": "oidc-1"}
    assert sent["redirect_url"].startswith("https://idp.test/authorize?tenant=1&")
    brought = oidc.authorize(sent["redirect_url"])
    if flow == "implicit":
        path = urlsplit(provider.redirects[0]).path
        assert (await api.http.get(f"{path}?{urlencode(brought)}")).status_code == 403, "by POST only"
    page = await comes_back(api, provider, brought)
    assert page.status_code == 200
    told = message(page)
    assert told["result"] == "success"
    assert re.fullmatch(r"[A-Za-z0-9_=.-]+", told["token"])
    granted = await _request(api, "board", chosen_idp="oidc-1", sso_token=told["token"], display_name=False)
    assert granted.status_code == 200, granted.text
    result = granted.json()["result"]
    assert (result["idp_uuid"], result["display_name"], result["role"]) == ("oidc-1", "Ada Lovelace", "HOST")
    identity = switchboard.requests[-1].identity
    assert identity
    assert identity.attributes == ({} if flow == "implicit" else {"department": "Physics"})
    roster = await api.http.get("/api/client/v2/conferences/board/participants", headers={"token": result["token"]})
    assert roster.json()["result"][0]["is_idp_authenticated"] is True
    anew = await _request(api, "board", chosen_idp="oidc-1", sso_token=result["sso_token"])
    assert anew.json()["result"]["display_name"] == "Ada Lovelace", "to come back should this node be lost"
    began, late = time.time(), anew
    for share in (0.7, 1):
        monkeypatch.setattr(time, "time", functools.partial(float, began + share * state.REJOINING))
        late = await _request(api, "board", chosen_idp="oidc-1", sso_token=late.json()["result"]["sso_token"])
    assert late.json()["result"] == "SSO Authentication Failed", "not for ever, however often"
    monkeypatch.undo()
    again = await _request(api, "board", chosen_idp="oidc-1", sso_token=told["token"])
    assert (again.status_code, again.json()["result"]) == (403, "SSO Authentication Failed")


@pytest.mark.spec("API-036", "API-037")
@pytest.mark.parametrize("whole", [False, True], ids=["assertion", "response"])
async def test_a_user_signs_on_by_saml(
    api: Api, providers: dict[str, Provider], switchboard: FakeSwitchboard, whole: bool
) -> None:
    algorithm = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
    providers["saml-1"] = msgspec.structs.replace(SAML, private_key=pem(OTHER_KEY), signature_algorithm=algorithm)
    url = (await ask(api, chosen_idp="saml-1"))["redirect_url"]
    signed, _, signature = urlsplit(url).query.partition("&Signature=")
    OTHER_KEY.public_key().verify(
        base64.b64decode(parse_qs("s=" + signature)["s"][0]), signed.encode(), padding.PKCS1v15(), hashes.SHA256()
    )
    request, _ = saml_request(url)
    assert request.get("Destination") == "https://saml.test/sso"
    answer = saml_answer(url, whole=whole)
    token = message(await comes_back(api, SAML, answer))["token"]
    replayed = await comes_back(api, SAML, answer)
    assert message(replayed) == {"result": "forbidden", "code": 403}, "an assertion is good once"
    elsewhere = await _request(api, "other", chosen_idp="saml-1", sso_token=token)
    assert elsewhere.json()["result"] == "SSO Authentication Failed", "a token is for the service it was asked for"
    granted = await _request(api, "board", chosen_idp="saml-1", sso_token=token)
    assert granted.json()["result"]["display_name"] == "Grace Hopper"
    identity = switchboard.requests[-1].identity
    assert identity
    assert identity.attributes == {"mail": "g@example.com"}


@pytest.mark.spec("API-037")
async def test_without_a_window_of_its_own_the_user_is_sent_back(
    api: Api, oidc: Oidc, providers: dict[str, Provider]
) -> None:
    providers["oidc-1"] = oidc.provider = msgspec.structs.replace(OIDC, popup=False)
    places = ("https://evil.test", "http://meet.test:8443", "https://meet.test:8443@evil.test", "https://meet.test:9")
    for target in (*(f"{place}/{PLACEHOLDER}" for place in places), "nowhere", "x" * 3000):
        refused = await ask(api, chosen_idp="oidc-1", sso_redirect_target=target)
        assert refused == "SSO Authentication Failed. SSO is not available from this domain", target
    sent = await ask(api, chosen_idp="oidc-1", sso_redirect_target=TARGET)
    assert sent["disable_popup_flow"] is True
    back = await comes_back(api, OIDC, oidc.authorize(sent["redirect_url"]))
    assert back.status_code == 303
    start, _, token = back.headers["location"].partition("#sso=")
    assert start == f"{APP}/webapp/m/board"
    assert (await _request(api, "board", chosen_idp="oidc-1", sso_token=token)).status_code == 200
    failed = await comes_back(api, OIDC, oidc.authorize(sent["redirect_url"]) | {"error": "access_denied"})
    assert failed.status_code == 403
    assert "#sso=none" in failed.text


@pytest.mark.spec("API-036")
async def test_who_has_to_sign_on_depends_on_role_and_pin_comes_first(api: Api) -> None:
    assert (await ask(api, "team"))["pin"] == "required"
    assert (await _request(api, "team", "none")).status_code == 200, "Guests need not"
    assert "idp" in await ask(api, "team", "1234")
    url = (await ask(api, "team", "1234", chosen_idp="saml-1"))["redirect_url"]
    token = message(await comes_back(api, SAML, saml_answer(url)))["token"]
    assert await ask(api, "team", "9999", chosen_idp="saml-1", sso_token=token) == "Invalid PIN"
    host = await _request(api, "team", "1234", chosen_idp="saml-1", sso_token=token)
    assert host.json()["result"]["role"] == "HOST", "the token is not lost by a question"
    assert await ask(api, "empty") == "SSO enabled but no Identity Providers configured"
    assert await ask(api, "team", "1234", chosen_idp="oidc-1") == "SSO Authentication Failed", "not of this group"


async def test_pages_of_other_addresses_get_nothing(api: Api, providers: dict[str, Provider]) -> None:
    wrong = "SSO Authentication Failed. SSO is not available from this domain"
    strange = ("\\@", "/@", "#@", "?@", ":443@")  # browsers end the host where they find a backslash
    sent_by = (
        "https://evil.test",
        "null",
        "http://meet.test:8443",
        "https://meet.test",
        "https://meet.test:9",
        "https://meet.test.evil.test",
        "https://[x",
        "https://[:::]",
    )
    for origin in (*sent_by, *(f"https://evil.test{between}meet.test:8443" for between in strange)):
        assert await ask(api, chosen_idp="saml-1", origin=origin) == wrong, origin
    providers["saml-1"] = msgspec.structs.replace(SAML, redirects=(), hosts=("node.test",))
    sent = await ask(api, chosen_idp="saml-1", origin="https://node.test")
    request, _ = saml_request(sent["redirect_url"])
    assert request.get("AssertionConsumerServiceURL") == "https://node.test/api/v1/samlconsumer/saml-1"


OIDC_ATTACKS: dict[str, Callable[[Oidc], object]] = {
    "issuer": lambda oidc: oidc.claims.update(iss="https://evil.test"),
    "audience": lambda oidc: oidc.claims.update(aud="somebody"),
    "one of many, issued to another": lambda oidc: oidc.claims.update(aud=["rostra", "x"], azp="x"),
    "expired": lambda oidc: oidc.claims.update(exp=int(time.time()) - 120),
    "no end": lambda oidc: oidc.claims.update(exp=None),
    "nonce": lambda oidc: oidc.claims.update(nonce="0" * 32),
    "no nonce": lambda oidc: oidc.claims.update(nonce=None),
    "number as nonce": lambda oidc: oidc.claims.update(nonce=7),
    "key": lambda oidc: setattr(oidc, "key", OTHER_KEY),
    "unknown key": lambda oidc: setattr(oidc, "kid", "k9"),
    "user info of another": lambda oidc: oidc.user_info.update(sub="u2"),
    "secret for the public key": lambda oidc: setattr(
        oidc, "provider", msgspec.structs.replace(OIDC, id_signature="HS256")
    ),
    "no code": lambda oidc: setattr(oidc, "failure", httpx.Response(400, json={})),
}


@pytest.mark.parametrize("attack", OIDC_ATTACKS)
async def test_id_tokens_are_believed_only_if_all_is_right(api: Api, oidc: Oidc, attack: str) -> None:
    url = (await ask(api, chosen_idp="oidc-1"))["redirect_url"]
    OIDC_ATTACKS[attack](oidc)
    answer = await comes_back(api, OIDC, oidc.authorize(url))
    assert message(answer) == {"result": "forbidden", "code": 403}
    assert answer.status_code == 403


def moved(raw: bytes) -> bytes:
    """Signature wrapping: the signed assertion is hidden, a forged one stands in its place."""
    start, end = raw.index(b"<saml:Assertion"), raw.index(b"</saml:Assertion>") + 17
    genuine = raw[start:end]
    forged = re.sub(rb"<ds:Signature.*?</ds:Signature>", b"", genuine, flags=re.DOTALL)
    forged = forged.replace(b"Grace Hopper", b"Mallory").replace(b'ID="_a1"', b'ID="_a2"')
    hidden = b"<samlp:Extensions>" + genuine + b"</samlp:Extensions>"
    return raw[:start] + hidden + forged + raw[end:]


def wrapped(raw: bytes) -> bytes:
    """The forged assertion carries the genuine one and its signature inside."""
    start, end = raw.index(b"<saml:Assertion"), raw.index(b"</saml:Assertion>") + 17
    genuine = raw[start:end]
    signature = re.search(rb"<ds:Signature.*?</ds:Signature>", genuine, re.DOTALL)
    assert signature
    bare = genuine.replace(signature[0], b"")
    forged = bare.replace(b"Grace Hopper", b"Mallory").replace(b'ID="_a1"', b'ID="_a2"')
    inside = signature[0].replace(b"</ds:Signature>", b"<ds:Object>" + bare + b"</ds:Object></ds:Signature>")
    return raw[:start] + forged.replace(b"<saml:Subject>", inside + b"<saml:Subject>", 1) + raw[end:]


def entity(raw: bytes) -> bytes:
    return b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + raw


SECOND = b'<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>'
SAML_ATTACKS: dict[str, dict[str, Any]] = {
    "key": {"key": OTHER_KEY},
    "issuer": {"issuer": "https://evil.test"},
    "audience": {"audience": "https://somebody.test"},
    "recipient": {"recipient": "https://evil.test/api/v1/samlconsumer/saml-1"},
    "destination": {"destination": "https://evil.test/api/v1/samlconsumer/saml-1"},
    "other request": {"request": "_other"},
    "expired": {"until": "2020-01-01T00:00:00Z"},
    "not yet": {"since": "2099-01-01T00:00:00Z"},
    "no time": {"until": "soon"},
    "refused": {"status": "urn:oasis:names:tc:SAML:2.0:status:Responder"},
    "changed": {"edit": lambda raw: raw.replace(b"Grace Hopper", b"Mallory")},
    "changed, all signed": {"whole": True, "edit": lambda raw: raw.replace(b"Grace Hopper", b"Mallory")},
    "unsigned": {"edit": lambda raw: re.sub(rb"<ds:Signature.*?</ds:Signature>", b"", raw, flags=re.DOTALL)},
    "moved": {"edit": moved},
    "two": {"edit": lambda raw: raw.replace(b"</samlp:Response>", SECOND + b"</samlp:Response>")},
    "entity": {"edit": entity},
    "no XML": {"edit": lambda raw: b"{}"},
    "something else": {"edit": lambda raw: b"<a/>"},
}


@pytest.mark.parametrize("attack", SAML_ATTACKS)
async def test_assertions_are_believed_only_if_all_is_right(api: Api, attack: str) -> None:
    url = (await ask(api, chosen_idp="saml-1"))["redirect_url"]
    answer = await comes_back(api, SAML, saml_answer(url, **SAML_ATTACKS[attack]))
    assert message(answer) == {"result": "forbidden", "code": 403}


async def test_only_what_is_signed_is_read(api: Api) -> None:
    """A wrapped assertion is as good as the genuine one inside; a comment hides nothing of a name."""
    url = (await ask(api, chosen_idp="saml-1"))["redirect_url"]
    told = message(await comes_back(api, SAML, saml_answer(url, edit=wrapped)))
    if told["result"] == "success":
        granted = await _request(api, "board", chosen_idp="saml-1", sso_token=told["token"])
        assert granted.json()["result"]["display_name"] == "Grace Hopper"
    url = (await ask(api, chosen_idp="saml-1"))["redirect_url"]
    answer = saml_answer(url, id="_a7", edit=lambda raw: raw.replace(b"Grace Hopper", b"Grace<!-- x --> Hopper"))
    token = message(await comes_back(api, SAML, answer))["token"]
    granted = await _request(api, "board", chosen_idp="saml-1", sso_token=token)
    assert granted.json()["result"]["display_name"] == "Grace Hopper"


async def test_who_never_left_does_not_come_back(api: Api, oidc: Oidc, desk: SignOnDesk) -> None:
    """States are ours, of this provider, and not old; nobody is told anything otherwise."""
    url = (await ask(api, chosen_idp="oidc-1"))["redirect_url"]
    told = oidc.authorize(url)
    seals = Seals(lambda: b"k" * 32)
    pending = seals.open(told["state"], Pending)
    assert pending
    old = seals.seal(msgspec.structs.replace(pending, begun=time.time() - state.PATIENCE - 1))
    foreign = Seals(lambda: b"x" * 32).seal(pending)
    of_another = seals.seal(msgspec.structs.replace(pending, provider="saml-1"))
    for bad in ("", "x", old, foreign, of_another, told["state"][:-2] + "AA"):
        answer = await comes_back(api, OIDC, {**told, "state": bad})
        assert answer.status_code == 403
        assert "<script" not in answer.text
    unknown = await api.http.get("/api/v1/oidcconsumer/nobody?" + urlencode(told))
    assert unknown.status_code == 403
    assert oidc.asked == []
    assert (await api.http.post("/api/v1/samlconsumer/saml-1", content=b"a=" + b"x" * 2_000_000)).status_code == 403
    assert (await api.http.post("/api/v1/samlconsumer/saml-1", content=b"\xff\xfe")).status_code == 403
    assert (await api.http.get("/api/v1/samlconsumer/saml-1")).status_code in (404, 405)


async def drops() -> AsyncIterator[bytes]:
    """An answer that never ends, and never pauses for long."""
    while True:
        yield b" "
        await asyncio.sleep(0.02)


@pytest.mark.spec("API-037")
async def test_a_provider_that_cannot_be_asked_is_told_as_such(
    api: Api, oidc: Oidc, monkeypatch: pytest.MonkeyPatch, desk: SignOnDesk
) -> None:
    failures = (
        httpx.ConnectTimeout("x"), httpx.Response(500), httpx.Response(302, headers={"location": "https://evil.test"}),
        httpx.Response(200, content=b"x" * 300_000), httpx.Response(200, content=b"[]"),
        httpx.Response(200, content=drops()),
    )  # fmt: skip
    monkeypatch.setattr(fetching, "PATIENCE", 0.3)
    for failure in failures:
        url = (await ask(api, chosen_idp="oidc-1"))["redirect_url"]
        oidc.failure = failure
        answer = await comes_back(api, OIDC, oidc.authorize(url))
        assert answer.status_code == 503
        assert message(answer) == {"result": "service unavailable", "code": 503}
    oidc.failure = None
    monkeypatch.setattr(desk, "_ready", lambda: False)
    answer = await comes_back(api, OIDC, oidc.authorize((await ask(api, chosen_idp="oidc-1"))["redirect_url"]))
    assert message(answer)["code"] == 503


async def test_the_page_runs_nothing_but_its_own_script(api: Api, oidc: Oidc) -> None:
    url = (await ask(api, chosen_idp="oidc-1"))["redirect_url"]
    page = await comes_back(api, OIDC, oidc.authorize(url))
    nonce = re.search(r'<script nonce="([^"]+)">', page.text)
    assert nonce
    assert f"script-src 'nonce-{nonce[1]}'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "cross-origin-opener-policy" not in page.headers, "the opener has to be reachable"
    error = quote("<script>alert(1)</script>")
    answer = await api.http.get(f"/api/v1/oidcconsumer/oidc-1?error={error}&state=x")
    assert "alert" not in answer.text
