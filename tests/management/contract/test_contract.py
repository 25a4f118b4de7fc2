"""Every configuration resource against the specification's tables: nothing here knows a resource by name."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from rostra.configuration.resources import register
from tests.management.conftest import BASE, Api
from tests.management.resource_suite import ResourceSuite

from . import values
from .deviations import ABSENT, DIFFERENT, ELSEWHERE, FIXED
from .facts import Contract, Field, contracts

CONTRACTS = contracts()
SERVED = [resource.name for resource in register if resource.name in CONTRACTS]
_KEPT = {"updated", "updated_at", "last_updated"}
"""Set by the server at each change."""
_TESTS = Path(__file__).parents[1]


class Subject:
    """An object of the resource under test."""

    def __init__(self, api: Api, name: str) -> None:
        self.api = api
        self.contract = CONTRACTS[name]
        self.name = name
        self.schema = api.read(f"{name}/schema/")
        self.given: dict[str, Any] = {}
        self._objects: dict[str, str] = {}
        self.path = self._make()

    def _make(self) -> str:
        resource = register.get(self.name)
        assert resource is not None
        if resource.singleton or "post" not in self.schema["allowed_list_http_methods"]:
            objects = self.api.list(f"{self.name}/")
            return objects[0]["resource_uri"] if objects else ""
        if self.name not in suites():
            return ""
        suite = suites()[self.name]()
        given = suite.prepare(self.api)
        suite.prepare = lambda _: given
        self.given = {**suite.example, **given}
        return suite._create(self.api)

    @property
    def fields(self) -> list[Field]:
        """Those of the sheet that we serve."""
        absent = ABSENT.get(self.name, {})
        return [field for field in self.contract.fields.values() if field.name not in absent]

    @property
    def writable(self) -> list[Field]:
        fixed = FIXED.get(self.name, {})
        fields = [f for f in self.fields if f.name not in fixed and f.type != "file"]
        return [f for f in fields if not f.read_only and not self.schema["fields"][f.name]["readonly"]]

    def patch(self, body: dict[str, Any]) -> Any:
        return self.api("PATCH", self.path, body)

    def body(self, name: str, value: Any) -> dict[str, Any]:
        """A change of one field, with what other fields need for it."""
        others = values.COMPANIONS.get((self.name, name), {})
        return {**{other: self._object(text) for other, text in others.items()}, name: value}

    def _object(self, text: Any) -> Any:
        """An object of the resource that `text` names, else `text`."""
        if text not in CONTRACTS:
            return text
        if text not in self._objects:
            suite = suites()[text]()
            self._objects[text] = suite._create(self.api)
        return self._objects[text]


def suites() -> dict[str, type[ResourceSuite]]:
    """The data each resource's own tests supply."""
    for file in sorted(_TESTS.glob("**/test_resources*.py")):
        importlib.import_module(".".join(("tests.management", *file.relative_to(_TESTS).with_suffix("").parts)))
    return {suite.name: suite for suite in _leaves(ResourceSuite)}


def _leaves(suite: type[ResourceSuite]) -> list[type[ResourceSuite]]:
    return [leaf for child in suite.__subclasses__() for leaf in (_leaves(child) or [child])]


@pytest.fixture
def subject(api: Api, request: pytest.FixtureRequest) -> Subject:
    return Subject(api, request.param)


each = pytest.mark.parametrize("subject", SERVED, indirect=True)
each_writable = pytest.mark.parametrize(
    "subject",
    [name for name in SERVED if "patch" in CONTRACTS[name].detail_methods or not CONTRACTS[name].detail_methods],
    indirect=True,
)


def test_every_resource_is_covered() -> None:
    declared = {resource.name for resource in register}
    assert set(CONTRACTS) - declared == set(ELSEWHERE), "resources of the sheet that nobody serves"
    assert declared - set(CONTRACTS) == set(), "resources without data"
    assert set(ABSENT) <= declared


@each
def test_fields_are_those_of_the_sheet(subject: Subject) -> None:
    shown = set(subject.schema["fields"]) - {"id", "resource_uri"}
    hidden = {field.name for field in subject.contract.fields.values() if field.write_only}
    absent = set(ABSENT.get(subject.name, {}))
    assert absent <= set(subject.contract.fields)
    assert set(subject.contract.fields) - shown <= absent
    assert shown - set(subject.contract.fields) == set(), "fields the sheet does not have"
    if subject.path:
        body = subject.api.read(subject.path)
        assert set(body) >= set(subject.contract.fields) - absent - hidden
        assert not set(body) & hidden
        assert ("id" in body) == (subject.contract.key == "id")


@each
def test_methods(subject: Subject) -> None:
    for path, methods in (
        (f"{subject.name}/", subject.contract.list_methods),
        (subject.path, subject.contract.detail_methods),
    ):
        if not methods or not path:
            continue
        for method in ("get", "post", "put", "patch", "delete"):
            if method in methods or (subject.contract.singleton and method == "put"):
                continue
            assert subject.api(method.upper(), path, {}).status_code == 405, (path, method)


@each
def test_types_limits_and_defaults_of_the_schema(subject: Subject) -> None:
    wrong: list[str] = []
    for field in subject.fields:
        said = subject.schema["fields"][field.name]
        expected = {"type": field.type}
        if field.type == "related":
            expected["related_type"] = "to_many" if field.many else "to_one"
        if (subject.name, field.name) in DIFFERENT:
            continue
        if {key: said.get(key) for key in expected} != expected:
            wrong.append(f"{field.name}: {said} is not {expected}")
        if field.has_default and said.get("default", "") != field.default and field.type != "related":
            wrong.append(f"{field.name}: default {said.get('default')!r} is not {field.default!r}")
        if field.choices and not set(field.choices) <= {str(v or "") for v in said.get("valid_choices", ())}:
            wrong.append(f"{field.name}: {said.get('valid_choices')} lacks some of {field.choices}")
        if said["readonly"] != (field.read_only or field.deprecated):
            wrong.append(f"{field.name}: readonly is {said['readonly']}")
    assert not wrong, "\n".join(wrong)


@each
def test_new_objects_have_the_defaults(subject: Subject) -> None:
    if not subject.given:
        pytest.skip("nothing is created")
    body = subject.api.read(subject.path)
    wrong = [
        f"{field.name}: {body[field.name]!r} is not {field.default!r}"
        for field in subject.fields
        if field.has_default
        and field.type != "related"
        and field.name in body
        and field.name not in subject.given
        and (subject.name, field.name) not in DIFFERENT
        and body[field.name] != field.default
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.spec("SYS-001")
@each_writable
def test_good_values_come_back(subject: Subject) -> None:
    wrong: list[str] = []
    for field in subject.writable:
        with transaction.atomic():
            wrong += _bad_ends(subject, field)
            transaction.set_rollback(True)  # the next field finds the object as it was made
    assert not wrong, "\n".join(wrong)


def _bad_ends(subject: Subject, field: Field) -> list[str]:
    """Good values that were refused, or came back as something else."""
    wrong: list[str] = []
    for value in values.good(subject.name, field):
        if value in _foreign(subject.name, field):
            continue
        response = subject.patch(subject.body(field.name, value))
        if response.status_code not in (200, 202):
            wrong.append(f"{field.name}={value!r}: {response.content.decode()}")
            continue
        found = subject.api.read(subject.path).get(field.name)
        if not field.write_only and not values.same(found, value):
            wrong.append(f"{field.name}={value!r} came back as {found!r}")
    return wrong


def _foreign(name: str, field: Field) -> list[str]:
    """Choices of the sheet that belong to what is not built."""
    served = register.get(name)
    choices = {str(v) for f in served.fields if f.name == field.name for v, _ in f.flatchoices} if served else set()
    return [choice for choice in field.choices if choice not in choices] if (name, field.name) in DIFFERENT else []


@each_writable
def test_bad_values_are_refused_by_field(subject: Subject) -> None:
    before = subject.api.read(subject.path)
    wrong: list[str] = []
    for field in subject.writable:
        for value in values.bad(field):
            if value is None and (subject.name, field.name) in DIFFERENT:
                continue
            response = subject.patch({field.name: value})
            named = response.json().get(subject.name, {}) if response.status_code == 400 else {}
            if field.name not in named:
                wrong.append(f"{field.name}={str(value)[:60]!r}: {response.status_code} {response.content[:200]!r}")
    assert not wrong, "\n".join(wrong)
    assert subject.api.read(subject.path) == before


@each_writable
def test_read_only_fields_stay(subject: Subject) -> None:
    before = subject.api.read(subject.path)
    body = {f.name: values.other(f, before.get(f.name)) for f in subject.fields if f.read_only and f.name not in _KEPT}
    assert subject.patch({**body, "unheard_of": 1}).status_code in (200, 202)
    after = subject.api.read(subject.path)
    assert {name: after.get(name) for name in body} == {name: before.get(name) for name in body}


@each
def test_filters_find_by_every_field(subject: Subject) -> None:
    filtering = subject.schema["filtering"]
    absent = ABSENT.get(subject.name, {})
    assert {k for k in subject.contract.filtering if k not in absent} <= set(filtering)
    assert {k for k in subject.contract.ordering if k not in absent} <= set(subject.schema["ordering"])
    if not subject.path:
        return
    body = subject.api.read(subject.path)
    wrong: list[str] = []
    for name in filtering:
        value = body.get(name)
        if value is None or isinstance(value, list | dict) or value == "":
            continue
        for query, hit in values.queries(name, value, subject.schema["fields"][name]["type"]):
            found = subject.api("GET", f"{subject.name}/?{query}&limit=0")
            uris = [one["resource_uri"] for one in found.json().get("objects", ())]
            fits = found.status_code == 200 or (not hit and found.status_code == 400)  # no such address can be
            if not fits or (subject.path in uris) != hit:
                wrong.append(f"{query}: {found.status_code}, found: {subject.path in uris}")
    assert not wrong, "\n".join(wrong)


@each
def test_collection_pages_and_addresses(subject: Subject) -> None:
    page = subject.api.read(f"{subject.name}/?limit=1")
    assert set(page["meta"]) == {"limit", "next", "offset", "previous", "total_count"}
    assert page["meta"]["limit"] == 1
    for one in page["objects"]:
        key = one["resource_uri"].removeprefix(f"{BASE}{subject.name}/").rstrip("/")
        assert str(one.get(subject.contract.key, key)) == key
        assert subject.api.read(one["resource_uri"])["resource_uri"] == one["resource_uri"]


def test_data_has_no_unknown_deviations() -> None:
    for name, fields in ABSENT.items():
        assert set(fields) <= set(_contract(name).fields), name
        assert all(fields.values())
    for name, field in DIFFERENT:
        assert field in _contract(name).fields, name


def _contract(name: str) -> Contract:
    return CONTRACTS[name]
