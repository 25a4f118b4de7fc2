"""No secret of the configuration leaves it: not in a list, a page or an export; sealed only where clients need it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from rostra.configuration import orm, sealing
from rostra.configuration.resources import Resource, register
from rostra.configuration.secretfield import SecretField
from rostra.management import csvfiles
from tests.management.conftest import BASE, Api
from tests.management.contract.test_contract import suites

SEALED_IN_FILES = {"device": {"password"}}
"""Columns of the specification's own files (NODE-207)."""

STAY = {
    "device": {"password"},  # what devices show us
    "ntp_server": {"key"},  # proves what we hear
    "management_vm": {"snmp_authentication_password", "snmp_privacy_password", "secondary_config_passphrase"},
    "worker_vm": {"snmp_authentication_password", "snmp_privacy_password", "password"},  # what others show us
    "global": {"legacy_api_password", "aws_secret_key", "azure_secret", "gcp_private_key", "pss_token"},
    "sip_credential": {"password"},  # for a realm, never sent itself
    "autobackup": {"autobackup_passphrase"},  # encrypts
    "identity_provider": {"service_private_key"},  # signs
    "authentication": {"oidc_private_key"},
    "tls_certificate": {"private_key", "private_key_passphrase"},
    "certificate_signing_request": {"private_key", "private_key_passphrase"},
}
"""Secrets that are not sent to an address of their object."""


def secrets(resource: Resource) -> list[SecretField]:
    return [field for field in resource.fields if isinstance(field, SecretField)]


def test_what_is_only_written_is_kept_as_a_secret() -> None:
    for resource in register:
        assert set(resource.write_only) <= {field.name for field in secrets(resource)}, resource.name


@pytest.mark.spec("NODE-207")
def test_no_secret_is_told(api: Api, browser: Client) -> None:
    """Every secret of every resource is set."""
    with_secrets = [resource for resource in register if secrets(resource)]
    assert len(with_secrets) > 10
    for resource in with_secrets:
        path, plain = _filled(api, resource)
        files = csvfiles.export(resource) if resource.csv != () else ""
        told = [api("GET", one).content.decode() for one in (path, f"{BASE}{resource.name}/")]
        pages = [browser.get(page).content.decode() for page in _pages(resource)]
        for text in (files, *told, *pages):
            assert not [value for value in plain if value in text], resource.name
        for text in pages:
            assert sealing.PREFIX not in text, resource.name
        assert files.count(sealing.PREFIX) == len(SEALED_IN_FILES.get(resource.name, ())), resource.name
        assert not resource.write_only or not [name for name in resource.write_only if f'"{name}"' in told[0]]
    log = browser.get("/admin/log/administrator.csv").content.decode()
    assert sealing.PREFIX not in log
    assert "Geheim-" not in log


def _filled(api: Api, resource: Resource) -> tuple[str, list[str]]:
    """An object with every secret set; its path and the secrets."""
    row: Any = orm.rows(resource.model).first()
    if row is None or not resource.singleton:
        suite = suites()[resource.name]()
        path = suite._create(api)
        row = orm.rows(resource.model).get(**{resource.key: path.rstrip("/").rpartition("/")[2]})
    plain = {field.name: f"Geheim-{resource.name}-{field.name}" for field in secrets(resource)}
    for name, value in plain.items():
        setattr(row, name, value)
    if "private_key" in plain:  # it would be read when saved
        orm.rows(resource.model).filter(pk=row.pk).update(**plain)
    else:
        row.save()
    return f"{BASE}{resource.name}/{getattr(row, resource.key)}/", list(plain.values())


def _pages(resource: Resource) -> list[str]:
    meta = orm.meta(resource.model)
    name = f"admin:{meta.app_label}_{meta.model_name}"
    row: Any = orm.rows(resource.model).last()
    return [reverse(f"{name}_changelist"), reverse(f"{name}_change", args=(row.pk,))]


def test_a_file_may_give_a_secret_it_would_not_be_given(api: Api) -> None:
    resource = register.get("smtp_server")
    assert resource is not None
    header, line = "name,address,password,from_email_address", "Mail,192.0.2.1,Geheim,eva@example.test"
    assert csvfiles.load(resource, f"{header}\r\n{line}\r\n".encode()) == 1
    row: Any = orm.rows(resource.model).get(name="Mail")
    sealed = row.password
    assert sealing.is_sealed(sealed)
    assert csvfiles.load(resource, csvfiles.export(resource).encode()) >= 1
    row.refresh_from_db()
    assert row.password == sealed, "what is exported imports unchanged"


def test_every_secret_says_where_it_goes() -> None:
    for resource in register:
        for secret in secrets(resource):
            assert bool(secret.sent_to) != (secret.name in STAY.get(resource.name, set())), (resource.name, secret.name)


SENT = [(resource.name, secret.name) for resource in register for secret in secrets(resource) if secret.sent_to]


@pytest.mark.parametrize(("name", "secret"), SENT)
def test_who_changes_an_address_has_to_know_the_secret(api: Api, name: str, secret: str) -> None:
    """Else the platform would tell it to whoever has the new one."""
    resource = register.get(name)
    assert resource is not None
    path, _plain = _filled(api, resource)
    rows = orm.rows(resource.model)
    key: dict[str, Any] = {resource.key: path.rstrip("/").rpartition("/")[2]}
    known = {one.name: "Neu-genug" for one in secrets(resource) if one.sent_to}
    field: Any = orm.meta(resource.model).get_field(secret)
    for place in field.sent_to:
        sealed = rows.values_list(secret, flat=True).get(**key)
        elsewhere = {place: _elsewhere(place)}
        for written_back in ({}, {secret: sealed}):
            answer = api("PATCH", path, elsewhere | written_back)
            assert answer.status_code == 400, answer.content
            assert "Enter it again" in answer.json()[name][secret][0]
        assert rows.values_list(place, flat=True).get(**key) != elsewhere[place]
        answer = api("PATCH", path, elsewhere | known)
        assert answer.status_code == 202, answer.content
        sealed = rows.values_list(secret, flat=True).get(**key)
        assert api("PATCH", path, elsewhere | {secret: sealed}).status_code == 202, "nothing changed"


def _elsewhere(place: str) -> str:
    scheme = "ftps" if "upload" in place else "https"
    return {"address": "192.0.2.99", "ldap_server": "other.test"}.get(
        place, f"{scheme}://{place.replace('_', '-')}.test/"
    )


def test_a_secret_is_not_had_by_way_of_another_object(api: Api) -> None:
    first = api.create("policy_server", name="One", url="https://one.test/", password="Geheim")
    sealed = api.read(first)["password"]
    answer = api("POST", "policy_server/", {"name": "Two", "url": "https://two.test/", "password": sealed})
    assert answer.status_code == 400
    assert "another object" in answer.json()["policy_server"]["password"][0]
    second = api.create("policy_server", name="Two", url="https://two.test/", password="Anders")
    assert api("PATCH", second, {"password": sealed}).status_code == 400
    assert api("PATCH", first, {"url": "https://one.test/other/path"}).status_code == 202, "the same server"
    assert api("PATCH", first, {"url": "http://one.test/"}).status_code == 400, "where others listen"
    assert api("PATCH", first, {"url": "https://two.test/", "password": ""}).status_code == 202


def test_the_site_asks_for_it_as_well(browser: Client) -> None:
    from rostra.configuration.models import HttpProxy

    row: Any = HttpProxy.objects.create(name="Out", address="192.0.2.1", username="us", password="Geheim")
    page = reverse("admin:configuration_httpproxy_change", args=(row.pk,))
    form = {"name": "Out", "address": "192.0.2.2", "port": "8080", "protocol": "http", "username": "us", "password": ""}
    refused = browser.post(page, form)
    assert (refused.status_code, "Enter it again" in refused.content.decode()) == (200, True)
    assert browser.post(page, form | {"password": "Geheim"}).status_code == 302
    row.refresh_from_db()
    assert row.address == "192.0.2.2"


def test_a_directory_that_is_refused_was_not_asked(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it answers is found out with the password."""
    from rostra.configuration.models import LdapSyncSource
    from rostra.management.accounts.ldap import directory
    from rostra.management.accounts.models import AuthenticationSettings

    asked: list[str] = []

    @contextlib.contextmanager
    def connected(settings: Any) -> Iterator[None]:
        asked.append(settings.ldap_server)
        yield

    def contact(source: Any) -> str:
        asked.append(source.ldap_server)
        return ""

    monkeypatch.setattr(directory, "connected", connected)
    monkeypatch.setattr(LdapSyncSource, "contact", staticmethod(contact))
    row: Any = AuthenticationSettings.objects.get(pk=1)
    row.source, row.ldap_server, row.ldap_bind_password = "LDAP+LOCAL", "known.test", "Geheim"
    row.save()
    given = {"ldap_server": "known.test", "ldap_base_dn": "dc=x", "ldap_bind_username": "us", "ldap_bind_password": "x"}
    source = api.create("ldap_sync_source", name="People", **given)
    asked.clear()
    for path in (f"{BASE}authentication/1/", source):
        assert api("PATCH", path, {"ldap_server": "other.test"}).status_code == 400
        assert asked == []
        assert api("PATCH", path, {"ldap_server": "other.test", "ldap_bind_password": "Neu"}).status_code == 202
        assert asked == ["other.test"]
        asked.clear()
