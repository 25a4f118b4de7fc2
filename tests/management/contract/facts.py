"""What the specification's sheet 10 says about every configuration resource, as data: `configuration.json`; about the
tables of status and history: `status.json` and `history.json`; and about commands: `commands.json`.

The files hold the tables of the sheet, nothing of ours: where we differ on purpose, `deviations.py` says why.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

_FILES = Path(__file__).parent


@dataclasses.dataclass(frozen=True, kw_only=True)
class Field:
    """A row of a resource's table."""

    name: str
    type: str
    limit: int | None = None
    """Most characters."""
    low: int | None = None
    high: int | None = None
    choices: tuple[str, ...] = ()
    nullable: bool = False
    read_only: bool = False
    write_only: bool = False
    deprecated: bool = False
    required: bool = False
    later: bool = False
    target: str = ""
    many: bool = False
    nested: bool = False
    has_default: bool = False
    default: Any = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Contract:
    """A resource's table and the line above it."""

    name: str
    tier: str
    title: str = ""
    key: str = "id"
    singleton: bool = False
    list_methods: tuple[str, ...] = ()
    detail_methods: tuple[str, ...] = ()
    filtering: dict[str, int] = dataclasses.field(default_factory=dict)
    ordering: tuple[str, ...] = ()
    fields: dict[str, Field]


def contracts() -> dict[str, Contract]:
    """Every resource of the data by name."""
    return {name: _contract(name, body) for name, body in _read("configuration").items()}


def _contract(name: str, body: dict[str, Any]) -> Contract:
    fields = {field: _field(field, facts) for field, facts in body.pop("fields").items()}
    lists = {key: tuple(body.pop(key)) for key in ("list_methods", "detail_methods", "ordering") if key in body}
    return Contract(name=name, fields=fields, **lists, **body)


def _field(name: str, facts: dict[str, Any]) -> Field:
    choices = tuple(facts.pop("choices", ()))
    return Field(name=name, choices=choices, has_default="default" in facts, **facts)


def _read(name: str) -> dict[str, Any]:
    return json.loads((_FILES / f"{name}.json").read_text())


@dataclasses.dataclass(frozen=True, kw_only=True)
class TableContract:
    """A table of status or history, or what belongs to a row of one (`participant/media_stream`)."""

    api: str
    name: str
    tier: str
    key: str = ""
    """The field that is the key in addresses; empty: another one, or rows have no address of their own."""
    types: dict[str, str]
    filtering: tuple[str, ...] = ()
    """Where the sheet says by which fields alone it can be filtered."""
    deletes: bool = False
    """Rows can be deleted."""


def tables() -> dict[str, TableContract]:
    """Every table by `api/name`."""
    return {
        f"{api}/{name}": _table(api, name, body) for api in ("status", "history") for name, body in _read(api).items()
    }


def _table(api: str, name: str, body: dict[str, Any]) -> TableContract:
    return TableContract(
        api=api,
        name=name,
        tier=body["tier"],
        key=body.get("key", ""),
        types={field: facts["type"] for field, facts in body["fields"].items()},
        filtering=tuple(body.get("filtering", ())),
        deletes="delete" in body.get("methods", {}).get("detail", ()),
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Given:
    """A parameter of a command."""

    type: str
    required: bool = False
    most: int | None = None
    choices: tuple[str, ...] = ()
    later: bool = False


def commands() -> dict[str, dict[str, Given]]:
    """The parameters of every command by `scope/name`."""
    return {
        name: {
            parameter: Given(**{**facts, "choices": tuple(facts.get("choices", ()))})
            for parameter, facts in body["parameters"].items()
        }
        for name, body in _read("commands").items()
    }
