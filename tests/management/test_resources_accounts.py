"""Resources of administrator access, by the common suite."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from rostra.management.accounts.models import OAuth2Client, Permission, Role, RoleMapping
from rostra.management.accounts.permissions import PERMISSIONS

from .conftest import BASE, Api
from .resource_suite import ResourceSuite


def permissions(*codenames: str) -> list[str]:
    return [f"{BASE}permission/{row.pk}/" for row in Permission.objects.filter(codename__in=codenames)]


def role(name: str = "Read-only") -> str:
    return f"{BASE}role/{Role.objects.get(name=name).pk}/"


class TestRole(ResourceSuite):
    name = "role"
    example: ClassVar[dict[str, Any]] = {"name": "Auditors"}
    change: ClassVar[dict[str, Any]] = {"name": "Auditors and others"}
    refused: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"name": ""}, "name"),
        ({"name": "Read-only"}, "name"),
        ({"name": "x" * 251}, "name"),
        ({"permissions": []}, "permissions"),
        ({"permissions": ["/api/admin/configuration/v1/permission/999/"]}, "permissions"),
    ]
    list_queries = 4

    def prepare(self, api: Api) -> dict[str, Any]:
        return {"permissions": permissions("is_admin", "use_web")}

    @pytest.mark.spec("SYS-073", "SYS-076")
    def test_every_role_is_for_administrators(self, api: Api) -> None:
        lacking = {"name": "None", "permissions": permissions("use_web")}
        refused = api("POST", "role/", lacking)
        assert refused.status_code == 400
        assert "Is an administrator" in refused.json()["role"]["permissions"][0]
        path = api.create("role", name="Some", permissions=permissions("is_admin", "view_service"))
        read = api.read(path)["permissions"]
        assert {one["codename"]: one["name"] for one in read} == {
            name: PERMISSIONS[name] for name in ("is_admin", "view_service")
        }
        assert api("PATCH", path, {"permissions": read[:1]}).status_code == 202, "as they are read"
        assert api("PATCH", path, {"permissions": permissions("use_api")}).status_code == 400
        assert len(api.read(path)["permissions"]) == 1


class TestRoleMapping(ResourceSuite):
    name = "role_mapping"
    example: ClassVar[dict[str, Any]] = {"name": "Operators", "value": "cn=ops,ou=groups,dc=example"}
    change: ClassVar[dict[str, Any]] = {"name": "Others", "value": "cn=others,dc=example"}
    refused: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"name": ""}, "name"),
        ({"source": "SAML"}, "source"),
        ({"value": "operators"}, "value"),
        ({"value": "x" * 256}, "value"),
        ({"roles": []}, "roles"),
    ]
    list_queries = 4

    def prepare(self, api: Api) -> dict[str, Any]:
        return {"roles": [role()]}

    def test_a_group_of_openid_connect_may_be_called_anything(self, api: Api) -> None:
        api.create("role_mapping", name="x", source="OIDC", value="operators", roles=[role()])
        assert api.list("ldap_role/") == []


class TestLdapRole(ResourceSuite):
    name = "ldap_role"
    example: ClassVar[dict[str, Any]] = {"name": "Operators", "ldap_group_dn": "cn=ops,ou=groups,dc=example"}
    change: ClassVar[dict[str, Any]] = {"name": "Others", "ldap_group_dn": "cn=others,dc=example"}
    refused: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"name": ""}, "name"),
        ({"ldap_group_dn": "operators"}, "ldap_group_dn"),
        ({"roles": []}, "roles"),
    ]
    list_queries = 4

    def prepare(self, api: Api) -> dict[str, Any]:
        return {"roles": [role()]}

    @pytest.mark.spec("SYS-080")
    def test_both_shapes_show_the_same(self, api: Api) -> None:
        path = api.create("ldap_role", **self.example, **self.prepare(api))
        key = api.read(path)["id"]
        later = api.read(f"role_mapping/{key}/")
        assert (later["source"], later["value"]) == ("LDAP", self.example["ldap_group_dn"])
        assert later["roles"] == [role()]
        assert api("PATCH", f"role_mapping/{key}/", {"roles": [role("Read-write")]}).status_code == 202
        assert api.read(path)["roles"] == [role("Read-write")]
        assert api("DELETE", path).status_code == 204
        assert RoleMapping.objects.count() == 0

    @pytest.mark.spec("SYS-080")
    @pytest.mark.parametrize("same", ["CN=Ops, OU=groups,DC=example", "cn=ops,ou=groups,dc=example"])
    def test_a_group_has_one_mapping(self, api: Api, same: str) -> None:
        api.create("role_mapping", name="First", value=self.example["ldap_group_dn"], roles=[role()])
        refused = api("POST", "ldap_role/", {"name": "Second", "ldap_group_dn": same, "roles": [role()]})
        assert refused.json() == {"ldap_role": {"ldap_group_dn": ["This group has a mapping already."]}}
        taken = api("POST", "ldap_role/", {"name": "First", "ldap_group_dn": "cn=x", "roles": [role()]})
        assert list(taken.json()["ldap_role"]) == ["name"]

    def test_a_role_in_use_stays(self, api: Api) -> None:
        api.create("ldap_role", **self.example, **self.prepare(api))
        assert api("DELETE", role()).status_code == 400


class TestOAuth2Client(ResourceSuite):
    name = "oauth2_client"
    example: ClassVar[dict[str, Any]] = {"client_name": "Robot"}
    change: ClassVar[dict[str, Any]] = {"client_name": "Another"}
    refused: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"client_name": ""}, "client_name"),
        ({"role": None}, "role"),
        ({"role": "/api/admin/configuration/v1/role/999/"}, "role"),
    ]
    list_queries = 3

    def prepare(self, api: Api) -> dict[str, Any]:
        return {"role": role()}

    def test_its_id_is_ours_to_choose(self, api: Api) -> None:
        path = api.create("oauth2_client", client_name="x", client_id="mine", role=role())
        client = OAuth2Client.objects.get()
        assert path.endswith(f"/{client.client_id}/")
        assert len(client.client_id) == 36
        api("PATCH", path, {"client_id": "mine"})
        assert OAuth2Client.objects.get().client_id == client.client_id


class TestPermission:
    def test_can_be_read(self, api: Api) -> None:
        found = {one["codename"]: one["name"] for one in api.list("permission/?limit=0")}
        assert found == PERMISSIONS
        assert api.read("permission/1/")["resource_uri"] == f"{BASE}permission/1/"
        assert api.list("permission/?codename=is_admin")[0]["name"] == "Is an administrator"
        for method, path in (("POST", "permission/"), ("PATCH", "permission/1/"), ("DELETE", "permission/1/")):
            assert api(method, path, {}).status_code == 405


class TestAuthentication:
    def test_defaults(self, api: Api) -> None:
        body = api.read("authentication/1/")
        expected = {
            "source": "LOCAL",
            "client_certificate": "NO",
            "ldap_server": "",
            "ldap_user_filter": "(&(objectclass=person)(!(objectclass=computer)))",
            "ldap_user_search_filter": "(|(uid={username})(sAMAccountName={username}))",
            "ldap_user_group_attributes": "memberOf",
            "ldap_group_membership_filter": "(|(member={userdn})(uniquemember={userdn})(memberuid={useruid}))",
            "ldap_permit_no_tls": False,
            "api_oauth2_expiration": 3600,
            "oidc_auth_method": "client_secret",
        }
        assert {name: body[name] for name in expected} == expected
        assert api("POST", "authentication/", {}).status_code == 405
        assert api("DELETE", "authentication/1/").status_code == 405

    @pytest.mark.spec("SYS-053", "SYS-054", "SYS-057", "SYS-063")
    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"ldap_base_dn": "example.com"}, "ldap_base_dn"),
            ({"ldap_user_search_dn": "people"}, "ldap_user_search_dn"),
            ({"ldap_user_filter": "(objectclass=person"}, "ldap_user_filter"),
            ({"ldap_user_filter": "objectclass=person"}, "ldap_user_filter"),
            ({"ldap_user_search_filter": "(uid=x)"}, "ldap_user_search_filter"),
            ({"ldap_group_membership_filter": "(member={username})"}, "ldap_group_membership_filter"),
            ({"ldap_user_group_attributes": "member of"}, "ldap_user_group_attributes"),
            ({"ldap_server": "ldap://x"}, "ldap_server"),
            ({"ldap_server": "dc1.example.com:70000"}, "ldap_server"),
            ({"ldap_server": "192.0.2.1", "ldap_permit_no_tls": True}, "ldap_server"),
            ({"source": "LDAP"}, "ldap_server"),
            ({"source": "OIDC"}, "source"),
            ({"client_certificate": "CN"}, "client_certificate"),  # there is no authority
            ({"api_oauth2_expiration": 59}, "api_oauth2_expiration"),
        ],
    )
    def test_refused(self, api: Api, body: dict[str, Any], field: str) -> None:
        refused = api("PATCH", "authentication/1/", body)
        assert refused.status_code == 400
        assert list(refused.json()["authentication"]) == [field]

    def test_secrets_are_not_told(self, api: Api) -> None:
        changed = {"ldap_bind_password": "of-the-service", "oidc_client_secret": "of-openid"}
        assert api("PATCH", "authentication/1/", changed).status_code == 202
        body = api("GET", "authentication/1/").content
        assert b"of-the-service" not in body
        assert b"of-openid" not in body

    def test_pages_open(self, browser: Any) -> None:
        page = browser.get("/admin/accounts/authenticationsettings/1/change/")
        assert page.status_code == 200
        assert "Test LDAP login" in page.content.decode()
        assert browser.get("/admin/accounts/authenticationsettings/test/").status_code == 200
