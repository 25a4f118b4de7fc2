"""No secret of the configuration leaves it: not in a list, a page or an export; sealed only where clients need it."""

from __future__ import annotations

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
