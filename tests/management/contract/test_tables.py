"""Status, history and commands against the specification's tables: nothing here knows a table by name."""

from __future__ import annotations

import datetime
import urllib.parse
from typing import Any

import pytest

from rostra.management import declared, status
from tests.management.conftest import Api

from . import facts
from .deviations import ADDED_COLUMNS, EMPTY, NO_COLUMN, NO_COMMAND, NOT_SERVED, OF_OUR_OWN, OWN_COMMANDS
from .facts import TableContract
from .lively import Lively, remember

TABLES, COMMANDS = facts.tables(), facts.commands()
SERVED = [name for name in TABLES if name not in NOT_SERVED and name not in EMPTY]
_TYPES: dict[str, Any] = {
    "string": str, "boolean": bool, "integer": int, "float": float, "datetime": str, "related": str, "many": list,
    "list": list,
}  # fmt: skip
_ON_THE_WIRE = {"many": "related"}
_ORDERED = ("string", "boolean", "integer", "float", "datetime")


class Subject:
    """A table with its rows; for what belongs to rows, that of the first row."""

    def __init__(self, api: Api, name: str) -> None:
        self.api = api
        self.name = name
        self.contract: TableContract = TABLES[name]
        kind, table, *child = name.split("/")
        self.is_child = bool(child)
        self.path = f"/api/admin/{kind}/v1/{table}/"
        if child:
            self.path = f"{api.list(f'{self.path}?limit=1')[0]['resource_uri']}{child[0]}/"
        self.rows: list[dict[str, Any]] = api.list(f"{self.path}?limit=0")
        assert self.rows, "there is nothing to look at"

    @property
    def types(self) -> dict[str, str]:
        """Fields that are served, by type."""
        absent = {field for name, field in NO_COLUMN if name == self.name}
        return {field: kind for field, kind in self.contract.types.items() if field not in absent}

    @property
    def added(self) -> set[str]:
        return {field for name, field in ADDED_COLUMNS if name == self.name}

    def found(self, query: str) -> list[dict[str, Any]]:
        response = self.api("GET", f"{self.path}?{query}&limit=0")
        assert response.status_code == 200, (query, response.content)
        return response.json()["objects"]


@pytest.fixture
def subject(api: Api, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Subject:
    monkeypatch.setattr(status._Current, "value", Lively())
    remember()
    return Subject(api, request.param)


each = pytest.mark.parametrize("subject", SERVED, indirect=True)


def test_every_table_is_served_or_it_is_said_why_not() -> None:
    served = {f"{table.api}/{table.name}" for table in declared.tables()}
    served |= {f"{table.api}/{table.name}/{child}" for table in declared.tables() for child in table.children}
    assert set(TABLES) - served == set(NOT_SERVED)
    assert served - set(TABLES) == set(OF_OUR_OWN)
    reasons = {**NOT_SERVED, **OF_OUR_OWN, **NO_COLUMN, **ADDED_COLUMNS, **NO_COMMAND, **OWN_COMMANDS}
    assert all(reasons.values())
    for name, field in NO_COLUMN:
        assert field in TABLES[name].types
    for name, field in ADDED_COLUMNS:
        assert field not in TABLES[name].types


@each
def test_fields_and_their_types(subject: Subject) -> None:
    wrong: list[str] = []
    for row in subject.rows:
        assert set(row) - {"id", "resource_uri"} - subject.added == set(subject.types) - {"id"}
        for field, kind in subject.types.items():
            value = row[field]
            if value is not None and type(value) is not _TYPES[kind]:
                wrong.append(f"{field}: {value!r} is not {kind}")
            if kind == "datetime" and value is not None:
                assert datetime.datetime.fromisoformat(value).tzinfo is None
    assert not wrong, "\n".join(wrong)
    if not subject.is_child:
        described = subject.api.read(f"{subject.path}schema/")["fields"]
        types = {field: described[field]["type"] for field in subject.types}
        assert types == {field: _ON_THE_WIRE.get(kind, kind) for field, kind in subject.types.items()}


@pytest.mark.parametrize("name", EMPTY)
def test_what_there_never_is_has_its_place(api: Api, name: str) -> None:
    kind, table = name.split("/")
    path = f"/api/admin/{kind}/v1/{table}/"
    assert api.read(f"{path}?limit=7") == {
        "meta": {"limit": 7, "next": None, "offset": 0, "previous": None, "total_count": 0}, "objects": []
    }  # fmt: skip
    described = api.read(f"{path}schema/")
    types = {field: said["type"] for field, said in described["fields"].items() if field != "resource_uri"}
    assert types == {field: _ON_THE_WIRE.get(kind, kind) for field, kind in TABLES[name].types.items()}
    for field in described["filtering"]:
        assert api.read(f"{path}?{field}__isnull=true")["objects"] == []
    assert api("GET", f"{path}1/").status_code == 404
    assert api("POST", path, {}).status_code == 405


@each
def test_every_column_filters(subject: Subject) -> None:
    row = subject.rows[0]
    if not subject.is_child:
        filtering = subject.api.read(f"{subject.path}schema/")["filtering"]
        every = [field for field, kind in subject.types.items() if kind not in ("list", "many")]
        assert set(filtering) >= set(subject.contract.filtering or every)
    else:
        filtering = {field: 1 for field, kind in subject.types.items() if kind != "list"}
    wrong: list[str] = []
    for field in filtering:
        value = row.get(field)
        if value is None or value == "":
            continue
        for query, hit in _queries(field, value, subject.types.get(field, "string")):
            if (row in subject.found(query)) != hit:
                wrong.append(f"{query}: found is {not hit}")
    assert not wrong, "\n".join(wrong)


def _queries(field: str, value: Any, kind: str) -> list[tuple[str, bool]]:
    """Filters, and whether they find a row with that value."""
    given = urllib.parse.quote(str(value))
    found = [(f"{field}={given}", True), (f"{field}__isnull=true", False)]
    match kind:
        case "string":
            part = urllib.parse.quote(str(value)[1:].upper())
            found += [(f"{field}__icontains={part}", True), (f"{field}=%23%23", False)]
        case "integer" | "float":
            found += [(f"{field}__gte={given}", True), (f"{field}__gt={given}", False)]
        case "datetime":
            found += [(f"{field}__gte={given}Z", True), (f"{field}__lt={given}%2B00:00", False)]
        case "boolean":
            found += [(f"{field}={str(value).lower()}", True), (f"{field}={int(not value)}", False)]
        case _:
            pass
    return found


@each
def test_every_column_orders_and_pages_follow_each_other(subject: Subject) -> None:
    if subject.is_child:
        ordering = [field for field, kind in subject.types.items() if kind in _ORDERED]
    else:
        ordering = subject.api.read(f"{subject.path}schema/")["ordering"]
        assert set(ordering) >= {field for field, kind in subject.types.items() if kind in _ORDERED}
    for field in ordering:
        up = [row[field] for row in subject.found(f"order_by={field}") if row[field] is not None]
        down = [row[field] for row in subject.found(f"order_by=-{field}") if row[field] is not None]
        assert up == sorted(up), field
        assert down == sorted(down, reverse=True), field
    seen: list[Any] = []
    address = f"{subject.path}?limit=1"
    while address:
        page = subject.api.read(address)
        assert (page["meta"]["limit"], page["meta"]["total_count"]) == (1, len(subject.rows))
        seen += page["objects"]
        address = page["meta"]["next"]
    assert len(seen) == len(subject.rows)
    assert subject.api.read(f"{subject.path}?offset=1000")["objects"] == []
    for query in ("limit=x", "order_by=nothing", f"{next(iter(subject.types))}__like=x"):
        response = subject.api("GET", f"{subject.path}?{query}")
        assert (response.status_code, set(response.json())) == (400, {"error"}), query


@each
def test_methods_and_addresses(subject: Subject) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert subject.api(method, subject.path, {}).status_code == 405, method
    if subject.is_child:
        assert subject.api("GET", subject.path.replace(subject.path.split("/")[-3], "nothing")).status_code == 404
        return
    kind, name = subject.name.split("/")
    assert name in subject.api.read(f"/api/admin/{kind}/v1/")
    assert subject.api("GET", f"{subject.path}nothing/").status_code == 404
    row = subject.rows[0]
    if "resource_uri" not in row:
        return
    assert subject.api.read(row["resource_uri"]) == row
    if subject.contract.key:
        assert row["resource_uri"] == f"{subject.path}{row[subject.contract.key]}/"
    for method in ("POST", "PUT", "PATCH"):
        assert subject.api(method, row["resource_uri"], {}).status_code == 405, method
    status_code = subject.api("DELETE", row["resource_uri"]).status_code
    assert status_code == (204 if subject.contract.deletes else 405)
    if subject.contract.deletes:
        assert subject.api("GET", row["resource_uri"]).status_code == 404


# ---- commands


def test_every_command_is_served_or_it_is_said_why_not() -> None:
    served = {f"{command.scope}/{command.name}" for command in declared.commands()}
    assert set(COMMANDS) - served == set(NO_COMMAND)
    assert served - set(COMMANDS) == set(OWN_COMMANDS)


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in NO_COMMAND])
def test_commands_take_the_parameters_of_the_sheet(api: Api, name: str) -> None:
    scope, command = name.split("/")
    path = f"/api/admin/command/v1/{name}/"
    assert api.read(f"/api/admin/command/v1/{scope}/")[command] == {"list_endpoint": path, "schema": f"{path}schema/"}
    described = api.read(f"{path}schema/")
    assert (described["allowed_list_http_methods"], described["allowed_detail_http_methods"]) == (["post"], [])
    required = {parameter for parameter, given in COMMANDS[name].items() if given.required}
    for parameter, given in COMMANDS[name].items():
        said = described["fields"][parameter]
        assert said["type"] == given.type, parameter
        assert not (given.required and said["nullable"]), parameter
        assert set(given.choices) <= set(said.get("valid_choices", given.choices)), parameter
    assert api("GET", path).status_code == 405
    assert api("POST", path, {}, Authorization="").status_code == 401
    if not required:
        return
    wrong: dict[str, Any] = dict.fromkeys(required, "")
    response = api("POST", path, wrong)
    assert response.status_code == 400
    assert set(response.json()) == {command}
    assert set(response.json()[command]) >= required
    limited = {parameter: "x" * (given.most + 1) for parameter, given in COMMANDS[name].items() if given.most}
    if limited:
        assert set(limited) <= set(api("POST", path, wrong | limited).json()[command])
