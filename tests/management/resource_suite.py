"""What every resource must do; a resource's tests inherit it and supply data only."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from rostra.configuration import journal
from rostra.configuration.fields import UploadField
from rostra.configuration.replica import Replica
from rostra.configuration.resources import Resource, register
from rostra.configuration.secretfield import SecretField
from rostra.management import csvfiles
from rostra.management.api import openapi, schema, selection, wire
from rostra.management.csvreading import is_secret
from tests.management.filling import fill

from .conftest import BASE, Api, content


def rows_of(path: Path | None, resource: Resource) -> list[Any]:
    """Every row of a resource's own table: of the Management Node, or of a node's database."""
    return content(path)[resource.model._meta.db_table]


_VALUES = {"date": "2020-01-01", "time": "08:00", **dict.fromkeys(("integer", "boolean", "related"), "1")}
"""What filters of a type can be given."""
_WRONG: tuple[Any, ...] = (
    *(None, True, 10**30, -1, 1.5, "", "x" * 100_000, "a{99999999999999999999}", "\n", [], [[]], {}, {"id": 1}),
)
"""Values that hardly any field takes."""


class ResourceSuite:
    """Set `name`, `example`, `change` and `refused`; `prepare` makes what the example refers to."""

    name: ClassVar[str]
    example: ClassVar[dict[str, Any]]
    """The least that creates an object."""
    change: ClassVar[dict[str, Any]]
    """Other values for some fields."""
    refused: ClassVar[list[tuple[dict[str, Any], str]]]
    """Values that do not pass, and the field the message is for."""
    derived: ClassVar[frozenset[str]] = frozenset()
    """Fields that change along with others."""
    list_queries: ClassVar[int]
    """Statements a list takes, however long it is (the account included)."""

    def prepare(self, api: Api) -> dict[str, Any]:
        return {}

    @property
    def resource(self) -> Resource:
        found = register.get(self.name)
        assert found is not None
        return found

    @property
    def unseen(self) -> set[str]:
        """Fields that do not read as they were written."""
        secrets = {field.name for field in self.resource.fields if isinstance(field, SecretField)}
        return self.resource.hidden | secrets

    def _create(self, api: Api, **more: Any) -> str:
        return api.create(self.name, **{**self.example, **self.prepare(api), **more})

    def test_create_and_read(self, api: Api) -> None:
        path = self._create(api)
        body = api.read(path)
        assert body["resource_uri"] == path == f"{BASE}{self.name}/{body[self.resource.key]}/"
        for name, value in self.example.items():
            if name not in {*self.unseen, *self.resource.relations}:
                assert body[name] == value
        for name in self.resource.hidden:
            assert name not in body
        once = set(self.resource.shown_once)
        assert set(body) == set(api.read(f"{self.name}/schema/")["fields"]) - self.resource.hidden - once

    def test_defaults_are_those_of_the_schema(self, api: Api) -> None:
        body = api.read(self._create(api))
        for name, field in api.read(f"{self.name}/schema/")["fields"].items():
            if name not in self.example and name not in self.resource.hidden and "default" in field:
                assert body[name] == field["default"], name

    def test_required_fields_are_named(self, api: Api) -> None:
        required = {field.name for field in self.resource.fields if schema.is_required(field)}
        response = api("POST", f"{self.name}/", {})
        assert response.status_code == 400
        assert required <= set(response.json()[self.name])

    def test_patch_changes_only_what_is_given(self, api: Api) -> None:
        path = self._create(api)
        before = api.read(path)
        response = api("PATCH", path, self.change)
        assert response.status_code == 202, response.content
        shown = {name: value for name, value in self.change.items() if name not in self.unseen}
        after = api.read(path)
        assert {name: after[name] for name in shown} == shown
        assert {k: v for k, v in after.items() if k not in self.change and k not in self.derived} == {
            k: v for k, v in before.items() if k not in self.change and k not in self.derived
        }

    def test_put_gives_defaults_to_what_is_left_out(self, api: Api) -> None:
        before = api.read(path := self._create(api))
        if self.demanded:
            refused = api("PUT", path, {})
            assert refused.status_code == 400, refused.content
            assert self.demanded <= set(refused.json()[self.name])
        assert api("PATCH", path, self.change).status_code == 202
        files = {field.name for field in self.resource.uploads}
        example = {k: v for k, v in self.example.items() if k not in files}
        named = {field.name for field in self._references()} | (set(self.resource.relations) & set(self.change))
        body = {**example, **{k: v for k, v in before.items() if k in named}}
        response = api("PUT", path, body)
        assert response.status_code == 204, response.content
        after = api.read(path)
        others = self.derived | self.unseen
        assert {k: v for k, v in after.items() if k not in others} == {
            k: v for k, v in before.items() if k not in others
        }

    @property
    def demanded(self) -> set[str]:
        """What a whole object cannot go without; files, secrets and what is fixed stay as they are."""
        fields = [field for field in self.resource.fields if not isinstance(field, UploadField | SecretField)]
        return {field.name for field in fields if schema.is_required(field)} - set(self.resource.fixed)

    def _references(self) -> list[Any]:
        return [field for field in self.resource.fields if field.is_relation]

    def test_refused_values_name_their_field(self, api: Api) -> None:
        path = self._create(api)
        before = api.read(path)
        for body, field in self.refused:
            response = api("PATCH", path, body)
            assert response.status_code == 400, body
            assert list(response.json()[self.name]) == [field], body
        assert api.read(path) == before

    def test_no_value_breaks_the_server(self, api: Api) -> None:
        """The first field of each sort alone, the others of that sort together."""
        path = self._create(api)
        for names in self._groups():
            for value in _WRONG:
                response = api("PATCH", path, dict.fromkeys(names, value))
                assert response.status_code in (202, 400), (names, value, response.content)
                query = urlencode(dict.fromkeys(names, value))
                assert api("GET", f"{self.name}/?{query}").status_code in (200, 400), (names, value)

    def _groups(self) -> Iterator[list[str]]:
        sorts: dict[tuple[Any, ...], list[str]] = {}
        for field in self.resource.fields:
            checks = sorted(getattr(check, "__name__", type(check).__name__) for check in field.validators)
            sort = (
                type(field),
                field.null,
                field.blank,
                bool(field.choices),
                field.name in self.resource.fixed,
                *checks,
            )
            sorts.setdefault(sort, []).append(field.name)
        for first, *others in sorts.values():
            yield [first]
            if others:
                yield others
        yield from ([name] for name in self.resource.relations)

    def test_delete(self, api: Api) -> None:
        path = self._create(api)
        assert api("DELETE", path).status_code == 204
        assert api("GET", path).status_code == 404
        assert api("DELETE", path).status_code == 404

    def test_every_filter_and_order_of_the_schema_works(self, api: Api) -> None:
        key = api.read(self._create(api))["resource_uri"]
        described = api.read(f"{self.name}/schema/")
        addresses = {f.name for f in self.resource.fields if isinstance(f, models.GenericIPAddressField)}
        tried: list[str] = []
        for name in described["filtering"]:
            usual = "10.0.0.1" if name in addresses else "2020-01-01T00:00"
            value = _VALUES.get(described["fields"][name]["type"], usual)
            assert api("GET", f"{self.name}/?{name}={value}").status_code == 200, name
            assert api("GET", f"{self.name}/?{name}__isnull=true").status_code == 200, name
            if described["fields"][name]["type"] in ("string", "integer", "boolean", "datetime"):
                value = "true" if described["fields"][name]["type"] == "boolean" else value
                for operator in self._operators(name, tried):
                    assert api("GET", f"{self.name}/?{name}__{operator}={value}").status_code == 200, (name, operator)
        for name in described["ordering"]:
            ascending = [body["resource_uri"] for body in api.list(f"{self.name}/?order_by={name}&limit=0")]
            assert key in ascending
            assert sorted(ascending) == sorted(
                body["resource_uri"] for body in api.list(f"{self.name}/?order_by=-{name}&limit=0")
            )

    def _operators(self, name: str, tried: list[str]) -> Iterable[str]:
        """All for the first field of a class, one by turns for those like it. `tried` keeps the classes so far."""
        kind = next((type(field).__name__ for field in self.resource.fields if field.name == name), name)
        tried.append(kind)
        every = selection.OPERATORS[:10]
        return every if tried.count(kind) == 1 else (every[tried.count(kind) % len(every)],)

    def test_number_of_queries_of_a_list_is_fixed(self, api: Api) -> None:
        self._create(api)
        api.list(f"{self.name}/")
        with CaptureQueriesContext(connection) as queries:
            api.list(f"{self.name}/")
        assert len(queries) == self.list_queries, [query["sql"] for query in queries]

    def test_admin_pages_open(self, api: Api, browser: Any) -> None:
        self._create(api)
        key = self.resource.model.objects.latest("pk").pk
        page = f"/admin/{self.resource.model._meta.app_label}/{self.resource.model.__name__.lower()}/"
        if not self.resource.page:
            assert page not in browser.get("/admin/").content.decode()
            return
        for path in (page, f"{page}add/", f"{page}{key}/change/", f"{page}{key}/delete/", f"{page}?q=a"):
            assert browser.get(path).status_code == 200, path

    @pytest.mark.every_database
    def test_reaches_a_node(self, api: Api, empty_node: Path, tmp_path: Path) -> None:
        """By a snapshot, and by the changes after it."""
        if not self.resource.replicated:
            assert self.resource.model._meta.db_table not in register.tables
            return
        self._create(api)
        replica = Replica(shutil.copy(empty_node, tmp_path / "node.db"))
        fill(replica)
        assert rows_of(tmp_path / "node.db", self.resource) == rows_of(None, self.resource) != []
        row = self.resource.model.objects.latest("pk")
        key = row.pk
        assert api("PATCH", wire.uri(self.resource, row), self.change).status_code == 202
        assert rows_of(tmp_path / "node.db", self.resource) != rows_of(None, self.resource)
        changes = journal.after(replica.position)
        assert (self.name, key) in replica.apply(changes)
        replica.close()
        assert rows_of(tmp_path / "node.db", self.resource) == rows_of(None, self.resource)

    def test_openapi_and_csv_know_every_field(self, api: Api) -> None:
        schemas = openapi.document()["components"]["schemas"]
        fields = {field.name for field in self.resource.fields}
        assert set(schemas[self.name]["properties"]) >= fields - self.resource.hidden - (
            set() if self.resource.key == "id" else {"id"}
        )
        self._create(api)
        header, *rows = csv.reader(io.StringIO(csvfiles.export(self.resource)))
        assert header == csvfiles.columns(self.resource)
        assert all(len(row) == len(header) for row in rows)
        if self.resource.csv is None:
            kept_back = {f.name for f in self.resource.fields if f.primary_key or not f.editable}
            kept_back |= {f.name for f in self.resource.fields if is_secret(self.resource, f)}
            assert fields - set(header) == kept_back
