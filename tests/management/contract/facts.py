"""What the specification's sheet 10 says about every configuration resource, as data: `configuration.json`.

The file holds the tables of the sheet, nothing of ours: where we differ on purpose, `deviations.py` says why.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("configuration.json")


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
    return {name: _contract(name, body) for name, body in json.loads(_FILE.read_text()).items()}


def _contract(name: str, body: dict[str, Any]) -> Contract:
    fields = {field: _field(field, facts) for field, facts in body.pop("fields").items()}
    lists = {key: tuple(body.pop(key)) for key in ("list_methods", "detail_methods", "ordering") if key in body}
    return Contract(name=name, fields=fields, **lists, **body)


def _field(name: str, facts: dict[str, Any]) -> Field:
    choices = tuple(facts.pop("choices", ()))
    return Field(name=name, choices=choices, has_default="default" in facts, **facts)
