"""The login page, sessions, the login history, and the way in for names and passwords."""

from __future__ import annotations

import base64
import time
from typing import Any

import pytest
from django.test import Client

from rostra.configuration.models import GlobalSettings
from rostra.management.accounts import entrance
from rostra.management.accounts.models import Account, AuthenticationSettings, LoginAttempt
from rostra.management.guessing import HERE, Watch
from tests.management import people
from tests.management.conftest import BASE, Api

LOGIN = "/admin/login/"


def enter(username: str, password: str, client: Client | None = None, **headers: Any) -> Any:
    return (client or Client()).post(LOGIN, {"username": username, "password": password}, **headers)


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@pytest.mark.spec("SYS-048", "SYS-052")
def test_local_login_minds_upper_and_lower_case(database: Any) -> None:
    assert enter("admin", "secret").status_code == 302
    for name, password in (("Admin", "secret"), ("admin", "Secret"), ("admin", ""), ("", "secret"), ("nobody", "x")):
        assert enter(name, password).status_code == 200, name
    assert "correct username and password for a staff account" in enter("admin", "wrong").content.decode()


def test_a_login_leads_nowhere_else(database: Any) -> None:
    for there in ("//evil.example/", "https://evil.example/", "javascript:alert(1)"):
        answer = Client().post(LOGIN, {"username": "admin", "password": "secret", "next": there})
        assert answer["Location"] == "/admin/", there


def test_session_cookies_are_for_us_only(database: Any) -> None:
    cookie = enter("admin", "secret").cookies["sessionid"]
    assert cookie["secure"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


@pytest.mark.spec("SYS-048")
def test_a_disabled_account_is_out_at_once(database: Any) -> None:
    account = people.account("ada", "use_web", "use_api", "view_service")
    client = Client()
    client.force_login(account)
    assert client.get("/admin/").status_code == 200
    Account.objects.filter(pk=account.pk).update(is_active=False)
    assert client.get("/admin/").status_code == 302
    assert enter("ada", "adaada").status_code == 200


@pytest.mark.spec("SYS-125")
def test_banners(database: Any) -> None:
    GlobalSettings.objects.update(
        logon_banner="<b>Only</b> for staff", site_banner="TEST & SYSTEM", site_banner_bg="red;a:b"
    )
    page = Client().get(LOGIN).content.decode()
    assert "&lt;b&gt;Only&lt;/b&gt; for staff" in page
    assert "TEST &amp; SYSTEM" in page
    assert "red;a:b" not in page
    client = Client()
    client.force_login(Account.objects.get(username="admin"))
    inside = client.get("/admin/").content.decode()
    assert 'id="site-banner"' in inside
    assert "for staff" not in inside


@pytest.mark.spec("SYS-126", "PLAT-161")
class TestIdleSessions:
    @pytest.fixture(autouse=True)
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000_000.0
        monkeypatch.setattr(time, "time", lambda: self.now)

    def test_end_after_the_timeout(self, browser: Client) -> None:
        assert browser.get("/admin/").status_code == 200
        self.now += 29 * 60
        assert browser.get("/admin/").status_code == 200
        self.now += 29 * 60
        assert browser.get("/admin/").status_code == 200, "used in between"
        self.now += 31 * 60
        gone = browser.get("/admin/", follow=True)
        assert gone.redirect_chain[0][0].startswith(LOGIN)
        assert "nothing was done for 30 minutes" in gone.content.decode()
        assert browser.get("/admin/").status_code == 302

    def test_what_pages_fetch_by_themselves_is_no_use(self, browser: Client) -> None:
        browser.get("/admin/")
        for _ in range(4):
            self.now += 10 * 60
            answer = browser.get("/admin/status/live/data.json")
        assert answer.status_code == 302

    def test_as_long_as_the_settings_say(self, browser: Client) -> None:
        GlobalSettings.objects.update(management_session_timeout=5)
        browser.get("/admin/")
        self.now += 6 * 60
        assert browser.get(f"{BASE}conference/").status_code == 401
        browser.force_login(Account.objects.get(username="admin"))
        GlobalSettings.objects.update(session_timeout_enabled=False)
        browser.get("/admin/")
        self.now += 20 * 3600
        assert browser.get("/admin/").status_code == 200


class TestGuessing:
    def test_the_login_page_says_how_long_to_wait(self, database: Any) -> None:
        for _ in range(HERE.free):
            assert enter("admin", "wrong").status_code == 200
        held = enter("admin", "secret")
        assert held.status_code == 429
        assert int(held["Retry-After"]) >= 1
        assert "Too many wrong attempts. Try again in" in held.content.decode()
        people.account("ada", "use_web")
        assert enter("ada", "adaada").status_code == 302, "somebody else at the same address"
        assert enter("admin", "secret", REMOTE_ADDR="192.0.2.9").status_code == 302, "the same account elsewhere"

    def test_a_session_goes_on(self, browser: Client) -> None:
        for _ in range(HERE.free + 3):
            enter("admin", "wrong")
        assert browser.get("/admin/").status_code == 200

    def test_the_api_answers_429_but_knows_its_clients(self, api: Api) -> None:
        assert api("GET", "conference/").status_code == 200
        codes = [api("GET", "conference/", Authorization=basic("admin", "x")).status_code for _ in range(HERE.free + 1)]
        assert codes == [401] * HERE.free + [429]
        held = api("GET", "conference/", Authorization=basic("admin", "x"))
        assert "Too many wrong attempts" in held.json()["error"]
        assert int(held["Retry-After"]) >= 1
        assert api("GET", "conference/").status_code == 200, "known to be right"

    def test_right_credentials_from_elsewhere_do_not_help_a_guesser(self, api: Api, watch: Watch) -> None:
        assert api("GET", "conference/").status_code == 200
        for _ in range(HERE.free):
            watch.failed("admin", "192.0.2.7", time.monotonic())
        answer = Client().get(
            f"{BASE}conference/", headers={"Authorization": basic("admin", "secret")}, REMOTE_ADDR="192.0.2.7"
        )
        assert answer.status_code == 429

    @pytest.mark.parametrize("name", ["\0", "x" * 5000, "ä" * 300, " "])
    def test_strange_names(self, api: Api, name: str) -> None:
        assert api("GET", "conference/", Authorization=basic(name, "x")).status_code == 401
        assert enter(name, "x").status_code in (200, 400)


@pytest.mark.spec("DIAG-121")
def test_login_history(browser: Client, api: Api) -> None:
    enter("admin", "wrong", REMOTE_ADDR="192.0.2.4", REMOTE_PORT="4711")
    enter("admin", "secret", REMOTE_ADDR="192.0.2.5")
    api("GET", "conference/", Authorization=basic("eve", "x"))
    api("GET", "conference/")
    rows = [(row["username"], row["success"], row["interface"], row["remote_address"])
            for row in api.list("/api/admin/history/v1/login_history/")]  # fmt: skip
    assert rows == [
        ("eve", False, "api", "127.0.0.1"),
        ("admin", True, "web", "192.0.2.5"),
        ("admin", False, "web", "192.0.2.4"),
    ]
    assert LoginAttempt.objects.get(success=False, username="admin").remote_port == 4711
    page = browser.get("/admin/history/login_history/").content.decode()
    assert "192.0.2.4" in page
    assert "/admin/history/login_history/" in browser.get("/admin/").content.decode(), "in the menu"


@pytest.mark.spec("DIAG-121")
def test_login_history_keeps_the_newest_hundred(database: Any, watch: Watch) -> None:
    LoginAttempt.objects.bulk_create(
        LoginAttempt(username=f"u{number}", success=False, interface="web") for number in range(150)
    )
    enter("admin", "wrong")
    assert LoginAttempt.objects.count() == entrance.KEPT == 100
    assert LoginAttempt.objects.first().username == "admin"  # type: ignore[union-attr]


@pytest.mark.spec("NODE-087")
def test_change_password(browser: Client) -> None:
    page = browser.get("/admin/password_change/").content.decode()
    assert page.count('type="password"') == 3
    form = {"old_password": "secret", "new_password1": "long-enough-1", "new_password2": "long-enough-1"}
    wrong = browser.post("/admin/password_change/", {**form, "old_password": "x"})
    assert wrong.status_code == 200
    done = browser.post("/admin/password_change/", form, follow=True)
    assert "Your password was changed" in done.content.decode()
    assert enter("admin", "secret").status_code == 200
    assert enter("admin", "long-enough-1").status_code == 302


@pytest.mark.spec("NODE-088")
def test_accounts_of_the_directory_have_no_password_to_change(database: Any) -> None:
    AuthenticationSettings.objects.update(source="LDAP+LOCAL")
    account = Account(username="ada", directory=True, groups=["cn=ops,dc=example"])
    account.set_unusable_password()
    account.save()
    role = people.role("Operators", "use_web")
    role.mappings.create(name="Operators", value="CN=Ops, DC=example")
    client = Client()
    client.force_login(account)
    assert "password_change" not in client.get("/admin/").content.decode()
    AuthenticationSettings.objects.update(source="LOCAL")
    assert client.get("/admin/").status_code == 302, "nobody of the directory any more"


def test_nothing_is_told_about_the_password(api: Api, caplog: pytest.LogCaptureFixture, capsys: Any) -> None:
    api("GET", "conference/", Authorization=basic("admin", "pa55word-in-vain"))
    enter("admin", "pa55word-in-vain")
    said = capsys.readouterr()
    assert "pa55word" not in said.out + said.err + caplog.text
