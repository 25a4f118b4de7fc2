"""Where sources and templates are found, and which of them are refused."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from rostra.configuration import validators
from rostra.configuration.models import ConferenceSyncTemplate, Device, LdapSyncField, LdapSyncSource
from rostra.management import menu
from rostra.management.accounts.ldap.tls import names

SOURCE = {"name": "D", "ldap_base_dn": "dc=x", "ldap_bind_username": "reader", "ldap_bind_password": "secret"}


def refused(object: Any, *left_out: str) -> set[str]:
    """Fields that are wrong."""
    try:
        object.full_clean(exclude=left_out)
    except ValidationError as problem:
        return set(problem.message_dict)
    return set()


@pytest.mark.spec("SVC-123", "SVC-132")
def test_both_are_among_the_utilities(browser: Client) -> None:
    utilities = {str(one.title): one.link for one in dict(menu.entries())["Utilities"]}
    for title in ("LDAP sync sources", "LDAP sync templates"):
        assert browser.get(utilities[title]).status_code == 200
    assert browser.get(reverse("admin:ldap_sync_test", args=(7,))).status_code == 404, "only what is saved is run"


@pytest.mark.spec("SVC-127")
@pytest.mark.parametrize(
    ("certificate", "found"),
    [
        ({"subject": ((("organizationName", "X"),), (("commonName", "192.0.2.1"),))}, {"192.0.2.1"}),
        ({"subject": ((("commonName", "DC1.Example.com"),),)}, {"dc1.example.com"}),
        (
            {"subjectAltName": (("DNS", "dc1.example.com"), ("IP Address", "192.0.2.2"))},
            {"dc1.example.com", "192.0.2.2"},
        ),
        ({}, set()),
    ],
)
def test_names_of_a_server(certificate: Any, found: set[str]) -> None:
    assert names(certificate) == found


@pytest.mark.spec("SVC-128")
def test_an_address_is_no_server_without_tls(database: Any) -> None:
    for server, wrong in (("192.0.2.1", True), ("[2001:db8::1]:389", True), ("ldap.example.com", False)):
        assert (
            "ldap_server" in refused(LdapSyncSource(ldap_server=server, ldap_permit_no_tls=True, **SOURCE))
        ) is wrong
        assert not refused(LdapSyncSource(ldap_server=server, **SOURCE), "ldap_permit_no_tls")


@pytest.mark.spec("SVC-130")
@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("dc=example,dc=com", True),
        ("OU=Staff\\, Europe, DC=example ,DC=com", True),
        ("cn=a+sn=b,dc=x", True),
        ("example.com", False),
        ("ou=", False),
        ("ou=a,,dc=x", False),
    ],
)
def test_distinguished_names(name: str, right: bool) -> None:
    try:
        validators.dn(name)
    except ValidationError:
        assert not right
    else:
        assert right


@pytest.mark.spec("SVC-141")
def test_variables_have_no_hyphens(database: Any) -> None:
    assert refused(LdapSyncField(name="a", template_variable_name="employee-type")) == {"template_variable_name"}
    assert not refused(LdapSyncField(name="a", template_variable_name="employee_type"))


@pytest.mark.spec("SVC-178")
def test_a_username_needs_a_password(database: Any) -> None:
    source = LdapSyncSource.objects.create(ldap_server="x.test", **SOURCE)
    given = {
        "name": "T",
        "ldap_sync_source": source,
        "conference_name": "x",
        "sync_devices": True,
        "device_alias": "{{mail}}",
    }
    for username, password, wrong in (("{{mail}}", "", {"device_password"}), ("{{mail}}", "x", set()), ("", "", set())):
        made = ConferenceSyncTemplate(**given, device_username=username, device_password=password)
        assert refused(made) == wrong


@pytest.mark.spec("SVC-177")
def test_devices_may_share_a_name_but_no_alias(database: Any) -> None:
    Device.objects.create(alias="ada@x.test", username="staff")
    assert not refused(Device(alias="bob@x.test", username="staff"))
    assert refused(Device(alias="ADA@x.test", username="staff")) == {"alias"}
