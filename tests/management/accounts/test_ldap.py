"""Administrators of a directory, with a real OpenLDAP server."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from rostra.management.accounts.ldap import identity, nesting, trial
from rostra.management.accounts.ldap.directory import Directory
from rostra.management.accounts.models import Account, AuthenticationSettings
from tests.management import people
from tests.management.accounts import slapd
from tests.management.accounts.slapd import BASE, Slapd
from tests.management.conftest import Api

LOGIN = "/admin/login/"
CONFERENCES = "/api/admin/configuration/v1/conference/"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    with slapd.running(tmp_path_factory.mktemp("slapd") / "home") as started:
        yield started


def trust(api: Api, certificate: str) -> None:
    made = api("POST", "ca_certificate/", {"certificate": certificate})
    assert made.status_code == 201, made.content


def settings(server: Slapd, **changes: Any) -> dict[str, Any]:
    return {
        "source": "LDAP+LOCAL",
        "ldap_server": f"localhost:{server.tls_port}",
        "ldap_bind_username": slapd.SERVICE,
        "ldap_bind_password": "reader-pw",
        "ldap_base_dn": BASE,
        "ldap_user_search_dn": "ou=people",
        **changes,
    }


@pytest.fixture
def directory(api: Api, server: Slapd) -> Api:
    """The platform with that directory, and a role for the group itadmins."""
    trust(api, server.authority)
    saved = api("PATCH", "authentication/1/", settings(server))
    assert saved.status_code == 202, saved.content
    people.role("Manage Conferences", "use_web", "use_api", "modify_service", "view_platform").mappings.create(
        name="Admins", value=f"CN=itadmins, ou=groups,{BASE}"
    )
    return api


def enter(username: str, password: str) -> Any:
    return Client().post(LOGIN, {"username": username, "password": password})


def ask(username: str, password: str, method: str = "get", path: str = CONFERENCES, body: Any = None) -> int:
    header = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
    client = Client(raise_request_exception=False)
    call = getattr(client, method)
    return call(path, body, content_type="application/json", headers={"Authorization": header}).status_code


@pytest.mark.spec("SYS-050", "SYS-051", "SYS-058", "SYS-061", "SYS-062", "SYS-064", "SYS-084")
def test_a_member_of_the_group_is_let_in_with_its_role(directory: Api) -> None:
    assert enter("ada", "ada-pw").status_code == 302
    assert ask("ada", "ada-pw") == 200
    assert ask("ada", "ada-pw", "post", body={"name": "Hers"}) == 201
    location = "/api/admin/configuration/v1/system_location/1/"
    assert ask("ada", "ada-pw", path=location) == 200
    assert ask("ada", "ada-pw", "patch", location, {"mtu": 1400}) == 403
    account = Account.objects.get(username="ada")
    assert (account.directory, account.has_usable_password()) == (True, False)
    assert account.groups == [f"cn=itadmins,ou=groups,{BASE}"]
    assert enter("admin", "secret").status_code == 302, "local accounts go on"


@pytest.mark.spec("SYS-052", "DIAG-213", "DIAG-216")
@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("ada", "wrong"),
        ("ada", ""),
        ("Ada", "ada-pw"),
        ("ada", "ADA-PW"),
        ("bob", "bob-pw"),
        ("nobody", "x"),
        ("a*", "ada-pw"),
        ("*", "ada-pw"),
        ("ada)(uid=*", "ada-pw"),
        ("reader", "reader-pw"),
    ],
)
def test_who_is_not_let_in(directory: Api, username: str, password: str) -> None:
    """Wrong passwords, other cases, no role (bob), no such user, and names that would be filters."""
    page = enter(username, password)
    assert page.status_code == 200
    if password:
        assert "correct username and password for a staff account" in page.content.decode()
    assert ask(username, password) == 401


def test_a_name_with_the_signs_of_filters_is_just_a_name(directory: Api) -> None:
    found = [step.text for step in trial.run("odd*)(", "odd-pw")]
    assert found[1].startswith("Found uid=odd")
    assert found[2] == "The directory takes the password."


def test_two_users_of_one_name_are_none(directory: Api, server: Slapd) -> None:
    assert directory("PATCH", "authentication/1/", {"ldap_user_search_dn": ""}).status_code == 202
    assert "2 users are called so." in trial.run("twin", "twin-pw")[-1].text
    assert enter("twin", "twin-pw").status_code == 200


@pytest.mark.spec("SYS-065")
@pytest.mark.parametrize("attributes", ["", "noSuchAttribute"])
def test_groups_are_searched_where_users_do_not_name_them(directory: Api, attributes: str) -> None:
    change = {"ldap_user_group_attributes": attributes, "ldap_group_search_dn": "ou=groups"}
    assert directory("PATCH", "authentication/1/", change).status_code == 202
    assert enter("ada", "ada-pw").status_code == 302
    people.role("Unix", "use_web").mappings.create(name="Unix", value=f"cn=unix,ou=groups,{BASE}")
    assert enter("pat", "pat-pw").status_code == 302, "a posixGroup, by uid"
    assert Account.objects.get(username="pat").groups == [f"cn=unix,ou=groups,{BASE}"]


@pytest.mark.spec("SYS-066")
def test_groups_within_groups_are_not_followed_by_default(directory: Api) -> None:
    people.role("Everybody", "use_web", "view_logs").mappings.create(
        name="Everybody", value=f"cn=everybody,ou=groups,{BASE}"
    )
    assert enter("ada", "ada-pw").status_code == 302
    assert "view_logs" not in Account.objects.get(username="ada").permissions
    assert enter("bob", "bob-pw").status_code == 302


_NESTED = {
    "ldap_user_group_attributes": "",
    "ldap_group_membership_filter": "(|(member:1.2.840.113556.1.4.1941:={userdn})(memberuid={useruid}))",
}


@pytest.mark.spec("SYS-066")
def test_groups_within_groups_count_where_they_are_asked_for(directory: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenLDAP does not know the rule that asks Active Directory for them, and some of these contain each other."""
    assert directory("PATCH", "authentication/1/", _NESTED).status_code == 202
    people.role("Everybody", "use_web", "view_logs").mappings.create(
        name="Everybody", value=f"cn=everybody,ou=groups,{BASE}"
    )
    asked: list[str] = []
    search = Directory._group_names
    monkeypatch.setattr(Directory, "_group_names", lambda self, text: asked.append(text) or search(self, text))
    assert enter("ada", "ada-pw").status_code == 302
    account = Account.objects.get(username="ada")
    assert account.groups == [f"cn={name},ou=groups,{BASE}" for name in ("itadmins", "everybody", "round", "about")]
    assert "view_logs" in account.permissions
    assert len(asked) == 5, "a question for each step, whatever there is on it"


@pytest.mark.spec("SYS-052")
def test_one_person_has_one_account(directory: Api) -> None:
    """Whichever of his names he enters, and when he is called otherwise."""
    change = {"ldap_user_search_filter": "(|(uid={username})(mail={username})(cn={username}))"}
    assert directory("PATCH", "authentication/1/", change).status_code == 202
    for name in ("ada@example.com", "ada", "Ada (the first), Countess"):
        assert enter(name, "ada-pw").status_code == 302, name
    assert enter("ADA@example.com", "ada-pw").status_code == 200, "another case is another name"
    assert [account.username for account in Account.objects.filter(directory=True)] == ["ada"]
    exact = {"ldap_user_search_filter": "(uid:caseIgnoreMatch:={username})"}
    assert directory("PATCH", "authentication/1/", exact).status_code == 202
    assert enter("ADA", "ada-pw").status_code == 302, "a filter of one's own decides what is the same name"
    Account.objects.filter(directory=True).update(username="formerly")
    assert enter("ada", "ada-pw").status_code == 302
    assert Account.objects.get(directory=True).username == "formerly"


def test_a_name_passed_on_ends_the_sessions_of_who_had_it(directory: Api) -> None:
    assert enter("ada", "ada-pw").status_code == 302
    former = Client()
    former.force_login(Account.objects.get(username="ada"))
    assert former.get("/admin/").status_code == 200
    Account.objects.filter(username="ada").update(identity="somebody else", is_active=False)
    assert enter("ada", "ada-pw").status_code == 200, "what an administrator has closed stays closed"
    Account.objects.filter(username="ada").update(is_active=True)
    assert enter("ada", "ada-pw").status_code == 302
    assert Account.objects.filter(username="ada").count() == 1
    assert former.get("/admin/").status_code == 302


@pytest.mark.parametrize(
    ("groups", "found"),
    [
        ({"me": ["a"], "a": ["b"], "b": ["a", "b"]}, ["a", "b"]),
        ({"me": []}, []),
        ({"me": ["A=x, B=y", "a=X,b=Y"]}, ["A=x, B=y"]),
        ({str(n): [str(n + 1)] for n in range(99)} | {"me": ["0"]}, [str(n) for n in range(nesting.DEEPEST)]),
        ({"me": [str(n) for n in range(5000)]}, [str(n) for n in range(nesting.MOST)]),
    ],
)
def test_groups_are_walked_within_limits(groups: dict[str, list[str]], found: list[str]) -> None:
    asked: list[int] = []

    def holding(dns: Any) -> list[str]:
        asked.append(len(dns))
        return [group for dn in dns for group in groups.get(dn, ())]

    assert nesting.walk("me", holding, seconds=60) == found
    assert max(asked) <= nesting.AT_ONCE
    assert len(asked) <= nesting.DEEPEST + nesting.MOST // nesting.AT_ONCE


def test_a_slow_directory_is_not_walked_for_ever() -> None:
    time = iter(range(0, 1000, 4))
    steps: list[Any] = []

    def holding(dns: Any) -> list[str]:
        steps.append(dns)
        return [f"{dns[0]}x"]

    nesting.walk("me", holding, seconds=10, now=lambda: next(time))
    assert len(steps) == 2


def test_who_an_entry_is() -> None:
    known = identity.of("cn=a", {"entryUUID": [b"1"], "uid": [b"a"]})
    assert identity.of("cn=b", {"ENTRYUUID": [b"1"]}) == known
    assert identity.of("cn=a", {"entryUUID": [b"2"]}) != known
    assert identity.of("cn=a", {"objectGUID": [b"\xff\x00"]}) != identity.of("cn=a", {"objectGUID": [b"\xfe\x00"]})
    assert identity.of("CN=A, dc=x", {"objectGUID": []}) == identity.of("cn=a,dc=X", {})
    assert len(identity.of("cn=" + "a" * 1000, {})) <= 100


@pytest.mark.spec("SYS-082", "PLAT-154")
def test_roles_add_up_and_follow_the_mappings_at_once(directory: Api) -> None:
    mapping = people.role("Logs", "view_logs").mappings.create(name="Logs", value=f"cn=itadmins2,{BASE}")
    assert enter("ada", "ada-pw").status_code == 302
    client = Client()
    client.force_login(Account.objects.get(username="ada"))
    assert client.get("/admin/history/login_history/").status_code == 403
    mapping.delete()
    admins = people.role("Both", "view_logs")
    admins.mappings.model.objects.get(name="Admins").roles.add(admins)
    assert client.get("/admin/history/login_history/").status_code == 200
    assert client.get("/admin/configuration/conference/").status_code == 200
    admins.mappings.model.objects.all().delete()
    assert client.get("/admin/").status_code == 302, "no role any more"


@pytest.mark.spec("SYS-049", "SYS-085", "SYS-086", "DIAG-217")
def test_ldap_alone_and_the_way_back(directory: Api) -> None:
    from rostra.management.accounts import recovery

    assert directory("PATCH", "authentication/1/", {"source": "LDAP"}).status_code == 202
    assert enter("admin", "secret").status_code == 200
    assert ask("admin", "secret") == 401
    assert enter("ada", "ada-pw").status_code == 302
    recovery.set_source("LOCAL")
    assert enter("admin", "secret").status_code == 302
    assert enter("ada", "ada-pw").status_code == 200
    recovery.set_source("BOTH")
    assert enter("admin", "secret").status_code == enter("ada", "ada-pw").status_code == 302


def test_local_and_directory_accounts_may_have_the_same_name(directory: Api) -> None:
    people.account("ada", "use_web", "view_logs")
    assert enter("ada", "adaada").status_code == 302
    assert enter("ada", "ada-pw").status_code == 302
    assert Account.objects.filter(username="ada").count() == 2


# ---- contact


@pytest.mark.spec("SYS-053")
def test_settings_are_saved_only_when_the_server_answers(api: Api, server: Slapd) -> None:
    trust(api, server.authority)
    nowhere = settings(server, ldap_server=f"localhost:{slapd.free_port()}")
    refused = api("PATCH", "authentication/1/", nowhere)
    assert refused.status_code == 400
    assert "Can't contact LDAP server" in refused.json()["authentication"]["ldap_server"][0]
    wrong = api("PATCH", "authentication/1/", settings(server, ldap_bind_password="x"))
    assert "Invalid credentials" in wrong.json()["authentication"]["ldap_server"][0]
    assert api.read("authentication/1/")["source"] == "LOCAL"
    assert api("PATCH", "authentication/1/", settings(server)).status_code == 202


@pytest.mark.spec("SYS-058", "DIAG-211", "DIAG-222")
def test_a_server_nobody_vouches_for_is_refused(api: Api, server: Slapd) -> None:
    trust(api, slapd.pem(slapd.authority()[1]))
    refused = api("PATCH", "authentication/1/", settings(server))
    assert "Connect error" in refused.json()["authentication"]["ldap_server"][0]
    trust(api, server.authority)
    elsewhere = api("PATCH", "authentication/1/", settings(server, ldap_server=f"127.0.0.1:{server.tls_port}"))
    assert "does not name 127.0.0.1" in elsewhere.json()["authentication"]["ldap_server"][0]
    assert api("PATCH", "authentication/1/", settings(server)).status_code == 202


def test_tls_begins_on_the_plain_port_too(api: Api, server: Slapd) -> None:
    trust(api, server.authority)
    saved = api("PATCH", "authentication/1/", settings(server, ldap_server=f"localhost:{server.plain_port}"))
    assert saved.status_code == 202, saved.content


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    with slapd.running(tmp_path_factory.mktemp("bare") / "home", tls=False) as started:
        yield started


@pytest.mark.spec("SYS-056", "DIAG-208", "SVC-128")
def test_without_tls_only_if_allowed_and_never_with_the_password_in_clear(api: Api, bare: Slapd) -> None:
    values = settings(bare, ldap_server=f"localhost:{bare.plain_port}", ldap_bind_username="reader")
    refused = api("PATCH", "authentication/1/", values)
    assert refused.status_code == 400
    saved = api("PATCH", "authentication/1/", {**values, "ldap_permit_no_tls": True})
    assert saved.status_code == 202, saved.content
    people.role("Admins", "use_web").mappings.create(name="A", value=f"cn=itadmins,ou=groups,{BASE}")
    assert enter("ada", "ada-pw").status_code == 302
    assert enter("ada", "wrong").status_code == 200
    by_name = api("PATCH", "authentication/1/", {"ldap_bind_username": slapd.SERVICE})
    assert by_name.status_code == 400, "a distinguished name is none for DIGEST-MD5"


def test_while_the_directory_is_away_it_says_so_and_local_accounts_work(directory: Api) -> None:
    AuthenticationSettings.objects.update(ldap_server=f"localhost:{slapd.free_port()}")
    page = enter("ada", "ada-pw")
    assert page.status_code == 200
    assert "The directory cannot be asked" in page.content.decode()
    assert enter("admin", "secret").status_code == 302
    assert ask("admin", "secret") == 200
    assert ask("ada", "ada-pw") == 401
    (step,) = trial.run("ada", "ada-pw")
    assert (step.title, step.good) == ("Connection", False)
    assert "Can't contact LDAP server" in step.text


# ---- pages


def test_the_test_page_goes_step_by_step(directory: Api, browser: Client) -> None:
    page = browser.post("/admin/accounts/authenticationsettings/test/", {"username": "ada", "password": "ada-pw"})
    text = page.content.decode()
    for step in ("Connected to ldaps://localhost", "Found uid=ada", "takes the password", "cn=itadmins",
                 "Manage Conferences", "May use web interface"):  # fmt: skip
        assert step in text, step
    assert "ada-pw" not in text
    assert not Account.objects.filter(username="ada").exists(), "nobody was signed in"
    refusals = {
        ("bob", "bob-pw"): "No LDAP role is for one of these groups.",
        ("pat", "pat-pw"): "No LDAP role is for one of these groups.",
        ("ada", "x"): "The directory refuses the password.",
        ("nobody", "x"): "No user is called so.",
    }
    for (name, password), text in refusals.items():
        assert text in trial.run(name, password)[-1].text, name


@pytest.mark.spec("SYS-081")
def test_groups_are_chosen_from_those_there_are(directory: Api, browser: Client) -> None:
    address = "/admin/accounts/rolemapping/add/"
    page = browser.get(address).content.decode()
    for group in ("itadmins", "everybody", "unix"):
        assert f'<option value="cn={group},ou=groups,{BASE}">' in page
    assert directory("PATCH", "authentication/1/", {"ldap_group_search_dn": "ou=people"}).status_code == 202
    assert '<option value="cn=' not in browser.get(address).content.decode()
    AuthenticationSettings.objects.update(source="LOCAL")
    assert '<option value="cn=' not in browser.get(address).content.decode()


@pytest.mark.spec("SYS-083")
def test_a_role_can_be_added_from_within_a_mapping(browser: Client) -> None:
    assert "/admin/accounts/role/add/?" in browser.get("/admin/accounts/rolemapping/add/").content.decode()


@pytest.mark.spec("DIAG-221")
def test_contact_is_logged_without_secrets(directory: Api, capsys: pytest.CaptureFixture[str]) -> None:
    enter("ada", "ada-pw")
    said = capsys.readouterr().out
    assert "Successfully connected to LDAP server" in said
    AuthenticationSettings.objects.update(ldap_server=f"localhost:{slapd.free_port()}")
    enter("ada", "ada-pw")
    said += capsys.readouterr().out
    assert "Failed connecting to LDAP server" in said
    assert "ada-pw" not in said
    assert "reader-pw" not in said
