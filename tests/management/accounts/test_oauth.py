"""Tokens for clients that sign an assertion, and what the tokens are good for."""

from __future__ import annotations

import datetime
import time
import uuid
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.test import Client
from django.utils import timezone

from rostra.management.accounts import oauth
from rostra.management.accounts.models import AccessToken, Account, AuthenticationSettings, OAuth2Client, UsedAssertion
from rostra.management.guessing import HERE
from tests.management import people
from tests.management.conftest import BASE, Api

URL = "https://manager.example.com/oauth/token/"


class Program:
    """A client of the API, with its key."""

    def __init__(self, api: Api, *permissions: str, name: str = "Robot") -> None:
        role = people.role(f"Role of {name}", *permissions)
        made = api("POST", "oauth2_client/", {"client_name": name, "role": f"{BASE}role/{role.pk}/"})
        assert made.status_code == 201, made.content
        self.body = made.json()
        self.location = made["Location"]
        self.id = self.body["client_id"]
        self.key = self.body["private_key_jwt"]

    def assertion(self, *, key: Any = None, algorithm: str = "ES256", **changes: Any) -> str:
        now = int(time.time())
        claims = {"iss": self.id, "sub": self.id, "aud": URL, "iat": now, "exp": now + 3600, "jti": str(uuid.uuid4())}
        claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        return jwt.encode(claims, self.key if key is None else key, algorithm=algorithm)

    def ask(self, assertion: str | None = None, **changes: str) -> Any:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self.assertion() if assertion is None else assertion,
            "scope": "is_admin use_api",
            **changes,
        }
        return Client(enforce_csrf_checks=True).post(oauth.PATH, form)

    def token(self) -> str:
        answer = self.ask()
        assert answer.status_code == 200, answer.content
        return answer.json()["access_token"]


def get(token: str, path: str = "conference/") -> Any:
    return Client().get(BASE + path, headers={"Authorization": f"Bearer {token}"})


def send(token: str, method: str, path: str, body: Any) -> Any:
    return getattr(Client(), method)(
        BASE + path, body, content_type="application/json", headers={"Authorization": f"Bearer {token}"}
    )


def test_the_key_is_told_once(api: Api) -> None:
    program = Program(api)
    assert program.location.endswith(f"/oauth2_client/{program.id}/")
    assert program.key.startswith("-----BEGIN PRIVATE KEY-----")
    read = api.read(f"oauth2_client/{program.id}/")
    assert set(read) == {"client_id", "client_name", "role", "resource_uri"}
    schema = api.read("oauth2_client/schema/")["fields"]
    assert schema["private_key_jwt"]["readonly"]
    assert api("PATCH", f"oauth2_client/{program.id}/", {"client_name": "Other"}).status_code == 202
    assert program.token(), "with the same key"


def test_the_site_shows_the_key_once(browser: Client) -> None:
    role = people.role("Programs", "use_api")
    made = browser.post("/admin/accounts/oauth2client/add/", {"client_name": "Robot", "role": role.pk})
    assert made.status_code == 200
    assert "BEGIN PRIVATE KEY" in made.content.decode()
    assert "no-store" in made["Cache-Control"]
    client = OAuth2Client.objects.get()
    page = browser.get(f"/admin/accounts/oauth2client/{client.pk}/change/").content.decode()
    assert client.client_id in page
    assert "PRIVATE KEY" not in page


def test_a_token_opens_the_api_as_its_role_says(api: Api) -> None:
    program = Program(api, "use_api", "view_service")
    answer = program.ask()
    assert "no-store" in answer["Cache-Control"]
    body = answer.json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 3600)
    assert get(body["access_token"]).status_code == 200
    assert get(body["access_token"], "system_location/").status_code == 403
    assert send(body["access_token"], "post", "conference/", {"name": "x"}).status_code == 403
    assert not AccessToken.objects.filter(digest__contains=body["access_token"]).exists()


def test_without_permission_for_the_api_there_is_no_use(api: Api) -> None:
    assert get(Program(api, "use_web", "view_service").token()).status_code == 403


def test_a_token_never_opens_the_site(api: Api) -> None:
    token = Program(api, "use_web", "use_api", "view_service").token()
    page = Client().get("/admin/", headers={"Authorization": f"Bearer {token}"})
    assert page.status_code == 302


def test_it_ends(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    AuthenticationSettings.objects.update(api_oauth2_expiration=60)
    program = Program(api, "use_api", "view_service")
    token = program.token()
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now + datetime.timedelta(seconds=61))
    gone = get(token)
    assert gone.status_code == 401
    assert "Bearer" in gone["WWW-Authenticate"]
    program.token()
    assert AccessToken.objects.count() == 1, "old ones go"


def test_it_goes_with_its_client(api: Api) -> None:
    program = Program(api, "use_api", "view_service")
    token = program.token()
    assert api("DELETE", f"oauth2_client/{program.id}/").status_code == 204
    assert get(token).status_code == 401
    assert program.ask().status_code == 401


def test_an_assertion_is_good_once(api: Api) -> None:
    program = Program(api, "use_api")
    assertion = program.assertion()
    assert program.ask(assertion).status_code == 200
    again = program.ask(assertion)
    assert (again.status_code, again.json()["error"]) == (401, "invalid_client")
    assert "used before" in again.json()["error_description"]
    assert UsedAssertion.objects.count() == 1


NOW = int(time.time())
_OTHER = ec.generate_private_key(ec.SECP256R1())
WRONG: dict[str, dict[str, Any]] = {
    "another key": {"key": _OTHER},
    "none": {"key": "", "algorithm": "none"},
    "symmetric": {"key": "k" * 40, "algorithm": "HS256"},
    "rsa": {"key": rsa.generate_private_key(65537, 2048), "algorithm": "RS256"},
    "expired": {"iat": NOW - 7200, "exp": NOW - 3600},
    "not yet": {"iat": NOW + 3600, "exp": NOW + 7200},
    "for ages": {"exp": NOW + 10 * 86400},
    "another issuer": {"iss": "somebody"},
    "another subject": {"sub": "somebody"},
    "another audience": {"aud": "https://manager.example.com/"},
    "no audience": {"aud": "token"},
    "no jti": {"jti": None},
    "no exp": {"exp": None},
    "no iat": {"iat": None},
    "no iss": {"iss": None},
    "empty jti": {"jti": ""},
    "long jti": {"jti": "x" * 256},
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_assertions(api: Api, case: str) -> None:
    program = Program(api, "use_api")
    answer = program.ask(program.assertion(**WRONG[case]))
    assert answer.status_code == 401, answer.content
    assert answer.json()["error"] == "invalid_client"
    assert AccessToken.objects.count() == 0


def test_the_public_key_is_no_shared_secret(api: Api) -> None:
    """An assertion signed by HMAC with what everybody may know."""
    program = Program(api, "use_api")
    public = OAuth2Client.objects.get().key.public_key  # type: ignore[attr-defined]
    header = jwt.utils.base64url_encode(b'{"alg":"HS256","typ":"JWT"}')
    payload = program.assertion().split(".")[1].encode()
    import hashlib
    import hmac

    signature = jwt.utils.base64url_encode(hmac.digest(public.encode(), header + b"." + payload, hashlib.sha256))
    assert program.ask(b".".join((header, payload, signature)).decode()).status_code == 401


@pytest.mark.parametrize("audience", ["https://10.0.0.1/oauth/token/", ["x", "https://m.example/oauth/token/"]])
def test_whatever_host_the_client_reaches_us_by(api: Api, audience: Any) -> None:
    program = Program(api, "use_api")
    assert program.ask(program.assertion(aud=audience)).status_code == 200


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_assertion_type": "x"}, "invalid_request"),
        ({"client_assertion": ""}, "invalid_client"),
        ({"client_assertion": "a.b.c"}, "invalid_client"),
        ({"client_assertion": "\0"}, "invalid_client"),
    ],
)
def test_wrong_requests(api: Api, changes: dict[str, str], error: str) -> None:
    answer = Program(api).ask(**changes)
    assert answer.status_code in (400, 401)
    assert answer.json()["error"] == error
    assert Client().get(oauth.PATH).status_code == 405
    assert Client().post(oauth.PATH, b"{}", content_type="application/json").status_code == 400


def test_who_guesses_waits(api: Api) -> None:
    program = Program(api, "use_api")
    for _ in range(HERE.free):
        assert program.ask(program.assertion(key=_OTHER)).status_code == 401
    held = program.ask()
    assert held.status_code == 429
    assert int(held["Retry-After"]) >= 1
    assert Program(api, "use_api", name="Second").ask().status_code == 200


def test_basic_can_be_closed(api: Api) -> None:
    token = Program(api, "use_api", "view_service").token()
    assert api("PATCH", "authentication/1/", {"api_oauth2_disable_basic": True}).status_code == 202
    closed = api("GET", "conference/")
    assert (closed.status_code, closed["WWW-Authenticate"]) == (401, "Bearer")
    assert get(token).status_code == 200


def test_administrator_access_is_not_for_programs_unless_allowed(api: Api) -> None:
    program = Program(api, "use_api", "modify_administrators", "view_administrators")
    token = program.token()
    change = {"api_oauth2_expiration": 90}
    assert get(token, "authentication/1/").status_code == 200
    assert send(token, "patch", "authentication/1/", change).status_code == 403
    assert send(token, "patch", "authentication/1/", {"api_oauth2_allow_all_perms": True}).status_code == 403
    assert api("PATCH", "authentication/1/", {"api_oauth2_allow_all_perms": True}).status_code == 202
    assert send(token, "patch", "authentication/1/", change).status_code == 202


def test_what_a_program_does_is_told_by_its_name(api: Api) -> None:
    from rostra.management.audit.models import AdministratorLog

    token = Program(api, "use_api", "modify_service").token()
    assert send(token, "post", "conference/", {"name": "Made by a robot"}).status_code == 201
    entry = AdministratorLog.objects.filter(object_name="Made by a robot").first()
    assert entry is not None
    assert entry.user == "OAuth2 client Robot"
    assert Account.objects.count() == 1, "no account is made for it"
